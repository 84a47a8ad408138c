"""What a person reads on a terminal and a program in a pipe."""

from io import StringIO

import pytest
from msgspec.structs import replace

from audit.findings import PolicyId, Run
from audit.report.terminal import show
from tests.report.report_factories import (
    NOTICES,
    WAIVER,
    lab_run,
    make_endpoint_facts,
    make_finding,
    make_run,
    several_policies,
)

HOSTILE = "220 [red]x[/red]\r\nimap9 all is well\x1b[2J\x9b1A\u202e\x00"


class Terminal(StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(run: Run, *, facts: bool = False) -> str:
    """What a pipe gets."""
    pipe = StringIO()
    show(run, pipe, facts=facts)
    return pipe.getvalue()


def test_failures_come_first_by_endpoint_one_line_each() -> None:
    """Host and endpoint, then one line for each failure; after them what stayed unclear."""
    lines = printed(lab_run()).splitlines()
    assert lines[0] == "Failed"
    at = lines.index("imap1 [fd00:80::14]:143 imap")
    assert lines[at + 1] == (
        "  MT-AUTH-BEFORE-TLS  AUTH=PLAIN and AUTH=LOGIN offered before TLS; "
        "expected: no mechanism offered before TLS"
    )
    assert at < lines.index("Could not be determined") < lines.index("Waived")
    assert "msa1" in lines


def test_a_waiver_is_told_below_what_it_waives_and_the_rest_before_the_sum() -> None:
    """Until when, by whom and why; a waiver that nobody needs is named."""
    lines = printed(lab_run()).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("  MT-CIPHER-ORDER"))
    assert lines[at + 1].strip() == WAIVER.accepted
    assert lines[-3:-1] == [NOTICES[0], ""]
    several = printed(replace(several_policies(), notices=NOTICES)).splitlines()
    assert sum(line == NOTICES[0] for line in several) == 1


def test_the_last_line_sums_up() -> None:
    """Numbers of checks by verdict, hosts, endpoints, the policy and the time."""
    made = len(lab_run().findings)
    assert printed(lab_run()).splitlines()[-1] == (
        f"{made:,} checks: {made - 28:,} passed, 22 failed, 2 inconclusive, 2 waived,"
        " 2 not applicable on 5 hosts, 28 endpoints, policy mailseal-2026, 42.5 s"
    )


def test_a_single_one_is_singular() -> None:
    """One check on one host is no plural, and what did not occur is still counted."""
    assert printed(make_run(make_finding())).splitlines()[-1] == (
        "1 check: 0 passed, 1 failed, 0 inconclusive, 0 waived"
        " on 1 host, 1 endpoint, policy mailseal-2026, 42.5 s"
    )


def test_missing_checks_are_said() -> None:
    """Planned and not made is told before the sum."""
    lines = printed(make_run(make_finding(verdict="pass"), planned=3)).splitlines()
    assert lines[-2] == "Planned 3 checks, made 1: 2 are missing."


def test_a_pipe_gets_whole_lines_without_colour() -> None:
    """No escape sequence, and no line broken at some width."""
    long = "suite " * 40
    text = printed(make_run(make_finding(observed=long)), facts=True)
    assert "\x1b" not in text
    assert long.strip() in text


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words in colour; NO_COLOR is respected."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    show(lab_run(), terminal)
    assert "\x1b[1;31mFailed" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    show(lab_run(), plain)
    assert "\x1b[1;31m" not in plain.getvalue()


def test_a_scan_shows_what_each_endpoint_does() -> None:
    """Versions, suites in order, groups, certificate, what is possible before TLS."""
    text = printed(make_run(endpoints=(make_endpoint_facts(),)), facts=True)
    assert "143 imap starttls  10.80.0.31" in text
    assert "TLSv1.2 TLSv1.3; refused: SSLv2 SSLv3 TLSv1.0 TLSv1.1" in text
    assert "in the server's order; groups X25519 P-256 P-384" in text
    gcm, chacha = text.index("TLS_AES_256_GCM_SHA384"), text.index("TLS_CHACHA20_POLY1305_SHA256")
    assert gcm < chacha
    assert "CN=imap1.lab.test · 59 days left · ECDSA P-256 · signed with sha256" in text
    assert "offers no login, a login is refused" in text


def test_endpoints_that_show_the_same_are_told_once() -> None:
    """Both addresses stand over one description; a dead one keeps its own."""
    text = printed(lab_run(), facts=True)
    assert "993 imap implicit  10.80.0.15 fd00:80::15" in text
    assert "reached      does not answer" in text


def test_a_hostile_server_cannot_forge_lines_or_move_the_cursor() -> None:
    """Everything that came from the network is one line of printable characters."""
    finding = make_finding(host=HOSTILE, observed=HOSTILE, expected=HOSTILE, check=HOSTILE)
    facts = make_endpoint_facts(host=HOSTILE, errors=(HOSTILE,))
    text = printed(make_run(finding, endpoints=(facts,)), facts=True)
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.startswith("imap9") for line in text.split("\n"))
    assert "[red]x[/red]" in text


def test_a_policy_cannot_either() -> None:
    """Its file says what its edition is called."""
    policies = tuple(PolicyId(id=f"p{n}", version="\x1b[2J\ud800") for n in (1, 2))
    text = printed(make_run(make_finding(policy="p1"), policies=policies))
    assert all(line.isprintable() for line in text.split("\n"))
    assert r"Policy p1 of \x1b[2J\ud800" in text


def test_no_secret_is_printed() -> None:
    """Neither a certificate's bytes nor a host's options."""
    text = printed(lab_run(), facts=True)
    assert "SECRET-DER" not in text
    assert "hunter2" not in text


def test_a_long_list_is_cut_and_the_cut_is_said() -> None:
    """What was expected fits in the line; whole lists are in the other formats."""
    (line,) = [line for line in printed(lab_run()).splitlines() if "MT-CIPHER-SET" in line][:1]
    assert "TLSv1.2 accepts TLS_RSA_WITH_3DES_EDE_CBC_SHA; expected: TLSv1.3 TLS_AES" in line
    assert line.endswith("more characters)")


def test_each_policy_has_a_block_of_its_own() -> None:
    """Its name, its failures, its sum; what is on phase-out is told although it passed."""
    lines = printed(several_policies()).splitlines()
    assert [x for x in lines if x.startswith("Policy ")] == [
        "Policy mailseal-2026 of 2026-11-01",
        "Policy ncsc-nl-2025 of 2025-05-01",
    ]
    sums = [x for x in lines if x.startswith("2 checks: 1 passed, 1 failed")]
    assert [x.split("policy ")[1] for x in sums] == [
        *("mailseal-2026, 42.5 s", "ncsc-nl-2025, 42.5 s"),
    ]
    at = lines.index("On phase-out, still passed")
    assert at > lines.index("Policy ncsc-nl-2025 of 2025-05-01")
    assert lines[at + 1] == (
        "  MT-CIPHER-SET  phase-out: TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256;"
        " on imap1 [10.80.0.31]:143 imap"
    )
    assert any("accepted [insufficient]; expected: " in x for x in lines)


def test_a_check_that_no_policy_made_is_missed_from_the_whole() -> None:
    """It is said once, at the end."""
    run = several_policies()
    lines = printed(make_run(*run.findings, policies=run.policies, planned=6)).splitlines()
    assert lines[-1] == "Planned 6 checks, made 4: 2 are missing."


def test_the_same_phase_out_in_many_places_is_one_line() -> None:
    """With their number."""
    late = {"verdict": "pass", "level": "phase-out", "observed": "phase-out: X"}
    run = make_run(*(make_finding(port=port, **late) for port in (110, 143, 993)))
    line = next(x for x in printed(run).splitlines() if "phase-out: X" in x)
    assert line == "  MT-TLS10  phase-out: X; on imap1 [10.80.0.31]:110 imap and 2 more"

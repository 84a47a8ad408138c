"""What Exim's log says of sessions with other servers.

The lines are those of a real Exim 4.96, on GnuTLS and on OpenSSL, with DANE and without.
"""

from collections import Counter
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlsrpt.clock import clock
from audit.tlsrpt.counts import Counts, Day
from audit.tlsrpt.exim import event
from audit.tlsrpt.sessions import Sessions
from audit.traffic.own import Own
from tests.tlsrpt.lines import AT, BOUNCED, DANE, DELIVERED, PLAIN, SAMPLES, X, line

_CLOCK = clock(UTC)


def _sessions(*lines: str, own: tuple[str, ...] = (), clear: bool = False) -> Sessions:
    found = Sessions(_CLOCK, Own(own), clear=clear)
    for one in lines:
        if what := event(one.encode()):
            found.take(what)
    return found


def _one(*lines: str, clear: bool = False) -> Counts:
    """What is counted of the only domain that there is."""
    found = _sessions(*lines, clear=clear)
    (counts,) = found.finish().values()
    assert not found.unclear
    assert not found.homeless
    return counts


def _failed(*lines: str) -> list[tuple[str, str, str, int]]:
    counts = _one(*lines)
    return [
        (why.policy, why.result, why.ip.decode(), count) for why, count in counts.failed.items()
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_lines_of_a_real_exim(name: str) -> None:
    """Each case: sessions that came about by policy, those that failed by reason, mail in clear."""
    lines, ok, failed, clear = SAMPLES[name]
    counts = _one(*lines)
    assert counts.ok == Counter(ok)
    assert {
        (why.policy, why.result, why.ip.decode()): n for why, n in counts.failed.items()
    } == failed
    assert counts.clear == clear


def test_mail_on_an_open_connection_is_no_session() -> None:
    """It is one for as many mails and recipients as it carries."""
    again = line("1b", f"=> u@a.test R=l T=s H=mx.a.test [{AT}]* {X} CV=yes")
    copy = line("1a", f"-> v@a.test R=l T=s H=mx.a.test [{AT}] {X} CV=yes")
    assert _one(DELIVERED, copy, again).ok == {"no-policy-found": 1}


def test_a_session_of_two_domains_is_one_for_each() -> None:
    """Their recipients are in one transaction."""
    copy = line("1a", f"-> v@b.test R=l T=s H=mx.a.test [{AT}] {X} CV=yes")
    found = _sessions(DELIVERED, copy, copy).finish()
    assert {day.domain: counts.ok.total() for day, counts in found.items()} == {
        b"a.test": 1,
        b"b.test": 1,
    }


def test_recipients_of_a_failed_connection_are_one_session() -> None:
    """Their lines come together; an attempt later is another session."""
    put_off = (
        "== {}@bad.test R=l T=s defer (-37) H=mx.bad.test [192.0.2.7]: TLS session:"
        " (gnutls_handshake): timed out"
    )
    first = [line("1a", put_off.format(user), second=5) for user in "ab"]
    later = [line("1a", put_off.format(user), second=45) for user in "ab"]
    assert _failed(*first) == [("no-policy-found", "validation-failure", "192.0.2.7", 1)]
    assert _failed(*first, *later) == [("no-policy-found", "validation-failure", "192.0.2.7", 2)]


def test_a_failure_at_one_host_belongs_to_the_domain_that_was_delivered_elsewhere() -> None:
    """The line of the failure names no domain, and the mail has only one."""
    assert _failed(DANE, line("1a", f"=> u@a.test R=l T=s H=mx2.a.test [{AT}] {X} CV=no")) == [
        ("tlsa", "validation-failure", "192.0.2.9", 1)
    ]


def test_a_failure_of_a_mail_to_two_domains_belongs_to_the_one_with_that_host() -> None:
    """If nobody is known to have it, it is nobody's, and that is told."""
    to_a = line("1a", f"=> u@a.test R=l T=s H=mx.a.test [{AT}] {X} CV=no")
    to_b = line("1a", f"=> v@b.test R=l T=s H=mx.b.test [{AT}] {X} CV=no")
    lost = _sessions(DANE, to_a, to_b)
    assert all(not counts.failed for counts in lost.finish().values())
    assert lost.homeless == 1
    assert any("no domain" in words for words in lost.notices({}))
    elsewhere = line("1z", f"=> w@b.test R=l T=s H=mx1.a.test [192.0.2.9] {X} CV=dane")
    found = _sessions(DANE, to_a, to_b, line("1a", "Completed"), elsewhere)
    failed = {day.domain: counts.failed.total() for day, counts in found.finish().items()}
    assert failed == {b"a.test": 0, b"b.test": 1}
    assert not found.homeless


def test_a_mail_that_never_names_its_domain_leaves_a_failure_to_nobody() -> None:
    """The log ends before that."""
    found = _sessions(DANE)
    assert not found.finish()
    assert found.homeless == 1


def test_what_was_required_is_told_by_what_the_host_has_elsewhere() -> None:
    """Exim says only that TLS was; a host with TLSA records had them all day."""
    required = line(
        "1a",
        "== u@a.test R=l T=s defer (-38) H=mx.a.test [192.0.2.9]: a TLS session is required, but"
        " the server did not offer TLS support",
    )
    assert _failed(required) == [("no-policy-found", "starttls-not-supported", "192.0.2.9", 1)]
    before = line("1z", f"=> u@a.test R=l T=s H=MX.a.test [{AT}] {X} CV=dane")
    assert _failed(before, required) == [("tlsa", "starttls-not-supported", "192.0.2.9", 1)]


def test_clear_text_is_a_failure_only_if_tls_was_tried() -> None:
    """The log does not say so; who runs the server may."""
    assert (_one(PLAIN).clear, _one(PLAIN).failed) == (1, {})
    counts = _one(PLAIN, clear=True)
    assert (counts.clear, counts.failed.total()) == (0, 1)
    assert [why.result for why in counts.failed] == ["starttls-not-supported"]


def test_clear_text_after_another_failure_is_clear_text() -> None:
    """As where DANE failed, and an hour later there were no records any more."""
    at_once = line("1a", f"DANE attempt failed; TLS connection to mx.a.test [{AT}]: x")
    later = PLAIN.replace(" 10:", " 11:")
    counts = _one(at_once, later)
    assert (counts.clear, counts.failed.total()) == (1, 1)
    went_on = line(
        "1a",
        f"TLS session: x: delivering unencrypted to H=mx.a.test [{AT}] (not in hosts_require_tls)",
    )
    assert _one(went_on, PLAIN).clear == 0
    assert _one(went_on, later).clear == 1


def test_a_look_for_records_that_failed_proves_none() -> None:
    """So what was required of that host later need not have been DANE."""
    looked = line("1a", f"H=mx.a.test [{AT}]: DANE error: tlsa lookup DEFER")
    required = line("1b", f"H=mx.a.test [{AT}]: a TLS session is required, but the server did not")
    whose = [
        line(name, f"=> u@a.test R=l T=s H=mx.a.test [{AT}]* {X} CV=no") for name in ("1a", "1b")
    ]
    assert {(policy, result) for policy, result, *_ in _failed(looked, required, *whose)} == {
        ("tlsa", "dnssec-invalid"),
        ("no-policy-found", "starttls-not-supported"),
    }


def test_one_s_own_servers_are_nobody_to_report_to() -> None:
    """Nor is this machine."""
    assert _sessions(DELIVERED).finish()
    assert not _sessions(DELIVERED, own=(f"{AT}/32",)).finish()
    assert not _sessions(DELIVERED.replace(AT, "127.0.0.1")).finish()
    assert not _sessions(BOUNCED.replace(" H=mx.a.test [192.0.2.8]", "")).finish()


def test_days_are_those_of_utc() -> None:
    """A stamp may name its zone, or not."""
    late = "2026-11-24 00:30:00"
    for stamp, zone, day in (
        (late, UTC, "2026-11-24"),
        (late, ZoneInfo("Europe/Vienna"), "2026-11-23"),
        (f"{late} +0100", UTC, "2026-11-23"),
        (f"{late}.123 -0700 [77]", ZoneInfo("Europe/Vienna"), "2026-11-24"),
    ):
        found = Sessions(clock(zone))
        what = event(DELIVERED.replace("2026-11-23 10:00:00", stamp).encode())
        assert what is not None
        found.take(what)
        assert [key.day for key in found.finish()] == [day]


def test_only_days_that_are_asked_for_count() -> None:
    """What lies before and after them helps to understand, and is in no report."""
    other = DELIVERED.replace("-23 ", "-24 ")
    found = Sessions(_CLOCK, days=("2026-11-23", "2026-11-23"))
    for one in (DELIVERED, other, other.replace(" R=l", "")):
        found.take(event(one.encode()))  # type: ignore[arg-type]
    assert list(found.finish()) == [Day("2026-11-23", b"a.test")]
    assert not found.unclear


_EVIL = f"R=l T=s H=evil.test [6.6.6.6] {X} CV=dane"
_REST = f"R=l T=s H=mx.a.test [{AT}] {X} CV=no"


def test_days_that_the_logs_have_only_in_part_are_told() -> None:
    """Not if there is something before and after them."""
    around = [DELIVERED.replace("-23 ", f"-{day} ") for day in (22, 24)]
    for lines, told in (([DELIVERED], 2), ([around[0], DELIVERED], 1), ([*around, DELIVERED], 0)):
        found = Sessions(_CLOCK, days=("2026-11-23", "2026-11-23"))
        for one in lines:
            found.take(event(one.encode()))  # type: ignore[arg-type]
        assert len(list(found.notices(found.finish()))) == told


HOSTILE = {
    # Whoever writes to somebody here chooses the local part of what is forwarded, and the sender.
    "recipient": f'=> "x {_EVIL}"@a.test {_REST}',
    "alias": f'=> u@a.test <"x> {_EVIL}"@b.test> {_REST}',
    "sender": f'=> u@a.test F=<"x> {_EVIL}"@b.test> {_REST}',
    "quotes": f'=> "x\\" {_EVIL}\\""@a.test {_REST}',
    # The server chooses its certificate and its answers.
    "answer": f'=> u@a.test {_REST} DN="/CN=x CV=dane" C="250 {_EVIL}"',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_others_write_is_no_session(name: str) -> None:
    """The fields are those that Exim wrote, once the words are skipped."""
    what = event(line("1a", HOSTILE[name]).encode())
    assert what is not None
    assert (what.kind, what.domain, what.ip) == ("sent", b"a.test", AT.encode())
    assert (what.tls, what.policy) == (True, "no-policy-found")


@pytest.mark.parametrize(
    "words",
    [
        "SMTP error from remote mail server after RCPT TO:<u@a.test>: 450 TLS session: x",
        "450 a TLS session is required, but the server did not offer TLS support",
        "SMTP error from remote mail server after EHLO: 500 SMTP error after STARTTLS: 454",
    ],
)
def test_an_answer_is_no_reason(words: str) -> None:
    """A server may say what it likes."""
    put_off = line("1a", f"== u@a.test R=l T=s defer (-44) H=mx.a.test [{AT}]: {words}")
    assert not _sessions(put_off).finish()
    of_host = line("1a", f"H=mx.a.test [{AT}]: {words}")
    assert event(of_host.encode()) is None


@pytest.mark.parametrize(
    "words",
    [
        f"=> u@a.test H=mx.a.test [{AT}] {X} CV=no",
        f"=> u@a b@c.test R=l T=s H=mx.a.test [{AT}] {X}",
        f"== u@a.test defer (-37) H=mx.a.test [{AT}]: TLS session: (SSL_connect): x",
        # What looks like a delivery here, and turns out to be one elsewhere; the fuzzer's.
        f"=> u@a.test R=l T=s CV=no R=l T=s H=mx.a.test [{AT}]",
        f"=> u@a.test R=l T=s H=mx.a R=l T=s H=mx.a.test [{AT}]",
        f"=> u@a.test R=l T=s H=mx.a.test [{AT}]x",
        f"=> u@a.test R=l T=s H=mx.a.test [{AT}] {X} CV=no DN=x",
    ],
)
def test_what_cannot_be_read_is_counted(words: str) -> None:
    """It is in no report, and that is told."""
    found = _sessions(line("1a", words))
    assert not found.finish()
    assert found.unclear == 1
    assert any("cannot be read" in one for one in found.notices({}))


def test_a_stamp_that_is_no_time_is_counted() -> None:
    """As of a clock that ran wild."""
    found = _sessions(DELIVERED.replace("2026-11-23", "2026-13-43"))
    assert not found.finish()
    assert found.unclear == 1


@settings(deadline=None)
@given(st.lists(st.sampled_from([*(one for rows, *_ in SAMPLES.values() for one in rows)])))
def test_no_order_of_lines_makes_more_sessions_than_there_are_lines(lines: list[str]) -> None:
    """Nor fewer that came about than lines say so."""
    found = _sessions(*lines)
    counted = found.finish().values()
    opened = sum(
        1
        for one in lines
        if (what := event(one.encode())) and what.kind == "sent" and what.tls and not what.again
    )
    assert sum(one.ok.total() for one in counted) == opened
    assert sum(one.failed.total() for one in counted) + found.homeless <= 2 * len(lines)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_line_or_none(words: bytes) -> None:
    """Behind a head, too."""
    for one in (words, line("1a", "").encode() + words):
        what = event(one)
        assert what is None or what.stamp.startswith(b"2")

"""`mailseal audit`, `history`, `diff` and `report` as they are typed."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace

from audit import runner
from audit.cli import main
from audit.errors import MailsealError
from audit.facts import HostFacts
from audit.findings import PolicyId, Run
from audit.history.entry import Series
from audit.history.keep import keeping
from audit.history.place import Place, place, usual
from audit.history.store import opened
from audit.runner import Driver
from audit.session import Audit
from tests.commands import BIN, ROOT
from tests.history.history_factories import (
    SERIES,
    at,
    cluster,
    keep,
    plan,
    told,
)
from tests.report.report_factories import make_finding, make_run
from tests.test_session import HOST

Capture = pytest.CaptureFixture[str]
INVENTORY = """
all:
  hosts:
    gone:
      mailseal_addresses: [127.0.0.1]
      mailseal_server_name: gone.example
      mailseal_closed_ports: false
      mailseal_endpoints:
        - {port: 9, service: imap, mode: implicit, profile: access}
"""


def _mailseal(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "mailseal"), *words],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    """One host of which nothing answers."""
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY)
    return str(path)


@pytest.fixture
def there(tmp_path: Path) -> Place:
    """A file is enough for what is typed."""
    found = place(str(tmp_path / "history.db"))
    assert found
    return found


Found = Callable[[Run], None]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Lets the next audits find what a test says, without any network."""
    audit = Audit("", [HOST])

    def find(run: Run) -> None:
        monkeypatch.setattr(runner, "run", lambda _: run)

    monkeypatch.setattr(Driver, "read", lambda *_: Driver(audit))
    return find


def test_two_nights_of_an_unchanged_cluster_say_so(inventory: str, tmp_path: Path) -> None:
    """A real audit twice: kept, listed, compared, reported again; a failure stays a failure."""
    history = str(tmp_path / "h.db")
    audit = ("audit", "-i", inventory, "--history", history)
    first, second = _mailseal(*audit), _mailseal(*audit)
    assert (first.returncode, second.returncode) == (1, 1), first.stderr + second.stderr
    assert first.stdout.startswith("Failed\n")
    assert second.stdout.startswith("Nothing changed since 2")
    assert (first.stderr, second.stderr) == ("", "")
    environment = {"MAILSEAL_HISTORY": history}
    listed = _mailseal("history", **environment)
    assert listed.returncode == 0
    assert listed.stdout.count("0 passed, 1 failed, 31 inconclusive") == 2
    assert listed.stdout.count(inventory) == 2
    diff = _mailseal("diff", **environment)
    assert (diff.returncode, diff.stderr) == (0, "")
    assert "no changes; 0 other facts" in diff.stdout
    out = tmp_path / "again.xml"
    again = _mailseal("report", "latest", "--format", "junit", "-o", str(out), **environment)
    assert (again.returncode, again.stdout) == (0, "")
    assert out.read_text().count("<testcase") == 32
    with opened(_at(history)) as store:
        entry = store.entries()[-1]
        with store.alone(entry.series.inventory):
            late = _mailseal(*audit)
    assert (late.returncode, late.stdout) == (2, "")
    who = f"process {os.getpid()} of "
    assert late.stderr.startswith(f"mailseal: {inventory}: another audit of it is running ({who}")
    assert late.stderr.count("\n") == 1


def _at(history: str) -> Place:
    found = place(history)
    assert found
    return found


def test_an_audit_says_the_changes_first(found: Found, there: Place, capfd: Capture) -> None:
    """New and lost, then what is fixed; then the failures, and the sum at the end."""
    base = make_finding(policy="mailseal-2026", verdict="pass", observed="TLSv1.0 refused")
    words = ["audit", "-i", "/i", "--history", str(there)]
    hosts = ("a", "b", "c")
    found(make_run(*(replace(base, host=h) for h in hosts), replace(base, host="d")))
    assert main(words) == 0
    found(
        make_run(
            replace(base, host="a", verdict="fail", observed="TLSv1.0 accepted"),
            replace(base, host="b", verdict="fail", observed="TLSv1.0 accepted"),
            replace(base, host="c"),
        )
    )
    capfd.readouterr()
    assert main(words) == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("3 changes since ")
    assert [line for line in lines if line and not line.startswith(" ")][1:4] == [
        "New",
        "No longer checked",
        "Failed",
    ]
    arrow = "pass: TLSv1.0 refused → fail: TLSv1.0 accepted"
    assert lines[3] == f"  MT-TLS10  {arrow}; on a [10.80.0.31]:143 imap and 1 more"
    assert lines[6] == "  1 check MT-TLS10; on d [10.80.0.31]:143 imap"
    assert lines[-1].startswith("3 checks: 1 passed, 2 failed")


def test_without_a_history_nothing_is_kept_and_nothing_is_said(
    found: Found, there: Place, capfd: Capture
) -> None:
    """As before there was one."""
    found(make_run(make_finding(verdict="pass")))
    assert main(["audit", "-i", "/i", "--history", "none"]) == 0
    said = capfd.readouterr()
    assert said.out.startswith("1 check: 1 passed")
    assert said.err == ""
    assert main(["history", "--history", "none"]) == 2
    assert "switched off" in capfd.readouterr().err


@pytest.mark.parametrize(("verdict", "code"), [("pass", 2), ("fail", 1), ("inconclusive", 2)])
def test_a_history_that_cannot_be_written_costs_no_result(
    found: Found, tmp_path: Path, capfd: Capture, verdict: Any, code: int
) -> None:
    """All reports first, then one sentence; a failure stays one, nothing else looks clean."""
    found(make_run(make_finding(verdict=verdict)))
    (tmp_path / "a file").touch()
    where, out = tmp_path / "a file" / "h.db", tmp_path / "out"
    assert main(["audit", "-i", "/i", "--history", str(where), "--out", str(out)]) == code
    said = capfd.readouterr()
    assert said.out.startswith("1 check: ") or "1 check: " in said.out
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"mailseal: {where}: the history cannot be written or reached")
    assert json.loads((out / "run.json").read_text())["executed"] == 1
    assert {p.name for p in out.iterdir()} == {"run.json", "junit.xml", "report.html"}


def test_a_damaged_history_ends_an_audit_before_it_begins(
    found: Found, there: Place, capfd: Capture
) -> None:
    """Nothing was looked at, so nothing is lost."""
    assert there.file
    there.file.write_bytes(b"no database" * 100)
    found(make_run(make_finding(verdict="fail")))
    assert main(["audit", "-i", "/i", "--history", str(there)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"mailseal: {there}: ")


def test_what_was_asked_for_makes_runs_comparable(there: Place, capfd: Capture) -> None:
    """Another limit and other policies are other series, unless somebody names the runs."""
    whole = cluster()
    one = replace(whole, findings=tuple(f for f in whole.findings if f.host == "mx1"))
    keep(there, whole, at(0))
    keep(there, one, at(1), replace(SERIES, limit="mx1"))
    keep(there, whole, at(2), replace(SERIES, policies="rfc9325"))
    assert main(["diff", "--history", str(there)]) == 2
    assert "no earlier complete run of /etc/mailseal/inventory, by rfc9325" in (
        capfd.readouterr().err
    )
    keep(there, whole, at(3))
    code, document = told(capfd, "diff", "--history", str(there))
    assert (code, document["before"]["run"]) == (0, "20261128T030000Z")
    code, document = told(capfd, "diff", "20261129", "latest", "--history", str(there))
    assert code == 0  # compared because somebody says so
    assert {c["kind"] for c in document["changes"]} == {"added"}
    code, document = told(capfd, "diff", "20261128", "--history", str(there))
    assert (code, document["after"]["run"]) == (0, "20261201T030000Z")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["diff", "nosuch"], "the history has no run 'nosuch'"),
        (["diff", "2026"], "'2026' may be any of 20261128T030000Z, 20261129T030000Z"),
        (["diff", "latest"], "there is no later complete run"),
        (["diff", "20261128", "20261130"], "20261130T030000Z did not come to its end"),
        (["report", "20261130"], "20261130T030000Z did not come to its end"),
        (["report", ""], "the history has no run ''"),
    ],
)
def test_a_run_that_cannot_be_meant_is_named(
    there: Place, capfd: Capture, words: list[str], sentence: str
) -> None:
    """One sentence, exit code 2, no traceback."""
    keep(there, cluster(), at(0))
    keep(there, cluster(), at(1))
    with keeping(there, plan(at(2))):
        pass  # looked, and never came to its end
    assert main([*words, "--history", str(there)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"mailseal: {sentence}")
    assert said.err.count("\n") == 1


def test_a_run_without_an_end_is_listed_as_such(there: Place, capfd: Capture) -> None:
    """It has no counts that could be read as clean."""
    with keeping(there, plan(at(0), planned=8000)):
        pass
    assert main(["history", "--history", str(there)]) == 0
    assert "incomplete, 8000 planned" in capfd.readouterr().out
    code, document = told(capfd, "history", "--history", str(there))
    assert code == 0
    [run] = document["runs"]
    assert (run["complete"], run["counts"], run["finished"]) == (False, None, None)
    assert main(["diff", "--history", str(there)]) == 2
    assert capfd.readouterr().err == "mailseal: the history has no complete run\n"


def test_what_programs_read_keeps_to_its_schemas(there: Place, capfd: Capture) -> None:
    """The shipped ones, with changes, drift and a run without an end."""
    run = cluster()
    keep(there, run, at(0))
    worse = replace(run.findings[0], verdict="fail", observed="accepted")
    system = tuple(replace(h, system="debian 13") for h in run.hosts)
    keep(there, replace(run, findings=(worse, *run.findings[1:-1]), hosts=system), at(1))
    with keeping(there, plan(at(2))):
        pass
    for command, schema in (("diff", "diff-1.json"), ("history", "history-1.json")):
        _, document = told(capfd, command, "--history", str(there))
        rules = json.loads((ROOT / "docs" / "schema" / schema).read_text())
        jsonschema.validate(document, rules)
    _, document = told(capfd, "diff", "--history", str(there))
    assert {c["kind"] for c in document["changes"]} == {"new", "lost"}
    assert {d["what"] for d in document["drift"]} == {"system"}


def test_hostile_names_do_no_harm_to_a_terminal(there: Place, capfd: Capture) -> None:
    """Neither in a list nor in a difference is there a control character or a forged line."""
    names = ("mx1\x1b[2J", "a\nb", "\u202egnp", "\udcff")
    policy = PolicyId(id="p\x1b[2J\udcff", version="\x1b[2J\udcff")
    series = Series(inventory="/i/\x1b[2J\n")
    findings = [make_finding(host=n, observed=n, verdict="pass") for n in names]
    keep(there, make_run(*findings, policy=policy), at(0), series)
    worse = [replace(f, verdict="fail", observed=f"{f.host} is bad") for f in findings]
    keep(there, make_run(*worse, policy=policy), at(1), series)
    for words in (["history"], ["diff"], ["diff", "--json"], ["history", "--json"]):
        main([*words, "--history", str(there)])
        said = capfd.readouterr()
        assert said.err == ""
        assert not {"\x1b", "\u202e", "\udcff"} & set(said.out)
        assert "\nb" not in said.out


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mysql://root:hunter2@db/x", "a history is a file, a URL that begins with postgresql://"),
        ("postgresql://root:hun@hunter2@db/x", "must be written %40"),
        ("postgresql://root:hunter2@db:port/x", "cannot be read"),
        ("sqlite://", "a history is a file"),
    ],
)
def test_a_url_that_is_none_is_refused_without_being_repeated(text: str, sentence: str) -> None:
    """It may hold a password."""
    with pytest.raises(MailsealError) as told:
        place(text)
    assert sentence in str(told.value)
    assert "hunter2" not in str(told.value)
    assert "root" not in str(told.value)


def test_no_output_has_the_password_of_a_url(capfd: Capture, found: Found) -> None:
    """A server that does not answer is named by host, port and database."""
    found(make_run(make_finding(verdict="pass")))
    url = "postgres://root:hunter2@127.0.0.1:1/mail?password=hunter2"
    assert main(["history", "--history", url]) == 2
    assert main(["audit", "-i", "/i", "--history", url]) == 2
    said = capfd.readouterr()
    assert said.err.count("mailseal: postgresql://127.0.0.1:1/mail: the history cannot be") == 2
    assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=hunter2",
        "connect_timeout=hunter2",
        "sslrootcert=/hunter2&sslmode=verify-full",
        "options=hunter2%0Ahunter2",
        "plugin=hunter2",
        "service=hunter2",
        "password=x&client_encoding=hunter2",
        "sslmode=hunter2&sslmode=hunter2b",
    ],
)
def test_no_option_of_a_url_is_repeated(capfd: Capture, query: str) -> None:
    """A driver names what it complains of; here it may be a secret under a wrong name."""
    assert main(["history", "--history", f"postgresql://127.0.0.1:1/mail?{query}"]) == 2
    said = capfd.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("mailseal: postgresql://127.0.0.1:1/mail: the history cannot be ")
    assert "hunter2" not in said.err


def test_an_option_of_one_letter_spoils_no_sentence(capfd: Capture) -> None:
    """It is looked for as a word; where the server is may be said."""
    url = "postgresql:///mail?host=127.0.0.1&port=1&password=x&user=c"
    assert main(["history", "--history", url]) == 2
    said = capfd.readouterr().err
    assert "127.0.0.1" in said
    assert "Connection refused" in said


def test_where_a_history_is_follows_option_environment_and_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In that order; root's is the machine's."""
    monkeypatch.setenv("MAILSEAL_HISTORY", "/e/h.db")
    assert str(place("/o/h.db")) == "/o/h.db"
    assert str(place(None)) == "/e/h.db"
    assert place("none") is None
    assert str(place("sqlite:////u/h.db")) == "/u/h.db"
    monkeypatch.delenv("MAILSEAL_HISTORY")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert usual() == Path("/var/lib/mailseal/history.db")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert usual() == tmp_path / "mailseal" / "history.db"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/p")
    assert str(place(None)) == "/home/p/.local/state/mailseal/history.db"


def test_every_command_explains_itself(capfd: Capture) -> None:
    """With an example."""
    for command in ("history", "diff", "report", "audit"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        said = capfd.readouterr().out
        assert f"example: mailseal {command}" in said
        assert "--history" in said


def test_a_run_can_be_reported_though_the_one_before_is_damaged(
    there: Place, capfd: Capture
) -> None:
    """With a sentence; what changed is left out."""
    for night in range(2):
        keep(there, cluster(), at(night))
    assert there.file
    with sqlite3.connect(there.file) as database:
        words = "UPDATE mailseal_run SET content = x'00' WHERE number = 1"
        assert database.execute(words).rowcount == 1
    assert main(["report", "latest", "--history", str(there)]) == 0
    said = capfd.readouterr()
    assert "what changed since then is left out" in said.err
    assert "passed" in said.out
    assert main(["report", "previous", "--history", str(there)]) == 2


def test_what_changed_in_a_dark_night_is_told_after_it(there: Place, capfd: Capture) -> None:
    """By the night's own news, by `report` and by `diff`."""
    run = cluster()
    keep(there, run, at(0))
    dark = (HostFacts(run.hosts[0].host, reached=False), *run.hosts[1:])
    keep(there, replace(run, hosts=dark), at(1))
    newer = (replace(run.hosts[0], system="debian 13"), *run.hosts[1:])
    keep(there, replace(run, hosts=newer), at(2))
    _, document = told(capfd, "diff", "--history", str(there))
    assert [(d["host"], d["what"]) for d in document["drift"]] == [(run.hosts[0].host, "system")]
    assert main(["report", "latest", "--history", str(there)]) == 0
    assert "debian 12 → debian 13" in capfd.readouterr().out


def test_what_looks_back_says_what_its_codes_mean(capfd: Capture) -> None:
    """They are none of `mailseal audit`."""
    for command in ("history", "report"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "exit codes: 0 it could be told" in capfd.readouterr().out


@pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "", "99999999", "0" * 8 + "19999999"])
def test_days_that_are_none_are_wrong_usage(days: str, capfd: Capture) -> None:
    """A history is not deleted by a slip."""
    with pytest.raises(SystemExit) as ended:
        main(["audit", "-i", "/i", f"--keep={days}"])
    assert ended.value.code == 2
    assert "is no number of days" in capfd.readouterr().err

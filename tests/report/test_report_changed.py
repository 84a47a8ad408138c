"""What changed, as lines for a terminal."""

from typing import Any

from msgspec.structs import replace

from audit.changes import Change, Kind, compare
from audit.drift import Drift
from audit.findings import UNTESTED, Finding
from audit.past import Night, Past
from audit.report.changed import changed, drifted, since
from audit.report.paint import painted
from audit.report.terminal import text_document
from tests.report.report_factories import make_finding, make_run

PASS = make_finding(verdict="pass", observed="TLSv1.0 refused")


def _lines(before: list[Finding], after: list[Finding]) -> list[str]:
    changes = compare(make_run(*before), make_run(*after))
    return [painted(line, colour=False) for line in changed(changes)]


def _places(number: int, **changes: Any) -> list[Finding]:
    return [replace(PASS, host=f"mx{n}", **changes) for n in range(number)]


def test_the_worst_comes_first() -> None:
    """New, lost, fixed, waived, changed, and last what was never looked at before."""
    kinds: tuple[Kind, ...] = ("added", "changed", "waived", "fixed", "lost", "new")
    changes = [
        Change(
            kind=kind,
            before=None if kind == "added" else PASS,
            after=None if kind == "lost" else replace(PASS, observed="x"),
        )
        for kind in kinds
    ]
    lines = [painted(line, colour=False) for line in changed(changes)]
    assert [line for line in lines if line and not line.startswith(" ")] == [
        "New",
        "No longer checked",
        "Fixed",
        "Waived now",
        "Changed",
        "Checked for the first time, and fine",
    ]


def test_the_same_change_in_many_places_is_one_line() -> None:
    """With the first of them and their number."""
    lines = _lines(_places(40), _places(40, verdict="fail", observed="TLSv1.0 accepted"))
    words = "pass: TLSv1.0 refused → fail: TLSv1.0 accepted"
    where = "on mx0 [10.80.0.31]:143 imap and 39 more"
    assert lines == ["New", f"  MT-TLS10  {words}; {where}", ""]


def test_a_place_that_befell_something_as_a_whole_is_one_line() -> None:
    """A server that is silent, one that speaks again, and one that is gone."""
    checks = [replace(PASS, check=f"MT-{n}") for n in range(30)]
    silent = [
        replace(f, verdict="inconclusive", observed=UNTESTED, evidence="no answer within 5 s")
        for f in checks
    ]
    at = "on imap1 [10.80.0.31]:143 imap"
    assert _lines(checks, silent)[1:] == [
        f"  30 checks could not be tested: no answer within 5 s; {at}",
        "",
    ]
    assert _lines(silent, checks) == ["Fixed", f"  30 checks could be tested again; {at}", ""]
    gone = _lines(checks, [])
    assert gone[0] == "No longer checked"
    assert gone[1].startswith("  30 checks MT-0, MT-1, MT-2")
    assert gone[1].endswith(at)


def test_drift_in_many_places_is_one_line() -> None:
    """A certificate of 14 endpoints was renewed once."""
    found = [
        Drift(
            host="imap1",
            address="10.80.0.31",
            port=port,
            service="imap",
            what="certificate",
            name="ecdsa",
            before="a",
            after="b\x1b[2J",
        )
        for port in (143, 993)
    ]
    found.append(Drift(host="imap1", what="system", name="", before="debian 12", after="13"))
    assert [painted(line, colour=False) for line in drifted(found)] == [
        "Drift",
        "  certificate ecdsa  a → b\\x1b[2J; on imap1 [10.80.0.31]:143 imap and 1 more",
        "  system  debian 12 → 13; on imap1",
        "",
    ]
    assert list(drifted([])) == []


def test_a_report_says_since_when() -> None:
    """Also that nothing changed; and nothing at all where there was no run before."""
    run = make_run(PASS)
    night = Night(run="20261128T030000Z", started="2026-11-28T03:00:00.000Z", counts={"pass": 1})
    same = Past(nights=(night,))
    assert [painted(line, colour=False) for line in since(same)] == [
        "Nothing changed since 20261128T030000Z",
        "",
    ]
    assert text_document(run, same).startswith(b"Nothing changed since")
    failed = replace(PASS, verdict="fail")
    worse = Past(changes=compare(run, make_run(failed)), nights=(night,))
    assert text_document(run, worse).startswith(b"1 change since 20261128T030000Z\n\nNew\n")
    assert b"since" not in text_document(run)


def test_facts_that_drifted_are_told_with_the_changes() -> None:
    """A night on which only a library is another one is none on which nothing changed."""
    nights = (Night(run="20261127T030000Z", started="2026-11-27T03:00:00Z", counts={}),)
    one = Drift(host="mx1", what="library", name="/l", before="aa", after="bb")
    lines = [painted(line, colour=False) for line in since(Past(drift=(one,), nights=nights))]
    assert lines[0] == "1 other fact since 20261127T030000Z"
    assert lines[2:4] == ["Drift", "  library /l  aa → bb; on mx1"]
    none = [painted(line, colour=False) for line in since(Past(nights=nights))]
    assert none[0] == "Nothing changed since 20261127T030000Z"

"""Whom a stricter rule for outgoing mail would hurt: what the log proves, and what it does not."""

import io
from typing import Any

import pytest

from audit.report.whatif_page import whatif_page
from audit.report.whatif_text import headline, show, text
from audit.traffic.seen import see
from audit.traffic.tally import Tally
from audit.traffic.ways import way
from audit.whatif.document import DomainDocument, Rule, SendingDocument, WhatIfDocument
from audit.whatif.sending import holds, sending
from tests.whatif.factories import ask

NEW = "mailseal-2026"
X = b"TLS1.3:TLS_AES_256_GCM_SHA384:256"
ALL = ("*",)
# Domain, CV= (None: in clear), and what else is different.
Sight = tuple[str, str | None, dict[str, Any]]


def went(*sights: Sight) -> Tally:
    """What was counted of recipients."""
    found = Tally()
    for domain, cv, more in sights:
        who = more.get("who", "mx1 remote_smtp").encode()
        host = more.get("host", f"mx.{domain}").encode()
        x = more.get("x", b"" if cv is None else X)
        day = more.get("day", "2026-11-29").encode()
        signed = more.get("signed", False)
        key = way(who, domain.encode(), host, signed, x, (cv or "").encode(), b"")
        found.gone(key, day).count += more.get("count", 1)
        found.days[day] += 1
    return found


def sight(domain: str, cv: str | None, **more: Any) -> Sight:
    """One way that mail went."""
    return domain, cv, more


DANE = sight("dane.example", "dane")


def rows(*sights: Sight, rule: Rule = "dane", asked: tuple[str, ...] = ALL) -> dict[str, Any]:
    """The domains of an answer."""
    return {row.domain: row for row in sending(went(*sights), rule, asked).rows}


def verdict(*sights: Sight, rule: Rule = "dane") -> str:
    """What becomes of a.example."""
    row: DomainDocument = rows(*sights, rule=rule)["a.example"]
    return row.verdict


def test_what_went_by_dane_goes_on() -> None:
    assert verdict(sight("a.example", "dane")) == "keep"


@pytest.mark.parametrize("cv", ["yes", "no", "", None], ids=["yes", "no", "not logged", "clear"])
def test_where_dane_is_tried_what_went_without_has_no_records(cv: str | None) -> None:
    """The counterpart: where it was never seen to be tried, nobody can tell."""
    assert verdict(DANE, sight("a.example", cv)) == "break"
    assert verdict(sight("a.example", cv)) == "unknown"


def test_what_one_sender_does_says_nothing_of_another() -> None:
    """Of another node, nor of another transport; the one for MTA-STS is as its like."""
    for who in ("mx2 remote_smtp", "mx1 smarthost", "mx1 postfix/smtp"):
        assert verdict(DANE, sight("a.example", "yes", who=who)) == "unknown"
    by_policy = sight("a.example", "yes", who="mx1 remote_smtp_mta_sts")
    row = rows(DANE, by_policy)["a.example"]
    assert row.verdict == "break"
    assert "MTA-STS vouches for it now (enforce)" in row.evidence


def test_a_name_that_is_not_signed_has_no_dane() -> None:
    """If DNSSEC is logged by this sender; if it never is, no DS says nothing."""
    other = sight("signed.example", "yes", signed=True)
    assert verdict(other, sight("a.example", "yes")) == "break"
    assert verdict(other, sight("a.example", "yes", signed=True)) == "unknown"
    assert verdict(sight("a.example", "yes"), sight("b.example", "yes")) == "unknown"
    again = sight("a.example", "yes", who="mx2 remote_smtp")
    assert verdict(other, again) == "unknown"


def test_what_went_before_dane_was_tried_proves_nothing() -> None:
    """It may have been switched on since."""
    before = sight("a.example", "yes", day="2026-11-28")
    assert verdict(DANE, before) == "unknown"
    signed = sight("signed.example", "yes", signed=True)
    assert verdict(signed, before) == "unknown"


def test_what_a_host_was_last_seen_with_counts() -> None:
    """For all that went there: records come and go."""
    early, late = {"day": "2026-11-27", "count": 5}, {"day": "2026-11-28", "count": 2}
    tried = sight("dane.example", "dane", day="2026-11-26")
    since = rows(tried, sight("a.example", "yes", **early), sight("a.example", "dane", **late))
    assert (since["a.example"].verdict, since["a.example"].recipients.keep) == ("keep", 7)
    gone = rows(tried, sight("a.example", "dane", **early), sight("a.example", "no", **late))
    assert (gone["a.example"].verdict, gone["a.example"].recipients.broken) == ("break", 7)
    assert "which it was seen with last" in gone["a.example"].evidence
    both = rows(tried, sight("a.example", "dane"), sight("a.example", "no"))
    assert (both["a.example"].verdict, both["a.example"].recipients.unknown) == ("unknown", 2)


def test_each_host_of_a_domain_is_judged_by_itself_and_the_worst_counts() -> None:
    """What would not go to one may go to another that it has: whether it does is not known."""
    first = sight("a.example", "dane", host="mx1", count=9)
    row = rows(first, sight("a.example", "yes", host="mx2"))["a.example"]
    assert (row.verdict, row.effect) == ("unknown", "")
    assert (row.recipients.keep, row.recipients.unknown, row.weight) == (9, 1, 10)
    assert row.hosts == ["mx1", "mx2"]
    assert row.evidence.startswith("mx2: ")
    assert row.evidence.endswith("; it may go to mx1")
    worse = sight("a.example", "yes", host="mx1", count=9)
    row = rows(DANE, worse, sight("a.example", "yes", host="mx2"))["a.example"]
    assert (row.verdict, row.recipients.broken) == ("break", 10)


def test_postfix_waits_where_exim_may_return() -> None:
    """Its `dane-only` puts mail off."""
    assert rows(DANE, sight("a.example", "no"))["a.example"].effect == "is deferred or returned"
    mine = {"who": "mx1 postfix/smtp"}
    row = rows(sight("d.example", "dane", **mine), sight("a.example", "yes", **mine))["a.example"]
    assert (row.verdict, row.effect) == ("break", "is deferred")


@pytest.mark.parametrize(
    ("cv", "expected"),
    [("dane", "keep"), ("yes", "keep"), ("no", "break"), ("", "unknown"), (None, "unknown")],
)
def test_what_a_certificate_is_required_of(cv: str | None, expected: str) -> None:
    row = rows(sight("a.example", cv), rule="verified")["a.example"]
    assert row.verdict == expected
    assert row.effect == ("is deferred" if expected == "break" else "")


@pytest.mark.parametrize("rule", ["dane", "verified"])
def test_what_is_not_logged_is_unknown(rule: Rule) -> None:
    """Whatever others did."""
    assert verdict(DANE, sight("a.example", None, x=b"!"), rule=rule) == "unknown"


@pytest.mark.parametrize(
    ("domain", "asked", "expected"),
    [
        ("a.example", "a.example", True),
        ("a.example", "*", True),
        ("", "*", True),
        ("x.a.example", "*.a.example", True),
        ("a.example", "*.a.example", False),
        ("xa.example", "*.a.example", False),
        ("x.a.example", "a.example", False),
    ],
)
def test_whom_it_holds_for(domain: str, asked: str, expected: bool) -> None:
    assert holds(domain, (asked,)) is expected


def test_only_domains_that_are_asked_for_and_what_was_not_seen_is_said() -> None:
    found = sending(went(DANE, sight("a.example", "no")), "dane", ("a.example", "z.example"))
    assert [row.domain for row in found.rows] == ["a.example"]
    assert found.not_observed == ["z.example"]
    assert (found.lower, found.upper, found.broken) == (1, 1, 1)


def test_bounds_and_sums() -> None:
    """What breaks for certain, and with all that is unknown."""
    found = sending(
        went(
            sight("k.example", "dane", count=5),
            sight("b.example", "no", count=3),
            sight("u.example", "yes", who="mx2 t", count=2),
        ),
        *("dane", ALL),
    )
    assert (found.keep, found.broken, found.unknown) == (5, 3, 2)
    assert (found.lower, found.upper) == (3, 5)
    assert (found.domains.keep, found.domains.broken, found.domains.unknown) == (1, 1, 1)
    assert [row.verdict for row in found.rows] == ["break", "unknown", "keep"]


def test_what_fails_even_now_is_not_charged() -> None:
    """It is named apart, with when it failed last."""
    counted = went(sight("a.example", "dane", day="2026-11-27"))
    see(counted.put_off, (b"a.example", b"mx.a.example", "tlsa-invalid"), b"2026-11-29", 4)
    see(counted.put_off, (b"", b"mx.a.example", "tlsa-invalid"), b"2026-11-29")
    see(counted.put_off, (b"b.example", b"", "dnssec-invalid"), b"2026-11-29")
    found = sending(counted, "dane", ("a.example",))
    assert found.broken == 0
    (one,) = found.already
    assert (one.domain, one.count, one.last_seen) == ("a.example", 4, "2026-11-29")


def answer(*sights: Sight, **more: Any) -> WhatIfDocument:
    """What the command finds."""
    return ask(went(*sights), NEW, **more)


def test_a_rule_that_is_not_asked_for_is_not_answered() -> None:
    assert answer(DANE).sending == []
    found = answer(DANE, dane=("dane.example",), verify=True)
    assert [one.rule for one in found.sending] == ["dane", "verified"]


def test_it_is_told_on_the_terminal_and_on_the_page() -> None:
    """With the domain, what becomes of its mail, why, and who was asked for and not seen."""
    found = answer(DANE, sight("a.example", "no", count=1234), dane=("*", "z.example"))
    out = io.StringIO()
    show(found, out)
    page = whatif_page(found).decode()
    for words in (out.getvalue(), page):
        assert "a.example" in words
        assert "is deferred or returned" in words
        assert "it has no TLSA record, or none that is signed" in words
        assert "No mail went to z.example"[1:] in words
    assert "1,234 to 1,234 recipients get no mail" in out.getvalue()
    assert headline(found)[0] == "break"


def one_rule(*sights: Sight) -> SendingDocument:
    """The answer to whether DANE may be required of all."""
    (found,) = answer(*sights, dane=ALL).sending
    return found


@pytest.mark.parametrize(
    ("sights", "words"),
    [
        ((DANE,), "requiring DANE would stop no mail that was seen"),
        ((sight("a.example", "yes"),), "stops mail to nobody for certain; of 1 domain not known"),
        ((), "no mail went to a domain of which DANE would be required"),
    ],
    ids=["keep", "unknown", "nobody"],
)
def test_the_last_line_says_it(sights: tuple[Sight, ...], words: str) -> None:
    assert words in text(answer(*sights, dane=ALL)).decode().splitlines()[-1]


def test_names_in_a_log_are_harmless() -> None:
    """A domain may be anything."""
    bad = "<script>alert(1)</script>\x1b[31m.example"
    found = answer(sight(bad, "no", host=bad), dane=ALL, verify=True)
    assert "<script>alert" not in whatif_page(found).decode()
    assert "\x1b" not in text(found).decode()
    assert one_rule(sight(bad, "no")).rows[0].domain == bad

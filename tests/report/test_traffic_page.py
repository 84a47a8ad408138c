"""The page of TLS in numbers: every figure with what it is a share of, and nothing made up."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.cli import main
from audit.report.traffic_page import traffic_page
from audit.report.traffic_sections import failures, sections, silent
from audit.report.traffic_text import show
from audit.traffic.errors import REASONS
from audit.traffic.figures import Access, Failing, Parted, Somebody, Traffic
from audit.traffic.shares import By, Trend
from tests.report.test_report_html import Page
from tests.report.traffic_figures import figures, lines

NONE = Trend("month", [])
HOSTILE = '<script>alert("x")</script>\x1b[31m\u202e'


def _words(found: Traffic) -> str:
    """All that is to be read, between single spaces."""
    return " ".join(Page(traffic_page(found)).words.split())


def _rows(found: Traffic, heading: str) -> dict[str, list[str]]:
    """The tables of a section as what stands in each row, by its first cell."""
    document = traffic_page(found).decode()
    (section,) = re.findall(rf'(?s)<section aria-labelledby="{heading}".*?</section>', document)
    rows = [
        [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"(?s)<tr data-find>(.*?)</tr>", section)
    ]
    return {name: cells for name, *cells in rows}


def _access(**changes: Any) -> Access:
    access = figures().access
    assert access is not None
    return replace(access, **changes)


def test_a_figure_has_numerator_denominator_per_cent_and_unknown() -> None:
    """Of mails that came with TLS, so many with forward secrecy, without, and nobody knows."""
    rows = _rows(figures(), "incoming")
    assert rows["with TLS"] == ["1,106,400", "1,748,508", "63.3%", "642,108", "–"]  # noqa: RUF001
    assert rows["forward secrecy"] == ["1,051,080", "1,106,400", "95.0%", "33,192", "22,128"]
    assert rows["without TLS"][:3] == ["642,108", "1,748,508", "36.7%"]


@pytest.mark.parametrize("section", ["incoming", "submission", "outgoing", "access"])
@pytest.mark.parametrize("figure", ["forward secrecy", "AEAD", "GCM"])
def test_what_is_unknown_is_there_even_if_nothing_is(section: str, figure: str) -> None:
    """A nought that was counted is a nought, and not left out."""
    found = figures()
    part = getattr(found, section)
    known = Parted(part.tls, 0, 0)
    part = replace(part, forward_secrecy=known, aead=known, gcm=known)
    rows = _rows(replace(found, **{section: part}), section)
    assert rows[figure][-1] == "0"
    assert rows["unknown"][0] != "0"  # the version that is unknown


def test_versions_are_drawn_as_wide_as_they_are_many() -> None:
    """The newest first, what is unknown last; together the whole width."""
    page = Page(traffic_page(figures(trend=NONE)))
    drawn = [r for r in page.all("rect") if r["class"].startswith("version-")][:5]
    colours = ["version-5", "version-4", "version-3", "version-2", "version-unknown"]
    assert [rect["class"] for rect in drawn] == colours
    assert sum(float(rect["width"]) for rect in drawn) == pytest.approx(100, abs=0.01)
    assert _rows(figures(), "incoming")["TLSv1.3"] == ["553,200", "1,106,400", "50.0%"]


def test_what_is_not_logged_is_neither_with_nor_without() -> None:
    """It has a column of its own, and who does not log it is named on top."""
    found = figures()
    outgoing = replace(found.outgoing, plain=0, not_logged=found.outgoing.plain)
    found = replace(found, outgoing=outgoing, silent=["mx1 postfix/smtp"])
    rows = _rows(found, "outgoing")
    assert rows["with TLS"] == ["2,938,236", "3,201,708", "91.8%", "0", "263,472"]
    assert rows["without TLS"] == ["0", "3,201,708", "0.0%", "2,938,236", "263,472"]
    sentence = "mx1 postfix/smtp names no TLS session: whether what it sent or got had one is not"
    assert f"{sentence} logged (smtp_tls_loglevel = 1)." in _words(found)


def test_what_would_have_it_logged_is_said_of_the_program_that_does_not() -> None:
    """Only where something is not logged, and each program by its own setting."""
    found = figures()
    assert found.access is not None
    access = replace(found.access, versions={**found.access.versions, "unknown": 5})
    every = {one.id: one.unnamed for one in sections(replace(found, access=access))}
    assert "login_log_format_elements" in every["access"]
    assert "log_selector" not in every["access"]
    assert "smtpd_tls_loglevel" in every["incoming"]
    fine = replace(found.access, versions={"TLSv1.3": 5})
    assert {one.id: one.unnamed for one in sections(replace(found, access=fine))}["access"] == ""
    assert silent("mx1 postfix-in/smtpd").endswith("(smtpd_tls_loglevel = 1)")


def test_nothing_that_is_not_logged_is_nought() -> None:
    """A server that logs no TLS at all has no figure of it, not even a 0."""
    found = figures()
    nothing: dict[str, Any] = {"tls": 0, "plain": 0, "versions": {}, "suites": {}}
    outgoing = replace(found.outgoing, **nothing, not_logged=found.outgoing.mails)
    found = replace(found, outgoing=outgoing)
    assert _rows(found, "outgoing")["with TLS"][:3] == ["not logged", "3,201,708", "–"]  # noqa: RUF001
    assert "Of 3,201,708 mails it is not logged whether they had TLS." in _words(found)
    out = io.StringIO()
    show(found, out)
    part = out.getvalue().partition("Mails to other servers")[2].partition("GCM")[0]
    lines = [line.split() for line in part.splitlines()]
    assert ["with", "TLS", "not", "logged"] in lines
    assert ["without", "TLS", "not", "logged"] not in lines[:3]


def test_terminal_and_page_tell_the_same_figures() -> None:
    """Each row of the page, but those of long tables, stands on the terminal with its count."""
    found = figures()
    out = io.StringIO()
    show(found, out)
    printed = {" ".join(line.split()) for line in out.getvalue().splitlines()}
    rows = [
        row
        for section in sections(found)
        for row in (
            *section.figures,
            *(row for one in section.tables[:1] for row in one.rows or ()),
        )
    ]
    assert len(rows) > 25
    for row in (*rows, *failures(found)):
        assert any(line.startswith(f"{row.name} {row.count:,}") for line in printed), row


def test_certificates_that_are_not_logged_are_not_nought() -> None:
    """Where no subject is in the log, nobody knows."""
    found = figures()
    outgoing = replace(found.outgoing, pairs=None)
    incoming = replace(found.incoming, client_certificates=None)
    words = _words(replace(found, incoming=incoming, outgoing=outgoing))
    assert words.count("not logged Nobody knows how many: no subject") == 3
    assert "with a client certificate" not in words
    assert "ECDHE 1,258" not in words


def test_client_certificates_that_are_logged_are_shares_of_each_other() -> None:
    """Not verified is a share of those with one, domain validated of those not verified."""
    rows = _rows(figures(), "incoming")
    assert rows["with a client certificate"] == ["16,800", "1,106,400", "1.5%"]
    assert rows["not verified"] == ["8,292", "16,800", "49.4%"]
    assert rows["of these, domain validated"] == ["648", "8,292", "7.8%"]


def test_providers_that_are_not_named_are_summed() -> None:
    """Twenty rows and the rest, which add up to all."""
    found = figures().outgoing
    rows = _rows(figures(), "outgoing")
    assert "provider16.example" in rows
    assert "provider17.example" not in rows
    rest = sum(list(found.providers.values())[20:])
    assert rows["5 others"][0] == f"{rest:,}"


def test_hosts_without_tls_are_counted_by_public_suffix() -> None:
    """Each a share of the hosts that never had any."""
    assert _rows(figures(), "outgoing")["ac.at"] == ["35", "1,861", "1.9%"]


def test_who_was_refused_is_named() -> None:
    """User, address, how often, and the last day; also one that the log does not name."""
    rows = _rows(figures(), "access")
    assert rows["otto"] == ["192.0.2.77", "1,204", "2026-11-28"]
    assert rows["not named"] == ["198.51.100.9", "2", "2026-03-30"]


def test_a_list_that_is_cut_says_so() -> None:
    """Two hundred are named, and how many there are."""
    many = [Somebody(f"192.0.2.{n % 256}", f"user{n}", 1, "2026-11-28") for n in range(1_000)]
    words = _words(figures(access=_access(users=many)))
    assert "The first 200 of 1,000; --json has all." in words
    assert "user199192.0.2.199" in words
    assert "user200192.0.2.200" not in words


def test_handshakes_that_failed_are_told_by_reason_and_host() -> None:
    """Hosts with old versions only, with their last day."""
    rows = _rows(figures(), "errors")
    assert rows["it does not accept the server&#39;s certificate"] == ["640"]
    words = "its versions are too old for the server even now"
    assert rows["203.0.113.9"] == [words, "1,203", "2026-11-28"]


def test_months_are_drawn_and_in_a_table() -> None:
    """Every bar has its share as a title, and the table the same numbers."""
    document = traffic_page(figures()).decode()
    assert document.count("% incoming</title>") == document.count("% outgoing</title>") == 12
    assert "<title>2026-11: 68.0% incoming</title>" in document
    assert _rows(figures(), "trend")["2026-11"][:3] == ["107,916", "158,700", "68.0%"]


def test_a_month_without_mails_has_no_bar_and_no_share() -> None:
    """Of nothing there is no share; it is not 0%."""
    first, *rest = figures().trend.periods
    none = replace(first, outgoing_tls=0, outgoing=0, outgoing_share=None, outgoing_judged=0)
    found = figures(trend=Trend("month", [none, *rest]))
    assert traffic_page(found).decode().count("% outgoing</title>") == 11
    cells = _rows(found, "trend")["2025-12"]
    assert cells[3:6] == ["0", "0", "–"]  # noqa: RUF001
    assert cells[6:] == ["not logged", "0", "–"] * 2  # noqa: RUF001


def test_a_good_page_says_period_and_lines_and_warns_of_nothing() -> None:
    """The headline."""
    page = Page(traffic_page(figures()))
    assert "TLS in 61,291,763 lines of mail logs, 2025-12-01 to 2026-11-28" in page.words
    assert not page.all("p", **{"class": "alarm fail"})
    assert page.all("h1") == [{}]


def test_what_is_not_whole_is_red_and_on_top() -> None:
    """Before anything else on the page."""
    found = figures(whole=False, lines=lines(lost=12))
    page = Page(traffic_page(found))
    assert page.all("h1") == [{"class": "fail big", "role": "alert"}]
    assert "12 lines with a TLS session are NOT counted" in page.words
    assert "46,902,113, 46,902,101 counted" in page.words


def test_logs_without_mail_are_red_and_on_top() -> None:
    """Nothing that was counted must not look like nothing that is wrong."""
    kinds = dict.fromkeys(figures().lines.__struct_fields__[3:], 0)
    none = replace(figures().lines, **(kinds | {"total": 7, "other": 7, "with_tls": 0}))
    found = figures(lines=none, trend=NONE, errors={}, failing=[], access=None, from_="", to="")
    page = Page(traffic_page(found))
    assert page.all("h1") == [{"class": "fail big", "role": "alert"}]
    assert "No line is one of mail: nothing below means anything" in page.words


@pytest.mark.parametrize("by", ["day", "week", "month"])
def test_columns_stand_below_each_other(by: By) -> None:
    """Whatever the period is called, and however long a reason or a suite is."""
    found = figures(errors=dict.fromkeys(REASONS, 7), trend=replace(figures().trend, by=by))
    out = io.StringIO()
    show(found, out)
    lines_ = out.getvalue().splitlines()
    begin = lines_.index("Handshakes that failed") + 1
    assert len({len(line) for line in lines_[begin : begin + len(REASONS)]}) == 1
    begin = next(n for n, line in enumerate(lines_) if line.startswith("Share with TLS by"))
    assert lines_[begin].split()[-4:] == ["incoming", "outgoing", "verified", "DANE"]
    assert len({len(line) for line in lines_[begin:]}) == 1


def test_one_more_is_not_called_others() -> None:
    """Of what a table sums up at its end."""
    counts = {f"provider{n}.example": 30 - n for n in range(21)}
    found = figures(outgoing=replace(figures().outgoing, providers=counts))
    assert _rows(found, "outgoing")["1 other"][0] == "10"


def test_ambiguous_lines_are_said_and_shown() -> None:
    """How many, that they are in no figure, and some of them."""
    found = figures(lines=lines(ambiguous=3), ambiguous=["a line of two readings"])
    words = _words(found)
    assert "3 lines are ambiguous, and in no figure." in words
    assert "a line of two readings" in words


def test_what_logs_have_nothing_of_is_said() -> None:
    """No section must not read as no trouble."""
    words = _words(figures(access=None))
    assert "In these logs are no logins to read mail." in words
    assert "Who was refused" not in words


def test_what_logs_say_is_only_ever_text() -> None:
    """A hostile name in every place that takes one from a log."""
    found = figures()
    outgoing = replace(
        found.outgoing,
        providers={HOSTILE: 1},
        suites={HOSTILE: 1},
        verified={HOSTILE: 1},
        hosts=replace(found.outgoing.hosts, by_tld={HOSTILE: 1}),
    )
    bad = figures(
        outgoing=outgoing,
        incoming=replace(found.incoming, suites={HOSTILE: 1}, versions={HOSTILE: 1}),
        access=_access(users=[Somebody(HOSTILE, HOSTILE, 1, HOSTILE)]),
        failing=[Failing(HOSTILE, "old-version", 1, HOSTILE)],
        trend=Trend("day", [replace(one, period=HOSTILE) for one in found.trend.periods]),
        lines=lines(ambiguous=1),
        ambiguous=[HOSTILE],
        from_=HOSTILE,
    )
    document = traffic_page(bad)
    page = Page(document)
    assert len(page.all("script")) == 1  # our own
    assert b"<script>alert" not in document
    assert b"\x1b" not in document
    assert "\u202e" not in document.decode()
    assert document.count(b"&lt;script&gt;alert(") >= 15


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """One file: no address of anything, no style but the one whose hash is named."""
    document = traffic_page(figures()).decode()
    page = Page(traffic_page(figures()))
    assert "default-src 'none'" in document
    assert not re.search(r"""(?:src|href)\s*=\s*(?!"#)|url\(|@import|style=|\son\w+=""", document)
    assert not page.all("link")
    assert len(page.all("style")) == 1


def test_whoever_has_no_mouse_reaches_every_table() -> None:
    """What can be scrolled can be focused and has a name; links lead somewhere."""
    page = Page(traffic_page(figures()))
    scrolled = page.all("div", **{"class": "scroll"})
    assert len(scrolled) >= 15
    assert all(div["tabindex"] == "0" for div in scrolled)
    assert all(div.get("aria-label") or div.get("aria-labelledby") for div in scrolled)
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in page.all("a")} <= set(names)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    """From a line of a log to the file; of logs without mail too, and then it ends with 3."""
    log, file = tmp_path / "mainlog", tmp_path / "tls.html"
    start = "2026-11-28 10:00:00 1nabcd-000000-00"
    session = "X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no"
    log.write_text(f"{start} <= a@b.example H=b.example [192.0.2.1] P=esmtps {session} S=5\n")
    assert main(["traffic", str(log), "--jobs", "1", "--html", str(file)]) == 0
    page = Page(file.read_bytes())
    assert "1 of 1 mails with TLS, 100.0%." in page.words
    log.write_text("2026-11-28 10:00:00 Start queue run: pid=1\n")
    assert main(["traffic", str(log), "--jobs", "1", "--html", str(file)]) == 3
    assert "No line is one of mail" in Page(file.read_bytes()).words

"""Counts that were kept are taken as they were made, or there is a word of it."""

import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.errors import MailsealError
from audit.traffic import keep
from audit.traffic.work import Wanted, finish, tally
from tests.commands import mailseal

_HEADER = b"mailseal/tally/4\n"
# A session that began before, a message that is not done with, a login, and half a line of Exim's.
LINES = """\
Nov 28 10:07:01 mx1 postfix/smtpd[9]: A1: client=h[192.0.2.1]
Nov 28 10:07:02 mx1 postfix/smtpd[9]: connect from h[192.0.2.2]
Nov 28 10:07:02 mx1 postfix/smtpd[9]: A2: client=h[192.0.2.2]
Nov 28 10:07:03 mx1 postfix/smtp[8]: A1: to=<a@b>, relay=mx.b[192.0.2.9]:25, delay=1, \
delays=0/0/1/0, dsn=2.0.0, status=sent (250 Ok)
Nov 28 10:07:04 mx1 cyrus/imap[7]: badlogin: h [192.0.2.4] plaintext u SASL(-13): x
Nov 28 10:07:05 mx1 exim[6]: [1/2] 1xVc0c-000001-1d <= a
"""
Document = dict[str, Any]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """What is kept of these lines."""
    log, path = tmp_path / "syslog", tmp_path / "kept"
    log.write_text(LINES)
    keep.save(tally([log], Wanted()), path)
    return path


def changed(path: Path, change: Callable[[Document], object]) -> Path:
    """The same, after somebody has edited it."""
    document = msgspec.msgpack.decode(zlib.decompress(path.read_bytes()[len(_HEADER) :]))
    before = msgspec.msgpack.encode(document)
    change(document)
    after = msgspec.msgpack.encode(document)
    assert after != before, "nothing was edited"
    path.write_bytes(_HEADER + zlib.compress(after))
    return path


def _stretches(document: Document, **change: object) -> None:
    for stretches in document["seams"].values():
        for one in stretches:
            one.update(change)


def _renamed(name: bytes) -> Callable[[Document], object]:
    return lambda document: document.update(seams={name: next(iter(document["seams"].values()))})


def _gone(document: Document, **counts: int) -> None:
    document["ways"] = {(b"",) * 7: {"count": 0, "last": b"", "again": 0, **counts}}


WRONG: dict[str, Callable[[Document], object]] = {
    "less than nothing": lambda d: d.update(days={b"2026-11-28": -1}),
    "more than can be added up": lambda d: d.update(days={b"2026-11-28": 1 << 63}),
    "no whole number": lambda d: d.update(named=float("nan")),
    "recipients that are less than none": lambda d: _gone(d, count=-1),
    "mails that are less than none": lambda d: _gone(d, count=1, again=2),
    "a use that there is not": lambda d: d.update(incoming={(b"", "evil", b"", b""): 1}),
    "a process without a name": _renamed(b"one"),
    "a process with too many": _renamed(b"a postfix/smtpd 1 2"),
    "a process of nobody's": _renamed(b"mx1 sshd 1"),
    "an event without words": lambda d: _stretches(d, head=[[]]),
    "an event with too few": lambda d: _stretches(d, open=[[b"session"]]),
    "an event that nobody knows": lambda d: _stretches(d, head=[[b"x", b"y", b"z"]]),
}


@pytest.mark.parametrize("way", WRONG)
def test_what_somebody_has_edited_is_damaged(kept: Path, way: str) -> None:
    with pytest.raises(MailsealError, match="kept: damaged counts"):
        keep.load(changed(kept, WRONG[way]))


def test_words_of_a_day_do_nothing_to_a_terminal(kept: Path) -> None:
    changed(kept, lambda d: d.update(days={b"\x1b[2J": 5}))
    done = mailseal("traffic", str(kept))
    assert done.returncode == 0
    assert done.stdout.startswith(r"\x1b[2J: ")
    assert "\x1b" not in done.stdout


def test_names_of_users_are_for_who_keeps_them(kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


OWN, OTHER = Wanted(("192.0.2.0/24",)), Wanted(("198.51.100.0/24",))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Counts with networks of one's own."""
    log, path = tmp_path / "syslog", tmp_path / "mine"
    log.write_text(LINES)
    keep.save(tally([log], OWN), path)
    return path


def test_what_is_ones_own_is_what_it_was_when_it_was_counted(mine: Path) -> None:
    """Also of a mail whose session lies before the cut, for it is counted only now."""
    for wanted in (Wanted(), OWN, Wanted(("192.0.2.7/24", "192.0.2.0/24"))):
        found = tally([mine], wanted)
        finish(found, wanted)
        assert {use for use, *_ in found.clients} == {"own"}
        assert sum(count for (_, use, *_), count in found.incoming.items() if use == "own") == 2


def test_counts_with_other_networks_are_not_added_up(
    kept: Path, mine: Path, tmp_path: Path
) -> None:
    """Neither by --own, nor to each other, nor to a log that is read with others."""
    log = tmp_path / "syslog"
    for paths, wanted in (
        ([mine], OTHER),
        ([kept], OWN),
        ([kept, mine], Wanted()),
        ([mine, log], Wanted()),
    ):
        with pytest.raises(MailsealError, match="which cannot be added up"):
            tally(paths, wanted)
    assert tally([mine, log], OWN).lines


def test_counts_from_before_networks_were_kept_are_taken_as_they_are(mine: Path) -> None:
    changed(mine, lambda d: d.pop("own"))
    assert tally([mine], OTHER).lines

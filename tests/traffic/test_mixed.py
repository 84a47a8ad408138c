"""Lines of several daemons in one file, cut anywhere: the numbers are those of what happened."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic import mixed
from audit.traffic.seams import Sink
from audit.traffic.syslog_lines import NAMED
from audit.traffic.tally import Tally
from tests.traffic import ways
from tests.traffic.counted import CHANGED, Counted, count, stamped

SUITES = (
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits",
    "TLSv1 with cipher AES128-SHA (128/128 bits",
)
XS = {SUITES[0]: b"TLSv1.3:TLS_AES_256_GCM_SHA384:256", SUITES[1]: b"TLSv1:AES128-SHA:128", "": b""}
MONTH = b"2026-11"
both = pytest.mark.parametrize("way", ways.SYSLOG)


class Happened:
    """What is made up for a test: lines of one process after the other, and what they stand for.

    On one host. Another numbers its messages and processes alike, and nothing of them is the same.
    Postfix logs its sessions or does not, and a version of it says something as connections end.
    """

    def __init__(self, host: str, *, level: int = 0, statistics: bool = True) -> None:
        self.host, self.level, self.statistics = host, level, statistics
        self.told: set[str] = set()
        self.processes: dict[str, list[str]] = {}
        self.incoming: Counter[tuple[bytes, str, bytes, bytes]] = Counter()
        self.outgoing: Counter[tuple[bytes, bytes, bytes]] = Counter()
        self.logins: Counter[tuple[bytes, str, bytes]] = Counter()
        self.errors = 0
        self.exim: list[tuple[bytes, bytes]] = []
        self._number = 0

    def number(self) -> str:
        """A number that no other message has."""
        self._number += 1
        return f"{self._number:X}F"

    def write(self, process: str, *messages: str, after: str = "") -> None:
        """Lines of one process; if they come after those of another, of that."""
        lines = self.processes.setdefault(after or process, [])
        lines.extend(f"{self.host} {process}: {message}" for message in messages)

    def wrote(self, line: str) -> None:
        """A line of Exim's, as it should come out."""
        self.exim.append((self.host.encode(), line.encode()))


@st.composite
def _happened(draw: st.DrawFn) -> list[Happened]:
    hosts = [
        Happened(host, level=draw(st.integers(0, 1)), statistics=draw(st.booleans()))
        for host in ("mx1", "mx2")
    ]
    kinds = st.sampled_from((_smtpd, _smtp, _cyrus, _dovecot, _exim))
    for made, kind in draw(st.lists(st.tuples(st.sampled_from(hosts), kinds), max_size=12)):
        kind(draw, made, draw(st.integers(1, 2)))
    return hosts


def _smtpd(draw: st.DrawFn, made: Happened, pid: int) -> None:
    suite, mails = draw(st.sampled_from(("", *SUITES))), draw(st.integers(0, 2))
    named = suite and made.level
    host, process = "a.example[192.0.2.2]", f"postfix/smtpd[{pid}]"
    made.write(process, f"connect from {host}")
    if named:
        made.told.add("smtpd")
        made.write(process, f"Anonymous TLS connection established from {host}: {suite})")
    for _ in range(mails):
        made.write(process, f"{made.number()}: client={host}")
        unnamed = (b"?" if suite else b"") if made.statistics else b"!"
        x = XS[suite] if named else unnamed
        made.incoming[MONTH, "mx", x, b"no" if named else b""] += 1
    if not suite and draw(st.booleans()):
        made.write(process, f"SSL_accept error from {host}: -1")
        made.write(process, "warning: TLS library problem: error:0A0000C1::no shared cipher:s.c:1:")
        made.errors += 1
    end = f" ehlo=1{' starttls=1' if suite else ''} mail={mails}" if made.statistics else ""
    made.write(process, f"disconnect from {host}{end}")


def _smtp(draw: st.DrawFn, made: Happened, pid: int) -> None:
    suite, number = draw(st.sampled_from(("", *SUITES))), made.number()
    relay, process = f"mx{draw(st.integers(1, 2))}.example[192.0.2.9]:25", f"postfix/smtp[{pid}]"
    named, whole = suite and made.level, draw(st.booleans())
    if whole:
        made.write("postfix/cleanup[3]", f"{number}: message-id=<a@b>", after=process)
    if named:
        made.told.add("smtp")
        made.write(process, f"Untrusted TLS connection established to {relay}: {suite})")
    for name in "ab"[: draw(st.integers(1, 2))]:
        made.write(
            process,
            f"{number}: to=<{name}@b.example>, relay={relay}, delay=1, delays=0/0/1/0, dsn=2.0.0,"
            " status=sent (250 Ok)",
        )
    if whole:
        made.write("postfix/qmgr[4]", f"{number}: removed", after=process)
    made.outgoing[MONTH, XS[suite] if named else b"!", b"no" if named else b""] += 1


def _cyrus(draw: st.DrawFn, made: Happened, pid: int) -> None:
    suite, process = draw(st.sampled_from(SUITES)), f"cyrus/imaps[{pid}]"
    made.write(process, f"starttls: {suite} new) no authentication")
    for _ in range(draw(st.integers(0, 2))):
        made.write(
            process, "badlogin: [192.0.2.2] plaintext (me) [SASL(-13): authentication failure]"
        )
        made.logins[MONTH, "bad", XS[suite]] += 1
    if draw(st.booleans()):
        made.write(process, "login: [192.0.2.2] me plaintext+TLS User logged in SESSIONID=<a>")
        made.logins[MONTH, "good", XS[suite]] += 1


def _dovecot(draw: st.DrawFn, made: Happened, _pid: int) -> None:
    suite = draw(st.sampled_from(("", *SUITES)))
    tls = f"TLS, {suite}), " if suite else ""
    made.write(
        "dovecot", f"imap-login: Login: user=<me>, method=PLAIN, rip=192.0.2.2, {tls}session=<a>"
    )
    made.logins[MONTH, "good", XS[suite]] += 1


def _exim(draw: st.DrawFn, made: Happened, pid: int) -> None:
    number, process = made.number(), f"exim[{pid}]"
    if draw(st.booleans()):
        made.write(
            process, f"[1/3] 1avnaa-{number} <= a@b", "[2/3]  H=x [192.0.2.2]", "[3/3]  P=esmtp S=1"
        )
        made.wrote(f"1avnaa-{number} <= a@b H=x [192.0.2.2] P=esmtp S=1\n")
    else:
        made.write(process, f"1avnaa-{number} Completed")
        made.wrote(f"1avnaa-{number} Completed\n")


@st.composite
def _interleaved(draw: st.DrawFn, hosts: list[Happened]) -> list[bytes]:
    """The lines of all processes, each in its order, with times: often several have the same."""
    queues = [list(lines) for made in hosts for lines in made.processes.values()]
    now, lines = datetime(2026, 11, 28, 23, 59, 50), []  # noqa: DTZ001 - as syslog has them
    while queues := [queue for queue in queues if queue]:
        now += timedelta(seconds=draw(st.integers(0, 1)))
        lines.append(f"{now:%b %d %H:%M:%S} {draw(st.sampled_from(queues)).pop(0)}".encode())
    return lines


@st.composite
def _cut(draw: st.DrawFn, lines: list[bytes]) -> list[list[bytes]]:
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    return [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_cut_and_any_order_give_what_happened(data: st.DataObject) -> None:
    """Processes mixed as one likes, cut where one likes, parts added in any order."""
    hosts = data.draw(_happened())
    lines = data.draw(_interleaved(hosts))
    whole, cut = Counted().part(lines), Counted()
    parts = list(enumerate(data.draw(_cut(lines))))
    for number, part in data.draw(st.permutations(parts)):
        cut.part(part, number)
    _assert_counted(hosts, lines, whole.finish())
    assert cut.finish() == whole.tally
    assert sorted(cut.exim) == sorted(whole.exim)
    wrote = sorted(line for made in hosts for line in made.exim)
    assert sorted((host, line[20:]) for host, line in whole.exim) == wrote


def _told(hosts: list[Happened], counts: str, place: int, program: str) -> Counter[Any]:
    """What has no session was in clear if another there has, for that is logged then."""
    found: Counter[Any] = Counter()
    for made in hosts:
        for key, mails in getattr(made, counts).items():
            x = b"" if program in made.told and key[place] == b"!" else key[place]
            found[*key[:place], x, *key[place + 1 :]] += mails
    return found


def _by_month(counts: Mapping[Any, int]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for (day, *rest), number in counts.items():
        found[day[:7], *rest] += number
    return found


def _assert_counted(hosts: list[Happened], lines: list[bytes], found: Tally) -> None:
    assert _by_month(found.incoming) == _told(hosts, "incoming", 2, "smtpd")
    assert _by_month(found.outgoing) == _told(hosts, "outgoing", 1, "smtp")
    assert _by_month(found.logins) == sum((made.logins for made in hosts), Counter())
    assert sum(seen.count for seen in found.errors.values()) == sum(made.errors for made in hosts)
    assert all(reason == "no-suite" for _, _, reason in found.errors)
    assert found.named == sum(b" with cipher " in line for line in lines)
    assert found.named == sum(n for (_, names), n in found.lines.items() if names)
    assert sum(found.days.values()) == sum(found.lines.values())
    native = sum(b" exim" in line and b"/3] " not in line for line in lines)
    assert sum(found.lines.values()) == len(lines) - native


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_both_ways_say_the_same(data: st.DataObject) -> None:
    """Python's and the compiled one, also of lines that are cut off or have something put in."""
    happened = data.draw(_interleaved(data.draw(_happened())))
    lines = [*happened, *data.draw(st.lists(st.sampled_from(_STRANGE)))]
    bent = [data.draw(_bent(line)) for line in lines]
    for log in (lines, bent):
        assert ways.syslog("native", log) == ways.syslog("python", log)


_STRANGE = tuple(
    b"Nov 29 10:07:46 " + host + b" postfix/" + text
    for host in (b"mx1", b"mx2")
    for text in (
        b"cleanup[1]: A1: message-id=<a@b>",
        b"cleanup[1]: A1: message-id=<a with cipher b>",
        b"cleanup[1]: A1: reject: header X: y",
        b"cleanup[1]: : message-id=",
        b"qmgr[1]: A1: from=<a@b>, size=5, nrcpt=1 (queue active)",
        b"qmgr[1]: A1: removed",
        b"qmgr[1]: A1 A2: removed",
        b"qmgr[1]: : removed",
        b"qmgr[1]: removed",
        b"smtp[1]: A1: to=<a@b>, relay=x[192.0.2.9]:2, delay=1, delays=0, dsn=2.0.0, status=a (b",
    )
)


@st.composite
def _bent(draw: st.DrawFn, line: bytes) -> bytes:
    at, out = draw(st.integers(0, len(line))), draw(st.sampled_from((0, 0, 1, 9, len(line))))
    pieces = (
        b"",
        b"",
        b"",
        b": ",
        b":",
        b" ",
        b": removed",
        b": message-id=",
        NAMED,
        b"\x00",
        b"\xff",
    )
    return line[:at] + draw(st.sampled_from(pieces)) + line[at + out :]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=120), max_size=8))
def test_no_bytes_are_too_strange(texts: list[bytes]) -> None:
    """Every line is counted once, whoever seems to have written whatever."""
    tags = (
        b"postfix/smtpd[1]",
        b"postfix/smtp[1]",
        b"dovecot",
        b"cyrus/imaps[1]",
        b"postfix/qmgr[1]",
        b"x",
    )
    lines = [
        b"Nov 29 10:07:46 mx1 " + tag + b": " + text.replace(b"\n", b"")
        for tag in tags
        for text in texts
    ]
    found = Counted().part(lines).finish()
    assert sum(found.lines.values()) == sum(found.days.values()) == len(lines)


@both
def test_a_message_is_its_hosts_own(way: str) -> None:
    """Two copies to a host are one mail of one, and two of two."""
    sent = "relay=mx[192.0.2.9]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 Ok)"
    copies = [f"smtp[2]: A1: to=<{name}@b>, {sent}" for name in "ab"]
    one, other = (_of(host, "cleanup[1]: A1: message-id=<a@b>", *copies) for host in ("mx1", "mx2"))
    for lines, mails in ((one, 1), (one + other, 2)):
        tally, _ = ways.syslog(way, lines)
        assert sum(tally.outgoing.values()) == mails
        assert sum(tally.deliveries.values()) == 2 * mails


@both
def test_what_is_done_with_is_forgotten_where_it_was(way: str) -> None:
    """The first line of a process is not read by the loop, so there are two of each."""
    begins = [f"cleanup[1]: A{n}: message-id=<a@b>" for n in (1, 2)]
    ends = [f"qmgr[3]: A{n}: removed" for n in (1, 2)]
    tally = Tally()
    with mock.patch.object(mixed, "run", ways.SYSLOG[way]):
        reader = mixed.Reader(Sink(tally, lambda *_: None), CHANGED)
        for line in (*_of("mx1", *begins), *_of("mx2", *begins), *_of("mx1", *ends)):
            reader.count(line + b"\n")
    assert tally.open == {b"mx1": {}, b"mx2": {b"A1": (), b"A2": ()}}


def _of(host: str, *texts: str) -> list[bytes]:
    return [f"Nov 29 10:07:46 {host} postfix/{text}".encode() for text in texts]


def test_processes_of_two_hosts_are_two() -> None:
    """The same number is somebody else there."""
    session = f"cyrus/imap[1]: starttls: {SUITES[0]} new) no authentication"
    login = "cyrus/imap[1]: login: [192.0.2.2] me plaintext+TLS User logged in SESSIONID=<a>"
    here = [f"Nov 29 10:07:46 a {session}", f"Nov 29 10:07:46 b {login}"]
    assert dict(count(*here).logins) == {(MONTH + b"-29", "good", b"?"): 1}


def test_only_the_days_that_are_wanted() -> None:
    """Others are not counted at all; what goes on with a line has no day."""
    lines = [
        "Nov 27 10:00:00 a cron[1]: x",
        "Nov 28 10:00:00 a cron[1]: x",
        "Nov 29 10:00:00 a cron[1]: x",
    ]
    assert dict(count(*lines).days) == {b"2026-11-27": 1, b"2026-11-28": 1, b"2026-11-29": 1}
    found = (
        Counted(first=b"2026-11-28", last=b"2026-11-28")
        .part([line.encode() for line in lines])
        .finish()
    )
    assert dict(found.days) == {b"2026-11-28": 1}


def test_names_of_processes_that_say_nothing_are_forgotten() -> None:
    """Dovecot's mail processes have a name of their own for every session; memory stays small."""
    lines = [f"Nov 29 10:07:46 imap(me)<{n}>: Info: Logged out" for n in range(5000)]
    assert dict(count(*lines).lines) == {("other", False): 5000}


EXIM = [
    ("exim[1]: 1avnaa-0004aa-5V Completed", b"2026-11-29 10:07:46 1avnaa-0004aa-5V Completed\n"),
    ("exim4[1]: 2026-11-28 23:59:59 [1] 1a <= b", b"2026-11-28 23:59:59 [1] 1a <= b\n"),
    ("exim: 1a <= b", b"2026-11-29 10:07:46 1a <= b\n"),
]


def test_lines_of_exims_are_made_its_own() -> None:
    """With syslog's time, if they have none; they are counted by who understands them."""
    counted = Counted().part(stamped(*(line for line, _ in EXIM)))
    assert counted.exim == [(b"mx1", native) for _, native in EXIM]
    assert dict(counted.finish().lines) == {}


def test_parts_of_a_line_of_exims() -> None:
    """They are one line again, each process's; a backslash ended a line; a half is none."""
    counted = Counted().part(
        stamped(
            *("exim[1]: [1\\2] a", "exim[2]: [1/2] 2026-11-28 10:00:00 c", "exim[1]: [2/2] b"),
            *("exim[2]: [2/2]  d", "exim[3]: [2/2] lost", "exim[3]: [1/2] lost"),
        )
    )
    assert counted.finish().lines == {("other", False): 6}
    lines = [b"2026-11-29 10:07:46 a\nb\n", b"2026-11-28 10:00:00 c d\n"]
    assert counted.exim == [(b"mx1", line) for line in lines]

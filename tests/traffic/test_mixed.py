"""Lines of several daemons in one file, cut anywhere: the numbers are those of what happened."""

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic.syslog_lines import NAMED
from audit.traffic.tally import Tally
from tests.traffic import ways
from tests.traffic.counted import Counted, count, stamped

SUITES = (
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits",
    "TLSv1 with cipher AES128-SHA (128/128 bits",
)
XS = {SUITES[0]: b"TLSv1.3:TLS_AES_256_GCM_SHA384:256", SUITES[1]: b"TLSv1:AES128-SHA:128", "": b""}
MONTH = b"2026-11"


class Happened:
    """What is made up for a test: lines of one process after the other, and what they stand for."""

    def __init__(self) -> None:
        self.processes: dict[str, list[str]] = {}
        self.incoming: Counter[tuple[bytes, str, bytes, bytes]] = Counter()
        self.outgoing: Counter[tuple[bytes, bytes, bytes]] = Counter()
        self.logins: Counter[tuple[bytes, str, bytes]] = Counter()
        self.errors = 0
        self.exim: list[bytes] = []
        self._number = 0

    def number(self) -> str:
        """A number that no other message has."""
        self._number += 1
        return f"{self._number:X}F"

    def write(self, process: str, *messages: str) -> None:
        """Lines of one process."""
        self.processes.setdefault(process, []).extend(f"{process}: {m}" for m in messages)


@st.composite
def _happened(draw: st.DrawFn) -> Happened:
    made = Happened()
    for kind in draw(
        st.lists(st.sampled_from((_smtpd, _smtp, _cyrus, _dovecot, _exim)), max_size=12)
    ):
        kind(draw, made, draw(st.integers(1, 2)))
    return made


def _smtpd(draw: st.DrawFn, made: Happened, pid: int) -> None:
    suite, level, mails = (
        draw(st.sampled_from(("", *SUITES))),
        draw(st.integers(0, 1)),
        draw(st.integers(0, 2)),
    )
    host, process = "a.example[192.0.2.2]", f"postfix/smtpd[{pid}]"
    made.write(process, f"connect from {host}")
    if suite and level:
        made.write(process, f"Anonymous TLS connection established from {host}: {suite})")
    for _ in range(mails):
        made.write(process, f"{made.number()}: client={host}")
        x = XS[suite] if level or not suite else b"?"
        made.incoming[MONTH, "mx", x, b"no" if suite and level else b""] += 1
    if not suite and draw(st.booleans()):
        made.write(process, f"SSL_accept error from {host}: -1")
        made.write(process, "warning: TLS library problem: error:0A0000C1::no shared cipher:s.c:1:")
        made.errors += 1
    made.write(
        process, f"disconnect from {host} ehlo=1{' starttls=1' if suite else ''} mail={mails}"
    )


def _smtp(draw: st.DrawFn, made: Happened, pid: int) -> None:
    suite, number = draw(st.sampled_from(("", *SUITES))), made.number()
    relay, process = f"mx{draw(st.integers(1, 2))}.example[192.0.2.9]:25", f"postfix/smtp[{pid}]"
    if suite:
        made.write(process, f"Untrusted TLS connection established to {relay}: {suite})")
    for name in "ab"[: draw(st.integers(1, 2))]:
        made.write(
            process,
            f"{number}: to=<{name}@b.example>, relay={relay}, delay=1, delays=0/0/1/0, dsn=2.0.0,"
            " status=sent (250 Ok)",
        )
    made.outgoing[MONTH, XS[suite], b"no" if suite else b""] += 1


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
        made.exim.append(f"1avnaa-{number} <= a@b H=x [192.0.2.2] P=esmtp S=1\n".encode())
    else:
        made.write(process, f"1avnaa-{number} Completed")
        made.exim.append(f"1avnaa-{number} Completed\n".encode())


@st.composite
def _interleaved(draw: st.DrawFn, made: Happened) -> list[bytes]:
    """The lines of all processes, each in its order, with times: often several have the same."""
    queues = [list(lines) for lines in made.processes.values()]
    now, lines = datetime(2026, 11, 28, 23, 59, 50), []  # noqa: DTZ001 - as syslog has them
    while queues := [queue for queue in queues if queue]:
        now += timedelta(seconds=draw(st.integers(0, 1)))
        lines.append(f"{now:%b %d %H:%M:%S} mx1 {draw(st.sampled_from(queues)).pop(0)}".encode())
    return lines


@st.composite
def _cut(draw: st.DrawFn, lines: list[bytes]) -> list[list[bytes]]:
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    return [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_cut_and_any_order_give_what_happened(data: st.DataObject) -> None:
    """Processes mixed as one likes, cut where one likes, parts added in any order."""
    made = data.draw(_happened())
    lines = data.draw(_interleaved(made))
    whole, cut = Counted().part(lines), Counted()
    parts = list(enumerate(data.draw(_cut(lines))))
    for number, part in data.draw(st.permutations(parts)):
        cut.part(part, number)
    _assert_counted(made, lines, whole.finish())
    assert cut.finish() == whole.tally
    assert sorted(cut.exim) == sorted(whole.exim)
    assert sorted(line[20:] for line in whole.exim) == sorted(made.exim)


def _assert_counted(made: Happened, lines: list[bytes], found: Tally) -> None:
    assert Counter(found.incoming) == made.incoming
    assert Counter(found.outgoing) == made.outgoing
    assert Counter(found.logins) == made.logins
    assert sum(seen.count for seen in found.errors.values()) == made.errors
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
    made = data.draw(_happened())
    lines = [*data.draw(_interleaved(made)), *data.draw(st.lists(st.sampled_from(_STRANGE)))]
    bent = [data.draw(_bent(line)) for line in lines]
    for log in (lines, bent):
        assert ways.syslog("native", log) == ways.syslog("python", log)


_STRANGE = tuple(
    b"Nov 29 10:07:46 mx1 postfix/" + text
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


def test_processes_of_two_hosts_are_two() -> None:
    """The same number is somebody else there."""
    session = f"cyrus/imap[1]: starttls: {SUITES[0]} new) no authentication"
    login = "cyrus/imap[1]: login: [192.0.2.2] me plaintext+TLS User logged in SESSIONID=<a>"
    here = [f"Nov 29 10:07:46 a {session}", f"Nov 29 10:07:46 b {login}"]
    assert dict(count(*here).logins) == {(MONTH, "good", b"?"): 1}


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
    assert counted.exim == [native for _, native in EXIM]
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
    assert counted.exim == [b"2026-11-29 10:07:46 a\nb\n", b"2026-11-28 10:00:00 c d\n"]

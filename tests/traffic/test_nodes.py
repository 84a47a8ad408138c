"""Two hosts may have the same number for different messages; two files of one host do not."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.traffic import keep, work
from audit.traffic.nodes import node
from audit.traffic.tally import Tally

EXIM = "2026-11-29 10:00:0{n} 1xVc0c-00003u-1d "
SYSLOG = "Nov 29 10:00:0{n} {host} "
POSTFIX = "postfix/smtp[9]: A1: to=<{to}@b>, relay=mx.b[192.0.2.9]:25, delay=1, delays=0/0/1/{n}"


def _exim(_host: str, n: int, to: str) -> str:
    """A message comes, and goes to one recipient."""
    head = EXIM.format(n=n)
    came = f"{head}<= a@b H=h [192.0.2.1] P=esmtp S=5\n" * (n == 1)
    return came + f"{head}=> {to}@b R=r T=t H=mx.b [192.0.2.9]\n"


def _exim_syslog(host: str, n: int, to: str) -> str:
    head = SYSLOG.format(n=n, host=host) + "exim[1]: "
    return "".join(head + line + "\n" for line in _exim(host, n, to).splitlines())


def _postfix(host: str, n: int, to: str) -> str:
    head = SYSLOG.format(n=n, host=host)
    begun = f"{head}postfix/cleanup[5]: A1: message-id=<a>\n" * (n == 1)
    return f"{begun}{head}{POSTFIX.format(to=to, n=n)}, dsn=2.0.0, status=sent (250 Ok)\n"


def _nameless(_host: str, n: int, to: str) -> str:
    """As multilog has it, without a host."""
    return "".join(
        line.replace("  ", " ") for line in _postfix("", n, to).splitlines(keepends=True)
    )


def _sent(*paths: Path, jobs: int = 1) -> tuple[int, int]:
    """Mails, and recipients."""
    wanted = work.Wanted()
    found = work.tally(paths, wanted, jobs=jobs)
    work.finish(found, wanted)
    return sum(found.outgoing.values()), sum(found.deliveries.values())


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("made", [_exim, _exim_syslog, _postfix, _nameless])
def test_a_number_is_a_hosts_own(
    tmp_path: Path, made: Callable[[str, int, str], str], jobs: int
) -> None:
    """Two recipients of one message are one mail on one host, and two of two hosts."""
    first, second = tmp_path / "mx1" / "mainlog.1", tmp_path / "mx1" / "mainlog"
    other = tmp_path / "mx2" / "mainlog"
    for path, host, n in ((first, "mx1", 1), (second, "mx1", 2), (other, "mx2", 1)):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made(host, n, f"u{n}"))
    assert _sent(first, second, jobs=jobs) == (1, 2)
    assert _sent(first, other, jobs=jobs) == (2, 2)
    assert _sent(other, second, first, jobs=jobs) == (2, 3)


def test_counts_that_each_host_keeps_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every host has its log in the same place."""
    log = tmp_path / "mainlog"
    log.write_text(_exim("", 1, "u"))
    kept = [tmp_path / name for name in ("mx1", "mx2")]
    for path in kept:
        monkeypatch.setattr(socket, "gethostname", lambda name=path.name: name)
        keep.save(work.tally([log], work.Wanted()), path)
    assert _sent(*kept) == (2, 2)


def test_one_file_with_lines_of_two_hosts(tmp_path: Path) -> None:
    """As a host has it that collects what others log."""
    for made in (_exim_syslog, _postfix):
        log = tmp_path / "mail.log"
        log.write_text(made("mx1", 1, "u") + made("mx2", 1, "v"))
        assert _sent(log) == (2, 2)


@pytest.mark.parametrize(
    ("names", "count"),
    [
        ("mainlog mainlog.1 mainlog.10.gz mainlog-20261129 mainlog-20261129.zst mainlog.0.xz", 1),
        ("main.log main-20261129.log main.log-2026-11-29.bz2 main.log.2 main-202611.log", 1),
        ("mainlog-20261129-1700 mainlog-1764428400.gz mainlog", 1),
        ("mx1-mainlog mx2-mainlog mx2-mainlog.1", 2),
        ("10.0.0.1 10.0.0.2 10.0.0.1.gz", 2),
        ("10.0.0.1.log 10.0.0.2.log 10.0.0.2.log.1", 2),
        ("mx-1.log mx-2.log mx1.log mx2.log", 4),
        ("mainlog.mx1 mainlog.mx2 mainlog.mx2.gz", 2),
    ],
)
def test_what_was_rotated_is_of_the_same_node(tmp_path: Path, names: str, count: int) -> None:
    """And what has another name is not."""
    assert len({node(tmp_path / name) for name in names.split()}) == count


def test_a_name_of_nothing_but_a_number_is_a_name(tmp_path: Path) -> None:
    """It may have blanks as well, in whatever directory."""
    found = node(tmp_path / "a b" / "20261129.gz")
    assert b" " not in found
    assert found != node(tmp_path / "a b" / "other")
    assert found.startswith(socket.gethostname().encode() + b":")


def test_nothing_is_left_when_all_is_counted(tmp_path: Path) -> None:
    """What waited for more is forgotten."""
    log = tmp_path / "mainlog"
    log.write_text(_exim("", 1, "u"))
    found, wanted = work.tally([log], work.Wanted()), work.Wanted()
    assert found.open
    work.finish(found, wanted)
    assert (found.open, found.late) == (Tally().open, Tally().late)

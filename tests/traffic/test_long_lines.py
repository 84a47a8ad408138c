"""A line that is long and made to be read in many ways costs no more than one that is long."""

import time

import pytest

from audit.traffic.exim_block import Block
from audit.traffic.tally import Tally
from tests.traffic.counted import count, stamped

_SIZE = 200_000  # bytes
_SECONDS = 5.0  # of this process; what grows with the square takes a minute
_HEAD = "2026-11-29 10:00:00 1xVc0c-000001-1d "


def _many(words: str, part: int = 1) -> str:
    return words * (_SIZE // part // len(words))


EXIM = {
    "addresses": f"<= a@b H=({_many(' [192.0.2.1]')}) [192.0.2.9] P=esmtp S=1",
    "addresses and ways": "<= a@b H=("
    f"{_many(' [192.0.2.1] U=x', 2)}{_many(' P=x', 2)}) [192.0.2.9] P=esmtp S=1",
    "names that are asked for": f"<= a@b H=({_many(' [192.0.2.1]', 3)}{_many(' P=x SNI=a', 3)}"
    f"{_many(' S=1', 3)}) [192.0.2.9] P=esmtp S=1",
    "routers": f"=> {_many(' R=r T=t H=h [192.0.2.1]')}",
}
SYSLOG = {
    "Cyrus, a word": f"cyrus/imap[1]: event=login.good {_many('a')}",
    "Cyrus, names": f"cyrus/imap[1]: badlogin: h [192.0.2.1] plain ({_many(') [')}",
    "Postfix, an end": f"postfix/smtpd[1]: disconnect from {_many('] ')}",
    "Postfix, relays": f"postfix/smtp[1]: A: to=<a>, relay=b[192.0.2.1]:25{_many('>, relay=')}",
    "Dovecot, names": f"dovecot: imap-login: Login: user=<{_many('>, ')}",
}


@pytest.mark.parametrize("way", EXIM)
def test_exim(way: str) -> None:
    """It is shown, as far as a line of Exim's goes, and in no figure."""
    tally = Tally()
    block, begin = Block(tally), time.process_time()
    block.count(f"{_HEAD}{EXIM[way]}\n".encode())
    block.flush()
    assert time.process_time() - begin < _SECONDS
    assert tally.lines["ambiguous", False] == 1
    assert not tally.incoming
    assert not tally.outgoing
    assert [len(line) for line in tally.strange] == [4096]


@pytest.mark.parametrize("way", SYSLOG)
def test_syslog(way: str) -> None:
    begin = time.process_time()
    tally = count(*stamped(SYSLOG[way]))
    assert time.process_time() - begin < _SECONDS
    assert sum(tally.lines.values()) == 1

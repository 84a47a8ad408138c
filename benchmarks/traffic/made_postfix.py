"""Makes a log of Postfix's as large as one likes, with as much TLS in it as a real one has.

python -m benchmarks.traffic.made_postfix FILE LINES
"""

import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

_SUITES = (
    (
        "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"
        " server-signature RSA-PSS (2048 bits) server-digest SHA256"
    ),
    "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)",
    "TLSv1.2 with cipher AES128-SHA (128/128 bits)",
)
_HOSTS = 20_000
_PIDS = 40


class _Day:
    """Messages that come in over the network or are sent on, one after the other."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same log each time
        self._now = datetime(2026, 11, 3, 0, 0, 0)  # noqa: DTZ001 - syslog has no time zone
        self._served = 0

    def messages(self) -> Iterator[list[str]]:
        """The lines of one message, again and again."""
        while True:
            self._now += timedelta(seconds=self._random.expovariate(10))
            self._served += 1
            number, pid = f"{self._random.getrandbits(40):010X}", self._pid()
            lines = (
                self._in(number, pid)
                if self._often(4)
                else [self._line("pickup", pid, f"{number}: uid=33 from=<www-data>")]
            )
            yield [*lines, *self._out(number)]

    def _often(self, of_ten: int) -> bool:
        return self._random.randrange(10) < of_ten

    def _pid(self) -> int:
        """A process serves a hundred, then there is another one."""
        return 2000 + self._served // (100 * _PIDS) * _PIDS % 30_000 + self._random.randrange(_PIDS)

    def _line(self, program: str, pid: int, message: str) -> str:
        stamp = f"{self._now:%b} {self._now.day:2} {self._now:%H:%M:%S}"
        return f"{stamp} mx1 postfix/{program}[{pid}]: {message}\n"

    def _peer(self) -> tuple[str, str]:
        host = min(int(self._random.paretovariate(0.5)), _HOSTS)
        return (
            f"mx{host}.domain{host % 7000}.example",
            f"198.{18 + host % 2}.{host // 250}.{host % 250}",
        )

    def _in(self, number: str, pid: int) -> list[str]:
        name, ip = self._peer()
        peer, tls = f"{name}[{ip}]", self._often(6)
        session = f"Anonymous TLS connection established from {peer}: {self._suite()}"
        return [
            self._line("smtpd", pid, f"connect from {peer}"),
            *([self._line("smtpd", pid, session)] if tls else []),
            self._line("smtpd", pid, f"{number}: client={peer}"),
            self._line("smtpd", pid, f"disconnect from {peer} ehlo=2 starttls=1 mail=1 rcpt=1"),
        ]

    def _out(self, number: str) -> list[str]:
        name, ip = self._peer()
        peer, pid, user = f"{name}[{ip}]:25", self._pid(), self._random.getrandbits(24)
        session = f"Untrusted TLS connection established to {peer}: {self._suite()}"
        sent = (
            f"{number}: to=<user{user}@{name[2:]}>, relay={peer}, delay=1.2, "
            f"delays=0.1/0.01/0.8/0.3, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {number})"
        )
        return [
            self._line("cleanup", pid, f"{number}: message-id=<{user}.{number}@{name}>"),
            self._line(
                "qmgr", 1999, f"{number}: from=<a@b.example>, size={user}, nrcpt=1 (queue active)"
            ),
            *([self._line("smtp", pid, session)] if self._often(9) else []),
            self._line("smtp", pid, sent),
            self._line("qmgr", 1999, f"{number}: removed"),
        ]

    def _suite(self) -> str:
        return self._random.choices(_SUITES, (60, 35, 5))[0]


def write(path: Path, lines: int, seed: int = 1) -> None:
    """Write a log of at least so many lines."""
    written = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        for message in _Day(seed).messages():
            file.writelines(message)
            written += len(message)
            if written >= lines:
                return


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))

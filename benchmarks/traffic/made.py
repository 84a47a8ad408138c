"""Logs of Exim as large as wanted, of mails that never were: the same for the same seed.

They have what costs a reader time: many hosts, some of them often; new and old spellings of TLS
sessions; several recipients, deferrals, rejects, certificates, quoted senders, subjects with fields
in them.
"""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HOSTS = 40_000
_SUITES_13 = ("TLS_AES_256_GCM_SHA384:256", "TLS_AES_128_GCM_SHA256:128")
_SUITES_12 = (
    "ECDHE-RSA-AES256-GCM-SHA384:256",
    "ECDHE-RSA-AES128-GCM-SHA256:128",
    "ECDHE-ECDSA-AES256-GCM-SHA384:256",
    "DHE-RSA-AES256-GCM-SHA384:256",
    "ECDHE-RSA-AES256-SHA384:256",
    "AES256-GCM-SHA384:256",
)
_SUITES_10 = ("ECDHE-RSA-AES256-SHA:256", "DHE-RSA-AES256-SHA:256", "AES256-SHA:256")
_SESSIONS = (
    *(("TLS1.3", suite) for suite in _SUITES_13 * 12),
    *(("TLS1.2", suite) for suite in _SUITES_12 * 3),
    *(("TLS1", suite) for suite in _SUITES_10),
    ("TLS1.3", "ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256"),
)


class Traffic:
    """Mails of one day after the other."""

    def __init__(self, seed: int = 1, hosts: int = HOSTS) -> None:
        """The same lines for the same *seed*; of so many other *hosts*, some of them often."""
        self._random, self._hosts = random.Random(seed), hosts  # noqa: S311 - no secret
        self._second = 0

    def messages(self) -> Iterator[list[str]]:
        """The lines of one message, or of a connection without any, without end."""
        make = self._random.choices
        kinds = (self._incoming, self._outgoing, self._rejected, self._deferred, self._failed)
        while True:
            (kind,) = make(kinds, weights=(40, 30, 25, 4, 1))
            self._second += self._random.random() < 0.1  # noqa: PLR2004 - ten a second
            yield kind()

    def _stamp(self) -> str:
        day, second = divmod(self._second, 86_400)
        month, day = divmod(day, 28)
        clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        return f"2026-{month % 12 + 1:02}-{day + 1:02} {clock}"

    def _id(self) -> str:
        """In the form before 4.97, for the tools of that time count no other."""
        letters = "".join(self._random.choices(_LETTERS, k=13))
        return f"1{letters[:5]}-{letters[5:11]}-{letters[11:]}"

    def _host(self) -> tuple[str, str]:
        number = int(self._hosts * self._random.random() ** 3)
        return f"mx{number}.{'example' if number % 3 else 'mail'}{number % 977}.at", (
            f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        )

    def _session(self, number: str) -> str:
        """The same for the same host, most of the time."""
        which = (
            zlib.crc32(number.encode())
            if self._random.random() < 0.95  # noqa: PLR2004
            else self._random.random() * 997
        )
        return "X={}:{}".format(*_SESSIONS[int(which) % len(_SESSIONS)])

    def _sender(self) -> str:
        number = self._random.randrange(5000)
        return f"user.{number}@example{number % 50}.org" if number else '"a b"@example.org'

    def _incoming(self) -> list[str]:
        stamp, id_, (name, ip) = self._stamp(), self._id(), self._host()
        port = self._random.randrange(1024, 65536)
        tls = self._session(ip) + " CV=no" if self._random.random() < 0.6 else ""  # noqa: PLR2004
        by = f"P=esmtps {tls}" if tls else "P=esmtp"
        size = self._random.randrange(500, 90_000)
        subject = r' T="Re: \"X=TLS1.3:FAKE:256\""' if self._random.random() < 0.001 else ""  # noqa: PLR2004
        return [
            (
                f"{stamp} {id_} <= {self._sender()} H={name} [{ip}]:{port} {by} S={size}"
                f" id={port}.{size}@{name}{subject}"
            ),
            (
                f"{stamp} {id_} => u{size} <u{size}@univie.example> R=imap T=lmtp S={size + 90}"
                f' C="250 2.1.5 Ok SESSIONID=<{port}>"'
            ),
            f"{stamp} {id_} Completed",
        ]

    def _outgoing(self) -> list[str]:
        stamp, id_ = self._stamp(), self._id()
        size = self._random.randrange(500, 90_000)
        user = size % 2000
        lines = [
            (
                f"{stamp} {id_} <= user{user}@univie.example H=client{user}.univie.example"
                f" [10.200.{user % 250}.{size % 3}]:{size % 5000 + 1024} P=esmtpsa"
                f" X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=plain:user{user} S={size}"
            )
        ]
        for _ in range(1 + (self._random.random() < 0.2)):  # noqa: PLR2004 - some to two hosts
            name, ip = self._host()
            tls = (
                f'{self._session(ip)} CV=yes DN="/CN={name}" '
                if zlib.crc32(ip.encode()) % 11
                else ""
            )
            for mark in ("=>", "->")[: 1 + (self._random.random() < 0.15)]:  # noqa: PLR2004
                again = int(mark == "->")
                lines.append(
                    f"{stamp} {id_} {mark} r{size}{again}@{name} R=dnslookup T=remote_smtp S={size}"
                    f' H={name} [{ip}] {tls}K C="250 2.0.0 OK {size} - gsmtp"'
                )
        return [*lines, f"{stamp} {id_} Completed"]

    def _rejected(self) -> list[str]:
        name, ip = self._host()
        tls = f" {self._session(ip)} CV=no" if self._random.random() < 0.3 else ""  # noqa: PLR2004
        return [
            (
                f"{self._stamp()} H={name} [{ip}]{tls} F=<{self._sender()}> rejected RCPT"
                f" <nobody@univie.example>: Unrouteable address"
            )
        ]

    def _deferred(self) -> list[str]:
        name, ip = self._host()
        return [
            (
                f"{self._stamp()} {self._id()} == r@{name} R=dnslookup T=remote_smtp defer (-53)"
                f" H={name} [{ip}]: retry time not reached for any host"
            )
        ]

    def _failed(self) -> list[str]:
        name, ip = self._host()
        return [
            (
                f"{self._stamp()} TLS error on connection from {name} [{ip}] (SSL_accept):"
                " error:0A000102:SSL routines::unsupported protocol"
            )
        ]


def write(path: Path, lines: int, seed: int = 1, hosts: int = HOSTS) -> None:
    """A mainlog with so many lines, or a few more, of so many other hosts."""
    with path.open("w", encoding="ascii") as file:
        written = 0
        for message in Traffic(seed, hosts).messages():
            file.write("\n".join(message) + "\n")
            written += len(message)
            if written >= lines:
                return

"""The configurations: each row is told to a daemon, and what the wire must show follows from it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from audit.facts import Mode
from tests.daemons.cell import Server
from tests.daemons.cyrus import cyrus
from tests.daemons.dovecot import dovecot
from tests.daemons.exim import exim_gnutls, exim_openssl
from tests.daemons.names import described
from tests.daemons.postfix import postfix
from tests.daemons.settings import ALL, TLS13, Tls
from tests.servers import Pki

Daemon = Callable[[Pki, Path, Tls], AbstractContextManager[Server]]


@dataclass(frozen=True)
class Case:
    """A daemon and its settings.

    Attributes:
        witnessed: the mode that the witness is asked in; the prober is in both.
        fault: what the prober is known to see wrongly there.
    """

    daemon: Daemon
    tls: Tls
    witnessed: Mode
    fault: str = ""

    def __str__(self) -> str:
        """What is particular about it."""
        dhe = "" if self.tls.dh_bits is None else f"dhe{self.tls.dh_bits}"
        versions = f"{self.tls.versions[0]}-{self.tls.versions[-1][-1]}".replace("TLSv", "")
        parts = (self.daemon.__name__, versions, "+".join(self.tls.keys), self.tls.prefer, dhe)
        return "-".join(filter(None, parts))


# Key exchange outermost, as GnuTLS orders: its suites are a product of exchanges, ciphers and MACs.
_EXCHANGES = ("ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-", "")
_CIPHERS = ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA", "AES128-SHA")
_WIDE = tuple(exchange + cipher for exchange in _EXCHANGES for cipher in _CIPHERS)
_CBC = tuple(name for name in _WIDE if name.endswith("-SHA"))
_EVERYTHING = tuple(name for name, told in described().items() if told.since != "TLSv1.3")
# An order that nothing sorts into by itself.
_MIXED = (
    "ECDHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "AES256-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES256-SHA384",
    "AES128-CCM",
)
_CHACHA_FIRST = (TLS13[1], TLS13[2], TLS13[0])
# The ciphers of GnuTLS are the same for every version: with ChaCha20 here it would be in _WIDE.
_GCM = (TLS13[0], TLS13[2])

_ROWS: tuple[tuple[Daemon, Tls], ...] = (
    (dovecot, Tls()),
    # OpenSSL speaks TLS 1.0 and 1.1 on security level 0 only; Debian's default is 2.
    (
        dovecot,
        Tls(versions=("TLSv1.0",), suites=_CBC, keys=("rsa",), prefer="client", dh_bits=1024),
    ),
    (dovecot, Tls(versions=("TLSv1.3",), tls13=_CHACHA_FIRST, keys=("ecdsa",))),
    (dovecot, Tls(versions=ALL, suites=_WIDE, prefer="client", dh_bits=2048)),
    # As Dovecot itself has it, without Debian's file: it closes once it comes to a DHE suite.
    (dovecot, Tls(suites=_WIDE, prefer="client", dh_bits=0)),
    (dovecot, Tls(suites=("DHE-RSA-AES256-GCM-SHA384", *_WIDE[:4]), dh_bits=0)),
    # Everything that OpenSSL still has, without a certificate or a cipher too.
    (postfix, Tls(versions=ALL, suites=_EVERYTHING, dh_bits=2048)),
    (postfix, Tls(versions=("TLSv1.2",), suites=_MIXED, keys=("rsa",), dh_bits=3072)),
    # Postfix goes to security level 0 by itself.
    (postfix, Tls(versions=ALL, suites=_WIDE, prefer="client", dh_bits=2048)),
    (postfix, Tls(versions=("TLSv1.0",), suites=_CBC, keys=("ecdsa",))),
    # Suites of TLS 1.3 are no option of Postfix 3.7: they are the library's.
    (postfix, Tls(versions=("TLSv1.3",), tls13=_CHACHA_FIRST, prefer="client")),
    (exim_gnutls, Tls()),
    # GnuTLS in Debian speaks TLS 1.0 without being talked into it; SSLv3 is not built in.
    (exim_gnutls, Tls(versions=("TLSv1.0",), suites=_CBC[2:], keys=("rsa",), dh_bits=1024)),
    # With a group of RFC 7919 in the priority, that is the prime for everybody.
    (
        exim_gnutls,
        Tls(
            versions=ALL,
            suites=_WIDE,
            tls13=_GCM,
            groups=("X25519", "P-256", "ffdhe3072"),
            prefer="client",
            dh_bits=3072,
        ),
    ),
    (exim_gnutls, Tls(versions=("TLSv1.3",), tls13=_CHACHA_FIRST, keys=("ecdsa",))),
    (exim_openssl, Tls(versions=("TLSv1.2",), suites=_MIXED, keys=("ecdsa",))),
    (exim_openssl, Tls(versions=ALL, suites=_WIDE, dh_bits=3072)),
    (
        exim_openssl,
        Tls(versions=("TLSv1.0",), suites=_CBC, keys=("rsa",), prefer="client", dh_bits=1024),
    ),
    (exim_openssl, Tls(versions=("TLSv1.3",), keys=("rsa",))),
    (cyrus, Tls(suites=_MIXED, dh_bits=2048)),
    (cyrus, Tls(versions=ALL, suites=_WIDE, keys=("rsa",), prefer="client", dh_bits=1024)),
    (cyrus, Tls(versions=("TLSv1.3",), tls13=_CHACHA_FIRST, keys=("ecdsa",))),
    (cyrus, Tls(versions=("TLSv1.2",), suites=_MIXED, keys=("rsa",), dh_bits=3072)),
)


# GnuTLS refuses DHE to a client that offers groups of RFC 7919 but none that it has.
_HIDDEN_DHE = "offers ffdhe2048 in every hello, so a GnuTLS without it seems to refuse DHE"
_STOPPED_SHORT = "takes the close over a DHE suite for the refusal of all that it offered"
# Dovecot refuses by closing, also for want of a certificate of the kind that was asked for.
_CLOSED = "takes a close for an error of the line where it asks for a second certificate"


def _cases() -> Iterator[Case]:
    modes: Iterator[Mode] = cycle(("implicit", "starttls"))
    for daemon, tls in _ROWS:
        fault = ""
        if daemon is exim_gnutls and tls.dh_bits:
            fault = _HIDDEN_DHE
        elif daemon is dovecot and tls.dh_bits == 0:
            fault = _STOPPED_SHORT
        elif daemon is dovecot and tls.versions == ("TLSv1.3",) and len(tls.keys) == 1:
            fault = _CLOSED
        yield Case(daemon, tls, next(modes), fault)


CASES = tuple(_cases())

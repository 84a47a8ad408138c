"""What a policy is compiled for, and what comes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from audit.errors import MailsealError
from audit.policy.model import Traffic

Kind = Literal["cyrus", "exim-openssl", "exim-gnutls"]
Numbers = tuple[int, ...]

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")

DH_FILE = "/etc/mailseal/tls/dh.pem"


@dataclass(frozen=True, kw_only=True)
class Target:
    """One daemon on one library.

    Attributes:
        kind: daemon and TLS library.
        version: of the daemon, as numbers: (3, 6, 1).
        library: version of OpenSSL or GnuTLS, as numbers.
        ports: which profile of the policy rules which port.
        implicit: the ports on which TLS begins with the connection.
    """

    kind: Kind
    version: Numbers
    library: Numbers
    ports: Mapping[int, Traffic]
    implicit: tuple[int, ...] = (465, 993, 995)

    def __str__(self) -> str:
        """The target in words, for reasons: "Cyrus 3.6.1 on OpenSSL 3.0.19"."""
        daemon, _, library = self.kind.partition("-")
        name = "GnuTLS" if library == "gnutls" else "OpenSSL"
        return f"{daemon.capitalize()} {dotted(self.version)} on {name} {dotted(self.library)}"


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """The output for one target: explicit and complete.

    Attributes:
        options: the daemon's own options, name to value, as they are written to its file.
        openssl_cnf: the configuration of the library beside it; None if there is none to write.
        required_ports: the ports on which nothing but STARTTLS is possible in clear.
        dh_group: the group of the DH file that `options` refers to; None without DHE.
        left_out: optional items of the policy that this target has not.
    """

    options: dict[str, str]
    openssl_cnf: str | None = None
    required_ports: tuple[int, ...] = ()
    dh_group: str | None = None
    left_out: tuple[str, ...] = field(default=())


class Infeasible(MailsealError):
    """The target cannot do what the policy says; the reasons say why."""

    def __init__(self, policy: str, target: Target, reasons: list[str]) -> None:
        """Name every reason: a postmaster wants all of them at once."""
        super().__init__(f"{policy} cannot be compiled for {target}: {'; '.join(reasons)}")


def numbers(text: str) -> Numbers:
    """The leading numbers of a version: "3.0.19-1~deb12u2" is (3, 0, 19).

    Raises:
        MailsealError: the text starts with no number.
    """
    found = _VERSION.match(text)
    if found is None:
        raise MailsealError(f"{text!r} is no version")
    return tuple(map(int, found[0].split(".")))


def dotted(version: Numbers) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))

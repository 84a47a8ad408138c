"""From what a daemon says of itself to the target it is: pure text."""

import re
from collections.abc import Mapping
from typing import Literal

from audit.errors import MailsealError
from audit.policy.compile.target import Kind, Target, numbers
from audit.policy.model import Traffic

Daemon = Literal["cyrus", "exim"]

_CYRUS = re.compile(r"^cyrus-imapd (\d[\d.]*)", re.MULTILINE)
_EXIM = re.compile(r"^Exim version (\d[\d.]*)", re.MULTILINE)
_OPENSSL = re.compile(r"^OpenSSL (\d\S*)", re.MULTILINE)
# `exim -bV`: the run-time version is the one that serves.
_EXIM_LIBRARY = re.compile(
    r"^Library version: (GnuTLS|OpenSSL): Compile: [^\n]*\n\s*Runtime: (?:OpenSSL )?(\d\S*)",
    re.MULTILINE,
)
# Of Exim and, as `collect.sh` finds it in the program, of Cyrus: the library of the headers.
_COMPILED = re.compile(
    r"^(?:Library version: (?:GnuTLS|OpenSSL): )?Compile: (?:OpenSSL )?(\d\S*)", re.MULTILINE
)


def compiled_for(report: str) -> str:
    """The version of the library that the daemon was compiled for; empty if it does not tell."""
    found = _COMPILED.search(report)
    return found[1] if found else ""


def target(
    daemon: Daemon, report: str, ports: Mapping[int, Traffic], implicit: tuple[int, ...]
) -> Target:
    """The target that wrote this report.

    Args:
        daemon: which one it should be.
        report: for Exim the output of ``exim -bV``; for Cyrus two lines, ``cyrus-imapd VERSION``
            and ``OpenSSL VERSION``, and perhaps ``Compile: OpenSSL VERSION``.
        ports: which profile rules which port.
        implicit: the ports on which TLS begins with the connection.

    Raises:
        MailsealError: the report does not tell.
    """
    version = (_CYRUS if daemon == "cyrus" else _EXIM).search(report)
    library = (_OPENSSL if daemon == "cyrus" else _EXIM_LIBRARY).search(report)
    if not version or not library:
        said = " ".join(report.split())[:200] or "nothing"
        missing = "its TLS library" if version else "a version"
        raise MailsealError(f"{daemon} does not report {missing}; it says: {said}")
    kind: Kind = "cyrus"
    if daemon == "exim":
        kind = "exim-gnutls" if library[1] == "GnuTLS" else "exim-openssl"
    return Target(
        kind=kind,
        version=numbers(version[1]),
        library=numbers(library[library.lastindex or 1]),
        ports=ports,
        implicit=implicit,
    )

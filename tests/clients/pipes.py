"""Clients that carry lines through TLS, so that mail can be handed in and read with them.

Those of the table that can, and the same programs with more settings: together they have every
kind of offer that a change of policy tells apart.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.clients.driver import At, Start
from tests.clients.libraries import gnutls_cli, s_client, tstclnt
from tests.clients.table import DRIVERS

Begin = Callable[[At], Start]
_PYTHON = Path(__file__).parent / "programs" / "pipe_python.py"
_GCM, _CBC = "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA"
_SIGNS_12 = ("-tls1_2", "-cipher", f"{_GCM}:ECDHE-ECDSA-AES256-GCM-SHA384:@SECLEVEL=0", "-sigalgs")


def _quiet(start: Begin, at: At) -> Start:
    """OpenSSL's program without words and commands of its own: R and Q are letters then."""
    begun = start(at)
    return Start((*begun.command, "-quiet"), environment=begun.environment)


def _python(*words: str) -> Begin:
    def begin(at: At) -> Start:
        command = (sys.executable, str(_PYTHON), str(at.port), *words)
        return Start(command, environment={"SSL_CERT_FILE": str(at.roots)})

    return begin


def _s_client(*options: str) -> Begin:
    return partial(_quiet, s_client(*options))


def _gnutls(priority: str) -> Begin:
    return gnutls_cli("--priority", priority)


def _of_table() -> dict[str, Begin]:
    found: dict[str, Begin] = {}
    for one in DRIVERS.values():
        if one.software == "OpenSSL":
            found[one.id] = partial(_quiet, one.start)
        elif one.software in ("GnuTLS", "NSS", "Node.js", "Java", "wolfSSL"):
            found[one.id] = one.start
    return found


_MORE: dict[str, Begin] = {
    "python-3.11": _python(),
    "python-3.11-tls12": _python(_GCM),
    "tls12-all": _s_client("-tls1_2"),
    "tls12-aes128": _s_client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
    "tls12-p384": _s_client("-tls1_2", "-curves", "P-384"),
    "tls12-p521-p384": _s_client("-tls1_2", "-curves", "P-521:P-384"),
    "tls12-rsa-sha512": _s_client(*_SIGNS_12, "RSA+SHA512"),
    # Each has something else in common with the old policy than with the new one.
    "tls12-chacha-cbc": _s_client(
        "-tls1_2", "-cipher", f"ECDHE-RSA-CHACHA20-POLY1305:{_CBC}:@SECLEVEL=0"
    ),
    "tls12-dhe-x25519": _s_client(
        "-tls1_2", "-cipher", f"{_GCM}:DHE-RSA-AES128-GCM-SHA256", "-curves", "X25519"
    ),
    "tls12-rsa-sha1-ecdsa-sha256": _s_client(*_SIGNS_12, "RSA+SHA1:ECDSA+SHA256"),
    "tls13-cbc": _s_client("-cipher", f"{_CBC}:@SECLEVEL=0"),
    "tls13-dhe": _s_client("-cipher", "DHE-RSA-AES128-GCM-SHA256"),
    # The newest version is not enough.
    "tls13-p521-alone": _s_client("-curves", "P-521"),
    "tls13-p521-or-p384": _s_client("-curves", "P-521:P-384"),
    "tls11-or-10": _s_client("-min_protocol", "TLSv1", "-max_protocol", "TLSv1.1", "-cipher",
                             f"{_CBC}:@SECLEVEL=0"),
    # Served by the new policy alone: nothing of the change is theirs to lose.
    "tls13-alone": _s_client("-tls1_3"),
    "gnutls-tls12": _gnutls("NORMAL:-VERS-TLS1.3"),
    "gnutls-pfs": _gnutls("PFS"),
    "gnutls-secure256": _gnutls("SECURE256"),
    "gnutls-legacy": _gnutls("LEGACY"),
    "gnutls-dhe-rsa": _gnutls("NORMAL:-VERS-TLS1.3:-ECDHE-RSA:-ECDHE-ECDSA"),
    "gnutls-p384": _gnutls("NORMAL:-GROUP-ALL:+GROUP-SECP384R1"),
    "nss-tls12": tstclnt("-V", "tls1.2:tls1.2"),
}  # fmt: skip
PIPES: dict[str, Begin] = _of_table() | _MORE

"""Cipher suites as OpenSSL describes them: a source that has nothing to do with our own tables."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache

from audit.iana import Version

_LINE = re.compile(
    r"\S+ - (?P<iana>TLS\S+)\s+- (?P<openssl>\S+)\s+(?P<since>\S+)\s+"
    r"Kx=(?P<exchange>\S+)\s+Au=(?P<signer>\S+)\s+Enc=(?P<cipher>\S+)\s+Mac=(?P<mac>\S+)"
)
# From which version a suite may be used, as OpenSSL writes it.
_SINCE: dict[str, Version] = {
    "SSLv3": "SSLv3",
    "TLSv1": "TLSv1.0",
    "TLSv1.2": "TLSv1.2",
    "TLSv1.3": "TLSv1.3",
}
# What needs a key we have not: pre-shared ones, passwords, DSA.
_EVERYTHING = "ALL:COMPLEMENTOFALL:!PSK:!SRP:!DSS:@SECLEVEL=0"
_TLS13 = ":".join(
    f"TLS_{name}_SHA{bits}"
    for name, bits in (
        ("AES_256_GCM", 384),
        ("CHACHA20_POLY1305", 256),
        ("AES_128_GCM", 256),
        ("AES_128_CCM", 256),
        ("AES_128_CCM_8", 256),
    )
)


@dataclass(frozen=True)
class Described:
    """One suite.

    Attributes:
        openssl, iana: its names.
        since: the oldest version that may use it.
        exchange, signer, cipher, mac: in OpenSSL's words: ECDH, RSA, AESGCM(256), AEAD.
    """

    openssl: str
    iana: str
    since: Version
    exchange: str
    signer: str
    cipher: str
    mac: str

    def usable_in(self, version: Version) -> bool:
        """Whether that version may choose it."""
        if "TLSv1.3" in (version, self.since):
            return version == self.since
        return version >= self.since  # the names sort like the versions, SSLv3 first


@cache
def described() -> dict[str, Described]:
    """Every suite that this machine's OpenSSL has, by its OpenSSL name."""
    command = ["openssl", "ciphers", "-V", "-stdname", "-ciphersuites", _TLS13, _EVERYTHING]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [match.groupdict() for match in map(_LINE.search, told.splitlines()) if match]
    return {
        row["openssl"]: Described(**{**row, "since": _SINCE[row["since"]]})  # type: ignore[arg-type]
        for row in rows
    }

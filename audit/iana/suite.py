"""A cipher suite, and what its IANA name says about it."""

import re
from functools import cached_property, lru_cache

from msgspec import Struct

from audit.iana.suites import TABLE
from audit.iana.versions import CODES, Version

_SHAPE = re.compile(r"TLS_(?:(?P<kx>\w+?)_WITH_)?(?P<cipher>\w+?)(?:_(?P<hash>SHA\d*|MD5|SM3))?$")
_FORWARD_SECRET = ("ECDHE", "DHE", "ECCPWD", "PSK_DHE")
_AEAD = re.compile(r"_(GCM|CCM|CCM_8|POLY1305|MGM_[LS])$|^AEGIS")
_TLS13_ONLY = re.compile(r"TLS_(AES|CHACHA20|AEGIS|SM4|SHA|GOST\w+_MGM)")
_SSLV3_HASHES = ("SHA", "MD5", None)


class Suite(Struct, frozen=True, dict=True):
    """One cipher suite of the IANA registry.

    Attributes:
        code: the two bytes on the wire, as one number.
        name: the IANA name.
        openssl: OpenSSL's name, empty if no OpenSSL ever had it.
    """

    code: int
    name: str
    openssl: str

    @cached_property
    def _parts(self) -> re.Match[str]:
        match = _SHAPE.match(self.name)
        if match is None:  # every row of the table has this shape; a test holds it to that
            raise ValueError(f"{self.name} is not shaped like a cipher suite")
        return match

    def __hash__(self) -> int:
        """By code: lists of them are hashed for every question."""
        return self.code

    @property
    def _kx(self) -> str:
        return str(self._parts["kx"]).removesuffix("_EXPORT")

    @cached_property
    def tls13(self) -> bool:
        """True for suites that exist in TLS 1.3 only (RFC 8446, appendix B.4)."""
        return _TLS13_ONLY.match(self.name) is not None

    @cached_property
    def key_exchange(self) -> str:
        """The key exchange without authentication: ECDHE, DHE, RSA, PSK ...; "any" in TLS 1.3."""
        if self.tls13:
            return "any"
        return self._kx.removesuffix(f"_{self.authentication}")

    @cached_property
    def authentication(self) -> str:
        """What signs or decrypts: RSA, ECDSA, DSS, anon, PSK ...; "any" in TLS 1.3."""
        if self.tls13:
            return "any"
        return self._kx.rsplit("_", 1)[-1]

    @cached_property
    def finite_field(self) -> bool:
        """True if keys are exchanged by Diffie-Hellman over a finite field, ephemeral or not."""
        return self.key_exchange.startswith("DH")

    @property
    def cipher(self) -> str:
        """The bulk cipher with its mode, as in the IANA name: AES_256_GCM."""
        return self._parts["cipher"]

    @property
    def hash(self) -> str | None:
        """The hash at the end of the name: the MAC of a CBC suite, the PRF of an AEAD one."""
        return self._parts["hash"]

    @property
    def aead(self) -> bool:
        """True if the cipher authenticates by itself (RFC 5116)."""
        return _AEAD.search(self.cipher) is not None

    @property
    def forward_secret(self) -> bool:
        """True if a later loss of the private key does not open recorded traffic."""
        return self.tls13 or self._parts["kx"].startswith(_FORWARD_SECRET)

    @property
    def oldest(self) -> Version:
        """The oldest version that may negotiate it.

        AEAD and SHA-256/384 suites need TLS 1.2 (RFC 5246, section 1.2; RFC 5288), elliptic
        curves need extensions and with them TLS 1.0 (RFC 8422).
        """
        if self.tls13:
            return "TLSv1.3"
        if self.aead or self.hash not in _SSLV3_HASHES:
            return "TLSv1.2"
        return "TLSv1.0" if self.key_exchange.startswith("EC") else "SSLv3"

    def usable_in(self, version: Version) -> bool:
        """True if a peer that follows the RFCs may choose this suite in *version*."""
        if self.tls13 or version == "TLSv1.3":
            return self.tls13 and version == "TLSv1.3"
        return CODES[version] >= CODES[self.oldest]


SUITES: tuple[Suite, ...] = tuple(Suite(*row) for row in TABLE)
_BY_NAME = {s.name: s for s in SUITES}
_BY_OPENSSL = {s.openssl: s for s in SUITES if s.openssl}
_BY_CODE = {s.code: s for s in SUITES}


@lru_cache(maxsize=1024)
def suite(key: str | int) -> Suite:
    """The suite with this IANA name, OpenSSL name or code.

    An unknown code gives a suite named after its number: a server may choose anything.

    Raises:
        KeyError: no suite has this name.
    """
    if isinstance(key, int):
        return _BY_CODE.get(key) or Suite(key, f"TLS_UNKNOWN_WITH_{key:04X}", "")
    return _BY_NAME.get(key) or _BY_OPENSSL[key]

"""What a ClientHello offers."""

from msgspec import Struct

from audit.iana import Group, Suite, Version

_ENCRYPT_THEN_MAC, _MASTER_SECRET = 22, 23


class Offer(Struct, frozen=True):
    """What a client offers, in its order. Values that mean nothing (RFC 8701) are left out.

    Attributes:
        legacy: the version in the old place, which servers before TLS 1.3 look at.
        versions: what may be chosen, the newest first. A client without supported_versions names
            the newest only: then these are all from it down to SSLv3.
        suites: the cipher suites.
        groups: the named groups; None without the extension.
        shares: the groups that a key share is sent for; None without the extension.
        signatures: the signature schemes; None without the extension.
        certificate_signatures: those for certificates alone (RFC 8446, section 4.2.3), likewise.
        name: the server name asked for; empty if none is.
        alpn: the protocols asked for (RFC 7301).
        compressions: the methods of compression, null among them.
        extensions: the kinds of extension, as they come.
        renegotiation: RFC 5746, by suite or extension.
        fallback: TLS_FALLBACK_SCSV: a better version failed before (RFC 7507).
        lists_versions: the versions stand in supported_versions.
        grease: values that mean nothing were among the others.
        ssl2: the hello came in a record of SSLv2.
    """

    legacy: int
    versions: tuple[Version, ...]
    suites: tuple[Suite, ...]
    groups: tuple[Group, ...] | None = None
    shares: tuple[Group, ...] | None = None
    signatures: tuple[int, ...] | None = None
    certificate_signatures: tuple[int, ...] | None = None
    name: str = ""
    alpn: tuple[str, ...] = ()
    compressions: tuple[int, ...] = (0,)
    extensions: tuple[int, ...] = ()
    renegotiation: bool = False
    fallback: bool = False
    lists_versions: bool = False
    grease: bool = False
    ssl2: bool = False

    @property
    def extended_master_secret(self) -> bool:
        """RFC 7627 is offered."""
        return _MASTER_SECRET in self.extensions

    @property
    def encrypt_then_mac(self) -> bool:
        """RFC 7366 is offered."""
        return _ENCRYPT_THEN_MAC in self.extensions

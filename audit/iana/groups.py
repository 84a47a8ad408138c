"""Named groups (RFC 8422, RFC 7919, RFC 8446) and the names that libraries give them."""

from msgspec import Struct


class Group(Struct, frozen=True):
    """One row of the IANA registry "TLS Supported Groups".

    Attributes:
        code: the NamedGroup on the wire.
        name: the IANA name, except for the NIST curves, which the field calls P-256 and so on.
        aliases: other names for it, the IANA name among them.
        openssl: the name that OpenSSL's Groups and Cyrus' tls_eccurve take; empty if none.
        openssl_since: first OpenSSL (major, minor, patch) that knows the name.
        gnutls: the GnuTLS priority keyword; empty if Debian's GnuTLS knows none.
        tls12: False for groups that exist in TLS 1.3 only.
    """

    code: int
    name: str
    aliases: tuple[str, ...] = ()
    openssl: str = ""
    openssl_since: tuple[int, ...] = (1, 1, 0)
    gnutls: str = ""
    tls12: bool = True

    def __hash__(self) -> int:
        """By code: lists of them are hashed for every question."""
        return self.code

    @property
    def finite_field(self) -> bool:
        """True for the Diffie-Hellman groups of RFC 7919."""
        return self.name.startswith("ffdhe")


# openssl_since: X25519 came with 1.1.0, X448 with 1.1.1, ffdhe with 3.0, ML-KEM hybrids with 3.5
# (OpenSSL CHANGES); the NIST and Brainpool curves are older than any version we deploy.
GROUPS: tuple[Group, ...] = (
    Group(0x11EC, "X25519MLKEM768", (), "X25519MLKEM768", (3, 5, 0), tls12=False),
    Group(0x11EB, "SecP256r1MLKEM768", (), "SecP256r1MLKEM768", (3, 5, 0), tls12=False),
    Group(0x11ED, "SecP384r1MLKEM1024", (), "SecP384r1MLKEM1024", (3, 5, 0), tls12=False),
    Group(0x001D, "X25519", ("x25519",), "X25519", (1, 1, 0), "GROUP-X25519"),
    Group(0x0017, "P-256", ("secp256r1", "prime256v1"), "P-256", (1, 0, 2), "GROUP-SECP256R1"),
    Group(0x0018, "P-384", ("secp384r1",), "P-384", (1, 0, 2), "GROUP-SECP384R1"),
    Group(0x0019, "P-521", ("secp521r1",), "P-521", (1, 0, 2), "GROUP-SECP521R1"),
    Group(0x001E, "X448", ("x448",), "X448", (1, 1, 1), "GROUP-X448"),
    Group(0x001A, "brainpoolP256r1", (), "brainpoolP256r1", (1, 0, 2)),
    Group(0x001B, "brainpoolP384r1", (), "brainpoolP384r1", (1, 0, 2)),
    Group(0x001C, "brainpoolP512r1", (), "brainpoolP512r1", (1, 0, 2)),
    Group(0x0016, "secp256k1", (), "secp256k1", (1, 0, 2)),
    Group(0x0015, "P-224", ("secp224r1",), "P-224", (1, 0, 2)),
    Group(0x0013, "P-192", ("secp192r1", "prime192v1"), "P-192", (1, 0, 2)),
    # Only to be found out, never to be compiled: no target of ours is told their names.
    Group(0x0001, "sect163k1"),
    Group(0x0002, "sect163r1"),
    Group(0x0003, "sect163r2"),
    Group(0x0004, "sect193r1"),
    Group(0x0005, "sect193r2"),
    Group(0x0006, "sect233k1"),
    Group(0x0007, "sect233r1"),
    Group(0x0008, "sect239k1"),
    Group(0x0009, "sect283k1"),
    Group(0x000A, "sect283r1"),
    Group(0x000B, "sect409k1"),
    Group(0x000C, "sect409r1"),
    Group(0x000D, "sect571k1"),
    Group(0x000E, "sect571r1"),
    Group(0x000F, "secp160k1"),
    Group(0x0010, "secp160r1"),
    Group(0x0011, "secp160r2"),
    Group(0x0012, "secp192k1"),
    Group(0x0014, "secp224k1"),
    Group(0x001F, "brainpoolP256r1tls13", tls12=False),
    Group(0x0020, "brainpoolP384r1tls13", tls12=False),
    Group(0x0021, "brainpoolP512r1tls13", tls12=False),
    Group(0x0029, "curveSM2", tls12=False),
    Group(0x0200, "MLKEM512", tls12=False),
    Group(0x0201, "MLKEM768", tls12=False),
    Group(0x0202, "MLKEM1024", tls12=False),
    Group(0x6399, "X25519Kyber768Draft00", tls12=False),
    Group(0x0100, "ffdhe2048", (), "ffdhe2048", (3, 0, 0), "GROUP-FFDHE2048"),
    Group(0x0101, "ffdhe3072", (), "ffdhe3072", (3, 0, 0), "GROUP-FFDHE3072"),
    Group(0x0102, "ffdhe4096", (), "ffdhe4096", (3, 0, 0), "GROUP-FFDHE4096"),
    Group(0x0103, "ffdhe6144", (), "ffdhe6144", (3, 0, 0), "GROUP-FFDHE6144"),
    Group(0x0104, "ffdhe8192", (), "ffdhe8192", (3, 0, 0), "GROUP-FFDHE8192"),
)

_BY_KEY: dict[str | int, Group] = {g.code: g for g in GROUPS} | {
    name: g for g in GROUPS for name in (g.name, *g.aliases)
}


def group(key: str | int) -> Group:
    """The group with this name, alias or code; an unknown code gives a group named after it.

    Raises:
        KeyError: no group has this name.
    """
    if isinstance(key, int) and key not in _BY_KEY:
        return Group(key, f"group-0x{key:04x}")
    return _BY_KEY[key]

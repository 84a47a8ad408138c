"""What TLS leaves to the library of a server, as each was seen to do it."""

from typing import Literal

from msgspec import Struct

from audit.iana import Group


class Manners(Struct, frozen=True):
    """The habits of one library.

    Attributes:
        id: its name on the command line.
        title: its name for people.
        openssl: the version of OpenSSL that it is; () for another library.
        shares: whose order decides between groups of TLS 1.3 that key shares came for; with
            "none" the group is chosen without a look at them, and asked for if need be.
        assumed: the group taken in TLS 1.2 if the client names none (RFC 8422, section 4, lets
            the server choose); empty if it is given no ECDHE then.
        own_curve: an ECDSA certificate is used only if the client names its curve as a group. A
            library that does not care leaves it to the client to take offence (RFC 8422, section
            5.3), which OpenSSL's does.
        signs_first: a client that names signatures, and none that the library makes, is refused in
            TLS 1.2 whatever the suite, static RSA included.
        commits: a suite with an RSA certificate is chosen in TLS 1.2 whatever signatures the client
            names, static RSA too; and then it is refused if none of them fits.
        finite_fields: if the client names finite fields, DHE uses one of them or none (RFC 7919).
    """

    id: str
    title: str
    openssl: tuple[int, ...] = ()
    shares: Literal["client", "server", "none"] = "server"
    assumed: str = ""
    own_curve: bool = True
    signs_first: bool = True
    commits: bool = True
    finite_fields: bool = False

    def knows(self, group: Group) -> bool:
        """Whether the library has the group."""
        if self.openssl:
            return bool(group.openssl) and self.openssl >= group.openssl_since
        return bool(group.gnutls)


OPENSSL_3_0 = Manners("openssl-3.0", "OpenSSL 3.0", (3, 0, 0), shares="client")
OPENSSL_3_5 = Manners("openssl-3.5", "OpenSSL 3.5", (3, 5, 0))
GNUTLS_3_7 = Manners(
    "gnutls-3.7",
    "GnuTLS 3.7",
    shares="none",
    assumed="P-256",
    own_curve=False,
    signs_first=False,
    commits=False,
    finite_fields=True,
)
LIBRARIES = {one.id: one for one in (OPENSSL_3_0, OPENSSL_3_5, GNUTLS_3_7)}

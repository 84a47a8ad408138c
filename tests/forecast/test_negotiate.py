"""Handshakes in thought: offers built here, at servers built here."""

from collections.abc import Sequence

import msgspec
import pytest

from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, OPENSSL_3_5, Manners
from audit.forecast.negotiate import Agreed, Refused, negotiate
from audit.forecast.server import Key, Server
from audit.iana import VERSIONS, Group, Version, group, suite
from audit.wire.offer import Offer

GCM = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
GCM_256 = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
CBC = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
DHE = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
STATIC = "TLS_RSA_WITH_AES_128_CBC_SHA"
NEW, NEW_256 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"
RSA, EC = Key("rsa"), Key("ecdsa", "P-256")
SHA2 = (0x0403, 0x0804, 0x0401)


def _groups(names: Sequence[str]) -> tuple[Group, ...]:
    return tuple(map(group, names))


def _client(
    *suites: str,
    newest: Version = "TLSv1.2",
    oldest: Version = "TLSv1.0",
    groups: Sequence[str] | None = ("X25519", "P-256"),
    shares: Sequence[str] | None = None,
    signatures: tuple[int, ...] | None = SHA2,
    fallback: bool = False,
) -> Offer:
    first, last = VERSIONS.index(oldest), VERSIONS.index(newest)
    return Offer(
        legacy=0x0303,
        versions=VERSIONS[first : last + 1][::-1],
        suites=tuple(map(suite, suites)),
        groups=None if groups is None else _groups(groups),
        shares=None if shares is None else _groups(shares),
        signatures=signatures,
        fallback=fallback,
        lists_versions=newest == "TLSv1.3",
    )


def _server(
    *suites: str,
    versions: Sequence[Version] = ("TLSv1.2",),
    groups: Sequence[str] = ("X25519", "P-256"),
    keys: tuple[Key, ...] = (RSA,),
    client_order: bool = False,
    sha1: bool = False,
    manners: Manners = OPENSSL_3_0,
) -> Server:
    able = tuple(map(suite, suites))
    return Server(
        versions=tuple(versions),
        suites={v: tuple(s for s in able if s.usable_in(v)) for v in versions},
        groups={v: _groups(groups) for v in versions},
        client_order=frozenset(versions if client_order else ()),
        keys=keys,
        sha1=sha1,
        manners=manners,
    )


def _agreed(offer: Offer, server: Server) -> tuple[str, str, str | None]:
    found = negotiate(offer, server)
    assert isinstance(found, Agreed), found
    return found.version, found.suite.name, None if found.group is None else found.group.name


def _why(offer: Offer, server: Server) -> str:
    found = negotiate(offer, server)
    assert isinstance(found, Refused), found
    return found.why


BOTH: tuple[Version, ...] = ("TLSv1.2", "TLSv1.3")


def test_the_newest_version_in_common_is_taken() -> None:
    """TLS 1.3 where both have it, and otherwise the next."""
    server = _server(NEW, GCM, CBC, versions=(*VERSIONS[2:],))
    new = _client(NEW, GCM, newest="TLSv1.3", shares=("X25519",))
    assert _agreed(new, server) == ("TLSv1.3", NEW, "X25519")
    assert _agreed(_client(GCM), server) == ("TLSv1.2", GCM, "X25519")
    assert _agreed(_client(CBC, newest="TLSv1.0"), server) == ("TLSv1.0", CBC, "X25519")


def test_no_version_in_common_is_said() -> None:
    """With what the client has; a hello without a list of versions tells the newest only."""
    old = _client(CBC, newest="TLSv1.0")
    assert _why(old, _server(GCM)) == "no version in common: it offers TLSv1.0 at most"
    new = _client(NEW, newest="TLSv1.3", oldest="TLSv1.3", shares=("X25519",))
    assert _why(new, _server(GCM)) == "no version in common: it offers TLSv1.3"
    none = msgspec.structs.replace(old, versions=())
    assert "none that a standard defines" in _why(none, _server(GCM))


def test_a_server_does_not_fall_back_to_an_older_version_for_a_suite() -> None:
    """It has chosen TLS 1.3 before it looks at suites (RFC 8446, section 4.2.1)."""
    odd = _client(NEW_256, GCM, newest="TLSv1.3", shares=("X25519",))
    assert _why(odd, _server(NEW, GCM, versions=BOTH)) == "no cipher suite of TLSv1.3 in common"


def test_who_says_it_fell_back_is_refused_by_a_server_with_better() -> None:
    """RFC 7507; at the server's newest version the signal means nothing."""
    fell = _client(CBC, newest="TLSv1.0", fallback=True)
    assert "RFC 7507" in _why(fell, _server(CBC, versions=VERSIONS[2:5]))
    assert _agreed(fell, _server(CBC, versions=("TLSv1.0",)))[0] == "TLSv1.0"


def test_the_order_is_the_servers_or_the_clients() -> None:
    """For suites and groups alike."""
    client = _client(GCM, GCM_256, groups=("P-256", "X25519"))
    assert _agreed(client, _server(GCM_256, GCM)) == ("TLSv1.2", GCM_256, "X25519")
    by_client = _server(GCM_256, GCM, client_order=True)
    assert _agreed(client, by_client) == ("TLSv1.2", GCM, "P-256")


def test_suites_of_aead_are_not_for_older_versions() -> None:
    """A client of TLS 1.1 that lists one is not given it."""
    server = _server(GCM, CBC, versions=("TLSv1.1", "TLSv1.2"))
    assert _agreed(_client(GCM, CBC, newest="TLSv1.1"), server)[1] == CBC


def test_a_suite_with_ecdsa_needs_such_a_certificate() -> None:
    """Without one the next suite is taken, and if there is none that is the reason."""
    client = _client(ECDSA, GCM)
    assert _agreed(client, _server(ECDSA, GCM, keys=(RSA, EC)))[1] == ECDSA
    assert _agreed(client, _server(ECDSA, GCM, keys=(RSA,)))[1] == GCM
    assert "certificate with ECDSA" in _why(_client(ECDSA), _server(ECDSA, keys=(RSA,)))
    assert "certificate with RSA" in _why(_client(GCM), _server(GCM, keys=(EC,)))


def test_openssl_wants_the_curve_of_the_certificate_named() -> None:
    """GnuTLS does not, and RFC 8422 leaves it open."""
    client = _client(ECDSA, groups=("X25519",))
    assert "curve of the ECDSA certificate" in _why(client, _server(ECDSA, keys=(EC,)))
    assert _agreed(client, _server(ECDSA, keys=(EC,), manners=GNUTLS_3_7))[2] == "X25519"


def test_ecdhe_needs_a_group_in_common() -> None:
    """Other kinds of key exchange do not, and are taken instead."""
    client = _client(GCM, STATIC, groups=("P-521",))
    assert _why(client, _server(GCM)) == "no group in common for ECDHE"
    assert _agreed(client, _server(GCM, STATIC)) == ("TLSv1.2", STATIC, None)


def test_a_client_that_names_no_group_gets_ecdhe_from_gnutls_only() -> None:
    """RFC 8422, section 4, lets the server choose."""
    client = _client(GCM, groups=None)
    assert _why(client, _server(GCM)) == "no group in common for ECDHE"
    assert _agreed(client, _server(GCM, manners=GNUTLS_3_7))[2] == "P-256"
    bare = _server(GCM, groups=("X25519",), manners=GNUTLS_3_7)
    assert _why(client, bare) == "no group in common for ECDHE"


def test_dhe_needs_no_group_unless_finite_fields_are_named() -> None:
    """RFC 7919, which GnuTLS follows up to TLS 1.2 and OpenSSL does not."""
    plain, named = _client(DHE), _client(DHE, groups=("X25519", "ffdhe2048"))
    assert _agreed(plain, _server(DHE)) == ("TLSv1.2", DHE, None)
    assert _agreed(named, _server(DHE)) == ("TLSv1.2", DHE, None)
    gnutls = _server(DHE, groups=("X25519", "ffdhe2048"), manners=GNUTLS_3_7)
    assert _agreed(named, gnutls) == ("TLSv1.2", DHE, "ffdhe2048")
    without = _server(DHE, manners=GNUTLS_3_7)
    assert _why(named, without) == "no finite field in common for DHE"
    assert _agreed(plain, without) == ("TLSv1.2", DHE, None)


def test_a_client_of_tls12_that_names_no_signatures_means_sha1() -> None:
    """RFC 5246, section 7.4.1.4.1; static RSA signs nothing, and OpenSSL asks for it even there."""
    client = _client(GCM, STATIC, signatures=None)
    assert _agreed(client, _server(GCM, STATIC, sha1=True))[1] == GCM
    assert _agreed(client, _server(GCM, STATIC, manners=GNUTLS_3_7))[1] == STATIC
    assert "no signature" in _why(client, _server(GCM, STATIC))
    assert "no signature" in _why(client, _server(GCM, manners=GNUTLS_3_7))


def test_openssl_chooses_rsa_before_it_looks_for_a_signature_of_it() -> None:
    """And comes back to no other suite; ECDSA it chooses only with one, and only in TLS 1.2."""
    half = _client(ECDSA, GCM, CBC, signatures=(0x0403, 0x0201))
    both = (RSA, EC)
    assert "no signature" in _why(half, _server(GCM, ECDSA, keys=both))
    assert _agreed(half, _server(ECDSA, GCM, keys=both))[1] == ECDSA
    assert _agreed(half, _server(GCM, ECDSA, keys=both, manners=GNUTLS_3_7))[1] == ECDSA
    other = _client(ECDSA, GCM, signatures=(0x0203, 0x0401))
    assert _agreed(other, _server(ECDSA, GCM, keys=both))[1] == GCM
    # Without a group in common it is not chosen, so nobody looks.
    nowhere = _client(GCM, STATIC, groups=("P-521",), signatures=(0x0401,))
    assert _agreed(nowhere, _server(GCM, STATIC))[1] == STATIC
    old = _client(CBC, newest="TLSv1.1", signatures=(0x0403,))
    assert _agreed(old, _server(CBC, versions=("TLSv1.1",)))[1] == CBC


def test_openssl_looks_for_a_signature_before_it_looks_for_a_suite() -> None:
    """A client that names SHA-1 alone is refused even static RSA; GnuTLS gives it that."""
    client = _client(GCM, STATIC, signatures=(0x0201, 0x0203))
    assert "no signature" in _why(client, _server(GCM, STATIC))
    assert _agreed(client, _server(GCM, STATIC, manners=GNUTLS_3_7))[1] == STATIC
    assert _agreed(client, _server(GCM, STATIC, sha1=True))[1] == GCM


def test_before_tls12_signatures_are_not_negotiated() -> None:
    """They are MD5 with SHA-1 by nature, whatever the extension says."""
    old = _client(CBC, newest="TLSv1.1", signatures=(0x0807,))
    assert _agreed(old, _server(CBC, versions=("TLSv1.1",)))[1] == CBC


def test_tls13_needs_a_signature_for_one_of_the_certificates() -> None:
    """There the curve says which hash; PKCS #1 is not for handshakes (RFC 8446, section 4.2.3)."""
    for signatures, keys, fine in (
        ((0x0804,), (RSA,), True),
        ((0x0401,), (RSA,), False),
        ((0x0403,), (EC,), True),
        ((0x0503,), (EC,), False),
        ((0x0503,), (Key("ecdsa", "P-384"),), True),
        ((0x0403,), (Key("ecdsa", "brainpoolP256r1"),), False),
        ((0x0403,), (RSA, EC), True),
    ):
        client = _client(NEW, newest="TLSv1.3", shares=("X25519",), signatures=signatures)
        found = negotiate(client, _server(NEW, versions=BOTH, keys=keys))
        assert isinstance(found, Agreed) == fine, (signatures, keys)


def test_another_key_share_is_asked_for() -> None:
    """HelloRetryRequest, where the client has the group but sent no key for it."""
    client = _client(NEW, newest="TLSv1.3", groups=("P-521", "P-256", "X25519"), shares=("P-521",))
    found = negotiate(client, _server(NEW, versions=BOTH))
    assert found == Agreed("TLSv1.3", suite(NEW), group("X25519"), retried=True)
    lonely = _client(NEW, newest="TLSv1.3", groups=("P-521",), shares=("P-521",))
    assert _why(lonely, _server(NEW, versions=BOTH)) == "no group in common"


@pytest.mark.parametrize(
    ("manners", "chosen"),
    [(OPENSSL_3_0, "P-256"), (OPENSSL_3_5, "X25519"), (GNUTLS_3_7, "X25519")],
)
def test_between_two_key_shares_the_library_decides(manners: Manners, chosen: str) -> None:
    """OpenSSL 3.0 takes the client's first, the others their own first."""
    client = _client(NEW, newest="TLSv1.3", groups=("P-256", "X25519"), shares=("P-256", "X25519"))
    assert _agreed(client, _server(NEW, versions=BOTH, manners=manners))[2] == chosen


def test_gnutls_chooses_a_group_before_it_looks_at_key_shares() -> None:
    """It asks again for the best group in common, where OpenSSL takes the one that is there."""
    client = _client(NEW, newest="TLSv1.3", groups=("P-256", "X25519"), shares=("P-256",))
    found = negotiate(client, _server(NEW, versions=BOTH, manners=GNUTLS_3_7))
    assert found == Agreed("TLSv1.3", suite(NEW), group("X25519"), retried=True)
    assert _agreed(client, _server(NEW, versions=BOTH, manners=OPENSSL_3_5))[2] == "P-256"


@pytest.mark.parametrize("field", ["groups", "shares", "signatures"])
def test_tls13_without_all_that_belongs_to_it_is_refused(field: str) -> None:
    """RFC 8446, section 9.2."""
    client = _client(NEW, newest="TLSv1.3", shares=("X25519",))
    client = msgspec.structs.replace(client, **{field: None})
    assert "RFC 8446, section 9.2" in _why(client, _server(NEW, versions=BOTH))


def test_a_suite_without_a_certificate_needs_none() -> None:
    """Anonymous Diffie-Hellman, where a server of old still has it."""
    anonymous = "TLS_DH_anon_WITH_AES_128_CBC_SHA"
    assert _agreed(_client(anonymous), _server(anonymous, keys=()))[1] == anonymous


def test_every_obstacle_is_named_once() -> None:
    """One for each kind of suite that both have."""
    client = _client(ECDSA, GCM, GCM_256, groups=("P-521",))
    why = _why(client, _server(ECDSA, GCM, GCM_256, keys=(RSA,)))
    assert why == "the suites in common need a certificate with ECDSA; no group in common for ECDHE"

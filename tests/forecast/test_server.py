"""Servers, from policies and from what was seen."""

from datetime import UTC, date, datetime

from msgspec.structs import replace

from audit.facts import Certificate, Endpoint, EndpointFacts, Observation
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, OPENSSL_3_5
from audit.forecast.server import Key, from_facts, from_profile, keys, strange
from audit.iana import group, suite
from audit.policy.compile import openssl
from audit.policy.load import load

DAY = date(2026, 11, 28)
STRICT, OLD = (load(name).profiles["mx"] for name in ("mailseal-2026", "univie-2015"))
HAVING = keys(("ecdsa", "rsa"))


def _leaf(key_type: str, curve: str) -> Certificate:
    now = datetime.now(tz=UTC)
    return Certificate(
        b"", "CN=a", "CN=b", ("a",), now, now, key_type, 256, curve, "", "sha256", ""
    )


def test_a_server_has_the_groups_that_its_library_has() -> None:
    """The same that are compiled for it."""
    for manners in (OPENSSL_3_0, OPENSSL_3_5):
        server = from_profile(STRICT, DAY, HAVING, manners)
        told = openssl.groups(STRICT, manners.openssl, DAY)
        assert [g.openssl for g in server.groups["TLSv1.3"]] == told
    names = {g.name for g in from_profile(STRICT, DAY, HAVING, GNUTLS_3_7).groups["TLSv1.3"]}
    assert names == {"X25519", "P-256", "P-384"}


def test_groups_of_tls13_alone_are_not_for_older_versions() -> None:
    """X25519MLKEM768 is served to TLS 1.3 only."""
    server = from_profile(STRICT, DAY, HAVING, OPENSSL_3_5)
    hybrid = group("X25519MLKEM768")
    assert hybrid in server.groups["TLSv1.3"]
    assert hybrid not in server.groups["TLSv1.2"]


def test_a_phase_out_ends() -> None:
    """The day after, its suites are gone from the server."""
    static = suite("TLS_RSA_WITH_AES_128_GCM_SHA256")
    assert static in from_profile(STRICT, date(2028, 12, 31), HAVING).suites["TLSv1.2"]
    assert static not in from_profile(STRICT, date(2029, 1, 1), HAVING).suites["TLSv1.2"]


def test_sha1_comes_back_with_old_versions_on_openssl() -> None:
    """Its security level is lowered for them; GnuTLS is told each signature."""
    assert from_profile(OLD, DAY, HAVING).sha1
    assert not from_profile(STRICT, DAY, HAVING).sha1
    assert not from_profile(OLD, DAY, HAVING, GNUTLS_3_7).sha1


def test_what_was_seen_makes_a_server() -> None:
    """Versions, suites, groups, order, keys and signatures as the wire showed them."""
    facts = EndpointFacts(
        endpoint=Endpoint("mx1", "192.0.2.1", 25, "smtp", "starttls"),
        reach="open",
        protocols={
            "TLSv1.1": Observation("refused", "alert 70"),
            "TLSv1.2": Observation("accepted"),
            "TLSv1.3": Observation("accepted"),
        },
        suites={
            "TLSv1.2": ("TLS_RSA_WITH_AES_128_CBC_SHA",),
            "TLSv1.3": ("TLS_AES_128_GCM_SHA256",),
        },
        groups={"TLSv1.3": ("X25519MLKEM768", "P-256")},
        preference={"TLSv1.2": "client", "TLSv1.3": "server"},
        chains=((_leaf("rsa", ""),), (_leaf("ecdsa", "P-384"),), (_leaf("ed25519", ""),)),
        behaviours={"sha1-signature": Observation("accepted")},
    )
    server = from_facts(facts)
    assert server.versions == ("TLSv1.2", "TLSv1.3")
    assert server.suites["TLSv1.2"] == (suite("TLS_RSA_WITH_AES_128_CBC_SHA"),)
    assert server.groups["TLSv1.3"] == (group("X25519MLKEM768"), group("P-256"))
    assert server.groups["TLSv1.2"] == (group("P-256"),)
    assert server.client_order == {"TLSv1.2"}
    assert server.keys == (Key("rsa"), Key("ecdsa", "P-384"))
    assert server.sha1


def test_versions_older_than_those_that_were_asked_use_the_same_groups() -> None:
    """The prober asks for them in the newest version below TLS 1.3, and not in each."""
    facts = EndpointFacts(
        endpoint=Endpoint("imap1", "192.0.2.1", 993, "imap", "implicit"),
        reach="open",
        protocols={v: Observation("accepted") for v in ("TLSv1.0", "TLSv1.2")},
        groups={"TLSv1.2": ("P-256",)},
    )
    assert from_facts(facts).groups["TLSv1.0"] == (group("P-256"),)
    assert from_facts(replace(facts, groups={})).groups["TLSv1.0"] == ()


def test_names_of_another_edition_are_left_out_and_told() -> None:
    """A run of the history may be a later edition's; a suite without a name has its number."""
    facts = EndpointFacts(
        endpoint=Endpoint("imap1", "192.0.2.1", 993, "imap", "implicit"),
        reach="open",
        protocols={v: Observation("accepted") for v in ("TLSv1.2", "TLSv1.3")},
        suites={"TLSv1.3": ("TLS_NEW_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_UNKNOWN_WITH_ABCD")},
        groups={"TLSv1.3": ("group-0x9999", "P-256")},
    )
    server = from_facts(facts)
    assert server.suites["TLSv1.3"] == (suite("TLS_AES_128_GCM_SHA256"),)
    assert server.groups["TLSv1.3"] == (group("P-256"),)
    assert strange(facts, "TLSv1.3") == (
        *("TLS_NEW_SHA256", "TLS_UNKNOWN_WITH_ABCD", "group-0x9999"),
    )
    assert strange(facts, "TLSv1.2") == ("group-0x9999",)
    assert strange(replace(facts, groups={}), "TLSv1.2") == ()

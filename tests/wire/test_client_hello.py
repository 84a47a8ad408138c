"""ClientHellos, read to what they offer; tlslite-ng is the independent witness."""

import struct

import pytest
from tlslite.messages import ClientHello
from tlslite.utils.codec import Parser

from audit.clients.load import clients
from audit.clients.model import Client
from audit.iana import group, suite
from audit.wire.client_hello import client_hello, meaningless
from audit.wire.client_records import Truncated, handshake
from audit.wire.hello import Hello
from audit.wire.normal import normal
from audit.wire.server_hello import Malformed

SUITES = (suite("TLS_AES_128_GCM_SHA256"), suite("TLS_RSA_WITH_AES_128_CBC_SHA"))
GROUPS = (group("X25519"), group("ffdhe2048"))


def _body(
    extensions: bytes = b"", suites: bytes = b"\x00\x2f", compressions: bytes = b"\0"
) -> bytes:
    body = b"\3\3" + bytes(33) + len(suites).to_bytes(2) + suites
    body += bytes((len(compressions),)) + compressions
    return body + (len(extensions).to_bytes(2) + extensions if extensions else b"")


def _record(body: bytes, kind: int = 1) -> bytes:
    message = bytes((kind,)) + len(body).to_bytes(3) + body
    return struct.pack("!BHH", 22, 0x0301, len(message)) + message


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack("!HH", kind, len(body)) + body


def test_our_own_hellos_are_read_as_they_were_built() -> None:
    """Builder and parser agree on every field they share."""
    built = Hello("TLSv1.2", SUITES, GROUPS, "mail.example", ("imap",), fallback=True)
    found = client_hello(built.record())
    assert found.versions == ("TLSv1.2", "TLSv1.1", "TLSv1.0", "SSLv3")
    assert (found.suites, found.groups, found.shares) == (SUITES, GROUPS, None)
    assert (found.name, found.alpn, found.signatures) == (
        "mail.example",
        ("imap",),
        built.signatures,
    )
    assert (found.fallback, found.renegotiation, found.compressions) == (True, True, (1, 64, 0))
    assert (found.extended_master_secret, found.encrypt_then_mac) == (True, True)
    assert (found.lists_versions, found.grease, found.ssl2) == (False, False, False)


def test_a_hello_for_tls13_lists_its_versions_and_key_shares() -> None:
    """Even when the list of shares is empty."""
    found = client_hello(Hello("TLSv1.3", SUITES[:1], GROUPS).record())
    assert (found.versions, found.shares, found.lists_versions) == (("TLSv1.3",), (), True)


def test_sslv3_has_no_extensions_to_read() -> None:
    """And so names no groups, and no signatures."""
    found = client_hello(Hello("SSLv3", SUITES[1:]).record())
    assert (found.versions, found.groups, found.signatures) == (("SSLv3",), None, None)


def test_a_hello_of_sslv2_is_read_with_its_suites_of_tls() -> None:
    """As clients began that could do both; their own kinds of cipher are no suites."""
    assert client_hello(Hello("SSLv2", ()).record()).versions == ("SSLv2",)
    ciphers = b"\0\0\x2f\0\0\xff\1\0\x80"
    body = struct.pack("!BHHHH", 1, 0x0301, len(ciphers), 0, 16) + ciphers + bytes(16)
    found = client_hello(struct.pack("!H", 0x8000 | len(body)) + body)
    assert found.versions == ("TLSv1.0", "SSLv3", "SSLv2")
    assert (found.suites, found.renegotiation, found.ssl2) == (SUITES[1:], True, True)


def test_values_that_mean_nothing_are_left_out() -> None:
    """RFC 8701: in suites, groups, key shares, versions, extensions and protocols."""
    extensions = (
        _extension(0x1A1A, b"")
        + _extension(10, b"\0\4\x2a\x2a\0\x1d")
        + _extension(43, b"\4\x3a\x3a\3\4")
        + _extension(51, b"\0\x0a\x2a\x2a\0\1\0\0\x1d\0\1\0")
        + _extension(16, b"\0\x08\2\x4a\x4a\4imap")
    )
    found = client_hello(_record(_body(extensions, b"\x0a\x0a\x13\x01")))
    assert found.grease
    assert found.suites == SUITES[:1]
    assert found.groups == found.shares == GROUPS[:1]
    assert (found.versions, found.alpn) == (("TLSv1.3",), ("imap",))
    assert 0x1A1A not in found.extensions
    assert [code for code in range(1 << 16) if meaningless(code)] == [
        0x0A0A + 0x1010 * n for n in range(16)
    ]


MALFORMED = {
    "a server's message": _record(_body(), kind=2),
    "no record of TLS": b"EHLO mail.example.org\r\n",
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "an empty record": b"\x16\x03\x01\x00\x00",
    "a record too large": b"\x16\x03\x01\xff\xff",
    "a hello too large": b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(1 << 14),
    "no suites": _record(_body(suites=b"")),
    "half a suite": _record(_body(suites=b"\0\x2f\0")),
    "compression at any price": _record(_body(compressions=b"\1")),
    "another protocol": _record(b"\2\0" + _body()[2:]),
    "an extension twice": _record(_body(_extension(23, b"") * 2)),
    "an extension that ends early": _record(_body(b"\0\x0a\0\x09\0")),
    "bytes behind the extensions": _record(_body(_extension(23, b"")) + b"\0"),
    "a list of no groups": _record(_body(_extension(10, b"\0\0"))),
    "bytes behind the groups": _record(_body(_extension(10, b"\0\2\0\x1d\0"))),
    "an empty key share": _record(_body(_extension(51, b"\0\4\0\x1d\0\0"))),
    "a protocol without a name": _record(_body(_extension(16, b"\0\1\0"))),
    "a name that does not print": _record(_body(_extension(0, b"\0\4\0\0\1\x1b"))),
    "a name of another kind": _record(_body(_extension(0, b"\0\4\1\0\1a"))),
    "a hello of SSLv2 without ciphers": b"\x80\x19\1\3\1\0\0\0\0\0\x10" + bytes(16),
    "a hello of SSLv2 with half a cipher": b"\x80\x1b\1\3\1\0\2\0\0\0\x10" + bytes(18),
    "a hello of SSLv2 for nothing": b"\x80\x1c\1\5\1\0\3\0\0\0\x10" + bytes(19),
    "another message of SSLv2": b"\x80\x03\0\0\1",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_hello_is_refused_with_a_reason(name: str) -> None:
    """At once: nothing that could still come would mend it."""
    with pytest.raises(Malformed) as refused:
        client_hello(MALFORMED[name])
    assert str(refused.value)
    assert not isinstance(refused.value, Truncated)


def test_a_hello_in_many_records_is_bounded() -> None:
    """A byte for each record is odd; more than sixty-four records are refused."""
    message = handshake(_record(_body()))
    pieces = [b"\x16\x03\x01\x00\x01" + message[at : at + 1] for at in range(len(message))]
    assert client_hello(b"".join(pieces)) == client_hello(_record(_body()))
    long = handshake(_record(_body(_extension(21, bytes(64)))))
    with pytest.raises(Malformed, match="64 records"):
        client_hello(b"".join(b"\x16\x03\x01\x00\x01" + bytes((byte,)) for byte in long))


@pytest.mark.parametrize("client", clients(), ids=lambda one: one.id)
def test_recorded_hellos_are_read_as_tlslite_reads_them(client: Client) -> None:
    """Suites, versions, groups, key shares and signatures of real clients, by two parsers."""
    stream = bytes.fromhex(client.hello)
    found = client_hello(stream)
    other = ClientHello().parse(Parser(bytearray(handshake(stream)[1:])))
    signals = {0x00FF, 0x5600}
    assert [s.code for s in found.suites] == [c for c in other.cipher_suites if c not in signals]
    assert found.legacy == other.client_version[0] << 8 | other.client_version[1]
    for mine, kind, field in (
        (found.groups, 10, "groups"),
        (found.shares, 51, "client_shares"),
    ):
        theirs = other.getExtension(kind)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            listed = [getattr(one, "group", one) for one in getattr(theirs, field)]
            assert [one.code for one in mine] == listed
    signed = other.getExtension(13)
    schemes = None if signed is None else tuple(a << 8 | b for a, b in signed.sigalgs)
    assert found.signatures == schemes
    assert found.extensions == tuple(one.extType for one in other.extensions or ())
    assert found.name.encode() == bytes(other.server_name)


@pytest.mark.parametrize("client", clients(), ids=lambda one: one.id)
def test_what_is_kept_holds_nothing_drawn_by_chance(client: Client) -> None:
    """Two recordings of one client are one file."""
    stream = bytearray.fromhex(client.hello)
    assert normal(bytes(stream)) == stream
    stream[11:43] = b"r" * 32  # the random
    assert normal(bytes(stream)).hex() == client.hello.replace(" ", "")

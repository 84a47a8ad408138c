"""ClientHellos, read back by tlslite-ng as an independent witness."""

import pytest
from tlslite.messages import ClientHello, RecordHeader2, RecordHeader3
from tlslite.utils.codec import Parser

from audit.iana import GROUPS, SUITES, Version, group, suite
from audit.iana.versions import CODES
from audit.wire.hello import SSL2_CIPHERS, Hello

_TWO = (suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), suite("TLS_RSA_WITH_AES_128_CBC_SHA"))
_X = (group("X25519"), group("P-256"))


def _read(record: bytes) -> ClientHello:
    header = RecordHeader3().parse(Parser(bytearray(record[:5])))
    assert header.length == len(record) - 5
    parser = Parser(bytearray(record[5:]))
    assert parser.get(1) == 1
    return ClientHello().parse(parser)


@pytest.mark.parametrize("version", ["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"])
def test_hellos_up_to_tls12_offer_what_they_are_told(version: Version) -> None:
    """Version, suites in order, DEFLATE, and secure renegotiation by its signal."""
    hello = _read(Hello(version, _TWO, _X, "mail.example").record())
    assert (hello.client_version[0] << 8 | hello.client_version[1]) == CODES[version]
    assert hello.cipher_suites == [*(s.code for s in _TWO), 0x00FF]
    assert hello.compression_methods == [1, 64, 0]


def test_sslv3_has_no_extensions() -> None:
    """SSLv3 servers of the time stumble over them."""
    assert not _read(Hello("SSLv3", _TWO, _X, "mail.example").record()).extensions


def test_tls13_offers_only_itself_and_no_key() -> None:
    """So the server answers with a HelloRetryRequest and nobody computes."""
    hello = _read(
        Hello("TLSv1.3", (suite("TLS_AES_128_GCM_SHA256"),), GROUPS, "m.example").record()
    )
    assert hello.getExtension(43).versions == [(3, 4)]
    assert hello.getExtension(51).client_shares == []
    assert hello.getExtension(10).groups == [g.code for g in GROUPS]
    assert hello.compression_methods == [0]


def test_the_name_is_sent_and_an_address_is_not() -> None:
    """RFC 6066, section 3: literal addresses are not permitted."""
    assert _read(Hello("TLSv1.2", _TWO, _X, "m.example").record()).server_name == b"m.example"
    for address in ("192.0.2.1", "2001:db8::1"):
        assert _read(Hello("TLSv1.2", _TWO, _X, address).record()).getExtension(0) is None


def test_sslv2_hello_is_read_as_sslv2() -> None:
    """With all its kinds of cipher."""
    record = Hello("SSLv2", ()).record()
    header = RecordHeader2().parse(Parser(bytearray(record[:2])))
    assert header.length == len(record) - 2
    parser = Parser(bytearray(record[2:]))
    assert parser.get(1) == 1
    hello = ClientHello(ssl2=True).parse(parser)
    assert hello.cipher_suites == list(SSL2_CIPHERS)


def test_all_suites_fit_into_one_hello() -> None:
    """The whole registry at once stays far below the size of a record."""
    every = tuple(s for s in SUITES if s.usable_in("TLSv1.2"))
    assert len(Hello("TLSv1.2", every, _X, "x" * 63).record()) < 2048

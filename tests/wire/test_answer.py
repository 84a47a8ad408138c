"""What servers answer: built by tlslite-ng, cut, damaged, and read."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlslite.constants import GroupName
from tlslite.extensions import (
    HRRKeyShareExtension,
    RenegotiationInfoExtension,
    SrvSupportedVersionsExtension,
)
from tlslite.messages import ServerHello, ServerHello2, ServerHelloDone

from audit.iana import Version
from audit.wire.answer import Alert, Closed, Garbage, Reader
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

RETRY = bytearray.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def record(kind: int, body: bytes) -> bytes:
    """One TLS record."""
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def server_hello(
    suite: int = 0xC02F,
    version: tuple[int, int] = (3, 3),
    random: bytearray | None = None,
    extensions: tuple[object, ...] = (),
    compression: int = 0,
) -> bytes:
    """A ServerHello as tlslite-ng writes it."""
    made = ServerHello().create(
        version, random or bytearray(32), bytearray(0), suite, extensions=list(extensions) or None
    )
    made.compression_method = compression
    return bytes(made.write())


DONE = bytes(ServerHelloDone().write())
TLS12 = record(
    22, server_hello(extensions=(RenegotiationInfoExtension().create(bytearray()),)) + DONE
)


def read(data: bytes, offered: Version = "TLSv1.2") -> object:
    """The answer to all of it, and that the peer then closed."""
    reader = Reader(offered)
    return reader.feed(data) or reader.end()


def test_a_server_hello_tells_version_suite_and_renegotiation() -> None:
    """The plain case."""
    answer = read(TLS12)
    assert isinstance(answer, Accepted)
    assert answer.version == "TLSv1.2"
    assert answer.suite is not None
    assert answer.suite.name == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert answer.secure_renegotiation
    assert answer.compression == 0


def test_chosen_compression_is_seen() -> None:
    """DEFLATE is 1 (RFC 3749)."""
    answer = read(record(22, server_hello(compression=1) + DONE))
    assert isinstance(answer, Accepted)
    assert answer.compression == 1


def test_a_hello_retry_request_tells_suite_and_group() -> None:
    """Also for a group this library could never compute with."""
    for code in (GroupName.x25519, 0x11EC):
        extensions = (
            SrvSupportedVersionsExtension().create((3, 4)),
            HRRKeyShareExtension().create(code),
        )
        answer = read(
            record(22, server_hello(0x1301, random=RETRY, extensions=extensions)), "TLSv1.3"
        )
        assert isinstance(answer, Accepted)
        assert (answer.version, answer.group) == ("TLSv1.3", code)


def test_an_answer_may_come_byte_by_byte_and_in_many_records() -> None:
    """A stream has no packets."""
    body = TLS12[5:]
    pieces = b"".join(record(22, body[i : i + 7]) for i in range(0, len(body), 7))
    reader = Reader("TLSv1.2")
    answers = [reader.feed(pieces[i : i + 1]) for i in range(len(pieces))]
    assert answers[-2] is None
    assert answers[-1] == read(TLS12)


@pytest.mark.parametrize("code", [40, 70, 80, 0])
def test_alerts_are_refusals(code: int) -> None:
    """With their number."""
    assert read(record(21, bytes((2, code)))) == Alert(code)


def test_a_warning_before_the_server_hello_is_passed_over() -> None:
    """RFC 6066, section 3: unrecognized_name may come as a warning, and the handshake goes on."""
    assert read(record(21, bytes((1, 112))) + TLS12) == read(TLS12)
    assert read(record(21, bytes((1, 112)))) == Alert(112)


def test_silence_is_no_answer() -> None:
    """A server that only closes has said nothing."""
    assert read(b"") == Closed()


@pytest.mark.parametrize(
    "data",
    [
        b"220 mail ESMTP\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x16\x03\x03\xff\xff" + bytes(99),
        b"\x16\x03",
        record(22, b"\x0b\x00\x00\x00"),
        record(22, b"\x02\x00\x00\x02xx"),
        b"\x80\x02\x04",
    ],
)  # fmt: skip
def test_what_is_not_tls_is_garbage(data: bytes) -> None:
    """And never an exception, nor a refusal."""
    assert isinstance(read(data), Garbage)


def test_an_endless_stream_is_cut_off() -> None:
    """Bounded memory: a server that sends forever gets an answer about itself."""
    reader = Reader("TLSv1.2")
    message = b"\x0b\x03\xff\xff" + bytes(16000)
    fed = 0
    while (
        reader.feed(record(22, message[:16000] if fed else server_hello() + message[:15000]))
        is None
    ):
        fed += 1
        assert fed < 100
    assert reader.answer is not None


def test_sslv2_answers_are_told_from_tls_ones() -> None:
    """A SERVER-HELLO, even without ciphers, is acceptance; an ERROR is refusal."""
    hello = ServerHello2().create(0, 1, (0, 2), bytearray(b"cert"), [0x010080], bytearray(16))
    body = bytes(hello.write())
    answer = read(struct.pack("!H", 0x8000 | len(body)) + body, "SSLv2")
    assert isinstance(answer, Accepted)
    assert answer.version == "SSLv2"
    assert read(b"\x80\x03\x00\x00\x01", "SSLv2") == Alert(1)
    assert read(record(21, b"\x02\x46"), "SSLv2") == Alert(70)
    assert isinstance(read(b"* BYE bad command\r\n", "SSLv2"), Garbage)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["SSLv2", "TLSv1.2", "TLSv1.3"]))
def test_random_bytes_never_raise(data: bytes, offered: Version) -> None:
    """Whatever comes, there is an answer or silence."""
    read(data, offered)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_answers_never_raise(data: st.DataObject) -> None:
    """A real answer with bytes changed, cut or doubled."""
    raw = bytearray(TLS12)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


def test_our_own_hello_is_no_answer() -> None:
    """An echo server is not a TLS server."""
    assert isinstance(read(Hello("TLSv1.2", ()).record()), Garbage)

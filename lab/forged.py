"""The bytes of servers that no longer exist: SSLv2, SSLv3 and DEFLATE answers. No I/O."""

import os
import struct
from dataclasses import dataclass

HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_HELLO = 2
_CERTIFICATE = 11
_SERVER_HELLO_DONE = 14
_DEFLATE = 1
_SSL3 = 0x0300
# Record header, message header, version and random come before the length of the session id.
_SESSION_AT = 5 + 4 + 2 + 32
_TLS13_MARK = 43
_SSL2 = 2
# What it takes to tell an SSLv2 hello from all others: length, kind and version.
SSL2_HEAD = 5
_SSL2_CLIENT_HELLO = 1
_SSL2_SERVER_HELLO = 4
# Suites that every SSLv3 server had, best first; the answer takes the first that is offered.
_SSL3_SUITES = (0x0035, 0x002F, 0x000A, 0x0005, 0x0004, 0x0009)
_SIGNALS = (0x00FF, 0x5600)
_SSL2_KINDS = (b"\x01\x00\x80", b"\x07\x00\xc0", b"\x03\x00\x80", b"\x06\x00\x40")


@dataclass(frozen=True)
class Hello:
    """What a client asked for, as far as the forgers care."""

    version: int
    suites: tuple[int, ...]
    compressions: bytes


def parse_hello(record: bytes) -> Hello | None:
    """Return the ClientHello in a TLS record, or None when there is no whole one in it."""
    try:
        if record[0] != HANDSHAKE or record[5] != _CLIENT_HELLO:
            return None
        version = int.from_bytes(record[9:11], "big")
        at = _SESSION_AT
        at += 1 + record[at]
        length = int.from_bytes(record[at : at + 2], "big")
        at += 2
        suites = struct.unpack(f">{length // 2}H", record[at : at + length])
        at += length
        return Hello(version, suites, record[at + 1 : at + 1 + record[at]])
    except (IndexError, struct.error):
        return None


def deflate(record: bytes, hello: Hello) -> bytes:
    """Return a server's record with DEFLATE chosen in its ServerHello, if the client offered it.

    A TLS 1.3 ServerHello stays as it is: that version has no compression to choose.
    """
    if _DEFLATE not in hello.compressions or len(record) <= _SESSION_AT or record[0] != HANDSHAKE:
        return record
    if record[5] != _SERVER_HELLO or _TLS13_MARK in _extensions(record):
        return record
    at = _SESSION_AT + 1 + record[_SESSION_AT] + 2
    return record[:at] + bytes([_DEFLATE]) + record[at + 1 :]


def _extensions(record: bytes) -> set[int]:
    end = min(len(record), 9 + int.from_bytes(record[6:9], "big"))
    at = _SESSION_AT + 1 + record[_SESSION_AT] + 2 + 1 + 2
    found = set()
    while at + 4 <= end:
        found.add(int.from_bytes(record[at : at + 2], "big"))
        at += 4 + int.from_bytes(record[at + 2 : at + 4], "big")
    return found


def ssl3_answer(hello: Hello, certificate: bytes) -> bytes | None:
    """Return an SSLv3 server's first flight, or None if the client means something newer."""
    offered = [suite for suite in hello.suites if suite not in _SIGNALS]
    if hello.version != _SSL3 or not offered:
        return None
    suite = next((one for one in _SSL3_SUITES if one in offered), offered[0])
    session = os.urandom(32)
    body = struct.pack(">H", _SSL3) + os.urandom(32) + bytes([32]) + session
    body += struct.pack(">HB", suite, 0)
    chain = len(certificate).to_bytes(3, "big") + certificate
    messages = (
        _message(_SERVER_HELLO, body)
        + _message(_CERTIFICATE, len(chain).to_bytes(3, "big") + chain)
        + _message(_SERVER_HELLO_DONE, b"")
    )
    return struct.pack(">BHH", HANDSHAKE, _SSL3, len(messages)) + messages


def _message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def is_ssl2(head: bytes) -> bool:
    """Whether a connection begins with a CLIENT-HELLO that means SSLv2 and nothing newer."""
    return (
        len(head) >= SSL2_HEAD
        and bool(head[0] & 0x80)
        and head[2] == _SSL2_CLIENT_HELLO
        and int.from_bytes(head[3:5], "big") == _SSL2
    )


def ssl2_answer(message: bytes, certificate: bytes) -> bytes:
    """Return the SSLv2 SERVER-HELLO to a CLIENT-HELLO given without its length bytes."""
    length = int.from_bytes(message[3:5], "big")
    listed = message[9 : 9 + length]
    offered = {listed[i : i + 3] for i in range(0, len(listed) - 2, 3)}
    kinds = b"".join(kind for kind in _SSL2_KINDS if kind in offered) or _SSL2_KINDS[0]
    identity = os.urandom(16)
    body = struct.pack(
        ">BBBHHHH",
        _SSL2_SERVER_HELLO,
        0,
        1,
        _SSL2,
        len(certificate),
        len(kinds),
        len(identity),
    )
    body += certificate + kinds + identity
    return struct.pack(">H", 0x8000 | len(body)) + body

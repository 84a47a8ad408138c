"""Hellos out of captures, however they come, and captures that are none."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import MailsealError
from audit.whatif import reassemble
from audit.whatif.hellos import Hellos, read
from audit.whatif.reassemble import Streams
from audit.wire.client_hello import client_hello
from tests.whatif.captures import COOKED, COOKED2, ETHERNET, RAW, capture, hello, packet

HELLO = hello()
STARTTLS = b"EHLO client.example\r\nSTARTTLS\r\n"


def _one(found: Hellos) -> tuple[str, str, tuple[str, ...]]:
    (((use, address), offers),) = found.offers.items()
    (offer,), (label,) = offers, offers.values()
    assert offer.suites == client_hello(HELLO).suites
    assert label == "hello captured on 2026-11-02"
    return use, address, offer.versions


@pytest.mark.parametrize("ng", [False, True])
@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("link", [ETHERNET, COOKED, COOKED2, RAW])
def test_hellos_are_found_whatever_is_below_them(
    tmp_path: Path, link: int, *, six: bool, ng: bool
) -> None:
    """Ethernet, both kinds of Linux cooked, bare IP; IPv4 and IPv6; pcap and pcapng."""
    path = capture(tmp_path / "c", packet(HELLO, six=six, link=link), link=link, ng=ng)
    address = "2001:db8::7" if six else "192.0.2.7"
    assert _one(read([path])) == ("access", address, client_hello(HELLO).versions)


@pytest.mark.parametrize(("port", "use"), [(25, "mx"), (587, "submission"), (143, "access")])
def test_a_hello_in_the_middle_of_a_dialogue_is_found(tmp_path: Path, port: int, use: str) -> None:
    """It begins behind STARTTLS, in a segment of its own or in the same one."""
    parts = [packet(b"", 99, port=port, syn=True), packet(STARTTLS, 100, port=port)]
    alone = packet(HELLO, 100 + len(STARTTLS), port=port)
    assert _one(read([capture(tmp_path / "a", *parts, alone)]))[0] == use
    together = packet(STARTTLS + HELLO, 100, port=port)
    assert _one(read([capture(tmp_path / "b", together)]))[0] == use


@given(st.integers(0, 1 << 32), st.integers(1, 400), st.booleans(), st.integers(0, 1 << 32))
@settings(max_examples=60, deadline=None)
def test_segments_in_any_order_give_the_same(
    seed: int, size: int, doubled: bool, number: int
) -> None:
    """Cut anywhere, shuffled, sent again, and with numbers that start anew."""
    random = Random(seed)  # noqa: S311 - nobody is to be surprised
    stream = STARTTLS + HELLO
    parts = [(at, stream[at : at + size]) for at in range(0, len(stream), size)]
    # What comes before the beginning is known can only be what is ahead of it.
    first, rest = parts[0], parts[1:]
    rest = rest[-60:] if len(rest) > 60 else rest
    parts = [first, *parts[1 : len(parts) - len(rest)]]
    random.shuffle(rest)
    streams = Streams()
    assert streams.segment("k", number, b"", begins=True) is None
    found = []
    for at, data in [*parts, *rest, *(rest if doubled else [])]:
        found.append(streams.segment("k", number + 1 + at, data, begins=False))
    assert [one for one in found if one] == [client_hello(HELLO)]


def test_a_hello_that_does_not_end_is_counted(tmp_path: Path) -> None:
    """And no part of one is taken for all of it."""
    found = read([capture(tmp_path / "c", packet(HELLO[:-20]))])
    assert (found.offers, found.incomplete) == ({}, 1)
    assert "1 were not captured to their end" in " ".join(found.notices())


def test_what_is_no_hello_of_mail_is_left_alone(tmp_path: Path) -> None:
    """Other ports, servers, protocols and noise; nothing of it is kept."""
    packets = (packet(HELLO, port=443), packet(b"\x16\x03\x01\x00\x05hello", port=25), b"noise")
    found = read([capture(tmp_path / "c", *packets)])
    assert found.offers == {}
    assert (found.packets, found.unreadable, found.incomplete) == (3, 1, 1)


def test_names_that_hellos_ask_for_are_not_kept(tmp_path: Path) -> None:
    """Nobody needs them here."""
    found = read([capture(tmp_path / "c", packet(hello("curl-7.88")))])
    ((offer, _),) = next(iter(found.offers.values())).items()
    assert (offer.name, offer.alpn) == ("", ())


def test_a_capture_that_is_still_written_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """And it is said."""
    path = capture(tmp_path / "c", packet(HELLO), packet(HELLO))
    path.write_bytes(path.read_bytes()[: -len(packet(HELLO)) - 6])
    found = read([path])
    assert found.hellos == 1
    assert list(found.notices()) == [
        f"hellos: {path} is read as far as it goes: it ends in a packet"
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is no capture"),
        (b"2026-11-02 a log and no capture\n", "is no capture"),
        (bytes.fromhex("d4c3b2a1020004000000000000000000ffff0000c5000000"), "this kind of network"),
        (
            bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
            + bytes.fromhex("0000000000000000ffffff7fffffff7f"),
            "is damaged",
        ),
    ],
)
def test_what_is_no_capture_is_one_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    """With the name of the file."""
    path = tmp_path / "c"
    path.write_bytes(content)
    with pytest.raises(MailsealError, match=why) as error:
        read([path])
    assert str(path) in str(error.value)
    with pytest.raises(MailsealError, match="cannot be read"):
        read([tmp_path / "nowhere"])


@given(st.integers(0, 1 << 32), st.booleans())
@settings(max_examples=150, deadline=None)
def test_damaged_captures_do_no_harm(
    tmp_path_factory: pytest.TempPathFactory, seed: int, ng: bool
) -> None:
    """Whatever bytes are bent, it ends, with what could be read or with one sentence."""
    random = Random(seed)  # noqa: S311 - nobody is to be surprised
    folder = tmp_path_factory.mktemp("bent")
    path = capture(folder / "c", packet(HELLO), packet(STARTTLS + HELLO, port=25, six=True), ng=ng)
    data = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 12)):
        data[random.randrange(len(data))] = random.randrange(256)
    path.write_bytes(data)
    try:
        # A length that is bent makes one packet of several, or several of one.
        assert read([path]).packets <= len(data) // 12
    except MailsealError as error:
        assert str(path) in str(error)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams that never come to anything are given up, and long ones are not kept."""
    monkeypatch.setattr(reassemble, "_STREAMS", 10)
    streams = Streams()
    for key in range(100):
        streams.segment(key, 0, HELLO[:50], begins=False)
    assert (len(streams._streams), streams.incomplete) == (10, 90)
    for at in range(100):
        streams.segment("long", at * 1000, b"x" * 1000, begins=False)
        streams.segment("gap", at * 1000 + 500_000_000 * (at > 0), b"x" * 1000, begins=False)
    stream = streams._streams["gap"]
    assert stream is not None
    assert len(stream.ahead) <= 64
    assert streams._streams["long"] is None

"""ClientHellos out of captures of the network: pcap and pcapng, also of `any` (Linux cooked).

A capture is taken with `tcpdump -w`, and may hold anything. Only the hellos of the ports of mail
are kept, without the names that they ask for; other bytes are looked at and forgotten.
"""

import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import IO

import dpkt
from msgspec import Struct, field
from msgspec.structs import replace

from audit.errors import MailsealError
from audit.policy.model import Traffic
from audit.whatif.reassemble import Streams
from audit.wire.offer import Offer

PORTS: dict[int, Traffic] = {
    25: "mx",
    465: "submission",
    587: "submission",
    **dict.fromkeys((110, 143, 993, 995, 4190), "access"),
}
_LARGEST = 1 << 20  # bytes that a capture may ask to be read at once; packets have 64 KiB
_CLIENTS = 200_000
_OFFERS = 32  # of one address; who has more is many
_WRONG = (dpkt.Error, ValueError, struct.error, IndexError, TypeError, AttributeError, KeyError)
# What is below IP, by the number that a capture gives it.
_LINKS = {
    dpkt.pcap.DLT_EN10MB: dpkt.ethernet.Ethernet,
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_LINUX_SLL2: dpkt.sll2.SLL2,
    dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
}
_BARE = (12, 14, 101, 228, 229)  # IP with nothing below it


class Hellos(Struct):
    """What captures have.

    Attributes:
        offers: by kind of traffic and address, each with the day of its capture.
        hellos: how many hellos there were.
        incomplete: those that could not be read to their end.
        packets: packets looked at; unreadable: those of them that are no TCP or damaged.
        left_out: hellos of further addresses, for which there was no room.
        cut: captures that could not be read to their end, as one that is still being written.
    """

    offers: dict[tuple[Traffic, str], dict[Offer, str]] = field(default_factory=dict)
    hellos: int = 0
    incomplete: int = 0
    packets: int = 0
    unreadable: int = 0
    left_out: int = 0
    cut: list[str] = field(default_factory=list)

    def notices(self) -> Iterator[str]:
        """What was not read of them, a sentence each."""
        if self.incomplete:
            yield f"hellos: {self.incomplete} were not captured to their end, or are damaged"
        if self.left_out:
            yield f"hellos: {self.left_out} of further addresses are left out: {_CLIENTS} are known"
        yield from (
            f"hellos: {name} is read as far as it goes: it ends in a packet" for name in self.cut
        )


def read(paths: Iterable[Path]) -> Hellos:
    """The hellos of all captures.

    Raises:
        MailsealError: a file cannot be read or is no capture.
    """
    found = Hellos()
    same: dict[Offer, Offer] = {}  # many clients are alike
    for path in paths:
        streams = Streams()
        for time, packet in _packets(path, found.cut):
            found.packets += 1
            _take(found, streams, same, time, packet)
        streams.end()
        found.incomplete += streams.incomplete
    return found


def _take(
    found: Hellos, streams: Streams, same: dict[Offer, Offer], time: float, packet: object
) -> None:
    ends = _segment(packet)
    if ends is None:
        found.unreadable += 1
        return
    source, segment = ends
    use = PORTS.get(segment.dport)
    if use is None:
        return
    key = (source, segment.sport, segment.dport)
    begins = bool(segment.flags & dpkt.tcp.TH_SYN)
    offer = streams.segment(key, segment.seq, bytes(segment.data), begins=begins)
    if offer is None:
        return
    found.hellos += 1
    offer = replace(offer, name="", alpn=())
    offer = same.setdefault(offer, offer)
    known = found.offers.get((use, source))
    if known is None:
        if len(found.offers) >= _CLIENTS:
            found.left_out += 1
            return
        known = found.offers[use, source] = {}
    if len(known) < _OFFERS:
        known.setdefault(offer, f"hello captured on {_day(time)}")


def _segment(packet: object) -> tuple[str, dpkt.tcp.TCP] | None:
    """Where it is from, and the segment of TCP in it; None if there is none."""
    inside = packet
    while isinstance(inside, dpkt.Packet) and not isinstance(inside, (dpkt.ip.IP, dpkt.ip6.IP6)):
        inside = inside.data
    if not isinstance(inside, (dpkt.ip.IP, dpkt.ip6.IP6)) or not isinstance(
        inside.data, dpkt.tcp.TCP
    ):
        return None
    return str(ip_address(inside.src)), inside.data


def _packets(path: Path, cut: list[str]) -> Iterator[tuple[float, object]]:
    """Each packet with its time, None in its place if it cannot be read; as far as they go."""
    try:
        with path.open("rb") as file:
            reader = dpkt.pcap.UniversalReader(_Bounded(file, path))
            link = reader.datalink()
            if link not in _LINKS and link not in _BARE:
                raise MailsealError(f"{path}: this kind of network ({link}) is not read")
            while True:
                try:
                    time, data = next(reader)
                except StopIteration:
                    return
                except _WRONG:
                    cut.append(str(path))
                    return
                yield float(time), _parsed(link, data)
    except OSError as error:
        raise MailsealError(f"{path}: the capture cannot be read ({error.strerror})") from None
    except _WRONG:
        raise MailsealError(f"{path}: is no capture (pcap or pcapng)") from None


def _parsed(link: int, data: bytes) -> object:
    try:
        if link in _LINKS:
            return _LINKS[link](data)
        return dpkt.ip6.IP6(data) if data[0] >> 4 == 6 else dpkt.ip.IP(data)  # noqa: PLR2004
    except _WRONG:
        return None


class _Bounded:
    """A file that does not give more at once than a packet may have, whatever a header says."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        """Stand in for an open file."""
        self._file, self._path, self.name = file, path, str(path)

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, within bounds."""
        if not 0 <= size <= _LARGEST:
            raise MailsealError(f"{self._path}: is damaged: it has a packet of {size} bytes")
        return self._file.read(size)

    def seek(self, *place: int) -> int:
        """Go somewhere else."""
        return self._file.seek(*place)

    def tell(self) -> int:
        """Tell where it is."""
        return self._file.tell()


def _day(time: float) -> str:
    try:
        return str(datetime.fromtimestamp(time, tz=UTC).date())
    except (ValueError, OverflowError, OSError):
        return "an unknown day"

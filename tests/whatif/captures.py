"""Captures of the network, built packet by packet."""

import struct
from pathlib import Path

import dpkt

CLIENT, SERVER = b"\xc0\x00\x02\x07", b"\xc0\x00\x02\x19"
CLIENT6, SERVER6 = (
    bytes.fromhex("20010db8" + "0" * 23 + "7"),
    bytes.fromhex("20010db8" + "0" * 23 + "1"),
)
TIME = 1793577600.5  # 2026-11-02
ETHERNET, COOKED, COOKED2, RAW = 1, 113, 276, 101


def hello(client: str = "openssl-3.0") -> bytes:
    """The bytes that a recorded client begins with."""
    from audit.clients.load import clients

    return bytes.fromhex(next(one.hello for one in clients() if one.id == client))


def packet(
    data: bytes,
    number: int = 1,
    *,
    port: int = 993,
    syn: bool = False,
    six: bool = False,
    link: int = ETHERNET,
    sport: int = 50000,
) -> bytes:
    """One segment from the client, with what is below it."""
    segment = dpkt.tcp.TCP(
        sport=sport, dport=port, seq=number % (1 << 32), flags=2 if syn else 24, data=data
    )
    if six:
        above: dpkt.Packet = dpkt.ip6.IP6(
            src=CLIENT6, dst=SERVER6, nxt=6, plen=len(bytes(segment)), hlim=64, data=segment
        )
    else:
        above = dpkt.ip.IP(src=CLIENT, dst=SERVER, p=6, data=segment)
        above.len = len(bytes(above))
    kind = 0x86DD if six else 0x0800
    if link == ETHERNET:
        return bytes(dpkt.ethernet.Ethernet(type=kind, data=above))
    if link == COOKED:
        return struct.pack("!HHH8sH", 0, 1, 6, bytes(8), kind) + bytes(above)
    if link == COOKED2:
        return struct.pack("!HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8)) + bytes(above)
    return bytes(above)


def capture(path: Path, *packets: bytes, link: int = ETHERNET, ng: bool = False) -> Path:
    """A file of them; *ng* is the newer format."""
    with path.open("wb") as file:
        if ng:
            idb = dpkt.pcapng.InterfaceDescriptionBlockLE(linktype=link)
            writer = dpkt.pcapng.Writer(file, idb=idb)
        else:
            writer = dpkt.pcap.Writer(file, linktype=link)
        for one in packets:
            writer.writepkt(one, TIME)
    return path

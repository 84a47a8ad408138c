"""What passes the lab's hub, kept as tcpdump would keep it; and what was said in it, in order.

The capture runs in the hub's network namespace, on the real machine's Python:
`python -m lab.capture FILE DEVICE`.
"""

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import dpkt

from lab import net, paths
from lab.errors import LabError

BRIDGE = "br0"
_EVERYTHING = 0x0003  # ETH_P_ALL
_LARGEST = 1 << 17  # bytes; segments that the kernel has joined are larger than a frame
_SECONDS = 20.0


class Stream(NamedTuple):
    """One direction of a TCP connection: who speaks, and to whom."""

    source: str
    source_port: int
    target: str
    target_port: int


@contextmanager
def captured(path: Path, device: str = BRIDGE) -> Iterator[None]:
    """Write every packet of a device of the hub to a file, until it is left.

    Of the bridge that is what the hub itself says and hears; of a host's cable (`p-NAME`) all that
    the host does. Raises LabError when nothing can be captured.
    """
    command = [*net.at_hub(), sys.executable, "-m", "lab.capture", str(path), device]
    environment = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)}
    # It ends with its input, and so with us.
    end, ours = os.pipe()
    told, word = os.pipe()
    with subprocess.Popen(command, stdin=end, stdout=word, env=environment):
        os.close(end)
        os.close(word)
        try:
            if not (select.select([told], [], [], _SECONDS)[0] and os.read(told, 1)):
                raise LabError(f"nothing can be captured at {device} of the hub")
            yield
        finally:
            os.close(ours)
            os.close(told)


def streams(path: Path) -> dict[Stream, bytes]:
    """Return what was said in each direction of each TCP connection of a capture, put in order."""
    segments: dict[Stream, dict[int, bytes]] = {}
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            packet = dpkt.ethernet.Ethernet(frame).data
            if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
                continue
            if isinstance(segment := packet.data, dpkt.tcp.TCP) and segment.data:
                ends = (dpkt.utils.inet_to_str(packet.src), dpkt.utils.inet_to_str(packet.dst))
                stream = Stream(ends[0], segment.sport, ends[1], segment.dport)
                segments.setdefault(stream, {}).setdefault(segment.seq, bytes(segment.data))
    return {stream: _joined(parts) for stream, parts in segments.items()}


def _joined(parts: dict[int, bytes]) -> bytes:
    """Put segments in order; what was sent again is there once. Numbers do not wrap around here."""
    said, end = bytearray(), min(parts)
    for number in sorted(parts):
        new = parts[number][max(0, end - number) :]
        said += new
        end = max(end, number + len(parts[number]))
    return bytes(said)


def _capture(path: Path, device: str) -> None:
    kind = socket.htons(_EVERYTHING)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, kind) as wire, path.open("wb") as file:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        wire.bind((device, 0))
        writer = dpkt.pcap.Writer(file, snaplen=_LARGEST)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for ready in select.select([wire, sys.stdin], [], [])[0]:
                if ready is wire:
                    writer.writepkt(wire.recv(_LARGEST), time.time())
                    break  # packets first: what was sent before the end is kept
            else:
                return


if __name__ == "__main__":
    _capture(Path(sys.argv[1]), sys.argv[2])

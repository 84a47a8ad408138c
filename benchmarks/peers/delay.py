"""A way to a server that takes time: whole packets, both directions, each kept back for a while.

A relay of connections would answer a client's SYN at once; packets are delayed like on a long
cable, the three of TCP's own handshake too. Needs TUN, which kernels without sch_netem have.
"""

import fcntl
import os
import select
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.cell import inside

SERVER, _CLIENT = "198.51.100.1", "198.51.100.2"  # RFC 5737, never real ones
_DEVICE = b"far0"
_SET_INTERFACE = 0x400454CA  # TUNSETIFF, linux/if_tun.h
_TUN_WITHOUT_HEADER = 0x0001 | 0x1000  # IFF_TUN, IFF_NO_PI
_PACKET = 65536


@contextmanager
def far(clients: Path, server: Path, seconds: float) -> Iterator[str]:
    """Join two network namespaces; gives the address of the server. One way takes *seconds*."""
    ends = (_device(clients, _CLIENT), _device(server, SERVER))
    stop, stopped = os.pipe()
    carrier = threading.Thread(target=_carry, args=(ends, stop, seconds))
    carrier.start()
    try:
        yield SERVER
    finally:
        os.close(stopped)
        carrier.join()
        for descriptor in (*ends, stop):
            os.close(descriptor)


def _device(netns: Path, address: str) -> int:
    with inside(netns):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        request = struct.pack("16sH22x", _DEVICE, _TUN_WITHOUT_HEADER)
        fcntl.ioctl(descriptor, _SET_INTERFACE, request)
        name = _DEVICE.decode()
        for words in (
            ("address", "add", f"{address}/30", "dev", name),
            ("link", "set", name, "up", "txqueuelen", "5000"),
        ):
            subprocess.run(["ip", *words], check=True)
    return descriptor


def _carry(ends: tuple[int, int], stop: int, seconds: float) -> None:
    """Take packets from either end to the other, until *stop* is closed at its far side."""
    other = {ends[0]: ends[1], ends[1]: ends[0]}
    waiting: deque[tuple[float, int, bytes]] = deque()
    while True:
        rest = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([*ends, stop], [], [], rest)
        if stop in ready:
            return
        for end in ready:
            waiting.extend((time.monotonic() + seconds, other[end], p) for p in _packets(end))
        while waiting and waiting[0][0] <= time.monotonic():
            _, end, packet = waiting.popleft()
            os.write(end, packet)


def _packets(end: int) -> Iterator[bytes]:
    try:
        while True:
            yield os.read(end, _PACKET)
    except BlockingIOError:
        return

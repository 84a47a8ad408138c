"""What passes the lab's hub, kept as tcpdump would keep it: for hellos of clients."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dpkt

from audit import namespace
from lab import paths

_EVERYTHING = 0x0003  # ETH_P_ALL
_LARGEST = 1 << 17  # bytes; segments that the kernel has joined are larger than a frame
_SECONDS = 20.0


@contextmanager
def captured(path: Path) -> Iterator[None]:
    """Write every packet of the hub's bridge to a file, until it is left."""
    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=_capture, args=(path, ready, over))
    thread.start()
    try:
        assert ready.wait(_SECONDS), "nothing can be captured at the hub"
        yield
    finally:
        over.set()
        thread.join(_SECONDS)


def _capture(path: Path, ready: threading.Event, over: threading.Event) -> None:
    namespace.enter(paths.HUB)
    kind = socket.htons(_EVERYTHING)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, kind) as wire, path.open("wb") as file:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        wire.bind(("br0", 0))
        writer = dpkt.pcap.Writer(file, snaplen=_LARGEST)
        ready.set()
        while not over.is_set():
            if select.select([wire], [], [], 0.2)[0]:
                writer.writepkt(wire.recv(_LARGEST), time.time())

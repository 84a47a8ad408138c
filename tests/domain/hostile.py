"""A name server in Python that answers as it is told, right or wrong, by UDP and TCP."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from audit.domain.nameserver import Nameserver
from tests.servers import listening

# A signature on an MX record, as far as anybody looks at it who does not validate.
RRSIG = "MX 13 2 60 20301231000000 20200101000000 1 example.org. AAAA"
# What comes back for a question: nothing, one datagram or several.
Speech = Callable[[dns.message.Message], "bytes | list[bytes]"]
Link = Callable[[dns.message.Message, socket.socket], None]


def answer(
    query: dns.message.Message,
    *records: str,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
    flags: int = 0,
    authority: str = "",
    limit: int = 65535,
) -> bytes:
    """A message of these records, master file lines; *flags* are set beside RA."""
    made = dns.message.make_response(query, recursion_available=True)
    made.flags |= flags
    made.set_rcode(rcode)
    for line in records:
        name, kind, data = line.split(" ", 2)
        made.answer.append(dns.rrset.from_text(name, 60, "IN", kind, data))
    if authority:
        name, kind, data = authority.split(" ", 2)
        made.authority.append(dns.rrset.from_text(name, 60, "IN", kind, data))
    return made.to_wire(max_size=limit)


def by_tcp(speech: Speech) -> Link:
    """The same by TCP, as it should be."""

    def say(query: dns.message.Message, link: socket.socket) -> None:
        said = speech(query)
        wire = said if isinstance(said, bytes) else b"".join(said)
        link.sendall(len(wire).to_bytes(2, "big") + wire)

    return say


@contextmanager
def nameserver(speech: Speech, tcp: Link | None = None) -> Iterator[Nameserver]:
    """Answers on loopback; by TCP what it says by UDP, unless told otherwise."""
    link = tcp or by_tcp(speech)

    def stream(client: socket.socket) -> None:
        head = client.recv(2)
        link(dns.message.from_wire(client.recv(int.from_bytes(head, "big"))), client)

    with listening(stream) as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", port))
        datagrams.settimeout(0.05)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                with suppress(TimeoutError):
                    wire, client = datagrams.recvfrom(65535)
                    said = speech(dns.message.from_wire(wire))
                    for one in [said] if isinstance(said, bytes) else said:
                        datagrams.sendto(one, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Nameserver("127.0.0.1", port)
        finally:
            done.set()
            thread.join()

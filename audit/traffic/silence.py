"""Nodes that log no TLS at all, told from those that have none. Pure.

A program that is not told to log TLS writes the same of a session with and without it. No line
says so; but where it has named a session, one without is in clear, and where it never has, nobody
can tell. That is known when all parts of all logs are there: until then X= of what has no session
is the node itself.
"""

from functools import lru_cache

from audit.traffic.seen import Seen, put
from audit.traffic.tally import UNLOGGED, Tally

# Where X= stands in the keys of what a tally counts.
_PLACES = {
    "incoming": 2,
    "deliveries": 1,
    "outgoing": 1,
    "clients": 3,
    "ways": 4,
}


@lru_cache(maxsize=4096)
def node(host: bytes, tag: bytes) -> bytes:
    """A program of an instance on a host, `mx1 postfix/smtp`: what has one configuration."""
    instance, *_, program = tag.split(b"/")
    return b"%b %b/%b" % (host, instance, program)


def unnamed(host: bytes, tag: bytes) -> bytes:
    """The X= of what has no session, as long as it is not known what that means."""
    return UNLOGGED + node(host, tag)


def settle(tally: Tally) -> None:
    """Say what it means; to be done after `Tally.finish`."""
    for name, place in _PLACES.items():
        counts = getattr(tally, name)
        for key in [key for key in counts if key[place][:1] == UNLOGGED]:
            who, found = key[place][1:], counts.pop(key)
            x = b"" if who in tally.told else UNLOGGED
            if x:
                tally.silent.add(who)
            settled = (*key[:place], x, *key[place + 1 :])
            if isinstance(found, Seen):
                put(counts, settled, found)
            else:
                counts[settled] += found
    tally.told = set()

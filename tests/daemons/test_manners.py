"""The prober as a guest: complete and right where a server lets few in."""

import socket
import threading
import time
from collections import deque
from pathlib import Path

import pytest

from audit.probe.address import PACES, Manners
from audit.probe.plan import Task
from audit.probe.run import probe_all
from tests.daemons.cell import inside
from tests.daemons.exim import exim_gnutls
from tests.daemons.settings import Tls, truth
from tests.probe.test_probe import look
from tests.servers import Pki, listening

_TLS = Tls()


@pytest.mark.daemons
@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("accept_max", [20, 8])
def test_exim_with_a_limit_of_connections_is_seen_completely(
    pki: Pki, tmp_path: Path, accept_max: int
) -> None:
    """20 is Exim's default; children linger after handshakes that were broken off, and count."""
    with exim_gnutls(pki, tmp_path / "cell", _TLS, accept_max) as server, inside(server.netns):
        found = probe_all(server.endpoints("exim", *server.ports), lambda _: Task())
    right = truth(_TLS)
    for facts in found:
        assert facts.errors == ()
        assert dict(facts.suites) == dict(right.suites)
        assert {o.seen for o in facts.rest.values()} == {"refused"}
        assert "inconclusive" not in {o.seen for o in facts.protocols.values()}
        unclear = {b: o.evidence for b, o in facts.behaviours.items() if o.seen == "inconclusive"}
        assert not unclear


def test_a_server_that_counts_by_the_minute_is_asked_slowly(pki: Pki) -> None:
    """With a minute of one second: two connections in it, the third is turned away.

    What is missing of that second is for a machine that is too busy to take each as it comes.
    """
    recent: deque[float] = deque()
    turned_away, lock = 0, threading.Lock()

    def few(client: socket.socket) -> None:
        nonlocal turned_away
        with lock:
            now = time.monotonic()
            while recent and now - recent[0] > 0.8:
                recent.popleft()
            recent.append(now)
            full = len(recent) > 2
            turned_away += full
        if full:
            client.sendall(b"421 too many connections\r\n")
            return
        if client.recv(4096):
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x28")

    slow = PACES["slow"]
    assert 60 / slow.spacing < 2
    assert slow.cap == 1
    with listening(few) as port:
        look(port, manners=Manners(cap=1, spacing=31 / 60, pauses=(), budget=12), quick=True)
    assert turned_away == 0


def test_an_address_is_asked_no_more_than_its_budget(pki: Pki) -> None:
    """And what was not asked is inconclusive."""
    with listening(lambda client: client.sendall(b"\x15\x03\x03\x00\x02\x02\x46")) as port:
        facts = look(port, manners=Manners(most=3))
    assert facts.connections == 3
    assert "inconclusive" in {o.seen for o in facts.protocols.values()}

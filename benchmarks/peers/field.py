"""The servers that are measured, each near and far, and what they were told."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from audit.facts import Mode, Service
from audit.iana import VERSIONS
from audit.measures import load_all
from benchmarks.peers.delay import far
from tests.daemons.cell import Server
from tests.daemons.dovecot import dovecot
from tests.daemons.names import described
from tests.daemons.postfix import postfix
from tests.daemons.settings import Tls
from tests.servers import Pki, make_pki

POLICY = Path(__file__).with_name("policy.yaml")
WAYS = (0, 20)  # milliseconds there and back
_ASKED = (("IMAPS", dovecot, 993), ("IMAP STARTTLS", dovecot, 143), ("SMTP STARTTLS", postfix, 25))


@dataclass(frozen=True)
class Place:
    """One port of one server, by one way.

    Attributes:
        title: what is there, as the page calls it.
        way: milliseconds there and back.
        address, port, service, mode: as a client sees it.
        netns: the namespace of the clients.
        server: the namespace of the server, where the kernel counts.
        roots: the root certificate to trust.
    """

    title: str
    way: int
    address: str
    port: int
    service: Service
    mode: Mode
    netns: Path
    server: Path
    roots: Path

    def accepted(self) -> int:
        """TCP connections that the server's kernel accepted so far (RFC 4022, tcpPassiveOpens)."""
        net = self.server.parent.parent / "net"
        rows = [line.split() for line in (net / "snmp").read_text(encoding="ascii").splitlines()]
        names, values = (row for row in rows if row[0] == "Tcp:")
        return int(values[names.index("PassiveOpens")])

    def open(self) -> int:
        """Connections that the server has established now."""
        net = self.server.parent.parent / "net"
        rows = (net / "tcp").read_text(encoding="ascii").splitlines()[1:]
        return sum(row.split()[3] == "01" for row in rows)


@contextmanager
def field(folder: Path) -> Iterator[tuple[list[Place], Tls, Pki]]:
    """Start all of them; must be entered by the main thread, as the daemons' cells must."""
    pki = make_pki(folder)
    tls = told()
    with ExitStack() as stack:
        servers: dict[str, tuple[Server, dict[int, str]]] = {}
        for daemon in dict.fromkeys(daemon for _, daemon, _ in _ASKED):
            name = daemon.__name__
            server = stack.enter_context(daemon(pki, folder / name, tls))
            slow = stack.enter_context(far(server.netns, server.own_netns, WAYS[1] / 2000))
            servers[name] = (server, {WAYS[0]: server.address, WAYS[1]: slow})
        places = []
        for way in WAYS:
            for title, daemon, port in _ASKED:
                server, addresses = servers[daemon.__name__]
                spoken = server.ports[port]
                spaces = (server.netns, server.own_netns)
                place = Place(title, way, addresses[way], port, *spoken, *spaces, pki.root)
                places.append(place)
        yield places, tls, pki


def told() -> Tls:
    """The policy's suites, as the daemons are told them."""
    names = {suite.iana: suite for suite in described().values()}
    profile = load_all([str(POLICY)])[str(POLICY)].profiles["access"]
    suites = [names[s.name] for s in profile.suites]
    return Tls(
        versions=tuple(v for v in VERSIONS if v in ("TLSv1.2", "TLSv1.3")),
        suites=tuple(s.openssl for s in suites if s.since != "TLSv1.3"),
        tls13=tuple(s.openssl for s in suites if s.since == "TLSv1.3"),
    )


def versions_of_daemons() -> dict[str, str]:
    """Debian's versions of what is measured."""
    from tests.daemons.roots import root

    found = {}
    for package in ("dovecot-core", "postfix", "libssl3"):
        command = ["dpkg-query", f"--root={root('dovecot-postfix')}", "-W", "-f", "${Version}"]
        done = subprocess.run([*command, package], capture_output=True, text=True, check=True)
        found[package] = done.stdout.strip()
    return found

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
from tests.daemons.exim import exim_gnutls
from tests.daemons.names import described
from tests.daemons.postfix import postfix
from tests.daemons.roots import root
from tests.daemons.settings import ALL, Tls
from tests.daemons.table import Daemon
from tests.servers import Pki, make_pki

POLICY = Path(__file__).with_name("policy.yaml")
WAYS = (0, 20)  # milliseconds there and back
_TIMED = (("IMAPS", 993), ("IMAP STARTTLS", 143), ("SMTP STARTTLS", 25))
_OLD = tuple(
    f"{exchange}{cipher}"
    for exchange in ("ECDHE-ECDSA-", "ECDHE-RSA-", "DHE-RSA-", "")
    for cipher in ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-SHA", "AES128-SHA")
)


@dataclass(frozen=True)
class Place:
    """One port of one server, by one way.

    Attributes:
        title: what is there, as the page calls it.
        tls: what it was told.
        timed: whether it is measured; otherwise only the facts are compared.
        way: milliseconds there and back.
        address, port, service, mode: as a client sees it.
        netns: the namespace of the clients.
        server: the namespace of the server, where the kernel counts.
        roots: the root certificate to trust.
    """

    title: str
    tls: Tls
    timed: bool
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
def field(folder: Path) -> Iterator[tuple[list[Place], Pki]]:
    """Start all of them; must be entered by the main thread, as the daemons' cells must."""
    pki, tls, places = make_pki(folder), told(), []
    # What is off on the measured servers must be on somewhere, or nobody's "no" means anything.
    old = Tls(versions=ALL, suites=_OLD, prefer="client", dh_bits=2048)
    gnutls = Tls(suites=tls.suites[:6], groups=tls.groups)
    with ExitStack() as stack:

        def start(daemon: Daemon, name: str, tls: Tls) -> Server:
            return stack.enter_context(daemon(pki, folder / name, tls))

        servers = {"imap": start(dovecot, "dovecot", tls), "smtp": start(postfix, "postfix", tls)}
        slow = {
            name: stack.enter_context(far(server.netns, server.own_netns, WAYS[1] / 2000))
            for name, server in servers.items()
        }
        for way in WAYS:
            for title, port in _TIMED:
                name = title.partition(" ")[0].lower().removesuffix("s")
                server = servers[name]
                address = slow[name] if way else server.address
                places.append(_place(title, server, port, tls, pki, way, address))
        for title, server, settings in (
            ("Postfix, old and client's order", start(postfix, "old", old), old),
            ("Exim on GnuTLS", start(exim_gnutls, "exim", gnutls), gnutls),
        ):
            places.append(_place(title, server, 25, settings, pki))
        yield places, pki


def _place(  # noqa: PLR0913, PLR0917 - a place has so many sides
    title: str, server: Server, port: int, tls: Tls, pki: Pki, way: int = 0, address: str = ""
) -> Place:
    service, mode = server.ports[port]
    return Place(
        title=title,
        tls=tls,
        timed=bool(address),
        way=way,
        address=address or server.address,
        port=port,
        service=service,
        mode=mode,
        netns=server.netns,
        server=server.own_netns,
        roots=pki.root,
    )


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
    found = {}
    for package in ("dovecot-core", "postfix", "libssl3"):
        command = ["dpkg-query", f"--root={root('dovecot-postfix')}", "-W", "-f", "${Version}"]
        done = subprocess.run([*command, package], capture_output=True, text=True, check=True)
        found[package] = done.stdout.strip()
    return found

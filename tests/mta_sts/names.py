"""The world that a sender of ours finds itself in: a signed zone and an unsigned one."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab import zones
from lab.zones import Signing, Zone
from tests.tlsrpt import signed
from tests.tlsrpt.receivers import Fault

POLICY_HOST = "192.0.2.2"  # the clients' own address in the cell
SIGNING: Mapping[str, Signing] = {"test": "good", "example": "no"}


@dataclass(frozen=True)
class Domain:
    """A domain that mail is sent to; those below test are signed, those below example are not.

    Attributes:
        fault: what its server does wrong.
        mode: of its policy; empty for a domain without one.
        mx: patterns of the policy; %s is the server's name.
        server: the name of the server, if it is not mx.DOMAIN.
        before: another server's name, which is to be preferred.
        tlsa: "right", "wrong" or nothing.
        record: what is announced; None for a record that fits.
        host: whether its policy host is there.
        kept: whether its policy was fetched before, and its host is no more.
    """

    fault: Fault = "good"
    mode: str = ""
    mx: str = "%s"
    server: str = ""
    before: str = ""
    tlsa: str = ""
    record: str | None = None
    host: bool = True
    kept: bool = False


def server(name: str, domain: Domain) -> str:
    """The name of a domain's server."""
    return domain.server or f"mx.{name}"


def policy(name: str, domain: Domain) -> bytes:
    """What its policy host says."""
    mx = domain.mx.replace("%s", server(name, domain))
    return f"version: STSv1\nmode: {domain.mode}\nmx: {mx}\nmax_age: 86400\n".encode()


def files(
    domains: Mapping[str, Domain], addresses: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, str | bytes]:
    """Zones and name servers, laid over a root.

    Args:
        domains: by name.
        addresses: of each server, by its name.
        keys: the TLSA data that fits each server, likewise.
    """
    lines_of = {zone: ["$TTL 300", "ns A 127.0.0.1"] for zone in SIGNING}
    for name, domain in domains.items():
        lines = lines_of[name.rpartition(".")[2]]
        mx = server(name, domain)
        lines += [f"{name}. MX 10 {mx}."] if mx != name else []
        there = lines_of[mx.rpartition(".")[2]]
        there += [f"{mx}. A {addresses[mx]}"]
        lines += [f"{name}. MX 5 {domain.before}."] if domain.before else []
        if domain.tlsa:
            data = keys[mx] if domain.tlsa == "right" else f"3 1 1 {'00' * 32}"
            there += [f"_25._tcp.{mx}. TLSA {data}"]
        if domain.mode and not domain.kept:
            record = domain.record if domain.record is not None else '"v=STSv1; id=1;"'
            lines += [f"_mta-sts.{name}. TXT {record}"] if record else []
            lines += [f"mta-sts.{name}. A {POLICY_HOST}"] if domain.host else []
    return signed.served(
        zones.make(Zone(f"{zone}.", "\n".join(lines) + "\n", signing=SIGNING[zone]), f"ns.{zone}.")
        for zone, lines in lines_of.items()
    )

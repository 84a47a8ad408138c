"""A scan: any server, no inventory, no root."""

import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module

from msgspec import Struct

from audit.ahead import Ahead
from audit.errors import UNDETERMINED, MailsealError
from audit.expect import expectation
from audit.facts import Endpoint, Mode, Service
from audit.findings import Run, timestamp
from audit.judge.bench import judge, plan_endpoint, plan_group
from audit.judge.case import ClusterCase, EndpointCase, PlannedEndpoint
from audit.judge.groups import groups
from audit.measures import joined, named
from audit.names import is_address, to_ascii
from audit.policy.model import Policy, Profile, Traffic
from audit.ports import MAIL_PORTS
from audit.probe.address import PACES, Pace
from audit.probe.calibration import calibrate
from audit.probe.plan import Task, foresee
from audit.probe.run import knock_all, probe_all

_LAST_PORT = 65535
_TARGET = re.compile(
    r"\[(?P<v6>[^\]]+)\](?::(?P<v6port>[0-9]{1,5}))?"
    r"|(?P<host>[^:\[\]]+)(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<bare>[0-9a-fA-F:.]+(?:%\w+)?)"
)
_UNKNOWN_PORT: tuple[Service, Mode] = ("imap", "implicit")
_SUBMISSION_PORTS = (465, 587)


class Target(Struct, frozen=True):
    """What was named on the command line: a host, and a port if one was given."""

    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read HOST, HOST:PORT, IPV6 or [IPV6]:PORT.

        Raises:
            MailsealError: it is none of these.
        """
        found = _TARGET.fullmatch(text)
        host = found and (found["v6"] or found["bare"] or found["host"])
        port = int((found and (found["v6port"] or found["port"])) or 0)
        named = found and not found["host"]
        if not host or port > _LAST_PORT or text.endswith(":0") or (named and not is_address(host)):
            raise MailsealError(f"{text!r} is not HOST or HOST:PORT (IPv6 as [ADDRESS]:PORT)")
        return cls(host, port or None)


class Options(Struct, frozen=True):
    """How to scan.

    Attributes:
        policies: the measures; the first decides how suites are offered.
        starttls: the protocol to speak, instead of the one the port stands for.
        profile: the profile to judge by, instead of the one the port stands for.
        name: the name to ask for and expect, instead of the host's.
        roots: the trusted roots.
        expect: ask at once for all that the policy foresees.
        quick: versions, suites, their order and the certificates only.
        pace: how much a server is asked at once.
        say: told how many connections each endpoint takes if it is as the policy foresees.
    """

    policies: tuple[Policy, ...]
    starttls: Service | None = None
    profile: Traffic | None = None
    name: str = ""
    roots: tuple[bytes, ...] = ()
    expect: bool = False
    quick: bool = False
    pace: Pace = "normal"
    say: Callable[[str], None] = lambda _: None


def scan(
    targets: Sequence[Target],
    options: Options,
    step: Callable[[str], None] = lambda _: None,
) -> Run:
    """Look at the targets once, and judge what was seen by each policy.

    Raises:
        MailsealError: a host name does not resolve, no mail port answers, or the prober is blind.
    """
    now = datetime.now(tz=UTC)
    calibrate()
    planned = {p.endpoint: p for target in targets for p in _plan(target, options)}
    first = options.policies[0]

    def profile(target: PlannedEndpoint, policy: Policy) -> Profile:
        return policy.profiles[_traffic(target.endpoint, options, policy)]

    def task(endpoint: Endpoint) -> Task:
        expected = expectation(profile(planned[endpoint], first), now.date())
        return Task(expected, verify=options.expect, quick=options.quick)

    # Planned before anything is probed: a policy without the profile ends it here.
    checks = [
        (check, profile(target, policy))
        for policy in options.policies
        for target in planned.values()
        for check in plan_endpoint(target, profile(target, policy), policy.id, quick=options.quick)
    ]
    compared = [
        (check, group)
        for group in groups(planned.values())
        for check in plan_group(group, first.id)
    ]
    for endpoint in planned:
        options.say(f"{endpoint}: {foresee(endpoint, task(endpoint)).connections} connections")
    Ahead(_load_what_judges)
    seen = probe_all(
        planned,
        task,
        manners=PACES[options.pace],
        done=lambda facts: step(str(facts.endpoint)),
    )
    facts = {f.endpoint: f for f in seen}
    findings = [
        judge(check, EndpointCase(target, facts[target.endpoint], rules, now, options.roots))
        for check, rules in checks
        if isinstance(target := check.target, PlannedEndpoint)
    ]
    findings += [
        judge(check, ClusterCase(group, tuple(facts[e] for e in group.endpoints)))
        for check, group in compared
    ]
    return Run(
        run=f"{now:%Y%m%dT%H%M%SZ}",
        started=timestamp(now),
        finished=timestamp(datetime.now(tz=UTC)),
        policy=joined(options.policies),
        planned=len(checks) + len(compared),
        findings=tuple(findings),
        endpoints=tuple(seen),
        policies=tuple(named(p) for p in options.policies),
    )


def _load_what_judges() -> None:
    """What is wanted after the hellos takes long to load: better while they are under way."""
    import_module("OpenSSL.SSL")
    import_module("audit.judge.path")
    import_module("audit.judge.identity")


def _plan(target: Target, options: Options) -> list[PlannedEndpoint]:
    addresses = resolve(target.host)
    name = options.name or ("" if is_address(target.host) else target.host)
    name = to_ascii(name, "--name" if options.name else "the host")
    if target.port is not None:
        found = [_endpoint(target.host, a, target.port, name, options) for a in addresses]
    else:
        found = [_endpoint(target.host, a, p, name, options) for a in addresses for p in MAIL_PORTS]
        found = [f.endpoint for f in knock_all(found) if f.reach == "open"]
        if not found:
            raise MailsealError(f"{target.host}: no mail port answers{_hint(target)}", UNDETERMINED)
    first = options.policies[0]
    return [PlannedEndpoint(e, _traffic(e, options, first), demanded=False) for e in found]


def _hint(target: Target) -> str:
    """`::1:993` is an address, and hardly the one that was meant."""
    head, _, tail = target.host.rpartition(":")
    if not (tail.isdecimal() and int(tail) in MAIL_PORTS):
        return ""
    return f" (for port {tail} write [{head.removesuffix(':') or ':'}]:{tail})"


def _endpoint(host: str, address: str, port: int, name: str, options: Options) -> Endpoint:
    service, mode = MAIL_PORTS.get(port, _UNKNOWN_PORT)
    if options.starttls:
        service, mode = options.starttls, "starttls"
    return Endpoint(host, address, port, service, mode, name)


def _traffic(endpoint: Endpoint, options: Options, policy: Policy) -> Traffic:
    chosen: Traffic = options.profile or "access"
    if options.profile is None and endpoint.service == "smtp":
        chosen = "submission" if endpoint.port in _SUBMISSION_PORTS else "mx"
    if chosen not in policy.profiles:
        raise MailsealError(f"{policy.id} has no profile {chosen}")
    return chosen


def resolve(host: str) -> tuple[str, ...]:
    """Every address of a host, IPv4 first.

    Raises:
        MailsealError: it has none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no valid host name"
        raise MailsealError(f"{host}: {reason}") from None
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return tuple(sorted(addresses, key=lambda address: ":" in address))

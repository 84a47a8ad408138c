"""What a scan is asked to look at, and how."""

import re
import socket
from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from audit.domain.nameserver import Nameserver
from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Endpoint, Mode, Service
from audit.judge.case import PlannedEndpoint
from audit.names import is_address, to_ascii
from audit.policy.model import Policy, Traffic
from audit.ports import MAIL_PORTS
from audit.probe.address import Pace
from audit.probe.run import knock_all

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


def nameserver(text: str, what: str = "--resolver") -> Nameserver:
    """Read ADDRESS or ADDRESS:PORT of a name server; *what* names it where it is neither.

    Raises:
        MailsealError: it is neither.
    """
    try:
        found = Target.parse(text)
    except MailsealError:
        found = None
    if found is None or not is_address(found.host):
        raise MailsealError(
            f"{what}: {text!r} is not ADDRESS or ADDRESS:PORT (IPv6 as [ADDRESS]:PORT)"
        )
    return Nameserver(found.host, found.port) if found.port else Nameserver(found.host)


def mail_domain(text: str) -> str:
    """Read the name of a mail domain; gives its A-labels.

    Raises:
        MailsealError: it is none.
    """
    if not text.strip(".") or is_address(text) or ":" in text:
        raise MailsealError(f"--domain: {text!r} is no mail domain such as example.org")
    return to_ascii(text, "--domain")


class Options(Struct, frozen=True):
    """How to scan.

    Attributes:
        policies: the measures; the first decides how suites are offered.
        starttls: the protocol to speak, instead of the one the port stands for.
        profile: the profile to judge by, instead of the one the port stands for.
        name: the name to ask for and expect, instead of the host's.
        roots: gives the trusted roots, once they are wanted.
        expect: ask at once for all that the policy foresees.
        quick: versions, suites, their order and the certificates only.
        pace: how much a server is asked at once.
        domains: mail domains to look at beside the targets, as A-labels.
        nameservers: who is asked about them, in this order; none for the system's.
        say: told how many connections each endpoint takes if it is as the policy foresees; None
            if nobody wants to know.
    """

    policies: tuple[Policy, ...]
    starttls: Service | None = None
    profile: Traffic | None = None
    name: str = ""
    roots: Callable[[], tuple[bytes, ...]] = tuple
    expect: bool = False
    quick: bool = False
    pace: Pace = "normal"
    domains: tuple[str, ...] = ()
    nameservers: tuple[Nameserver, ...] = ()
    say: Callable[[str], None] | None = None


def plan(target: Target, options: Options) -> list[PlannedEndpoint]:
    """The endpoints to look at; without a port, every standard mail port that answers.

    Raises:
        MailsealError: the name does not resolve, or no mail port answers.
    """
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
    return [PlannedEndpoint(e, traffic(e, options, first), demanded=False) for e in found]


def guessed(targets: Iterable[Target], options: Options) -> Iterator[str]:
    """A sentence about each port of which nobody says what is spoken there."""
    if options.starttls:
        return
    named = (target.port for target in targets if target.port not in {None, *MAIL_PORTS})
    for port in dict.fromkeys(named):
        yield (
            f"port {port} is none of mail's: taken for IMAP in TLS from the beginning"
            " (--starttls PROTOCOL for what begins in clear, --profile for the rules)"
        )


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


def traffic(endpoint: Endpoint, options: Options, policy: Policy) -> Traffic:
    """The profile that rules an endpoint.

    Raises:
        MailsealError: the policy does not have it.
    """
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

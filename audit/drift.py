"""What differs in the facts of two runs, whatever a policy thinks of it. Pure.

A finding says whether something is allowed; drift says that it is not what it was. Only what both
runs could tell is compared: what could not be told in one of them has not changed. `remembered`
looks further back for what the earlier one did not see at all.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from audit.drift_domain import DomainWhat, aspects
from audit.facts import DomainFacts, Endpoint, EndpointFacts, HostFacts
from audit.findings import Run
from audit.iana.primes import prime_name

What = Literal[
    "certificate",
    "chain",
    "version",
    "suites",
    "order",
    "groups",
    "primes",
    "behaviour",
    "clear text",
    "system",
    "program",
    "library",
    "package",
    "file",
    "setting",
    DomainWhat,
]
# What is said of one endpoint or host, by what it is about and its name.
Aspects = dict[tuple[What, str], str]

UNSET = "not set"
_RANK = {what: number for number, what in enumerate(get_args(What))}
_UNTOLD = ("inconclusive", "unknown")


class Drift(Struct, frozen=True, kw_only=True):
    """One fact that is another one now.

    Attributes:
        host: inventory name, or a mail domain.
        address, port, service: the endpoint; empty, 0 and empty for a fact of the host itself.
        what: the kind of fact.
        name: of which there may be several: a version, a type of key, a path, a setting.
        before, after: in words.
    """

    host: str
    address: str = ""
    port: int = 0
    service: str = ""
    what: What
    name: str
    before: str
    after: str


def drift(before: Run, after: Run) -> tuple[Drift, ...]:
    """What is otherwise now on the endpoints, hosts and mail domains that both runs looked at."""
    ends = {_place(facts.endpoint): facts for facts in before.endpoints}
    hosts = {facts.host: facts for facts in before.hosts}
    domains = {facts.domain: facts for facts in before.domains}
    found = [
        *(d for e in after.endpoints for d in _of_endpoint(ends.get(_place(e.endpoint)), e)),
        *(d for h in after.hosts for d in _of_host(hosts.get(h.host), h)),
        *(d for m in after.domains for d in _of_domain(domains.get(m.domain), m)),
    ]
    return tuple(sorted(found, key=_rank))


def remembered(now: Run, last: Run, earlier: Iterable[Run]) -> Run:
    """The last run, and what it did not see of what is seen now as it was seen before that.

    Who upgrades a host while it is away for a night has changed it all the same.

    Args:
        now: the run that it will be compared with.
        last: the run before.
        earlier: those before that, the newest first; read no further than needed.
    """
    missing = _seen(now).keys() - _seen(last).keys()
    found: dict[Hashable, EndpointFacts | HostFacts | DomainFacts] = {}
    runs = iter(earlier)
    while missing and (run := next(runs, None)):
        seen = _seen(run)
        found |= {key: seen[key] for key in missing & seen.keys()}
        missing -= seen.keys()
    facts = found.values()
    return replace(
        last,
        endpoints=(*last.endpoints, *(f for f in facts if isinstance(f, EndpointFacts))),
        hosts=(*last.hosts, *(f for f in facts if isinstance(f, HostFacts))),
        domains=(*last.domains, *(f for f in facts if isinstance(f, DomainFacts))),
    )


def _seen(run: Run) -> dict[Hashable, EndpointFacts | HostFacts | DomainFacts]:
    """What could tell something of itself."""
    return {
        **{_place(facts.endpoint): facts for facts in run.endpoints if facts.reach == "open"},
        **{facts.host: facts for facts in run.hosts if facts.reached},
        **{("domain", one.domain): one for one in run.domains if any(True for _ in aspects(one))},
    }


def _rank(one: Drift) -> tuple[str, str, int, int, str]:
    return one.host, one.address, one.port, _RANK[one.what], one.name


def _place(endpoint: Endpoint) -> tuple[str, str, int, str]:
    return endpoint.host, endpoint.address, endpoint.port, endpoint.service


def _of_endpoint(before: EndpointFacts | None, after: EndpointFacts) -> Iterator[Drift]:
    if before is None or {before.reach, after.reach} != {"open"}:
        return
    host, address, port, service = _place(after.endpoint)
    for what, name, old, new in _differences(_wire(before, after), _wire(after, before)):
        yield Drift(
            host=host,
            address=address,
            port=port,
            service=service,
            what=what,
            name=name,
            before=old,
            after=new,
        )


def _of_host(before: HostFacts | None, after: HostFacts) -> Iterator[Drift]:
    if before is None or not (before.reached and after.reached):
        return
    old_aspects = _inside(before) | _settings(before, after)
    new_aspects = _inside(after) | _settings(after, before)
    for what, name, old, new in _differences(old_aspects, new_aspects):
        yield Drift(host=after.host, what=what, name=name, before=old, after=new)


def _of_domain(before: DomainFacts | None, after: DomainFacts) -> Iterator[Drift]:
    if before is None:
        return
    for what, name, old, new in _differences(dict(aspects(before)), dict(aspects(after))):
        yield Drift(host=after.domain, what=what, name=name, before=old, after=new)


def _differences(before: Aspects, after: Aspects) -> Iterator[tuple[What, str, str, str]]:
    for (what, name), new in after.items():
        old = before.get((what, name), new)
        if old != new:
            yield what, name, old, new


def _wire(facts: EndpointFacts, other: EndpointFacts) -> Aspects:
    """What the wire told.

    The order is that of the suites that both nights have: one that came or went is no other order.
    """
    told: Aspects = {}
    for chain in facts.chains:
        leaf, *above = chain
        told["certificate", leaf.key_type] = (
            f"{leaf.subject} until {leaf.not_after:%Y-%m-%d}, SHA-256 {leaf.fingerprint}"
        )
        told["chain", leaf.key_type] = _joined(c.fingerprint for c in above)
    for version, names in facts.suites.items():
        shared = {*other.suites.get(version, ())}
        told["suites", version] = _joined(sorted(names))
        whose = facts.preference.get(version, "unknown")
        if whose == "server":
            told["order", version] = _joined(n for n in names if n in shared)
        elif whose == "client":
            told["order", version] = "the client's"
    told |= {("groups", version): _joined(names) for version, names in facts.groups.items()}
    if facts.dh_primes is not None:
        told["primes", "Diffie-Hellman"] = _joined(map(_prime, facts.dh_primes))
    seen: dict[tuple[What, str], str] = {("version", v): o.seen for v, o in facts.protocols.items()}
    seen |= {("behaviour", name): o.seen for name, o in facts.behaviours.items()}
    seen["behaviour", "compression"] = facts.compression.seen
    if plain := facts.plaintext:
        seen["clear text", "STARTTLS"] = plain.starttls
        seen["clear text", "a login"] = plain.login
        told["clear text", "logins offered"] = _joined(plain.auth_offered)
    return told | {aspect: value for aspect, value in seen.items() if value not in _UNTOLD}


def _inside(facts: HostFacts) -> Aspects:
    """What the host told; processes come and go, so they count by the program that they run."""
    told: Aspects = {("program", daemon): words for daemon, words in facts.reports.items()}
    told |= {("file", f.path): f"{f.mode:04o} {f.owner}:{f.group}" for f in facts.files}
    told |= {("package", path): package for path, package in facts.owners.items()}
    told |= {("library", f"version of {path}"): v for path, v in facts.versions.items()}
    if facts.system:
        told["system", ""] = facts.system
    mapped: dict[str, set[str]] = {}
    digests: dict[str, set[str]] = {}
    for process in facts.processes:
        mapped.setdefault(process.name, set()).update(process.libraries)
        for path, digest in process.digests.items():
            digests.setdefault(path, set()).add(digest)
    told |= {("library", f"mapped by {name}"): _joined(sorted(p)) for name, p in mapped.items()}
    return told | {("library", path): _joined(sorted(d)) for path, d in digests.items()}


def _settings(facts: HostFacts, other: HostFacts) -> Aspects:
    """The configuration as it was read back, of the daemons that both nights told something of."""
    told: Aspects = {}
    for part in (_options, _openssl_cnf):
        ours, theirs = part(facts), part(other)
        for daemon in ours.keys() & theirs.keys():
            for name in ours[daemon] | theirs[daemon]:
                told["setting", f"{daemon} {name}"] = ours[daemon].get(name, UNSET)
    return told


def _options(facts: HostFacts) -> dict[str, dict[str, str]]:
    """By daemon; the rules of syslog have no names and are told together."""
    options = {daemon: dict(options) for daemon, options in facts.options.items() if options}
    if rules := options.get("syslog"):
        options["syslog"] = {"rules": "; ".join(rules.values())}
    return options


def _openssl_cnf(facts: HostFacts) -> dict[str, dict[str, str]]:
    """By daemon, each line of its openssl.cnf that is no comment, under its section."""
    return {daemon: dict(_lines(text)) for daemon, text in facts.library_settings.items() if text}


def _lines(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in text.splitlines():
        name, sign, value = (word.strip() for word in line.partition("="))
        if name.startswith("["):
            section = name
        elif sign and not name.startswith("#"):
            yield f"openssl.cnf {section} {name}", value


def _prime(prime: int) -> str:
    return prime_name(prime) or f"a prime of its own ({prime.bit_length()} bits)"


def _joined(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"

"""What is published of a mail domain, by what it is about: for `audit.drift`. Pure."""

from collections.abc import Iterator
from typing import Literal

from audit.facts import Answer, DomainFacts, Fetched

DomainWhat = Literal["MX", "address", "DNSSEC", "TLSA", "MTA-STS", "TLS reports"]
Told = tuple[tuple[DomainWhat, str], str]


def aspects(facts: DomainFacts) -> Iterator[Told]:
    """What could be told; what a resolver or a web server did not say is none of it."""
    yield from _answered("MX", "", facts.mx)
    for host in facts.hosts:
        for one in host.addresses:
            yield from _answered("address", f"{one.kind} of {host.host}", one)
        yield from _answered("TLSA", host.host, host.tlsa)
    yield from _answered("MTA-STS", "record", facts.sts)
    yield from _answered("TLS reports", "", facts.tlsrpt)
    if facts.policy is not None and not facts.policy.doubt:
        yield ("MTA-STS", "policy"), _policy(facts.policy)


def _answered(what: DomainWhat, name: str, answer: Answer | None) -> Iterator[Told]:
    """The records in an order of their own, and what they are worth."""
    if answer is None or answer.outcome == "failed":
        return
    yield (what, name), ", ".join(sorted(answer.records)) or "none"
    if answer.records and answer.security != "untold":
        yield ("DNSSEC", str(answer)), answer.security


def _policy(policy: Fetched) -> str:
    if policy.fault:
        return policy.fault
    lines = policy.body.decode("utf-8", "backslashreplace").splitlines()
    return f"HTTP status {policy.status}: {'; '.join(lines)}"

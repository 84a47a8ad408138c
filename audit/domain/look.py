"""A look at a mail domain: which questions are asked, in which order."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from itertools import islice
from typing import TypeVar

from msgspec.structs import replace

from audit.domain import policy_host
from audit.domain.resolver import Resolver
from audit.facts import (
    Answer,
    DomainFacts,
    EndpointFacts,
    Fetched,
    Greeted,
    Kind,
    MxFacts,
    Reverse,
    Tlsa,
)
from audit.names import is_address, is_host_name
from audit.wire import mta_sts

PORT = 25
# A domain may name as many as it likes; who has more than these is told so.
_MOST_HOSTS = 16
_MOST_ADDRESSES = 8
_MOST_NAMES = 4
_AT_ONCE = 8

T = TypeVar("T")
R = TypeVar("R")


class Look:
    """Looks at domains through one resolver, and at their policies by these roots."""

    def __init__(self, resolver: Resolver, trusted: Callable[[], tuple[bytes, ...]]) -> None:
        """Take both; *trusted* gives the roots once they are wanted."""
        self._resolver, self._trusted = resolver, trusted

    def at(self, domain: str) -> DomainFacts:
        """All that DNS and the policy host say; whatever goes wrong is in it."""
        self._resolver.begin()
        questions: list[tuple[str, Kind]] = [
            (domain, "MX"),
            (f"_mta-sts.{domain}", "TXT"),
            (f"_smtp._tls.{domain}", "TXT"),
        ]
        mx, sts, tlsrpt = _many(lambda question: self._resolver.ask(*question), questions)
        facts = DomainFacts(domain, mx, sts=sts, tlsrpt=tlsrpt)
        if facts.null or mx.outcome in ("failed", "no-name"):
            return facts
        named = [_mx(record) for record in mx.records] or [MxFacts(domain)]
        hosts = tuple(_many(self._host, named[:_MOST_HOSTS]))
        own = mx.outcome == "none"
        if own and not any(answer.records for answer in hosts[0].addresses):
            hosts = hosts if any(a.outcome == "failed" for a in hosts[0].addresses) else ()
        policy = self.policy(domain) if mta_sts.announced(sts.records) else None
        unseen = max(0, len(named) - _MOST_HOSTS)
        return replace(facts, hosts=hosts, unseen=unseen, own=own, policy=policy)

    def greeted(
        self, facts: DomainFacts, seen: Mapping[tuple[str, str], EndpointFacts]
    ) -> DomainFacts:
        """The same, with what its servers call themselves; *seen* is by host and address."""
        self._resolver.begin()

        def told(host: MxFacts) -> MxFacts:
            names = {
                address: greeting_name(found.plaintext.greeting)
                for (name, address), found in seen.items()
                if name == host.host and found.plaintext
            }
            return replace(host, greeted={a: self._greeted(n) for a, n in names.items()})

        return replace(facts, hosts=tuple(_many(told, facts.hosts)))

    def policy(self, domain: str) -> Fetched:
        """What its policy host says; whatever goes wrong is in it."""
        host = policy_host.host_of(domain)
        answers = self._addresses(host)
        addresses = tuple(a for answer in answers for a in answer.records)[:_MOST_ADDRESSES]
        if addresses:
            return policy_host.fetch(host, addresses, self._trusted)
        url = f"https://{host}{policy_host.PATH}"
        if failed := next((a for a in answers if a.outcome == "failed"), None):
            return Fetched(url, doubt=f"{failed}: {failed.why}")
        return Fetched(url, fault=f"{host} has no address")

    def _host(self, mx: MxFacts) -> MxFacts:
        if fault := _fault(mx.host):
            return replace(mx, fault=fault)
        answers = tuple(self._addresses(mx.host))
        addresses = list(dict.fromkeys(a for answer in answers for a in answer.records))
        base, tlsa = self._tlsa(mx.host, answers)
        shown = addresses[:_MOST_ADDRESSES]
        return replace(
            mx,
            addresses=answers,
            unseen=len(addresses) - len(shown),
            base=base,
            tlsa=tlsa,
            records=tuple(_tlsa(record) for record in tlsa.records),
            reverse={address: self._reverse(address) for address in shown},
        )

    def _tlsa(self, host: str, addresses: Iterable[Answer]) -> tuple[str, Answer]:
        """At the end of the aliases first, then at the name itself (RFC 7672, section 2.2.2)."""
        ends = {answer.alias[-1] for answer in addresses if answer.alias}
        for base in (*sorted(ends), host):
            answer = self._resolver.ask(f"_{PORT}._tcp.{base}", "TLSA")
            if answer.records or answer.outcome == "failed" or base == host:
                return base, answer
        raise AssertionError(host)  # the last one is the host

    def _reverse(self, address: str) -> Reverse:
        pointers = self._resolver.ask(ip_address(address).reverse_pointer, "PTR")
        kind: Kind = "AAAA" if ":" in address else "A"
        names = islice(filter(is_host_name, pointers.records), _MOST_NAMES)
        return Reverse(pointers, tuple(self._resolver.ask(one, kind) for one in names))

    def _greeted(self, name: str) -> Greeted:
        return Greeted(name, tuple(self._addresses(name)) if is_host_name(name) else ())

    def _addresses(self, name: str) -> tuple[Answer, Answer]:
        return self._resolver.ask(name, "A"), self._resolver.ask(name, "AAAA")


def _many(act: Callable[[T], R], items: Iterable[T]) -> list[R]:
    pool = ThreadPoolExecutor(_AT_ONCE, "domain")
    try:
        return list(pool.map(act, items))
    finally:  # somebody may have pressed Ctrl-C, and waits for nothing
        pool.shutdown(wait=False, cancel_futures=True)


def greeting_name(greeting: str) -> str:
    """The name in a greeting such as `220 mx.example.org ESMTP`; empty if there is none."""
    words = greeting[4:].split()
    return words[0].rstrip(".").lower() if words else ""


def _mx(record: str) -> MxFacts:
    preference, _, host = record.partition(" ")
    return MxFacts(host, int(preference))


def _fault(host: str) -> str:
    if host == ".":
        return "says that there is no mail here, beside others that say there is (RFC 7505)"
    if is_address(host):
        return "is an address"
    return "" if is_host_name(host) else "is no name of a host"


def _tlsa(record: str) -> Tlsa:
    usage, selector, matching, *data = record.split(" ")
    return Tlsa(int(usage), int(selector), int(matching), bytes.fromhex("".join(data)))

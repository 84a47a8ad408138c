"""What a client gets from one endpoint that was seen: foreseen, with what cannot be told. Pure."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from audit.clients.model import Client
from audit.errors import MailsealError
from audit.facts import EndpointFacts, HostFacts
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, OPENSSL_3_5, Manners
from audit.forecast.negotiate import NO_SIGNATURE, Agreed
from audit.forecast.outcome import Untold, fate
from audit.forecast.server import Server, from_facts, strange
from audit.iana import VERSIONS, Version
from audit.policy.compile.reported import target
from audit.prospect.places import Rule
from audit.wire.offer import Offer

Result = Literal["tls", "plain", "fails", "unknown"]
# The mail daemon of each host; empty for none.
Daemons = Mapping[str, Literal["cyrus", "exim", ""]]


class Fate(Struct, frozen=True, omit_defaults=True):
    """What a client gets at a place.

    Attributes:
        result: "tls"; "plain" if it sends in clear then; "fails"; "unknown" if what was seen of
            the server, or what the client offers, does not tell.
        version, suite, group: what is negotiated; None without TLS.
        why: why it is not "tls".
    """

    result: Result
    version: Version | None = None
    suite: str | None = None
    group: str | None = None
    why: str = ""

    def __str__(self) -> str:
        """In words: TLSv1.3 TLS_AES_256_GCM_SHA384 X25519."""
        if self.result == "tls":
            return " ".join(filter(None, (self.version, self.suite, self.group)))
        words = {"plain": "in plain text", "fails": "cannot connect", "unknown": "cannot be told"}
        return f"{words[self.result]}: {self.why}"


def manners(reports: Mapping[str, HostFacts], daemons: Daemons, host: str) -> Manners:
    """The habits of the library that a host says it has; OpenSSL's where it says nothing."""
    facts, daemon = reports.get(host), daemons.get(host)
    report = facts.reports.get(daemon, "") if facts and daemon else ""
    try:
        found = target(daemon or "cyrus", report, {}, ())
    except MailsealError:
        return OPENSSL_3_0
    if found.kind == "exim-gnutls":
        return GNUTLS_3_7
    return OPENSSL_3_5 if found.library >= OPENSSL_3_5.openssl else OPENSSL_3_0


def foreseen(
    client: Client, offer: Offer, facts: EndpointFacts, rule: Rule, habits: Manners
) -> Fate:
    """What a client gets from a server that does what it was seen to do."""
    if facts.reach != "open":
        return Fate("unknown", why=f"the server was not reached ({facts.reach})")
    server = from_facts(facts, habits)
    found = fate(client, offer, server)
    if isinstance(found, Agreed):
        group = found.group.name if found.group else None
        return Fate("tls", found.version, found.suite.name, group)
    if isinstance(found, Untold):
        return Fate("unknown", why=found.why)
    if doubt := _doubt(client, offer, facts, server, found.why):
        return Fate("unknown", why=doubt)
    optional = rule.profile is None or rule.profile.tls == "offered"
    return Fate("plain" if rule.traffic == "mx" and optional else "fails", why=found.why)


def _doubt(client: Client, offer: Offer, facts: EndpointFacts, server: Server, why: str) -> str:
    """Why a refusal is not certain; empty if it is."""
    oldest = VERSIONS.index(client.oldest) if client.oldest else 0
    able = [v for v in offer.versions if VERSIONS.index(v) >= oldest]
    doubts = (_version_doubt(facts, version) for version in able)
    if doubt := next(filter(None, doubts), ""):
        return doubt
    if "group" in why and not all(server.groups[v] for v in able if v in server.versions):
        return "its groups could not be told"
    return _signing_doubt(facts, server, why)


def _version_doubt(facts: EndpointFacts, version: Version) -> str:
    tried, rest = facts.protocols.get(version), facts.rest.get(version)
    if tried is None or tried.seen == "inconclusive":
        return f"whether it has {version} could not be told"
    if tried.seen == "accepted" and (rest is None or rest.seen == "inconclusive"):
        return f"whether it has more suites of {version} could not be told"
    names = strange(facts, version) if tried.seen == "accepted" else ()
    return f"it has {', '.join(names)}, which this edition does not know" if names else ""


def _signing_doubt(facts: EndpointFacts, server: Server, why: str) -> str:
    # A suite that was chosen has a certificate, so who needs one that was not seen may be served.
    unseen = facts.bad_chains or len(server.keys) < max(1, len(facts.chains))
    signed = "certificate" in why or NO_SIGNATURE in why
    if "need a certificate" in why or (signed and unseen):
        return "which certificates it has could not be told"
    sha1 = facts.behaviours.get("sha1-signature")
    if NO_SIGNATURE in why and (sha1 is None or sha1.seen == "inconclusive"):
        return "whether it signs with SHA-1 could not be told"
    return ""

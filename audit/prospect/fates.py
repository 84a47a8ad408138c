"""What becomes of each recorded client: foreseen from what the servers showed, before and after."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, get_args

from msgspec import Struct

from audit.clients.model import Client, Use
from audit.errors import MailsealError
from audit.facts import EndpointFacts, HostFacts
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, OPENSSL_3_5, Manners
from audit.forecast.negotiate import NO_SIGNATURE, Agreed
from audit.forecast.outcome import Untold, fate
from audit.forecast.server import from_facts
from audit.iana import VERSIONS, Version
from audit.policy.compile.reported import target
from audit.prospect.places import Rule, Scene
from audit.wire.offer import Offer

Result = Literal["tls", "plain", "fails", "unknown"]
Kind = Literal["lost", "clear", "unknown", "won", "other", "same", "never"]
# The worst of several endpoints counts: a client does not choose where it is led.
_WORST: tuple[Result, ...] = ("fails", "unknown", "plain", "tls")
_KINDS: Mapping[tuple[Result, Result], Kind] = {
    ("tls", "fails"): "lost",
    ("plain", "fails"): "lost",
    ("tls", "plain"): "clear",
    ("plain", "plain"): "same",
    ("fails", "fails"): "never",
    ("fails", "tls"): "won",
    ("fails", "plain"): "won",
    ("plain", "tls"): "won",
    # Whoever is served afterwards has lost nothing, whatever was before.
    ("unknown", "tls"): "same",
}
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


_CLOSED = Fate("fails", why="nothing is served there any more")


class Turn(Struct, frozen=True, kw_only=True):
    """One client at the places where it fares alike.

    Attributes:
        client: its name (`mailseal clients` lists them).
        title: for people.
        kind: lost, it could connect and cannot any more; clear, it goes on without TLS; unknown,
            it could not be told; won; other, it gets another suite, version or group; same;
            never, it could not before either.
        made: "recorded", or "modelled" on another client.
        models: the client that a modelled one stands for.
        use: what it does there.
        places: where: "imap 993".
        before, after: what it gets.
        announced: the loss was allowed for.
    """

    client: str
    title: str
    kind: Kind
    made: Literal["recorded", "modelled"]
    models: str
    use: Use
    places: tuple[str, ...]
    before: Fate
    after: Fate
    announced: bool = False


def turns(
    known: Sequence[tuple[Client, Offer]], before: Scene, after: Scene, daemons: Daemons
) -> tuple[Turn, ...]:
    """What becomes of every client at the places that were served before; the worst first.

    Args:
        known: the clients.
        before: what was seen then.
        after: what was seen with the candidate.
        daemons: the mail daemon of each host.
    """
    old, new = before.at(), after.at()
    alike: dict[tuple[str, Use, Fate, Fate], list[str]] = {}
    clients = {client.id: client for client, _ in known}
    for (client, offer), (place, ends) in product(known, old.items()):
        for use in client.uses:
            if use == before.rule(ends[0]).traffic:
                was = _worst(before, ends, client, offer, daemons)
                later = new.get(place)
                now = _worst(after, later, client, offer, daemons) if later else _CLOSED
                alike.setdefault((client.id, use, was, now), []).append(str(place))
    found = [
        _turn(clients[name], use, tuple(places), was, now)
        for (name, use, was, now), places in alike.items()
    ]
    return tuple(sorted(found, key=lambda t: (get_args(Kind).index(t.kind), t.use, t.client)))


def _turn(client: Client, use: Use, places: tuple[str, ...], was: Fate, now: Fate) -> Turn:
    return Turn(
        client=client.id,
        title=client.title,
        kind=kind(was, now),
        made=client.kind,
        models=client.models,
        use=use,
        places=places,
        before=was,
        after=now,
    )


def kind(before: Fate, after: Fate) -> Kind:
    """What the difference means."""
    if before.result == after.result == "tls":
        return "same" if before == after else "other"
    return _KINDS.get((before.result, after.result), "unknown")


def _worst(
    scene: Scene, ends: Sequence[EndpointFacts], client: Client, offer: Offer, daemons: Daemons
) -> Fate:
    reports = {facts.host: facts for facts in scene.run.hosts}
    found = [
        foreseen(client, offer, one, scene.rule(one), manners(reports, daemons, one.endpoint.host))
        for one in ends
    ]
    return min(found, key=lambda one: _WORST.index(one.result))


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
    found = fate(client, offer, from_facts(facts, habits))
    if isinstance(found, Agreed):
        group = found.group.name if found.group else None
        return Fate("tls", found.version, found.suite.name, group)
    if isinstance(found, Untold):
        return Fate("unknown", why=found.why)
    if doubt := _doubt(client, offer, facts, found.why):
        return Fate("unknown", why=doubt)
    optional = rule.profile is None or rule.profile.tls == "offered"
    return Fate("plain" if rule.traffic == "mx" and optional else "fails", why=found.why)


def _doubt(client: Client, offer: Offer, facts: EndpointFacts, why: str) -> str:
    """Why a refusal is not certain; empty if it is."""
    oldest = VERSIONS.index(client.oldest) if client.oldest else 0
    for version in (v for v in offer.versions if VERSIONS.index(v) >= oldest):
        for what, seen in (("", facts.protocols), ("suites of ", facts.rest)):
            if version in seen and seen[version].seen == "inconclusive":
                return f"whether it has more {what}{version} could not be told"
    if "group" in why and not any(facts.groups.values()):
        return "its groups could not be told"
    sha1 = facts.behaviours.get("sha1-signature")
    if NO_SIGNATURE in why and (sha1 is None or sha1.seen == "inconclusive"):
        return "whether it signs with SHA-1 could not be told"
    return ""

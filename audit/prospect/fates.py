"""What becomes of each recorded client: foreseen from what the servers showed, before and after."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, get_args

from msgspec import Struct

from audit.clients.model import Client, Use
from audit.facts import Endpoint, EndpointFacts
from audit.prospect.facing import facing
from audit.prospect.foresight import Daemons, Fate, Result, foreseen, manners
from audit.prospect.places import Scene
from audit.wire.offer import Offer

Kind = Literal["lost", "clear", "unknown", "won", "other", "same", "never"]
# The worst of several endpoints counts: a client does not choose where it is led. Who is served
# on one of them now, and on another still is not, has won nothing.
_WORST: tuple[Kind, ...] = ("lost", "clear", "unknown", "never", "won", "other", "same")
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
    old, new, still = before.by_traffic(), after.by_traffic(), after.at()
    alike: dict[tuple[str, Use, Fate, Fate], list[str]] = {}
    clients = {client.id: client for client, _ in known}
    for (place, traffic), ends in old.items():
        later = new.get((place, traffic), [])
        sides = list(facing((e.endpoint for e in ends), (e.endpoint for e in later)))
        what = f"no {traffic}" if place in still else "nothing"
        closed = Fate("fails", why=f"{what} is served there any more")
        for (client, offer), use in ((one, use) for one in known for use in one[0].uses):
            if use == traffic:
                was = _fates(before, ends, client, offer, daemons)
                now = _fates(after, later, client, offer, daemons)
                key = (client.id, use, *_worst(sides, was, now, closed))
                alike.setdefault(key, []).append(str(place))
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


def _fates(
    scene: Scene, ends: Sequence[EndpointFacts], client: Client, offer: Offer, daemons: Daemons
) -> dict[Endpoint, Fate]:
    reports = {facts.host: facts for facts in scene.run.hosts}
    return {
        one.endpoint: foreseen(
            client, offer, one, scene.rule(one), manners(reports, daemons, one.endpoint.host)
        )
        for one in ends
    }


def _worst(
    sides: Sequence[tuple[Sequence[Endpoint], Sequence[Endpoint]]],
    was: Mapping[Endpoint, Fate],
    now: Mapping[Endpoint, Fate],
    closed: Fate,
) -> tuple[Fate, Fate]:
    """The worst that may befall a client: what it got on one endpoint, and gets on that later."""
    pairs = (
        (was[one], now[other] if other else closed)
        for before, after in sides
        for one, other in product(before, after or (None,))
    )
    return min(pairs, key=lambda pair: _WORST.index(kind(*pair)))

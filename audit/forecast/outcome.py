"""What each recorded client would get under each policy: pure, as data."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from audit.clients.model import Client, Use
from audit.forecast.manners import Manners
from audit.forecast.negotiate import Agreed, Refused, negotiate
from audit.forecast.server import Key, Server, from_profile
from audit.iana import VERSIONS, Version
from audit.policy.model import KEY_TYPES, KeyType, Policy, Profile
from audit.wire.offer import Offer

Result = Literal["tls", "plain", "fails", "unknown"]
USES: tuple[Use, ...] = ("access", "submission", "mx")


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What one client gets for one kind of traffic under one policy.

    Attributes:
        use: the kind of traffic.
        policy: the id of the policy.
        result: "tls"; "plain" if the client then sends in clear and the server takes it; "fails"
            if it cannot connect, or cannot deliver; "unknown" if no hello tells.
        version, suite: what is negotiated; None without TLS.
        group: the group for the key exchange; None without one.
        retried: the server asks for another key share first (HelloRetryRequest).
        why: why there is no TLS, or why nobody can tell.
    """

    use: Use
    policy: str
    result: Result
    version: Version | None = None
    suite: str | None = None
    group: str | None = None
    retried: bool = False
    why: str = ""


class Forecast(Struct, frozen=True, kw_only=True):
    """One client, and what it gets; outcomes by policy, then by kind of traffic.

    Attributes:
        id, title: its name, for programs and for people.
        kind: "recorded", or "modelled" on another client.
        models: the client that a modelled one stands for.
        made: how it was recorded.
        recorded: the day.
        uses: the kinds of traffic it is used for.
        outcomes: one for each use and policy that has a word about it.
    """

    id: str
    title: str
    kind: Literal["recorded", "modelled"]
    models: str
    made: str
    recorded: date
    uses: tuple[Use, ...]
    outcomes: tuple[Outcome, ...] = ()


class Forecasts(Struct, frozen=True, kw_only=True):
    """What `mailseal clients --json` says.

    Attributes:
        day: the day whose levels count.
        policies: the ids of the policies, in the order asked for.
        library: whose habits the server has.
        certificates: the kinds of certificate it has.
        clients: the clients.
    """

    schema: Literal["mailseal/clients/1"] = "mailseal/clients/1"
    day: date
    policies: tuple[str, ...] = ()
    library: str = ""
    certificates: tuple[KeyType, ...] = ()
    clients: tuple[Forecast, ...]


class Untold(Struct, frozen=True):
    """A handshake that a client goes on with or ends, which its hello does not say."""

    why: str


def fate(client: Client, offer: Offer, server: Server) -> Agreed | Refused | Untold:
    """What a client comes to, with what its hello does not say."""
    found = negotiate(offer, server)
    if isinstance(found, Refused):
        return found
    if client.oldest and VERSIONS.index(found.version) < VERSIONS.index(client.oldest):
        return Refused(
            f"{found.version} would be chosen, and it completes none before {client.oldest}"
        )
    return _minding(found, offer, server) or found


def _minding(found: Agreed, offer: Offer, server: Server) -> Untold | None:
    """Whether it is given an ECDSA certificate on a curve that it does not name.

    OpenSSL's clients end the handshake then, others may not (RFC 8422, section 5.3).
    """
    ecdsa = found.suite.authentication == "ECDSA" and found.version != "TLSv1.3"
    if not ecdsa or server.manners.own_curve or offer.groups is None:
        return None
    curves = {key.curve for key in server.keys if key.kind == "ecdsa"}
    if curves & {one.name for one in offer.groups}:
        return None
    named = " or ".join(sorted(curves))
    return Untold(
        f"the server's ECDSA certificate is on {named}, which it does not name: it may mind"
    )


def outcome(found: Agreed | Refused | Untold, use: Use, policy: str, profile: Profile) -> Outcome:
    """What that means for mail."""
    if isinstance(found, Untold):
        return Outcome(use, policy, "unknown", why=found.why)
    if isinstance(found, Refused):
        plain = use == "mx" and profile.tls == "offered"
        return Outcome(use, policy, "plain" if plain else "fails", why=found.why)
    group = None if found.group is None else found.group.name
    return Outcome(
        use, policy, "tls", found.version, found.suite.name, group, retried=found.retried
    )


def certificates(profile: Profile) -> tuple[KeyType, ...]:
    """The kinds of certificate that a profile has a use for."""
    sizes, curves = profile.certificate.rsa_sizes, profile.certificate.curves
    return tuple(k for k in KEY_TYPES if (sizes if k == "rsa" else curves))


def forecast(
    known: Iterable[tuple[Client, Offer]],
    policies: Sequence[Policy],
    having: Mapping[KeyType, Key],
    manners: Manners,
    day: date,
) -> Forecasts:
    """What every client gets; *having* are the server's keys, as far as a policy allows them."""
    servers: list[tuple[str, Use, Profile, Server]] = []
    for policy, use in product(policies, USES):
        if (profile := policy.profiles.get(use)) is not None:
            able = tuple(having[k] for k in certificates(profile) if k in having)
            servers.append((policy.id, use, profile, from_profile(profile, day, able, manners)))
    return Forecasts(
        day=day,
        policies=tuple(policy.id for policy in policies),
        library=manners.id if policies else "",
        certificates=tuple(having) if policies else (),
        clients=tuple(
            replace(
                described(client),
                outcomes=tuple(
                    outcome(fate(client, offer, server), use, policy, profile)
                    for policy, use, profile, server in servers
                    if use in client.uses
                ),
            )
            for client, offer in known
        ),
    )


def described(client: Client) -> Forecast:
    """A client with nothing forecast."""
    return Forecast(
        id=client.id,
        title=client.title,
        kind=client.kind,
        models=client.models,
        made=client.made,
        recorded=client.date,
        uses=client.uses,
    )

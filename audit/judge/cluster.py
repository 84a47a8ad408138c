"""Several endpoints that should be alike, and what one of them gives away of another."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, takewhile

from audit.facts import Endpoint, EndpointFacts
from audit.judge.case import ClusterCase, ClusterJudge, Judgement

_LONGEST = 160  # characters of one side of a difference
_BETWEEN = ", "  # the names of a list
_UNTOLD = ("inconclusive", "unknown")


def alike(case: ClusterCase) -> Judgement:
    """All answer alike, whatever address or node a client comes to."""
    expected = "the same answers everywhere"
    able = [f for f in case.facts if f.reach == "open"]
    if len(able) < len(case.facts):
        silent = ", ".join(str(f.endpoint) for f in case.facts if f.reach != "open")
        return Judgement("inconclusive", f"could not be compared with {silent}", expected)
    names = sorted({name for f in able for name in _aspects(f)})
    differences = [words for name in names if (words := _difference(name, able))]
    if differences:
        return Judgement("fail", "; ".join(differences), expected, _places(able))
    if untold := [words for name in names if (words := _untold(name, able))]:
        return Judgement("inconclusive", f"could not be told: {'; '.join(untold)}", expected)
    return Judgement("pass", expected, expected, _places(able))


def _aspects(facts: EndpointFacts) -> dict[str, str]:
    """What is compared, in words; what could not be told is left out."""
    aspects: dict[str, str] = {v: o.seen for v, o in facts.protocols.items()}
    told = {v for v, rest in facts.rest.items() if rest.seen not in _UNTOLD}
    aspects |= {f"{v} suites": _BETWEEN.join(s) for v, s in facts.suites.items() if v in told}
    aspects |= {f"{v} order": whose for v, whose in facts.preference.items()}
    aspects |= {f"{v} groups": _BETWEEN.join(g) for v, g in facts.groups.items()}
    aspects |= {behaviour: o.seen for behaviour, o in facts.behaviours.items()}
    aspects["compression"] = facts.compression.seen
    if plain := facts.plaintext:
        aspects["STARTTLS"] = plain.starttls
        aspects["logins in clear"] = ", ".join(plain.auth_offered) or "none"
        aspects["a login in clear"] = plain.login
    return {name: value for name, value in aspects.items() if value not in _UNTOLD}


def _difference(name: str, facts: list[EndpointFacts]) -> str:
    """Both sides of a difference, the rarer first; empty if there is none."""
    sides: dict[str, list[Endpoint]] = {}
    for one in facts:
        if (value := _aspects(one).get(name)) is not None:
            sides.setdefault(value, []).append(one.endpoint)
    if len(sides) < 2:  # noqa: PLR2004 - a difference takes two
        return ""
    rarest = sorted(sides.items(), key=lambda side: len(side[1]))
    begins = _common(*sides)
    words = [f"{_cut(value, begins)} on {_short(places)}" for value, places in rarest]
    return f"{name}: {', but '.join(words)}"


def _common(*values: str) -> int:
    """How many names all of these lists begin with."""
    columns = zip(*(value.split(_BETWEEN) for value in values), strict=False)
    return len(list(takewhile(lambda column: len(set(column)) == 1, columns)))


def _untold(name: str, facts: list[EndpointFacts]) -> str:
    """Where it could not be told what others show; empty if it could everywhere."""
    places = [one.endpoint for one in facts if name not in _aspects(one)]
    return f"{name} on {_short(places)}" if places else ""


def same_certificate(case: ClusterCase) -> Judgement:
    """One name, one certificate for each kind of key, on every port and node."""
    expected = "the same certificate everywhere"
    seen: dict[str, dict[str, list[Endpoint]]] = {}
    for facts in case.facts:
        for chain in facts.chains:
            sides = seen.setdefault(chain[0].key_type, {})
            sides.setdefault(chain[0].fingerprint, []).append(facts.endpoint)
    blind = [str(f.endpoint) for f in case.facts if not f.chains]
    wrong = [f"{kind}: {_sides(sides)}" for kind, sides in seen.items() if len(sides) > 1]
    evidence = "; ".join(f"{kind} {f}" for kind, sides in seen.items() for f in sides)
    if wrong:
        return Judgement("fail", "; ".join(wrong), expected, evidence)
    if blind:
        words = f"no certificate was seen on {', '.join(blind)}"
        return Judgement("inconclusive", words, expected, evidence)
    return Judgement("pass", expected, expected, evidence)


def _sides(sides: Mapping[str, list[Endpoint]]) -> str:
    rarest = sorted(sides.items(), key=lambda side: len(side[1]))
    return ", but ".join(f"{print_[:16]}… on {_short(places)}" for print_, places in rarest)


def key_reuse(case: ClusterCase) -> Judgement:
    """No key serves two names on different machines; two names of one machine may share it."""
    expected = "a key of its own for each name"
    users: dict[str, dict[str, set[str]]] = {}
    for facts in case.facts:
        at = facts.endpoint
        for chain in facts.chains:
            names = users.setdefault(chain[0].key, {})
            names.setdefault(at.name or at.host, set()).add(at.address)
    shared = [
        f"{key[:16]}… serves {', '.join(sorted(names))}"
        for key, names in users.items()
        if any(one.isdisjoint(other) for one, other in combinations(names.values(), 2))
    ]
    if shared:
        return Judgement("fail", "; ".join(shared), expected)
    if blind := [str(f.endpoint) for f in case.facts if not f.chains]:
        words = f"no certificate was seen on {', '.join(blind)}"
        return Judgement("inconclusive", words, expected)
    return Judgement("pass", expected, expected, f"{len(users)} keys")


def drown(case: ClusterCase) -> Judgement:
    """No key that TLS relies on is served with SSLv2 anywhere (DROWN)."""
    expected = "no key that SSLv2 gives away"
    weak = {
        chain[0].key: facts.endpoint
        for facts in case.facts
        if (seen := facts.protocols.get("SSLv2")) and seen.seen == "accepted"
        for chain in facts.chains
    }
    hurt = [
        f"{facts.endpoint} shares its key with {weak[chain[0].key]}, which speaks SSLv2"
        for facts in case.facts
        for chain in facts.chains
        if chain[0].key in weak and weak[chain[0].key] != facts.endpoint
    ]
    if weak:
        words = "; ".join(hurt) or f"{next(iter(weak.values()))} speaks SSLv2"
        return Judgement("fail", words, expected)
    if unsure := list(_unsure(case)):
        return Judgement("inconclusive", f"could not be told of {', '.join(unsure)}", expected)
    return Judgement("pass", expected, expected)


def _unsure(case: ClusterCase) -> Iterator[str]:
    for facts in case.facts:
        seen = facts.protocols.get("SSLv2")
        if seen is None or seen.seen == "inconclusive":
            yield str(facts.endpoint)


def _short(places: list[Endpoint]) -> str:
    """The places, or how many of them if they are many."""
    hosts = Counter(place.host for place in places)
    if len(places) <= 4:  # noqa: PLR2004 - a line
        return ", ".join(map(str, places))
    return f"{len(places)} others on {', '.join(hosts)}"


def _places(facts: list[EndpointFacts]) -> str:
    return ", ".join(str(f.endpoint) for f in facts)


def _cut(value: str, begins: int) -> str:
    """A list from where it differs on, if it is long."""
    if len(value) <= _LONGEST:
        return value
    text = _BETWEEN.join(value.split(_BETWEEN)[begins:]) or "no more"
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{begins} alike, then {shown}" if begins else shown


JUDGES: dict[str, ClusterJudge] = {
    "MT-FAMILY-ALIKE": alike,
    "MT-NODES-ALIKE": alike,
    "MT-CERT-SAME": same_certificate,
    "MT-KEY-REUSE": key_reuse,
    "MT-DROWN-KEY": drown,
}

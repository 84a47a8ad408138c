"""Versions, suites, their order, groups, compression: the policy against the ServerHellos."""

from collections.abc import Iterator, Sequence
from functools import partial

from msgspec.structs import replace

from audit.facts import Observation
from audit.iana import VERSIONS, Suite, Version, group, suite
from audit.iana.primes import prime_name
from audit.judge.case import EndpointCase, EndpointJudge, Judgement, undecided
from audit.judge.levels import Grade, grade, graded, grades, worst
from audit.policy.model import KEY_TYPES, KeyType, allowed, size_of


def version(case: EndpointCase, name: Version) -> Judgement:
    """One protocol version is served or refused as the profile says."""
    day = case.now.date()
    row = next((item for item in case.rules.versions if item.name == name), None)
    wanted = name in case.rules.allowed_versions(day)
    free = wanted and row is not None and not case.rules.demands(row)
    expected = f"{name} {'allowed' if free else 'accepted' if wanted else 'refused'}"
    seen = case.facts.protocols.get(name, Observation("inconclusive", "not tried"))
    if seen.seen == "inconclusive":
        return undecided(seen, expected)
    passes = free or (seen.seen == "accepted") == wanted
    observed, item = f"{name} {seen.seen}", f"versions: {name}"
    found = grades([name] if seen.seen == "accepted" else [], case.rules.versions, day)
    judgement = Judgement("pass" if passes else "fail", observed, expected, seen.evidence, item)
    return graded(judgement, found)


def cipher_set(case: EndpointCase) -> Judgement:
    """The policy's suites and no other; all that it demands, as far as the certificates allow."""
    wrong, unsure, seen, wanted = [], [], [], []
    found: list[Grade] = []
    for name in _served(case):
        want = _expected(case, name)
        have = [suite(s) for s in case.facts.suites[name]]
        extra = [s for s in have if s not in want]
        missing = [s for s in want if s not in have and s.name in _demanded(case)]
        wrong += [f"{name} accepts {_list(extra)}"] if extra else []
        rest = case.facts.rest.get(name, Observation("inconclusive"))
        if rest.seen == "refused":
            wrong += [f"{name} lacks {_list(missing)}"] if missing else []
        else:
            unsure.append(f"{name}: whether it accepts others could not be told")
        told = f" and perhaps others: {rest.evidence}" if rest.seen == "inconclusive" else ""
        seen.append(f"{name} {_list(have)}{told}")
        wanted.append(f"{name} {_of_them(case)}{_list(want)}")
        found += grades((s.name for s in have), case.rules.suites, case.now.date())
    judgement = _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "suites")
    return graded(judgement, found)


def cipher_order(case: EndpointCase) -> Judgement:
    """The order is the policy's: exactly, or by level, or it has no opinion."""
    wrong, unsure, seen, wanted = [], [], [], []
    by_level, rules = case.rules.order == "by-level", case.rules
    for name in _served(case):
        want = _expected(case, name)
        have = [s for s in map(suite, case.facts.suites[name]) if s in want]
        order = [s for s in want if s in have]
        if by_level:
            order = sorted(have, key=lambda s: s.name in _leaving(case))
        decides = case.facts.preference.get(name, "unknown")
        seen.append(f"{name} {decides} order")
        kind = "what is on phase-out last:" if by_level else f"{rules.preference} order"
        wanted.append(f"{name} {kind} {_list(order if by_level else want)}")
        whole = case.facts.rest.get(name, Observation("inconclusive")).seen == "refused"
        if whole and (len(case.facts.suites[name]) < 2 or _any_order(case, have)):  # noqa: PLR2004
            continue
        if not whole or decides == "unknown":
            unsure.append(f"{name}: the order could not be told")
        elif decides != ("server" if by_level else rules.preference):
            wrong.append(f"{name} follows the {decides}'s order")
        elif decides == "server" and have != order:
            wrong.append(f"{name} prefers {_list(have)}")
    return _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "suites")


def curves(case: EndpointCase) -> Judgement:
    """The policy's groups and no other; in its order where the order is exact."""
    wrong, unsure, seen, wanted = [], [], [], []
    rules, untold = case.rules, False
    found: list[Grade] = []
    for name in _asked_for_groups(case):
        if not any(_exchanges(s) for s in _expected(case, name)):
            continue
        want, demanded = _groups(case, name)
        have = case.facts.groups.get(name)
        if have is None:
            if name == "TLSv1.3" or _has_rsa_exchange(case, name):
                unsure.append(f"{name}: the groups could not be told")
            untold = True
            continue
        seen.append(f"{name} {', '.join(have)}")
        wanted.append(f"{name} {_of_them(case)}{', '.join(want)}")
        wrong += [f"{name} uses {g}" for g in have if g not in want]
        wrong += [f"{name} lacks {g}" for g in want if g not in have and g in demanded]
        found += grades(have, rules.groups, case.now.date())
        order = [g for g in want if g in have]
        ruled = rules.order == "exact" and rules.preference == "server"
        if ruled and [g for g in have if g in want] != order:
            wrong.append(f"{name} prefers {', '.join(have)}")
    if untold and not (wrong or unsure or seen):
        words = "TLS 1.2 tells its groups only beside a certificate with an RSA key"
        return Judgement("not-applicable", words, "the policy's groups", item="groups")
    judgement = _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "groups")
    return graded(judgement, found)


def dh_size(case: EndpointCase) -> Judgement:
    """The smallest Diffie-Hellman prime that was served is large enough, and a known one."""
    rules, bits, day = case.rules, case.facts.dh_bits, case.now.date()
    least = min((s.bits for s in rules.dh_sizes if s.level_on(day) != "insufficient"), default=0)
    expected = f"{least} bits or more"
    if bits is not None:
        seen = [grade(f"{bits} bits", size_of(rules.dh_sizes, bits), day)]
        small = worst(seen) == "insufficient"
        judgement = Judgement("fail" if small else "pass", f"{bits} bits", expected, item="dh_bits")
        judgement = graded(judgement, seen)
        return judgement if small or rules.dh_primes == "any" else _known_prime(case, judgement)
    if case.facts.suites and case.facts.dh_primes is not None:
        return Judgement("not-applicable", "no suite with DHE was chosen", expected)
    return Judgement("inconclusive", "could not be told", expected)


def _known_prime(case: EndpointCase, judgement: Judgement) -> Judgement:
    """The same, if the prime is one that the groups name."""
    primes = [prime_name(p) or "a prime of its own" for p in case.facts.dh_primes or ()]
    known = ", ".join(g for g in allowed(case.rules.groups, case.now.date()) if "ffdhe" in g)
    expected = f"{judgement.expected}, of {known or 'no prime'}"
    seen = grades(primes, case.rules.groups, case.now.date())
    bad = [g.what for g in seen if g.level == "insufficient"]
    if bad:
        words = f"uses {', '.join(bad)}"
        return Judgement("fail", words, expected, item="groups", level="insufficient")
    return graded(replace(judgement, expected=expected), seen)


def handshake(case: EndpointCase) -> Judgement:
    """OpenSSL comes to the end of a handshake, and the server has proven its key."""
    expected = "completed"
    seen = case.facts.handshake
    if seen.seen == "inconclusive":
        return undecided(seen, expected)
    if seen.seen == "accepted":
        return Judgement("pass", expected, expected, seen.evidence)
    return Judgement("fail", f"failed: {seen.evidence}", expected, seen.evidence)


def compression(case: EndpointCase) -> Judgement:
    """DEFLATE is not chosen when offered."""
    expected = "refused" if case.rules.compression == "forbidden" else "anything"
    seen = case.facts.compression
    if seen.seen == "inconclusive":
        return undecided(seen, expected)
    fails = seen.seen == "accepted" and case.rules.compression == "forbidden"
    return Judgement("fail" if fails else "pass", seen.seen, expected, seen.evidence, "compression")


def key_types(case: EndpointCase) -> tuple[KeyType, ...]:
    """The certificates that decide which suites can be served: as deployed, else as seen."""
    if case.planned.key_types is not None:
        return case.planned.key_types
    leaves = {chain[0].key_type for chain in case.facts.chains if chain}
    if leaves & {"ed25519", "ed448"}:  # RFC 8422, section 5.10: they sign the ECDSA suites
        leaves.add("ecdsa")
    return tuple(k for k in KEY_TYPES if k in leaves) or KEY_TYPES


def _served(case: EndpointCase) -> Iterator[Version]:
    """The versions of the policy that the endpoint accepts; the others have their own check."""
    for name in case.rules.allowed_versions(case.now.date()):
        if case.facts.suites.get(name):
            yield name


def _asked_for_groups(case: EndpointCase) -> list[Version]:
    """TLS 1.3, and the newest version before it that is served: the older have the same list."""
    served = [v for v in VERSIONS if case.facts.suites.get(v)]
    newest = [v for v in served if v != "TLSv1.3"][-1:]
    return [v for v in _served(case) if v in ("TLSv1.3", *newest)]


def _expected(case: EndpointCase, name: Version) -> tuple[Suite, ...]:
    day = case.now.date()
    if case.rules.bound == "exact":
        return case.rules.allowed_suites(name, day, key_types(case))
    # Whoever has a certificate for it may serve what an upper bound lists.
    named = map(suite, allowed(case.rules.suites, day))
    return tuple(s for s in named if s.usable_in(name))


def _demanded(case: EndpointCase) -> set[str]:
    return {i.name for i in (*case.rules.suites, *case.rules.groups) if case.rules.demands(i)}


def _of_them(case: EndpointCase) -> str:
    return "" if case.rules.bound == "exact" else "some of "


def _leaving(case: EndpointCase) -> set[str]:
    day = case.now.date()
    return {item.name for item in case.rules.suites if item.level_on(day) == "phase-out"}


def _any_order(case: EndpointCase, have: Sequence[Suite]) -> bool:
    """True if nothing can be wrong with the order of these suites."""
    if case.rules.order == "by-level":
        return len({s.name in _leaving(case) for s in have}) < 2  # noqa: PLR2004 - two kinds
    return "any" in (case.rules.order, case.rules.preference)


def _groups(case: EndpointCase, name: Version) -> tuple[list[str], set[str]]:
    known = [group(g) for g in allowed(case.rules.groups, case.now.date())]
    # Up to TLS 1.2 finite-field groups are no answer to the question for curves.
    want = [g.name for g in known if name == "TLSv1.3" or (g.tls12 and not g.finite_field)]
    return want, _demanded(case)


def _exchanges(found: Suite) -> bool:
    return found.tls13 or found.key_exchange == "ECDHE"


def _has_rsa_exchange(case: EndpointCase, name: Version) -> bool:
    have = map(suite, case.facts.suites[name])
    return any(s.key_exchange == "ECDHE" and s.authentication == "RSA" for s in have)


def _list(suites: Sequence[Suite]) -> str:
    return ", ".join(s.name for s in suites) or "none"


def _verdict(wrong: list[str], unsure: list[str], seen: str, wanted: str, item: str) -> Judgement:
    if wrong:
        return Judgement("fail", "; ".join(wrong), wanted, seen, item)
    if unsure or not seen:
        words = "; ".join(unsure) or "no handshake succeeds here in a version of the policy"
        return Judgement("inconclusive", words, wanted or "the policy's", seen, item)
    return Judgement("pass", "as expected", wanted, seen, item)


JUDGES: dict[str, EndpointJudge] = {
    "MT-SSL2": partial(version, name="SSLv2"),
    "MT-SSL3": partial(version, name="SSLv3"),
    "MT-TLS10": partial(version, name="TLSv1.0"),
    "MT-TLS11": partial(version, name="TLSv1.1"),
    "MT-TLS12": partial(version, name="TLSv1.2"),
    "MT-TLS13": partial(version, name="TLSv1.3"),
    "MT-CIPHER-SET": cipher_set,
    "MT-CIPHER-ORDER": cipher_order,
    "MT-CURVES": curves,
    "MT-DH-SIZE": dh_size,
    "MT-HANDSHAKE": handshake,
    "MT-COMPRESS": compression,
}

"""Versions, suites, their order, groups, compression: the policy against the ServerHellos."""

from collections.abc import Iterator, Sequence
from functools import partial

from audit.facts import Observation
from audit.iana import Suite, Version, group, suite
from audit.judge.case import EndpointCase, EndpointJudge, Judgement, undecided
from audit.policy.model import KEY_TYPES, KeyType, allowed


def version(case: EndpointCase, name: Version) -> Judgement:
    """One protocol version is served or refused as the profile says."""
    wanted = name in case.rules.allowed_versions(case.now.date())
    expected = f"{name} {'accepted' if wanted else 'refused'}"
    seen = case.facts.protocols.get(name, Observation("inconclusive", "not tried"))
    if seen.seen == "inconclusive":
        return undecided(seen, expected)
    passes = (seen.seen == "accepted") == wanted
    observed, item = f"{name} {seen.seen}", f"versions: {name}"
    return Judgement("pass" if passes else "fail", observed, expected, seen.evidence, item)


def cipher_set(case: EndpointCase) -> Judgement:
    """Exactly the policy's suites, as far as the certificates allow."""
    wrong, unsure, seen, wanted = [], [], [], []
    for name in _served(case):
        want = _expected(case, name)
        have = [suite(s) for s in case.facts.suites[name]]
        named = _optional(case)
        extra = [s for s in have if s not in want]
        missing = [s for s in want if s not in have and s.name not in named]
        wrong += [f"{name} accepts {_list(extra)}"] if extra else []
        rest = case.facts.rest.get(name, Observation("inconclusive"))
        if rest.seen == "refused":
            wrong += [f"{name} lacks {_list(missing)}"] if missing else []
        else:
            unsure.append(f"{name}: {rest.evidence}")
        seen.append(f"{name} {_list(have)}")
        wanted.append(f"{name} {_list(want)}")
    return _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "suites")


def cipher_order(case: EndpointCase) -> Judgement:
    """The server decides, in the policy's order."""
    wrong, unsure, seen, wanted = [], [], [], []
    for name in _served(case):
        want = _expected(case, name)
        have = [s for s in map(suite, case.facts.suites[name]) if s in want]
        order = [s for s in want if s in have]
        decides = case.facts.preference.get(name, "unknown")
        seen.append(f"{name} {decides} order")
        wanted.append(f"{name} {case.rules.preference} order {_list(want)}")
        if len(case.facts.suites[name]) < 2 or case.rules.preference == "any":  # noqa: PLR2004
            continue
        if decides == "unknown":
            unsure.append(f"{name}: the order could not be told")
        elif decides != case.rules.preference:
            wrong.append(f"{name} follows the {decides}'s order")
        elif decides == "server" and have != order:
            wrong.append(f"{name} prefers {_list(have)}")
    return _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "suites")


def curves(case: EndpointCase) -> Judgement:
    """Exactly the policy's groups, in its order where the server decides."""
    wrong, unsure, seen, wanted = [], [], [], []
    untold = False
    for name in _served(case):
        if not any(_exchanges(s) for s in _expected(case, name)):
            continue
        want, optional = _groups(case, name)
        have = case.facts.groups.get(name)
        if have is None:
            if name == "TLSv1.3" or _has_rsa_exchange(case, name):
                unsure.append(f"{name}: the groups could not be told")
            untold = True
            continue
        seen.append(f"{name} {', '.join(have)}")
        wanted.append(f"{name} {', '.join(want)}")
        wrong += [f"{name} uses {g}" for g in have if g not in want]
        wrong += [f"{name} lacks {g}" for g in want if g not in have and g not in optional]
        order = [g for g in want if g in have]
        if case.rules.preference == "server" and [g for g in have if g in want] != order:
            wrong.append(f"{name} prefers {', '.join(have)}")
    if untold and not (wrong or unsure or seen):
        words = "with an ECDSA certificate alone, TLS 1.2 does not tell its groups"
        return Judgement("not-applicable", words, "the policy's groups", item="groups")
    return _verdict(wrong, unsure, "; ".join(seen), "; ".join(wanted), "groups")


def dh_size(case: EndpointCase) -> Judgement:
    """The smallest Diffie-Hellman prime that was served is large enough."""
    least, bits = case.rules.dh_bits or 0, case.facts.dh_bits
    expected = f"{least} bits or more"
    if bits is not None:
        large = bits >= least
        return Judgement("pass" if large else "fail", f"{bits} bits", expected, item="dh_bits")
    if case.facts.suites and case.facts.dh_primes is not None:
        return Judgement("not-applicable", "no suite with DHE was chosen", expected)
    return Judgement("inconclusive", "could not be told", expected)


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


def _expected(case: EndpointCase, name: Version) -> tuple[Suite, ...]:
    return case.rules.allowed_suites(name, case.now.date(), key_types(case))


def _optional(case: EndpointCase) -> set[str]:
    return {item.name for item in case.rules.suites if item.optional}


def _groups(case: EndpointCase, name: Version) -> tuple[list[str], set[str]]:
    known = [group(g) for g in allowed(case.rules.groups, case.now.date())]
    want = [g.name for g in known if g.tls12 or name == "TLSv1.3"]
    return want, {item.name for item in case.rules.groups if item.optional}


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

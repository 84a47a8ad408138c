"""How strong the certificates are: their keys and signatures, by level."""

from collections.abc import Callable

from audit.facts import Chain
from audit.judge.case import EndpointCase, EndpointJudge, Judgement
from audit.judge.certificate import each, relevant
from audit.judge.levels import Grade, grade, graded
from audit.policy.model import allowed, size_of


def key(case: EndpointCase) -> Judgement:
    """Each leaf has a key of the policy's strength."""
    rules, day = case.rules.certificate, case.now.date()
    curves = {item.name: item for item in rules.curves}

    def seen(served: Chain) -> list[Grade]:
        found = []
        for one in relevant(case, served):
            if one.key_type == "rsa":
                what = f"{one.subject} has RSA with {one.key_bits} bits"
                found.append(grade(what, size_of(rules.rsa_sizes, one.key_bits), day))
        leaf = served[0]
        if leaf.key_type != "rsa":
            curve = leaf.curve or leaf.key_type.capitalize()
            what = f"ECDSA on {curve}" if leaf.key_type == "ecdsa" else leaf.key_type
            found.append(grade(what, curves.get(curve), day))
        return found

    sizes = sorted(s.bits for s in rules.rsa_sizes if s.level_on(day) != "insufficient")
    expected = f"RSA with {sizes[0]} bits or more, " if sizes else ""
    expected += f"ECDSA on {', '.join(allowed(rules.curves, day))}"
    return _graded(case, seen, expected)


def signature(case: EndpointCase) -> Judgement:
    """Each certificate below the root is signed with a hash of the policy."""
    hashes, day = case.rules.certificate.signature_hashes, case.now.date()
    rows = {item.name: item for item in hashes}

    def seen(served: Chain) -> list[Grade]:
        below = [c for c in relevant(case, served)[1:] if c.subject != c.issuer]
        return [
            grade(f"{c.subject} is signed with {c.signature_hash}", rows.get(c.signature_hash), day)
            for c in (served[0], *below)
            if c.signature_hash
        ]

    return _graded(case, seen, f"signed with {', '.join(allowed(hashes, day))}")


def _graded(case: EndpointCase, seen: Callable[[Chain], list[Grade]], expected: str) -> Judgement:
    """Fails for what is insufficient, and reaches the level of the worst."""

    def wrong(served: Chain) -> str:
        return ", ".join(g.what for g in seen(served) if g.level == "insufficient")

    judgement = each(case, wrong, expected)
    return graded(judgement, [g for c in case.facts.chains if c for g in seen(c)])


JUDGES: dict[str, EndpointJudge] = {
    "MT-CERT-KEY": key,
    "MT-CERT-SIG": signature,
}

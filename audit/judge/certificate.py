"""Certificates: chain, name, time, key, signature, each on its own.

The checks do not overlap: an expired certificate fails for its time and not for its chain too, so
that a finding says what is wrong and not what follows from it.

`path` and `identity` are imported where they are used: what they rest on takes long to load.
"""

from collections.abc import Callable
from datetime import timedelta

from audit.facts import Certificate, Chain
from audit.iana import suite
from audit.judge.case import EndpointCase, EndpointJudge, Judgement


def chain(case: EndpointCase) -> Judgement:
    """Each chain leads to a trusted root, whatever its dates."""
    from audit.judge import path

    def wrong(served: Chain) -> str:
        try:
            path.find(case.roots, served)
        except path.NoPathError as error:
            return str(error)
        return "" if path.for_servers(served[0]) else "its extended key usage is not for servers"

    return each(case, wrong, "a chain to a trusted root, for servers")


def name(case: EndpointCase) -> Judgement:
    """Each leaf is for the name clients use."""
    first = case.planned.endpoint.name
    if not first:
        return Judgement("not-applicable", "no name to compare with", "the name clients use")

    from audit.judge.identity import missing

    wanted = (first, *case.planned.names)

    def wrong(served: Chain) -> str:
        others = missing(served[0].names, wanted)
        names = ", ".join(served[0].names) or "no name"
        return f"is for {names}, not for {', '.join(others)}" if others else ""

    return each(case, wrong, f"for {', '.join(wanted)}")


def time(case: EndpointCase) -> Judgement:
    """Each certificate of each chain is valid now, and the leaf for some days."""
    least = case.rules.certificate.days_left

    def wrong(served: Chain) -> str:
        for certificate in relevant(case, served):
            if case.now < certificate.not_before:
                return (
                    f"{certificate.subject} is not valid before {certificate.not_before:%Y-%m-%d}"
                )
            if case.now > certificate.not_after:
                return f"{certificate.subject} ended on {certificate.not_after:%Y-%m-%d}"
        leaf, most = served[0], case.rules.certificate.lifetime_days
        lifetime = leaf.not_after - leaf.not_before
        if most is not None and lifetime > timedelta(days=most):
            return f"lasts {lifetime.days} days, more than {most}"
        soon = leaf.not_after - case.now < timedelta(days=least)
        return f"ends on {leaf.not_after:%Y-%m-%d}, in less than {least} days" if soon else ""

    most = case.rules.certificate.lifetime_days
    longest = f", and for {most} at most in all" if most else ""
    return each(case, wrong, f"valid for {least} days or more{longest}")


def alternative_names(case: EndpointCase) -> Judgement:
    """Each leaf has a subjectAltName."""

    def wrong(served: Chain) -> str:
        return "" if served[0].names else f"only the subject {served[0].subject}"

    return each(case, wrong, "names as subjectAltName")


def each(case: EndpointCase, wrong: Callable[[Chain], str], expected: str) -> Judgement:
    """The judgement on every chain; *wrong* says what is wrong with one, or nothing."""
    chains = [c for c in case.facts.chains if c]
    if case.facts.bad_chains:
        words = f"a certificate cannot be read: {case.facts.bad_chains[0]}"
        return Judgement("fail", words, expected, "; ".join(case.facts.bad_chains), "certificate")
    if not chains:
        words = "no certificate was seen"
        return Judgement("inconclusive", words, expected, "; ".join(case.facts.errors))
    faults = [f"{c[0].key_type}: {fault}" for c in chains if (fault := wrong(c))]
    evidence = "; ".join(_describe(c[0]) for c in chains)
    if faults:
        return Judgement("fail", "; ".join(faults), expected, evidence, "certificate")
    unseen = _in_use(case) - {c[0].key_type for c in chains}
    if unseen:
        words = f"the {' and '.join(sorted(unseen))} certificate was not seen"
        return Judgement("inconclusive", words, expected, evidence, "certificate")
    return Judgement("pass", "as expected", expected, evidence, "certificate")


def _in_use(case: EndpointCase) -> set[str]:
    """The deployed types of certificate that the accepted suites can show."""
    deployed: set[str] = {*(case.planned.key_types or ())}
    accepted = {suite(name) for names in case.facts.suites.values() for name in names}
    signers = {s.authentication.lower() for s in accepted if not s.tls13}
    return deployed & signers if signers else deployed


def _describe(leaf: Certificate) -> str:
    until = f"{leaf.not_after:%Y-%m-%d}"
    return f"{leaf.subject} ({leaf.key_type} {leaf.key_bits}, until {until}) {leaf.fingerprint}"


def relevant(case: EndpointCase, served: Chain) -> Chain:
    """The certificates that clients rely on: the verified path, or what was served without one.

    A superfluous certificate in the chain hurts nobody, and a root that ended does.
    """
    from audit.judge import path

    try:
        return path.find(case.roots, served)
    except path.NoPathError:
        return served


JUDGES: dict[str, EndpointJudge] = {
    "MT-CERT-CHAIN": chain,
    "MT-CERT-NAME": name,
    "MT-CERT-TIME": time,
    "MT-CERT-SANS": alternative_names,
}

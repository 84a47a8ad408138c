"""A host in shadow: judged by what it was rolled out with, and told what the new policy would say.

What the new policy would fail is a pass on phase-out: it holds, and not for ever.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from audit.findings import Finding
from audit.judge.case import Judgement
from audit.policy.model import Policy
from audit.policy.shadow import Shadow

IN_SHADOW = "in shadow: "


def shadowed(now: Judgement | None, then: Judgement | None, policy: str) -> Judgement:
    """One judgement of two.

    Args:
        now: by the shadow; None where it does not make this check.
        then: by the new policy; likewise.
        policy: the id of the new policy.

    Raises:
        ValueError: neither makes the check.
    """
    said = now or then
    if said is None:
        raise ValueError("a check that nobody makes has no judgement")
    holds = now is None or now.verdict in ("pass", "not-applicable")
    if not holds or then is None or then.verdict != "fail":
        return said
    words = f"{IN_SHADOW}would fail under {policy}: {then.observed}"
    return replace(said, verdict="pass", observed=words, item=then.item, level="phase-out")


def notices(measures: Mapping[str, Iterable[Policy]], findings: Iterable[Finding]) -> Iterator[str]:
    """What a reader of a run must know about its shadows, a sentence each.

    Args:
        measures: the policies of each host.
        findings: of the run.
    """
    hosts: dict[str, list[str]] = {}
    shadows: dict[str, Shadow] = {}
    for host, policies in measures.items():
        for policy in policies:
            if isinstance(policy, Shadow):
                shadows[policy.id] = policy
                hosts.setdefault(policy.id, []).append(host)
    found = [f for f in findings if f.verdict == "pass" and f.observed.startswith(IN_SHADOW)]
    for name, policy in shadows.items():
        count = sum(f.policy == name for f in found)
        places = ", ".join(hosts[name])
        yield (
            f"In shadow of {policy.tail.id}: {places}: {count} passed checks would fail under"
            f" {policy.new.id}, which is not in force there"
        )
        yield from (f"In shadow of {policy.tail.id}: {words}" for words in policy.left_off)

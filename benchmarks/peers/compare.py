"""Every fact of every tool beside the same fact of all others, and why they may differ."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from audit.iana import VERSIONS
from benchmarks.peers.read import CERTIFICATES, Facts, suites, yes
from tests.daemons.settings import Tls, truth

Value = tuple[str, ...]
TOLD = "told to the server"


@dataclass(frozen=True)
class Reason:
    """Why one tool says something else than others.

    Attributes:
        tool: which.
        fact: a pattern of the facts that it is about.
        fits: whether what it says, and what the others say, is of this kind.
        text: the reason.
    """

    tool: str
    fact: str
    fits: Callable[[Value, Value], bool]
    text: str


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same for all.

    Attributes:
        title: the server.
        fact: which fact.
        values: what was said, and by whom; the usual answer first.
        reasons: what explains it; none if nothing does.
    """

    title: str
    fact: str
    values: tuple[tuple[Value, tuple[str, ...]], ...]
    reasons: tuple[Reason, ...]


REASONS: tuple[Reason, ...] = (
    Reason(
        "nmap",
        CERTIFICATES,
        lambda said, others: set(said) < set(others),
        "ssl-cert shakes hands once, so of two certificates it sees one",
    ),
    Reason(
        "sslscan",
        "secure renegotiation",
        lambda said, others: (said, others) == (yes(0), yes(1)),
        "asks in TLS 1.0 only, and says no where that is off",
    ),
)


def told_facts(tls: Tls, fingerprints: Iterable[str]) -> Facts:
    """What the settings of a server say, by the RFCs and OpenSSL's description of its suites."""
    right = truth(tls)
    found: Facts = {version: yes(version in tls.versions) for version in VERSIONS}
    for version, names in right.suites.items():
        found |= suites(version, names, ordered=tls.prefer == "server")
        found[f"{version} decides"] = (right.preference[version],)
    return found | {CERTIFICATES: tuple(sorted(fingerprints))}


def differences(title: str, heard: Mapping[str, Iterable[Facts]]) -> list[Difference]:
    """What is not the same for all tools in all their runs; *heard* is the facts of each run."""
    said: dict[str, dict[str, Counter[Value]]] = defaultdict(lambda: defaultdict(Counter))
    for tool, runs in heard.items():
        for facts in runs:
            for fact, value in facts.items():
                said[fact][tool][value] += 1
    found = []
    for fact, by_tool in sorted(said.items()):
        if len({value for values in by_tool.values() for value in values}) > 1:
            found.append(_difference(title, fact, by_tool))
    return found


def _difference(title: str, fact: str, by_tool: Mapping[str, Counter[Value]]) -> Difference:
    usual = _usual(by_tool)
    voices: dict[Value, list[str]] = defaultdict(list)
    reasons, explained = [], True
    for tool, values in by_tool.items():
        for value, times in values.items():
            several = f" ({times} of {values.total()} runs)" if len(values) > 1 else ""
            voices[value].append(tool + several)
            if value != usual:
                fitting = [
                    reason
                    for reason in REASONS
                    if reason.tool == tool
                    and re.fullmatch(reason.fact, fact)
                    and reason.fits(value, usual)
                ]
                reasons += fitting
                explained = explained and bool(fitting)
    ordered = sorted(voices.items(), key=lambda item: item[0] != usual)
    unique = tuple(dict.fromkeys(reasons)) if explained else ()
    return Difference(title, fact, tuple((v, tuple(w)) for v, w in ordered), unique)


def _usual(by_tool: Mapping[str, Counter[Value]]) -> Value:
    """What the server was told; of what nobody told it, what most tools say."""
    if TOLD in by_tool:
        return next(iter(by_tool[TOLD]))
    votes = Counter(value for values in by_tool.values() for value in values)
    return votes.most_common(1)[0][0]

"""What the judges of a host have in common: the processes that serve, and the verdict on them."""

import re
from dataclasses import dataclass, field

from audit.facts import Process
from audit.judge.case import HostCase, Judgement

# The library that a daemon speaks TLS with, and the part of it that carries the version's name.
LIBRARY = {"cyrus": "libssl", "exim-openssl": "libssl", "exim-gnutls": "libgnutls"}
_VERSIONED = {"libssl": "/libcrypto.", "libgnutls": "/libgnutls."}
_MASTERS = ("cyrmaster", "cyrus-master", "master")
# OpenSSL 1.1.1w is of the series 1.1.1 and 3.0.22 of 3.0, as its release strategy counts; GnuTLS
# 3.7.9 of 3.7.
_SERIES = re.compile(r"OpenSSL (?P<old>[01]\.\d+\.\d+)|\w+ (?P<new>\d+\.\d+)")


def serving(case: HostCase) -> list[Process]:
    """The processes that serve TLS; the master of Cyrus only starts them."""
    return [p for p in case.facts.processes if p.libraries or p.name not in _MASTERS]


def named(process: Process) -> str:
    """As people look for it: imapd[412]; only for evidence, for the number is another every day."""
    return f"{process.name}[{process.pid}]"


def libraries(case: HostCase, process: Process) -> list[str]:
    """The files of the library that it speaks TLS with; none where the kind is unknown."""
    wanted = LIBRARY.get(case.kind or "")
    return [path for path in process.libraries if wanted and f"/{wanted}." in path]


def versions(case: HostCase, process: Process) -> list[str]:
    """What the library that it speaks TLS with calls itself: "OpenSSL 3.0.22"."""
    directories = {_directory(path) for path in libraries(case, process)}
    part = _VERSIONED[LIBRARY[case.kind]] if case.kind else ""
    return [
        case.facts.versions[path]
        for path in process.libraries
        if part in path and _directory(path) in directories and path in case.facts.versions
    ]


def series(version: str) -> str:
    """What a version is called together with those it can be exchanged for; empty if unknown."""
    found = _SERIES.match(version)
    return (found["old"] or found["new"]) if found else ""


def unknown_library(case: HostCase) -> Judgement:
    """The judgement where the host does not say what its daemon is."""
    words, expected = "the daemon's library is unknown", "the library it was compiled for"
    return Judgement("inconclusive", words, expected, case.obstacle)


@dataclass
class Found:
    """What a judge found, in words that are the same tomorrow if nothing changes.

    Attributes:
        wrong: what fails.
        seen: what it looked at: evidence.
        doubts: what it could not look at.
    """

    wrong: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def fault(self, process: Process, words: str) -> None:
        """Something wrong with a process: its name is observed, its number is evidence."""
        self.wrong.append(f"{process.name} {words}")
        self.seen.append(f"{named(process)} {words}")

    def doubt(self, process: Process, words: str) -> None:
        """Likewise of what could not be told."""
        self.doubts.append(f"{process.name} {words}")
        self.seen.append(f"{named(process)} {words}")


def verdict(case: HostCase, found: Found, want: str, well: str = "as expected") -> Judgement:
    """Fail for what is wrong, else inconclusive for what is in doubt; no process, no pass."""
    if not case.facts.reached:
        errors = "; ".join(case.facts.errors)
        return Judgement("inconclusive", "the host could not be asked", want, errors)
    evidence = "; ".join(found.seen)
    if found.wrong:
        return Judgement("fail", _each_once(found.wrong), want, evidence)
    if not any(p.libraries for p in case.facts.processes):
        return Judgement("inconclusive", "no process that serves TLS is running", want)
    if found.doubts:
        return Judgement("inconclusive", _each_once(found.doubts), want, evidence)
    return Judgement("pass", well, want, evidence)


def _each_once(words: list[str]) -> str:
    """Many processes have one fault, and come in another order every day."""
    return "; ".join(sorted(set(words)))


def _directory(path: str) -> str:
    return path.rpartition("/")[0]

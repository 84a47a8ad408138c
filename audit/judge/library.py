"""The TLS library in memory: the right one, as on disk, as it was built, as it was built for."""

from typing import TYPE_CHECKING

from audit.facts import Process
from audit.judge.case import HostCase, HostJudge, Judgement
from audit.judge.inside import (
    LIBRARY,
    Found,
    libraries,
    named,
    series,
    serving,
    unknown_library,
    verdict,
    versions,
)

if TYPE_CHECKING:
    from audit.manifest import Manifest

# Before OpenSSL 1.1.0 the headers decide which curves a daemon asks for (1.0.1c: any at all, 1.0.2:
# more than one), and every option by its name in them.
_DECIDED_BY_HEADERS = ("0.9.8", "1.0.0", "1.0.1", "1.0.2")
_KEEPS_INTERFACE = 3  # the major number from which on it means what it says


def mapped(case: HostCase) -> Judgement:
    """Every serving process has the right library in memory, and every service has a process."""
    if case.kind is None:
        return unknown_library(case)
    library, prefix = LIBRARY[case.kind], case.planned.library_prefix
    found = Found(doubts=_unseen(case))
    for process in serving(case):
        paths = libraries(case, process)
        found.seen += [f"{named(process)} {path}" for path in paths]
        if not paths:
            found.fault(process, f"has no {library}")
        for path in paths:
            if not path.startswith(prefix):
                found.fault(process, f"has {path}")
    return verdict(case, found, f"{library} from {' or '.join(prefix)}")


def _unseen(case: HostCase) -> list[str]:
    """The services of Cyrus for which there was no process to look at."""
    if case.planned.daemon != "cyrus":
        return []
    served = {port for process in serving(case) for port in process.ports}
    return [
        f"no process of {service} (port {port}) was seen"
        for service, port in case.facts.services.items()
        if port not in served
    ]


def stale(case: HostCase) -> Judgement:
    """No process runs on a library file that is gone or replaced."""
    found = Found(seen=[named(process) for process in case.facts.processes if process.libraries])
    for process in case.facts.processes:
        for path, gone in process.libraries.items():
            if gone:
                found.fault(process, f"runs on {path}, which was replaced")
    return verdict(case, found, "the library files as they are on disk")


def digest(case: HostCase) -> Judgement:
    """What every serving process has mapped is, byte for byte, what the package was built with."""
    manifest = case.manifest
    if manifest is None:
        words = "the library is the system's: no mailseal_library_manifest names a package of ours"
        return Judgement("not-applicable", words, "the files of the package")
    expected = f"the files of {manifest.package} {manifest.version}"
    if case.kind == "exim-gnutls":
        words = f"Exim on GnuTLS uses nothing of {manifest.package}"
        return Judgement("not-applicable", words, expected)
    found = Found()
    for process in serving(case):
        ours = [path for path in process.libraries if manifest.holds(path)]
        if not ours:
            found.doubt(process, f"has nothing from {manifest.prefix}")
        for path in ours:
            _compare(process, path, manifest, found)
    return verdict(case, found, expected)


def _compare(process: Process, path: str, manifest: "Manifest", found: Found) -> None:
    """One mapped file with what the package was built with."""
    have, want = process.digests.get(path), manifest.files.get(path)
    if want is None:
        found.fault(process, f"has {path}, which is not in the manifest")
    elif have == want:
        found.seen.append(f"{named(process)} {path} {have}")
    elif process.libraries[path]:
        # It may have been right when it began: that it should not run any more is MT-LIB-STALE's.
        found.doubt(process, f"is stale: {path} was replaced since")
    elif have is None:
        found.doubt(process, f"has {path}, which could not be read")
    else:
        found.fault(process, f"has {path} with SHA-256 {have}, not {want}")


def compiled(case: HostCase) -> Judgement:
    """The daemon was compiled for the library it runs on."""
    if case.kind is None:
        return unknown_library(case)
    if not case.built:
        found = Found(doubts=["the daemon does not tell what it was compiled for"])
        return verdict(case, found, "the library it was compiled for")
    built = f"{'GnuTLS' if case.kind == 'exim-gnutls' else 'OpenSSL'} {case.built}"
    found = Found()
    for process in serving(case):
        runs = versions(case, process)
        if not runs:
            found.doubt(process, "has a library that does not tell its version")
        found.seen += [f"{named(process)} {version}" for version in runs]
        for version in runs:
            if not _fits(built, version):
                found.fault(process, f"was compiled for {built} and runs on {version}")
    return verdict(case, found, f"{built}, for which it was compiled, or one that fits")


def _fits(built: str, runs: str) -> bool:
    """The very version where the headers decide, a series not older from 3.0 on, else the series.

    From 3.0 on OpenSSL keeps its interface within a major number (its release strategy): what was
    compiled for 3.0 runs on 3.5, and not the other way round.
    """
    if series(built) in _DECIDED_BY_HEADERS:
        return built.partition("-")[0] == runs.partition("-")[0]  # 1.0.1e-fips is 1.0.1e
    have, want = _numbered(built), _numbered(runs)
    if have[:1] >= (_KEEPS_INTERFACE,):
        return have[:1] == want[:1] and have <= want
    return series(built) == series(runs) != ""


def _numbered(library: str) -> tuple[int, ...]:
    """The series of an OpenSSL as numbers; none of another library or of a version without one."""
    known = series(library) if library.startswith("OpenSSL ") else ""
    return tuple(map(int, known.split("."))) if known else ()


JUDGES: dict[str, HostJudge] = {
    "MT-LIB-MAPPED": mapped,
    "MT-LIB-STALE": stale,
    "MT-LIB-HASH": digest,
    "MT-LIB-COMPILED": compiled,
}

"""Where the time of our own scan goes."""

import json
import statistics
from collections import Counter
from collections.abc import Sequence

from benchmarks.page import ROOT, table
from benchmarks.peers.field import Place
from benchmarks.peers.run import run, settle
from benchmarks.peers.tools import BIN, ENVIRONMENT, ours

_LIMIT = 60.0
# What the main thread does, one after the other; the server is asked beside the two in the middle.
_STAGES = ("imports", "policy", "loading", "waiting", "judging")
_TOP = 8


def profile(place: Place, times: int) -> tuple[dict[str, float], list[tuple[str, float]]]:
    """Median seconds of each stage of a quick look, and the packages dearest to import."""
    python = str(BIN / "python")
    arguments = ours(place, "--quick")[1:]
    runs = []
    for _ in range(times):
        settle(place.open)
        empty, _said = _run(place, [python, "-c", "pass"])
        whole, said = _run(place, [python, "-m", "benchmarks.peers.clocked", *arguments])
        stages = json.loads(said.splitlines()[-1])
        stages["interpreter"] = empty
        stages["whole"] = whole
        stages["other"] = stages["all"] - sum(stages[name] for name in _STAGES)
        stages["exit"] = whole - empty - stages["all"]
        runs.append(stages)
    medians = {name: statistics.median(one[name] for one in runs) for name in runs[0]}
    _, said = _run(place, [python, "-X", "importtime", str(BIN / "mailseal"), *arguments])
    return medians, _imports(said.splitlines())


def _run(place: Place, words: Sequence[str]) -> tuple[float, str]:
    ran = run(
        words,
        place.netns,
        limit=_LIMIT,
        count=place.accepted,
        environment=ENVIRONMENT,
        cwd=ROOT,
    )
    return ran.seconds, ran.errors


def _imports(lines: Sequence[str]) -> list[tuple[str, float]]:
    """Seconds by package, from `-X importtime`: what a module itself took, not what it imports."""
    spent: Counter[str] = Counter()
    for line in lines:
        if line.startswith("import time:") and line.split("|")[0].split()[-1].isdecimal():
            own, _, name = line.removeprefix("import time:").split("|")
            spent[name.strip().partition(".")[0]] += int(own)
    return [(name, own / 1e6) for name, own in spent.most_common(_TOP)]


def text(places: Sequence[Place], times: int) -> str:
    """The part of the page."""
    stages = ("interpreter", *_STAGES, "other", "exit")
    beside = ("network", "calibration")
    found = {f"{p.title}, {p.way} ms": profile(p, times) for p in places}
    rows = [
        [title, *(f"{1000 * medians[name]:.0f}" for name in (*stages, "whole", *beside))]
        for title, (medians, _) in found.items()
    ]
    near = next(iter(found.values()))
    medians, dearest = near
    own = medians["whole"] - medians["waiting"]
    packages = [[f"`{name}`", f"{1000 * seconds:.0f}"] for name, seconds in dearest]
    limits = "; ".join(
        f"{title}: {max(stages, key=m.__getitem__)} ({100 * m['waiting'] / m['whole']:.0f} % of the"
        f" time we wait for the server and for nothing else)"
        for title, (m, _) in found.items()
    )
    return "\n\n".join(
        [
            "### What limits it now",
            (
                f"`mailseal scan --quick`, medians of {times} runs, in ms. The greatest part of"
                f" each: {limits}. With a server that answers at once it would take"
                f" {1000 * own:.0f} ms: the interpreter, what asks (imports), and what judges"
                " (loading), which is loaded while the server is asked. Network and calibration run"
                " in threads beside these stages and compete with them for Python's one lock and,"
                " here, with the server for the processors."
            ),
            table(["where", *stages, "whole", *(f"({name})" for name in beside)], rows),
            (
                f"{medians['modules']:.0f} modules are loaded before the work and"
                f" {medians['late modules']:.0f} during it. The packages that take longest to load"
                " (`-X importtime`, which itself costs time; ms):"
            ),
            table(["package", "ms"], packages),
        ]
    )

"""What must hold of the reading of what a host's script printed."""

import math
from collections import Counter

from audit.facts import HostFacts
from audit.inspect.parse import _FEWEST_FIELDS, parse

CLOCK = "clock\t1000.5\t100.5\t100\n"


def script(data: bytes) -> None:
    """Facts in any case; without a sound clock none at all, with one every odd line is told."""
    text = data.decode("utf-8", "replace")
    _sound(parse("h", text), text)
    facts = parse("h", CLOCK + text)
    assert facts.reached
    _sound(facts, text)


def _sound(facts: HostFacts, text: str) -> None:
    assert all(error.isprintable() for error in facts.errors)
    if not facts.reached:
        assert facts == HostFacts("h", reached=False, errors=facts.errors)
        assert facts.errors
        return
    kinds = Counter(line.split("\t")[0].rstrip("\r") for line in text.split("\n"))
    assert facts.errors or {*kinds} <= {*_FEWEST_FIELDS, "clock", ""}, "a line was passed over"
    assert len(facts.processes) <= kinds["process"], "a line of its own was smuggled in"
    assert len(facts.files) <= kinds["file"]
    assert len(facts.services) <= kinds["service"]
    assert len(facts.owners) <= kinds["owner"]
    assert len(facts.packages) <= kinds["package"] + kinds["altered"]
    assert sum(package.verified for package in facts.packages) <= kinds["package"]
    assert sum(len(process.digests) for process in facts.processes) <= kinds["digest"]
    assert sum(map(len, facts.options.values())) <= kinds["option"]
    assert all(math.isfinite(process.started) for process in facts.processes)
    assert all(math.isfinite(file.modified) for file in facts.files)
    assert len({process.pid for process in facts.processes}) == len(facts.processes)

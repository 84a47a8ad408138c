"""What must hold of the reading of logs: all ways to read them say the same, and lose nothing."""

from tests.traffic import ways


def log(data: bytes) -> None:
    """Lines of Exim's, and of syslog's."""
    lines = data.split(b"\n")
    strict = ways.exim_strictly(lines)
    assert sum(strict.lines.values()) == len(lines)
    for way in ways.EXIM:
        assert ways.exim(way, lines) == strict, way
    first, *others = (ways.syslog(way, lines) for way in ways.SYSLOG)
    assert all(other == first for other in others)

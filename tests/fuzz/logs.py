"""What must hold of the reading of logs: all ways to read them say the same, and lose nothing."""

from tests.traffic import ways


def log(data: bytes) -> None:
    """Lines of Exim's, the same at two nodes, and of syslog's."""
    lines = data.split(b"\n")
    nodes = [(node, line) for node in (b"mx1", b"mx2") for line in lines]
    strict = ways.exim_strictly(nodes)
    assert sum(strict.lines.values()) == len(nodes)
    for way in ways.EXIM:
        assert ways.exim(way, nodes) == strict, way
    first, *others = (ways.syslog(way, lines) for way in ways.SYSLOG)
    assert all(other == first for other in others)

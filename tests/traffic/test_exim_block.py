"""The quick way through a block says what the strict reading of every line says."""

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic.exim_block import Block
from audit.traffic.own import Own
from audit.traffic.tally import Tally
from tests.traffic.lines import FAKE, lines


def test_a_certificate_tells_of_tls_that_has_no_name() -> None:
    """With `log_selector = -tls_cipher` there is no X=, and the mail was not in clear."""
    head = b"2026-11-29 10:11:12 1xVc0c-00003u-1d => u@b R=r T=t H=mx.b [192.0.2.1]"
    for more, x in ((b' CV=no DN="CN=y"', b"?"), (b" CV=yes", b"?"), (b"", b"")):
        (key,) = counted(head + more + b" S=5\n").outgoing
        assert key[1] == x


def counted(block: bytes, **more: bytes) -> Tally:
    """The counts of a block."""
    tally = Tally()
    reader = Block(tally, Own(), **more)
    reader.count(block)
    reader.flush()
    return tally


def strictly(log: list[bytes]) -> Tally:
    """The same with each line read for itself."""
    tally = Tally()
    tally.begun(b"")
    reader = Block(tally, Own())
    for line in log:
        tally.named += b" X=" in line
        reader.other(line)
    return tally


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, min_size=1, max_size=8))
def test_both_ways_say_the_same(log: list[bytes]) -> None:
    block = b"".join(line + b"\n" for line in log)
    assert counted(block) == strictly(log)


@settings(max_examples=200, deadline=None)
@given(st.lists(lines, min_size=1, max_size=8))
def test_nothing_forged_is_counted_and_nothing_is_lost(log: list[bytes]) -> None:
    tally = counted(b"".join(line + b"\n" for line in log))
    counts = (tally.incoming, tally.clients, tally.outgoing, tally.hosts)
    for key in (key for counter in counts for key in counter):
        assert FAKE not in key
        assert b"192.0.2.9" not in key
    assert sum(tally.lines.values()) == len(log)
    named = sum(count for (_, has_session), count in tally.lines.items() if has_session)
    assert tally.named == named == sum(b" X=" in line for line in log)

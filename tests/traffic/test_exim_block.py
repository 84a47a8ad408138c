"""The quick ways through a block say what the strict reading of every line says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic.tally import Tally
from tests.traffic import ways
from tests.traffic.lines import FAKE, bent, lines

nodes = st.sampled_from((b"mx1", b"mx1", b"mx2"))
logs = st.lists(st.tuples(nodes, lines), min_size=1, max_size=8)
both = pytest.mark.parametrize("way", ways.EXIM)


@both
@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_both_ways_say_the_same(way: str, log: ways.Log) -> None:
    assert ways.exim(way, log) == ways.exim_strictly(log)


@both
@settings(max_examples=300, deadline=None)
@given(log=st.lists(st.tuples(nodes, bent), min_size=1, max_size=4))
def test_and_of_lines_that_somebody_has_bent(way: str, log: ways.Log) -> None:
    assert ways.exim(way, log) == ways.exim_strictly(log)


@both
@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_nothing_forged_is_counted_and_nothing_is_lost(way: str, log: ways.Log) -> None:
    tally = ways.exim(way, log)
    counts = (tally.incoming, tally.clients, tally.outgoing, tally.ways)
    for key in (key for counter in counts for key in counter):
        assert FAKE not in key
        assert b"192.0.2.9" not in key
    assert sum(tally.lines.values()) == len(log)
    named = sum(count for (_, has_session), count in tally.lines.items() if has_session)
    assert tally.named == named == sum(b" X=" in line for _, line in log)


@both
@settings(max_examples=200, deadline=None)
@given(log=logs)
def test_what_a_node_says_is_nothing_to_another(way: str, log: ways.Log) -> None:
    """Read together they come to what they come to apart, though their messages have one number."""
    apart = Tally()
    for node in (b"mx1", b"mx2"):
        apart.merge(ways.exim(way, [(writer, line) for writer, line in log if writer == node]))
    together = ways.exim(way, log)
    together.finish()
    apart.finish()
    assert together == apart


HEAD = b"2026-11-29 10:11:12 1xVc0c-00003u-1d "
CAME = HEAD + b"<= a@b H=h [192.0.2.1] P=esmtps X=TLS1.3:TLS_AES_256_GCM_SHA384:256 S=5"
SENT = HEAD + b"=> c@d R=r T=t H=mx [192.0.2.7] X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes"


@pytest.mark.parametrize(
    "log",
    [
        [CAME, SENT, CAME, SENT],
        [b"2026-11-29 10:11:12 H=mx [192.0.2.7] TLS error on connection (gnutls): it failed"],
        [HEAD + b"=* a@b R=r T=t"],
        [CAME, b"an end of a line\rand what is left of it X=TLS1.3:A:256"],
        [b"\xff X=TLS1.3:A:256"],
        [CAME.replace(b"P=esmtps", b"P=esmtp")],
        [SENT + b' DN="/CN=a R=r T=t" K'],
        [
            CAME.replace(b"h [", b"h (x) [").replace(
                b" S=5", b' DN="x) [192.0.2.9] P=esmtp S=1" S=5'
            )
        ],
    ],
    ids=[
        *("twice", "error behind a name", "no mark", "carriage return", "high bytes"),
        *("in clear with TLS", "a way in a subject", "a host in a subject"),
    ],
)
@both
def test_what_one_way_once_took_for_something_else(way: str, log: list[bytes]) -> None:
    tally = ways.exim(way, _at(b"mx1", *log))
    assert tally == ways.exim_strictly(_at(b"mx1", *log))
    assert sum(tally.lines.values()) == len(log)


@both
def test_a_message_that_begins_twice_is_the_same(way: str) -> None:
    """Its second copy to a host is no mail of its own."""
    assert sum(ways.exim(way, _at(b"mx1", CAME, SENT, CAME, SENT)).outgoing.values()) == 1


@both
def test_each_day_counts_once(way: str) -> None:
    """Whatever was counted of the days before it."""
    days = (b"2026-11-28", b"2026-11-29", b"2026-12-01")
    log = [line.replace(days[1], day) for day in days for line in (CAME, SENT, HEAD + b"Completed")]
    tally = ways.exim(way, _at(b"mx1", *log))
    assert tally == ways.exim_strictly(_at(b"mx1", *log))
    assert [*tally.incoming.values()] == [*tally.outgoing.values()] == [1, 1, 1]
    assert [*tally.days.values()] == [3, 3, 3]


@both
def test_a_number_is_a_nodes_own(way: str) -> None:
    """A second copy to a host is no mail of its own, and one of another node is."""
    log = [*_at(b"mx1", CAME, SENT), *_at(b"mx2", CAME, SENT), *_at(b"mx1", SENT)]
    tally = ways.exim(way, log)
    assert sum(tally.outgoing.values()) == 2
    assert tally.open.keys() == {b"mx1", b"mx2"}
    tally = ways.exim(way, [*log, *_at(b"mx2", HEAD + b"Completed")])
    assert [len(tally.open[node]) for node in (b"mx1", b"mx2")] == [1, 0]


@both
def test_a_certificate_tells_of_tls_that_has_no_name(way: str) -> None:
    """With `log_selector = -tls_cipher` there is no X=, and the mail was not in clear."""
    head = HEAD + b"=> u@b R=r T=t H=mx.b [192.0.2.1]"
    for more, x in ((b' CV=no DN="CN=y"', b"?"), (b" CV=yes", b"?"), (b"", b"")):
        (key,) = ways.exim(way, _at(b"mx1", head + more + b" S=5")).outgoing
        assert key[1] == x


def _at(node: bytes, *log: bytes) -> ways.Log:
    return [(node, line) for line in log]

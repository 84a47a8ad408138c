"""Counts are the same however a log is cut, mixed and put together again."""

import pickle
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.traffic import keep
from audit.traffic.exim_block import Block
from audit.traffic.own import Own
from audit.traffic.tally import Tally

X = b" X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes"


@st.composite
def messages(draw: st.DrawFn) -> list[bytes]:
    """The lines of one message, in their order."""
    number = draw(st.integers(0, 9999))
    head = b"2026-%02d-01 00:00:00 1aaaaa-%06d-aa " % (draw(st.integers(1, 3)), number)
    came = draw(
        st.sampled_from(
            (b"H=h [192.0.2.1] P=esmtps" + X, b"H=h [192.0.2.2] P=esmtp", b"U=r P=local")
        )
    )
    copies = draw(
        st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from((b"", X, X + b' DN="a"'))), max_size=4
        )
    )
    sent = [
        head + b'=> u@%d R=r T=t H=mx%d [192.0.2.%d]%s C="250"' % (place, host, host, session)
        for place, (host, session) in enumerate(copies)
    ]
    end = [head + b"Completed"] if draw(st.booleans()) else []
    return [head + b"<= a@b " + came + b" S=5", *sent, *end]


logs = st.lists(messages(), min_size=1, max_size=5, unique_by=lambda lines: lines[0].split()[2])


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[list[bytes]], list[bytes]]:
    """Messages, and their lines mixed, those of each in its order."""
    log = draw(logs)
    turns = [number for number, lines in enumerate(log) for _ in lines]
    rest = [iter(lines) for lines in log]
    return log, [next(rest[number]) for number in draw(st.permutations(turns))]


def part(lines: Sequence[bytes]) -> Tally:
    """The counts of a part that is not finished."""
    tally = Tally()
    block = Block(tally, Own())
    block.count(b"".join(line + b"\n" for line in lines))
    block.flush()
    return tally


def whole(*parts: Tally) -> Tally:
    """All of it."""
    total = whole_parts(parts)
    total.finish()
    return total


@settings(deadline=None)
@given(mixed())
def test_lines_of_several_messages_may_be_mixed(
    log: tuple[list[list[bytes]], list[bytes]],
) -> None:
    apart, together = log
    assert whole(part(together)) == whole(part([line for lines in apart for line in lines]))


@settings(deadline=None)
@given(mixed(), st.data())
def test_any_cuts_and_any_order_of_merging(
    log: tuple[list[list[bytes]], list[bytes]], data: st.DataObject
) -> None:
    _, lines = log
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    pieces = [lines[a:b] for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    parts = [part(piece) for piece in data.draw(st.permutations(pieces))]
    assert whole(*parts) == whole(part(lines))
    halves = whole_parts(parts[:2]), whole_parts(parts[2:])
    assert whole(*halves) == whole(part(lines)), "what is merged can be merged on"


def whole_parts(parts: Sequence[Tally]) -> Tally:
    """Merged, and not finished; as it comes from another process."""
    total = Tally()
    for one in parts:
        total.merge(pickle.loads(pickle.dumps(one)))  # noqa: S301 - our own
    return total


@settings(deadline=None)
@given(mixed())
def test_one_mail_for_each_message_and_host(log: tuple[list[list[bytes]], list[bytes]]) -> None:
    """Counted another way: by sets of what stands in the lines."""
    apart, together = log
    mails = {
        (number, line.split(b"[")[1].split(b"]")[0], b" X=" in line)
        for number, lines in enumerate(apart)
        for line in lines
        if b" => " in line
    }
    found = whole(part(together))
    assert sum(found.outgoing.values()) == len(mails)
    assert found.mixed == len(mails) - len({(number, ip) for number, ip, _ in mails})
    assert sum(gone.mails for gone in found.ways.values()) == len(mails)
    assert sum(found.deliveries.values()) == sum(b" => " in line for line in together)


@settings(deadline=None)
@given(mixed())
def test_counts_are_kept(
    log: tuple[list[list[bytes]], list[bytes]],
) -> None:
    import tempfile

    _, lines = log
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kept")
        first, second = part(lines[:3]), part(lines[3:])
        keep.save(first, path)
        assert keep.is_kept(path)
        assert whole(keep.load(path), second) == whole(part(lines))

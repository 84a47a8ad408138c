"""What must hold of TLS reports, and of Exim's lines that ours are made of, whoever wrote them."""

import json
from datetime import UTC
from io import StringIO

from audit.report import tlsrpt_text
from audit.report.encode import pretty
from audit.tlsrpt import exim
from audit.tlsrpt.clock import clock
from audit.tlsrpt.compose import Sender, compose
from audit.tlsrpt.merge import Pile, merged
from audit.tlsrpt.report import RefusedError, decode, encode
from audit.tlsrpt.sessions import Sessions
from audit.tlsrpt.unwrap import Piece, mail, plain
from audit.traffic.exim import parse
from audit.wire.mta_sts import Policy

_POLICIES = {
    name: Policy("testing", 1, ("*.tested.example",))
    for name in (b"tested.example", b"testing.example", b"two.lab.test")
}
_SENDER = Sender("Example", "tlsrpt@example.org")
_CLOCK = clock(UTC)


def report(data: bytes) -> None:
    """A file or a mail: sessions are counted once, and nothing that is shown does harm."""
    pile = Pile()
    for piece in (plain("f\x1b", data), *mail("m\x1b", data)):
        _add(pile, piece)
    once = merged(pile)
    for key, (one, domain) in list(pile.reports.items()):
        pile.add(one, domain)
        assert pile.reports[key] == (one, domain)
        assert decode(encode(one)) == one
    again = merged(pile)
    assert again.copies == once.copies + once.reports
    assert (again.domains, again.lapses, again.refused) == (
        once.domains,
        once.lapses,
        once.refused,
    )
    policies = [policy for one, _ in pile.reports.values() for policy in one.policies]
    assert once.sessions.ok == sum(
        one.summary.total_successful_session_count for one in policies
    ), "sessions are lost, or counted twice"
    told = StringIO()
    tlsrpt_text.show(once, told)
    document = pretty(once).decode()
    assert json.loads(document)
    assert all(line.isprintable() for line in (told.getvalue() + document).split("\n"))


def _add(pile: Pile, piece: Piece) -> None:
    try:
        if not piece.trouble:
            pile.add(decode(piece.content), piece.domain)
            return
        reason = piece.trouble
    except RefusedError as error:
        reason = str(error)
    pile.refused.append((piece.name, reason))


def sessions(data: bytes) -> None:
    """Lines: what the counter of logs takes for a delivery is one, and reports add up."""
    found = Sessions(_CLOCK, policies=_POLICIES)
    for line in data.split(b"\n"):
        what = exim.event(line)
        _alike(line, what)
        if what:
            found.take(what)
    for own in compose(found.finish(), _SENDER, _POLICIES):
        assert decode(encode(own.report)) == own.report
        for one in own.report.policies:
            failed = sum(detail.failed_session_count for detail in one.details)
            assert failed == one.summary.total_failure_session_count
            assert failed + one.summary.total_successful_session_count


def _alike(line: bytes, what: exim.Event | None) -> None:
    """The two readers of a line, each written on its own."""
    other = parse(line)
    if other.kind == "delivery" and other.ip:
        assert what is not None, "a delivery is lost"
        assert what.kind in ("sent", "copy", "unclear")
    if what and what.kind in ("sent", "copy"):
        assert other.kind in ("delivery", "ambiguous"), other
        if other.kind == "delivery":
            assert (what.ip, what.host) == (other.ip, other.name)
            assert (what.policy == "tlsa") == (other.cv == b"dane")

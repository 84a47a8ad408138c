"""What must hold of replies, dialogues and logins, whatever the server says."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import get_args

from audit.facts import Plaintext, Seen, Service
from audit.wire import login
from audit.wire.dialogue import PROTOCOLS, Refused, Step, before_tls, to_starttls
from audit.wire.reply import _LONGEST_LINE, _MOST_LINES, Grammar, NotAReply, Reply, ReplyReader
from tests.fuzz.streams import cut, fill, single

GRAMMARS: tuple[Grammar, ...] = get_args(Grammar)
SERVICES: tuple[Service, ...] = get_args(Service)
_MOST_STEPS = 10  # greeting, capabilities, two logins of two steps and a way back each, MAIL


@dataclass
class Outcome:
    """How a conversation ended.

    Attributes:
        sent: the commands.
        result: of the dialogue; None if it did not come to its end.
        refused: the server's words and whether they are for now.
        ended: in a word.
    """

    sent: list[bytes] = field(default_factory=list)
    result: Plaintext | None = None
    refused: tuple[str, bool] | None = None
    ended: str = "silence"


def reply(data: bytes) -> None:
    """The same replies however the bytes were split; what is left is what came after them."""
    grammar = GRAMMARS[data[0] % len(GRAMMARS)] if data else "smtp"
    pieces, stream = cut(data[1:])
    whole, failed = _replies([stream], grammar)
    for parts in (pieces, single(stream)):
        assert _replies(parts, grammar) == (whole, failed)
    for one in whole:
        _sound(one, grammar)


def endless(data: bytes) -> None:
    """Of replies without end no more than the bound is kept."""
    piece, stream = fill(data, 8 * _LONGEST_LINE)
    for grammar in GRAMMARS:
        parts = [stream[at : at + piece] for at in range(0, len(stream), piece)]
        assert _replies(parts, grammar) == _replies([stream], grammar)


def dialogue(data: bytes) -> None:
    """A dialogue ends in few steps, in its result or a refusal, and says nothing it should not."""
    choice = data[0] if data else 0
    service = SERVICES[choice % len(SERVICES)]
    words = PROTOCOLS[service]
    try_mail = service == "smtp" and choice >= 128
    pieces, stream = cut(data[1:])
    clear = [
        _talk(before_tls(service, try_mail=try_mail), p) for p in ([stream], pieces, single(stream))
    ]
    to_tls = [_talk(to_starttls(service), parts) for parts in ([stream], pieces, single(stream))]
    assert clear[0] == clear[1] == clear[2]
    assert to_tls[0] == to_tls[1] == to_tls[2]
    for outcome in (clear[0], to_tls[0]):
        assert len(outcome.sent) <= _MOST_STEPS
        assert not outcome.sent[0], "nobody is spoken to before the greeting"
        for line in outcome.sent[1:]:
            assert line.endswith(b"\r\n")
            assert line.count(b"\n") == 1
            assert not line.upper().startswith((b"RCPT", b"DATA"))
    assert words.starttls.send not in clear[0].sent
    assert {*to_tls[0].sent} <= {
        b"", words.starttls.send, words.capabilities.send if words.capabilities else b"",
    }  # fmt: skip
    if to_tls[0].ended == "done":
        assert to_tls[0].sent[-1] == words.starttls.send
    if clear[0].result:
        _sound_plaintext(clear[0].result, service, try_mail=try_mail)


def logins(data: bytes) -> None:
    """A login that was looked at is never taken for refused unread."""
    choice = data[0] if data else 0
    service = SERVICES[choice % len(SERVICES)]
    lines = tuple(data[1:].decode("utf-8", "replace").split("\n"))
    offered = login.mechanisms(service, lines)
    assert len(set(offered)) == len(offered)
    assert all(word and not any(c.isspace() for c in word) for word in offered)
    assert login.verdict(service, Reply(ok=True, lines=lines)) == "accepted"
    refusal = Reply(ok=False, lines=lines)
    plain, after_offer = (login.verdict(service, refusal, offered=o) for o in (False, True))
    assert {plain, after_offer} <= {*get_args(Seen)}
    if login._LOOKED_AT.search(refusal.last):
        assert "refused" not in (plain, after_offer)
    assert after_offer == plain or (plain, after_offer) == ("inconclusive", "accepted")


def _replies(parts: Iterable[bytes], grammar: Grammar) -> tuple[list[Reply], bool]:
    """The replies, and whether another protocol was seen after them."""
    one, found, rest = ReplyReader(), [], b""
    try:
        for part in parts:
            one.feed(part)
            rest += part
            while (taken := one.take(grammar, "c1")) is not None:
                found.append(taken)
                rest = b""  # of single bytes the last one ended the reply
            assert len(one._buffer) <= _LONGEST_LINE, "it keeps too much"
            assert len(one._lines) <= _MOST_LINES
    except NotAReply as error:
        assert str(error).isprintable()
        return found, True
    if all(len(part) == 1 for part in parts):
        assert one.rest.replace(b"\r", b"") == rest.replace(b"\r", b""), "the rest is another"
    return found, False


def _sound(one: Reply, grammar: Grammar) -> None:
    assert one.lines
    assert len(one.lines) <= _MOST_LINES
    assert not any("\n" in line or line.endswith("\r") for line in one.lines)
    assert max(map(len, one.lines)) <= _LONGEST_LINE
    assert one.code in range(1000) if grammar == "smtp" else one.code == 0
    if grammar == "smtp":
        assert one.ok == (one.last[0] in "23")


def _talk(talk: Generator[Step, Reply, Plaintext | None], parts: Iterable[bytes]) -> Outcome:
    """Walk it with a server that says these parts and closes."""
    outcome, reader, left = Outcome(), ReplyReader(), iter(parts)
    challenged, taken = False, None
    try:
        step = next(talk)
        while True:
            assert not challenged or step.send == b"*\r\n", "an exchange is left open"
            outcome.sent.append(step.send)
            while (taken := reader.take(step.grammar, step.tag)) is None:
                if (part := next(left, None)) is None:
                    return outcome
                reader.feed(part)
            challenged = taken.code == 334 and step.send.startswith(b"AUTH")
            step = talk.send(taken)
    except StopIteration as end:
        outcome.result, outcome.ended = end.value, "done"
    except Refused as refused:
        assert taken is not None
        assert not taken.ok
        outcome.refused, outcome.ended = (str(refused), refused.for_now), "refused"
    except NotAReply:
        outcome.ended = "another protocol"
    return outcome


def _sound_plaintext(found: Plaintext, service: Service, *, try_mail: bool) -> None:
    assert found.greeting
    assert not found.preauth or service == "imap"
    assert found.starttls in ("accepted", "refused")
    assert found.login_reply, "no verdict without the server's words"
    assert (found.mail is not None) == try_mail
    assert found.mail is None or found.mail.evidence

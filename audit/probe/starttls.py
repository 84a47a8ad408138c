"""Questions that are asked before and across the start of TLS."""

import secrets
import time
from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from audit.facts import Observation
from audit.probe.connection import Connection
from audit.probe.errors import Closed, NoAnswer, NotTheService, ProbeError, Reset, Throttled
from audit.probe.guest import Guest
from audit.probe.question import Known, Question
from audit.probe.secure import Secure, TlsFailed
from audit.wire.dialogue import PROTOCOLS, Step, introduction
from audit.wire.inside import opening, relist
from audit.wire.reply import Reply
from audit.wire.starttls import (
    ACROSS,
    OUT_OF_ORDER,
    RECIPIENT,
    begin_mail,
    commands,
    heard,
    list_before,
    lists,
)

_QUIET = 0.4  # seconds in which what a server says unasked has come
_PARTING = 3.0  # seconds for a server to close once good-bye is said
_SEGMENT = 0.05  # between two segments, so that no network joins them
_SHOWN = 160
_MOST_TEXT = 1 << 15


def _arguments(guest: Guest, _known: Known) -> Observation:
    def question(connection: Connection) -> Observation:
        service = connection.endpoint.service
        connection.converse(introduction(service))
        reply = connection.ask(ACROSS[service].argued)
        return Observation("accepted" if reply.ok else "refused", reply.last[:_SHOWN])

    return guest.ask(question)


def _extra(guest: Guest, _known: Known) -> Observation:
    def question(connection: Connection) -> Observation:
        connection.to_tls()
        extra = connection.unread
        if not extra:
            with suppress(NoAnswer):
                extra = connection.receive(_QUIET)
                if not extra:
                    raise Reset("the server closed after the go-ahead")
        if extra:
            return Observation("accepted", f"after the go-ahead: {extra[:_SHOWN]!r}")
        Secure(connection, connection.endpoint.name)  # or the silence was no answer
        return Observation("refused", "nothing before the handshake, which succeeds")

    return guest.ask(question)


def _state(guest: Guest, _known: Known) -> Observation:
    """Is the envelope still there? Only a server that minds the order of commands can tell."""
    after = guest.ask(partial(_name_recipient, mail=True))
    if isinstance(after, Observation):
        return after
    if after.code == OUT_OF_ORDER:
        return Observation("refused", after.last[:_SHOWN])
    control = guest.ask(partial(_name_recipient, mail=False))
    if isinstance(control, Reply) and control.code == OUT_OF_ORDER:
        words = f"RCPT after TLS: {after.last[:_SHOWN]}; without MAIL: {control.last[:_SHOWN]}"
        return Observation("accepted", words)
    return Observation("inconclusive", f"RCPT is answered alike without MAIL: {after.last}")


def _name_recipient(connection: Connection, *, mail: bool) -> Reply | Observation:
    """The answer to RCPT inside TLS, with or without MAIL in clear; or why none was needed."""
    service = connection.endpoint.service
    if mail:
        begun = connection.converse(begin_mail(service))
        if not begun.ok:
            return Observation("refused", f"MAIL is refused in clear: {begun.last[:_SHOWN]}")
    else:
        connection.converse(introduction(service))
    agreed = connection.ask(PROTOCOLS[service].starttls)
    if not agreed.ok:
        return Observation("refused", f"no STARTTLS once MAIL was given: {agreed.last[:_SHOWN]}")
    session = Secure(connection, connection.endpoint.name)
    reply = session.ask(RECIPIENT)
    if reply.ok:
        with suppress(ProbeError):
            session.ask(Step(b"RSET\r\n", "smtp"))
    return reply


def _capabilities(guest: Guest, _known: Known) -> Observation:
    def question(connection: Connection) -> Observation:
        service = connection.endpoint.service
        words = PROTOCOLS[service]
        before = connection.converse(list_before(service))
        agreed = connection.ask(words.starttls)
        if not agreed.ok:
            return Observation("inconclusive", f"STARTTLS is refused: {agreed.last[:_SHOWN]}")
        session = Secure(connection, connection.endpoint.name)
        replies = session.converse(opening(service, "starttls"))
        replies = (*replies, session.converse(relist(service)))
        inside = [found for reply in replies for found in lists(service, reply)]
        if not inside:
            return Observation("inconclusive", f"no list inside TLS: {replies[-1].last[:_SHOWN]}")
        shown = ", ".join(sorted(inside[-1]))[:_SHOWN]
        if words.advertises in before and before in inside:
            return Observation("accepted", f"the same as before TLS: {shown}")
        return Observation("refused", f"inside TLS: {shown}")

    return guest.ask(question)


def _injection(guest: Guest, _known: Known, *, split: bool) -> Observation:
    seen = guest.ask(partial(_carry, inject=True, split=split))
    if seen.seen != "inconclusive":
        return seen
    # It ended there. That is a refusal only if the same without the command does not end.
    control = guest.ask(partial(_carry, inject=False, split=split))
    if control.seen == "refused":
        return Observation("refused", f"{seen.evidence}; without the command all goes well")
    return Observation("inconclusive", f"{seen.evidence}; without it: {control.evidence}")


def _carry(connection: Connection, *, inject: bool, split: bool) -> Observation:
    """Whether a command in clear is answered in TLS; inconclusive if the server ended it."""
    service, tag = connection.endpoint.service, secrets.token_hex(6)
    injected, marker = commands(service, tag)
    starttls = PROTOCOLS[service].starttls
    connection.converse(introduction(service))
    try:
        if inject and split:
            connection.send(starttls.send)
            time.sleep(_SEGMENT)
            connection.send(injected)
            starttls = replace(starttls, send=b"")
        elif inject:
            starttls = replace(starttls, send=starttls.send + injected)
        agreed = connection.ask(starttls)
        if not agreed.ok:
            return Observation("inconclusive", f"STARTTLS is refused: {agreed.last[:_SHOWN]}")
        session = Secure(connection, connection.endpoint.name)
        session.send(marker)
    except (Closed, Reset, TlsFailed) as error:
        return Observation("inconclusive", f"the server ends it: {error}")
    return _listen(session, connection, tag)


def _listen(session: Secure, connection: Connection, tag: str) -> Observation:
    """Wait for the answer to the marker, say good-bye, and count all answers up to the end."""
    service, text, seen, parted = connection.endpoint.service, "", None, False
    while seen != "accepted" and (data := _more(session, parted=parted)):
        text += data.decode("latin-1")
        if len(text) > _MOST_TEXT:
            raise NotTheService("what the server says inside TLS does not end")
        if text.startswith("421"):
            raise Throttled(f"the server refuses for now: {text[:_SHOWN]}")
        seen = heard(service, text, tag, parted=parted)
        if seen and not parted:
            with suppress(Reset, TlsFailed):  # what came before is there to be read
                session.send(PROTOCOLS[service].quit)
            parted = True
    if not seen:
        return Observation("inconclusive", f"inside TLS it ends: {text[:_SHOWN]!r}")
    asked = "one answer" if seen == "refused" else "more answers than questions"
    return Observation(seen, f"{asked} inside TLS: {text[-_SHOWN:]!r}")


def _more(session: Secure, *, parted: bool) -> bytes:
    """What comes next; nothing at the end, or when a server does not close after good-bye."""
    try:
        return session.receive(_PARTING if parted else None)
    except (Reset, TlsFailed):
        return b""
    except NoAnswer:
        if parted:
            return b""
        raise


QUESTIONS: tuple[Question, ...] = (
    Question("starttls-arguments", _arguments, starttls=True),
    Question("response-extra", _extra, starttls=True),
    Question("state-kept", _state, starttls=True, services=("smtp", "lmtp")),
    Question("capabilities-kept", _capabilities, starttls=True),
    Question("injection", partial(_injection, split=False), starttls=True),
    # Most servers give what is injected to their TLS library, and end it there: hence the control.
    Question("injection-split", partial(_injection, split=True), starttls=True, cost=lambda _: 2),
)

"""What is said inside TLS, protocol by protocol. Pure."""

import re
from collections.abc import Generator

from audit.facts import Mode, Observation, Service
from audit.wire.dialogue import PROTOCOLS, Refused, Step, advertised
from audit.wire.reply import Reply

# ManageSieve alone has no such command among those before TLS: there the greeting says it.
_LIST = {s: w.capabilities or Step(b"CAPABILITY\r\n", "sieve") for s, w in PROTOCOLS.items()}
_BUSY = 421
# As many lines as browsers send: what is still answered after them would obey their body.
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: mailseal.invalid\r\n"
    + b"".join(b"X-Mailseal-%d: %d\r\n" % (n, n) for n in range(14))
    + b"\r\n"
)
# An answer to each line; not the last word of a server that ends it, whatever its reason.
_ERRORS: dict[Service, str] = {
    "smtp": r"^(?!421)\d{3}( |\r?$)",
    "lmtp": r"^(?!421)\d{3}( |\r?$)",
    "imap": r"^\S+ (BAD|NO)\b",
    "pop3": r"^-ERR\b",
    "sieve": r"^NO\b",
}
# More than Exim, Postfix and Dovecot put up with (3, none, and from 3 to 10).
MOST_ANSWERS = 10


def opening(service: Service, mode: Mode) -> Generator[Step, Reply, tuple[Reply, ...]]:
    """From the end of the handshake to where one command has one answer; what came unasked.

    Raises:
        Refused: the greeting was a refusal.
    """
    if mode == "implicit":
        greeting = yield Step(b"", PROTOCOLS[service].greeting)
        if not greeting.ok:
            raise Refused(greeting, greeting=True)
        return (greeting,)
    unasked = []
    if service == "sieve":
        # The capabilities come unasked (RFC 5804, section 2.2), or in old servers not at all:
        # what answers NOOP is the first reply that is none.
        reply = yield Step(b"NOOP\r\n", "sieve")
        while any(line.startswith('"') for line in reply.lines):
            unasked.append(reply)
            reply = yield Step(b"", "sieve")
    return tuple(unasked)


def relist(service: Service) -> Generator[Step, Reply, Reply]:
    """The capabilities once more.

    Raises:
        Refused: the server is busy.
    """
    return (yield from _ask(_LIST[service]))


def starttls_again(service: Service, mode: Mode) -> Generator[Step, Reply, Observation]:
    """Whether STARTTLS is offered or taken inside TLS.

    Raises:
        Refused: the greeting was a refusal, or the server is busy.
    """
    yield from opening(service, mode)
    listed = yield from relist(service)
    if advertised(service, listed.lines):
        word = PROTOCOLS[service].advertises.strip('"')
        return Observation("accepted", f"{word} is advertised inside TLS")
    reply = yield from _ask(PROTOCOLS[service].starttls)
    return Observation("accepted" if reply.ok else "refused", reply.last)


def _ask(step: Step) -> Generator[Step, Reply, Reply]:
    reply = yield step
    if reply.code == _BUSY:
        raise Refused(reply, greeting=False)
    return reply


def answers_to_http(service: Service, text: str) -> int | None:
    """How many answers an HTTP request got; None if it was answered in HTTP."""
    if re.search(r"^HTTP/\d", text, re.MULTILINE):
        return None
    return len(re.findall(_ERRORS[service], text, re.MULTILINE | re.IGNORECASE))

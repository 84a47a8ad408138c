"""What is said before TLS, protocol by protocol: tables, and two generators that walk them.

A generator yields what to send and which reply to read, and is sent the reply; whoever drives it
owns the socket. Nothing here logs in, sends mail or changes state: the user is impossible, no
recipient follows MAIL, and every dialogue ends politely.
"""

import base64
from collections.abc import Generator

from msgspec import Struct

from audit.facts import Observation, Plaintext, Seen, Service
from audit.wire import login
from audit.wire.reply import Grammar, Reply

CLIENT = "mailseal.invalid"
_USER, _PASSWORD = "mailseal-no-such-user", "not-a-password"
_CONTINUE = 334
_ASKS_FOR_TLS = (530, 538)
_PLAIN = base64.b64encode(f"\0{_USER}\0{_PASSWORD}".encode()).decode()


class Step(Struct, frozen=True):
    """One exchange.

    Attributes:
        send: the command; empty to only read, as for the greeting.
        grammar: how the reply is read.
        tag: the tag of an IMAP command.
    """

    send: bytes
    grammar: Grammar
    tag: str = ""


Dialogue = Generator[Step, Reply, None]


class Protocol(Struct, frozen=True):
    """The words of one protocol.

    Attributes:
        greeting: how the greeting is read.
        capabilities: asks what the server can; None where the greeting says it.
        introduce: True if `capabilities` must come before STARTTLS (SMTP, LMTP).
        starttls: asks for TLS.
        advertises: the word in the capabilities.
        quit: says good-bye.
    """

    greeting: Grammar
    capabilities: Step | None
    introduce: bool
    starttls: Step
    advertises: str
    quit: bytes


PROTOCOLS: dict[Service, Protocol] = {
    "smtp": Protocol(
        greeting="smtp",
        capabilities=Step(f"EHLO {CLIENT}\r\n".encode(), "smtp"),
        introduce=True,
        starttls=Step(b"STARTTLS\r\n", "smtp"),
        advertises="STARTTLS",
        quit=b"QUIT\r\n",
    ),
    "lmtp": Protocol(
        greeting="smtp",
        capabilities=Step(f"LHLO {CLIENT}\r\n".encode(), "smtp"),
        introduce=True,
        starttls=Step(b"STARTTLS\r\n", "smtp"),
        advertises="STARTTLS",
        quit=b"QUIT\r\n",
    ),
    "imap": Protocol(
        greeting="greeting",
        capabilities=Step(b"c1 CAPABILITY\r\n", "imap", "c1"),
        introduce=False,
        starttls=Step(b"c2 STARTTLS\r\n", "imap", "c2"),
        advertises="STARTTLS",
        quit=b"c9 LOGOUT\r\n",
    ),
    "pop3": Protocol(
        greeting="pop3",
        capabilities=Step(b"CAPA\r\n", "pop3-list"),
        introduce=False,
        starttls=Step(b"STLS\r\n", "pop3"),
        advertises="STLS",
        quit=b"QUIT\r\n",
    ),
    "sieve": Protocol(
        greeting="sieve",
        capabilities=None,
        introduce=False,
        starttls=Step(b"STARTTLS\r\n", "sieve"),
        advertises='"STARTTLS"',
        quit=b"LOGOUT\r\n",
    ),
}


_SMTP_LOGINS = (
    (Step(f"AUTH PLAIN {_PLAIN}\r\n".encode(), "smtp"),),
    (Step(b"AUTH LOGIN\r\n", "smtp"),),
)
# RFC 2971: so that log statistics can leave us out, as the name in EHLO does.
_ID = Step(f'c5 ID ("name" "mailseal" "vendor" "{CLIENT}")\r\n'.encode(), "imap", "c5")
# Each a way to log in, step by step; a server may refuse one and take the other.
_LOGINS: dict[Service, tuple[tuple[Step, ...], ...]] = {
    "smtp": _SMTP_LOGINS,
    "lmtp": _SMTP_LOGINS,
    "imap": ((Step(f"c3 LOGIN {_USER} {_PASSWORD}\r\n".encode(), "imap", "c3"),),),
    "pop3": (
        (
            Step(f"USER {_USER}\r\n".encode(), "pop3"),
            Step(f"PASS {_PASSWORD}\r\n".encode(), "pop3"),
        ),
    ),
    "sieve": ((Step(f'AUTHENTICATE "PLAIN" "{_PLAIN}"\r\n'.encode(), "sieve"),),),
}


class Refused(Exception):
    """The server does not go on; the message is its reply.

    Attributes:
        for_now: it may do so later: busy at the greeting, or 421 and BYE at any time.
    """

    def __init__(self, reply: Reply, *, greeting: bool) -> None:
        """Take the reply, and whether it was the first one."""
        super().__init__(reply.last)
        bye = reply.last.upper().startswith(("* BYE", "BYE"))
        self.for_now = bye or reply.code == 421 or (greeting and not 500 <= reply.code < 600)


def introduction(service: Service) -> Dialogue:
    """From the connection to the point where STARTTLS may be sent.

    Raises:
        Refused: the greeting or the introduction was answered with a refusal.
    """
    words = PROTOCOLS[service]
    steps = [Step(b"", words.greeting)]
    if words.introduce and words.capabilities:
        steps.append(words.capabilities)
    for number, step in enumerate(steps):
        reply = yield step
        if not reply.ok:
            raise Refused(reply, greeting=number == 0)


def to_starttls(service: Service) -> Dialogue:
    """From the connection to the point where the ClientHello may be sent.

    Raises:
        Refused: the greeting, the introduction or STARTTLS was answered with a refusal.
    """
    yield from introduction(service)
    reply = yield PROTOCOLS[service].starttls
    if not reply.ok:
        raise Refused(reply, greeting=False)


def before_tls(service: Service, *, try_mail: bool) -> Generator[Step, Reply, Plaintext]:
    """Everything a client could do in clear, tried with a user that cannot exist.

    Raises:
        Refused: the greeting was a refusal.
    """
    words = PROTOCOLS[service]
    greeting = yield Step(b"", words.greeting)
    if not greeting.ok:
        raise Refused(greeting, greeting=True)
    answer = greeting
    if words.capabilities:
        answer = yield words.capabilities
    if service == "imap" and any("ID" in _words(line) for line in answer.lines):
        yield _ID
    offered = login.mechanisms(service, answer.lines)
    seen, said = yield from _logins(service, offered=bool(offered))
    mail = None
    if try_mail:
        reply = yield Step(b"MAIL FROM:<>\r\n", "smtp")
        mail = Observation(_mail(reply), reply.last)
    return Plaintext(
        greeting=greeting.last,
        preauth=service == "imap" and greeting.last.upper().startswith("* PREAUTH"),
        starttls="accepted" if advertised(service, answer.lines) else "refused",
        auth_offered=offered,
        login=seen,
        login_reply=said,
        mail=mail,
    )


def _logins(service: Service, *, offered: bool) -> Generator[Step, Reply, tuple[Seen, str]]:
    """Every way to log in, until one is not refused unread; the server's words about it."""
    said = ""
    for steps in _LOGINS[service]:
        seen: Seen = "refused"
        for step in steps:
            reply = yield step
            said = reply.last
            # A second step is only reached if the first was taken: then the name was looked at.
            seen = login.verdict(service, reply, offered=offered or seen == "accepted")
            if not reply.ok:
                break
            if reply.code == _CONTINUE:
                yield Step(b"*\r\n", "smtp")  # RFC 4954, section 4: take the exchange back
        if seen != "refused":
            return seen, said
    return "refused", said


def _mail(reply: Reply) -> Seen:
    """Only a refusal that asks for TLS or a login is about TLS; any other may be about us."""
    if reply.ok:
        return "accepted"
    asks = reply.code in _ASKS_FOR_TLS or "STARTTLS" in reply.last.upper() or "5.7.0" in reply.last
    return "refused" if asks else "inconclusive"


def advertised(service: Service, lines: tuple[str, ...]) -> bool:
    """Whether STARTTLS is among these capabilities."""
    return any(PROTOCOLS[service].advertises in _words(line) for line in lines)


def _words(line: str) -> list[str]:
    """The words of a capability line; SMTP and LMTP put a code and a dash before the first."""
    if line[:3].isdecimal():
        line = line[4:]
    return line.upper().replace("]", " ").split()

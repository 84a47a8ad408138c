"""What is said before and across the start of TLS, protocol by protocol. Pure.

Nothing here logs in or sends mail: what is injected does nothing and carries a random tag, and the
one recipient is at a domain that cannot exist.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass

from audit.facts import Seen, Service
from audit.wire.dialogue import PROTOCOLS, Refused, Step, introduction
from audit.wire.reply import Reply

MAIL = Step(b"MAIL FROM:<>\r\n", "smtp")
RECIPIENT = Step(b"RCPT TO:<mailseal-nobody@mailseal.invalid>\r\n", "smtp")
OUT_OF_ORDER = 503  # RFC 5321, section 3.3: RCPT without MAIL


@dataclass(frozen=True, slots=True)
class Across:
    """The words of one protocol.

    Attributes:
        argued: STARTTLS with a parameter that it does not have.
        injected: a command that does nothing.
        marker: a command that is answered otherwise than `injected`, by its tag or by a refusal:
            so a server that is one answer behind is told from one that is not.
        answer: matches every answer to either.
        betrays: matches only what answers `injected`.
        parting: how many answers of that kind the good-bye has.
    """

    argued: Step
    injected: str
    marker: str
    answer: str
    betrays: str
    parting: int = 0


_SMTP = Across(
    argued=Step(b"STARTTLS mailseal\r\n", "smtp"),
    injected="NOOP {tag}\r\n",
    marker="X{tag}\r\n",
    # Another greeting, a good-bye or a busy server answers nothing.
    answer=r"^(?!22[01]|421)\d{3}( .*)?\r?$",
    betrays=r"^2(?!2[01])\d\d( .*)?\r?$",
)
_CAPA = r"\+OK.*\n([^+\-.].*\n)+\.\r?$"
ACROSS: dict[Service, Across] = {
    "smtp": _SMTP,
    "lmtp": _SMTP,
    "imap": Across(
        argued=Step(b"c2 STARTTLS mailseal\r\n", "imap", "c2"),
        injected="{tag} NOOP\r\n",
        marker="m{tag} NOOP\r\n",
        answer=r"^m?{tag} (OK|NO|BAD)\b",
        betrays=r"^{tag} ",
    ),
    "pop3": Across(
        argued=Step(b"STLS mailseal\r\n", "pop3"),
        injected="CAPA\r\n",
        marker="X{tag}\r\n",
        answer=rf"^(-ERR.*\r?$|{_CAPA})",
        betrays=rf"^{_CAPA}",
    ),
    "sieve": Across(
        argued=Step(b'STARTTLS "mailseal"\r\n', "sieve"),
        injected='NOOP "{tag}"\r\n',
        marker='NOOP "m{tag}"\r\n',
        answer=r"^(OK|NO)\b",
        betrays=r"(?<!m){tag}",
        parting=1,  # RFC 5804, section 2.3: LOGOUT is answered with OK
    ),
}


# RFC 5804, section 2.2: the capabilities come unasked once TLS is there, and end in their own OK.
_SIEVE_LIST = re.compile(r'^"IMPLEMENTATION".*\n(?:".*\n)*OK.*\n', re.MULTILINE)


def commands(service: Service, tag: str) -> tuple[bytes, bytes]:
    """The command to inject, and the marker that is sent inside TLS."""
    words = ACROSS[service]
    return words.injected.format(tag=tag).encode(), words.marker.format(tag=tag).encode()


def heard(service: Service, text: str, tag: str, *, parted: bool) -> Seen | None:
    """Whether the injected command was answered inside TLS; None while not even the marker was.

    *parted*: whether good-bye was said behind the marker.
    """
    words = ACROSS[service]
    text = _SIEVE_LIST.sub("", text)
    answers = _count(words.answer, text, tag)
    if answers > 1 + parted * words.parting or _count(words.betrays, text, tag):
        return "accepted"
    return "refused" if answers else None


def _count(pattern: str, text: str, tag: str) -> int:
    # Not str.format: the patterns have braces of their own.
    return sum(1 for _ in re.finditer(pattern.replace("{tag}", tag), text, re.MULTILINE))


def begin_mail(service: Service) -> Generator[Step, Reply, Reply]:
    """Start an envelope in clear; the answer to MAIL.

    Raises:
        Refused: it did not come to that.
    """
    yield from introduction(service)
    return (yield MAIL)


def list_before(service: Service) -> Generator[Step, Reply, frozenset[str]]:
    """The capabilities in clear, up to the point where STARTTLS may be sent.

    Raises:
        Refused: the greeting or the introduction was answered with a refusal.
    """
    words = PROTOCOLS[service]
    last = yield Step(b"", words.greeting)
    if not last.ok:
        raise Refused(last, greeting=True)
    if words.capabilities:
        last = yield words.capabilities
    if words.introduce and not last.ok:
        raise Refused(last, greeting=False)
    return next(iter(lists(service, last)), frozenset())


def lists(service: Service, reply: Reply) -> tuple[frozenset[str], ...]:
    """The lists of capabilities in a reply: IMAP servers may send one more than was asked for.

    Only names: their values may differ from session to session.
    """
    text = [line.strip().upper() for line in reply.lines]
    if service == "imap":
        found = (re.search(r"CAPABILITY ([^\]]*)", line) for line in text)
        return tuple(frozenset(item[1].split()) for item in found if item)
    if not reply.ok:
        return ()
    match service:
        case "smtp" | "lmtp":  # the first line is the server's name
            named = [line[4:] for line in text[1:]]
        case "pop3":
            named = text[1:-1]
        case "sieve":
            named = text[:-1]
    return (frozenset(line.split()[0] for line in named if line.split()),)

"""Mail servers of a few lines on loopback: good ones, and such as go wrong at one word."""

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from audit import roots
from audit.account import Account
from audit.facts import Endpoint, Mode, Service
from audit.passage.plan import Errand, Place
from audit.policy.model import Traffic
from tests.servers import Pki, listening

ACCOUNT = Account(
    user="tester", password="s3cret\u00fc", recipient="tester@lab.test", lmtp_user="postman",
    lmtp_password="0ther",
)  # fmt: skip
PLAIN = b64encode(ACCOUNT.plain).decode()
POSTMAN = b64encode(ACCOUNT.deliverer.plain).decode()


@dataclass
class Store:
    """What lies in the mailbox.

    Attributes:
        ids: the Message-IDs that are there.
        ever: those that have ever been, in order; the place is the UID.
        late: how often it is looked for before it is there.
    """

    ids: set[str] = field(default_factory=set)
    ever: list[str] = field(default_factory=list)
    late: int = 0


class Talk:
    """One connection, from the server's side."""

    def __init__(self, link: socket.socket, store: Store, tls: ssl.SSLContext) -> None:
        self.link = link
        self.store = store
        self.secure = False
        self.heard: list[str] = []
        self._tls = tls
        self._file = link.makefile("rb")

    @property
    def tag(self) -> str:
        """What the last command began with."""
        return self.heard[-1].split(maxsplit=1)[0] if self.heard and self.heard[-1].strip() else ""

    def line(self) -> str:
        """The next one; empty at the end."""
        text = self._file.readline().decode()
        self.heard.append(text)
        return text.rstrip("\r\n")

    def say(self, text: str) -> None:
        """With the end of the line."""
        self.link.sendall(f"{text}\r\n".encode())

    def close(self) -> None:
        """End it."""
        self._file.close()
        self.link.close()

    def start_tls(self) -> None:
        """Shake hands."""
        self.link = self._tls.wrap_socket(self.link, server_side=True)
        self._file = self.link.makefile("rb")
        self.secure = True


# What is said to a word; {tag} is IMAP's. What is done instead ends the connection if it is True.
Answer = str | Callable[[Talk, str], bool | None]
Words = Mapping[str, Answer]


def _secured(before: str, after: str = "") -> Answer:
    def answer(talk: Talk, line: str) -> None:
        talk.say(before.replace("{tag}", talk.tag))
        talk.start_tls()
        if after:
            talk.say(after)

    return answer


def _data(talk: Talk, line: str) -> None:
    talk.say("354 go ahead")
    text = ""
    while (line := talk.line()) != ".":
        text += f"{line}\n"
    if found := re.search(r"^Message-ID: (<.*>)$", text, re.MULTILINE):
        talk.store.ids.add(found[1])
        talk.store.ever.append(found[1])
    talk.say("250 2.0.0 taken")


def _search(talk: Talk, line: str) -> None:
    wanted = line.split('"')[1]
    talk.store.late -= 1
    there = wanted in talk.store.ids and talk.store.late < 0
    uid = f" {talk.store.ever.index(wanted) + 1}" if there else ""
    talk.say(f"* SEARCH{uid}\r\n{talk.tag} OK done")


def _expunge(talk: Talk, line: str) -> None:
    talk.store.ids.discard(talk.store.ever[int(line.rsplit(maxsplit=1)[-1]) - 1])
    talk.say(f"* 1 EXPUNGE\r\n{talk.tag} OK done")


def _sasl(talk: Talk, line: str) -> None:
    tag = talk.tag
    talk.say("+ ")
    good = talk.line() == PLAIN
    talk.say(f"{tag} {'OK in' if good else 'NO [AUTHENTICATIONFAILED] wrong'}")


def _auth(talk: Talk, line: str) -> None:
    talk.say(
        "235 in" if line.removeprefix("AUTH PLAIN ") in (PLAIN, POSTMAN) else "535 5.7.8 wrong"
    )


def _lmtp_mail(talk: Talk, line: str) -> None:
    authenticated = any(POSTMAN in heard for heard in talk.heard)
    talk.say("250 ok" if authenticated else "430 Authentication required")


def _pass(talk: Talk, line: str) -> None:
    talk.say("+OK in" if line == f"PASS {ACCOUNT.password}" else "-ERR wrong")


def _authenticate(talk: Talk, line: str) -> None:
    talk.say("OK" if f'"{PLAIN}"' in line else 'NO "wrong"')


def _smtp_hello(talk: Talk, line: str) -> None:
    more = "250-AUTH PLAIN LOGIN" if talk.secure else "250-STARTTLS"
    talk.say(f"250-localhost\r\n{more}\r\n250 SIZE")


_SMTP: Words = {
    "": "220 localhost",
    "EHLO": _smtp_hello,
    "LHLO": _smtp_hello,
    "STARTTLS": _secured("220 go"),
    "AUTH": _auth,
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": _data,
    "QUIT": "221 bye",
}
_SIEVE_LIST = '"IMPLEMENTATION" "test"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK'
GOOD: Mapping[Service, Words] = {
    "smtp": _SMTP,
    "lmtp": {**_SMTP, "MAIL": _lmtp_mail},
    "imap": {
        "": "* OK localhost",
        "CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN UIDPLUS\r\n{tag} OK done",
        "STARTTLS": _secured("{tag} OK go"),
        "AUTHENTICATE": _sasl,
        "LIST": '* LIST () "/" INBOX\r\n{tag} OK done',
        "EXAMINE": "* 0 EXISTS\r\n* OK [READ-ONLY]\r\n{tag} OK [READ-ONLY] done",
        "SELECT": "* 0 EXISTS\r\n{tag} OK [READ-WRITE] done",
        "NOOP": "{tag} OK done",
        "SEARCH": _search,
        "STORE": "{tag} OK done",
        "EXPUNGE": _expunge,
        "LOGOUT": "* BYE\r\n{tag} OK done",
    },
    "pop3": {
        "": "+OK localhost",
        "CAPA": "+OK\r\nUSER\r\nSTLS\r\n.",
        "STLS": _secured("+OK go"),
        "USER": "+OK",
        "PASS": _pass,
        "LIST": "+OK\r\n.",
        "QUIT": "+OK bye",
    },
    "sieve": {
        "": _SIEVE_LIST,
        "STARTTLS": _secured('OK "go"', _SIEVE_LIST),
        "AUTHENTICATE": _authenticate,
        "LISTSCRIPTS": '"main" ACTIVE\r\nOK',
        "LOGOUT": "OK",
    },
}


@contextmanager
def serving(
    pki: Pki,
    service: Service,
    mode: Mode = "implicit",
    store: Store | None = None,
    wrong: Words | None = None,
    suites: str = "",
) -> Iterator[int]:
    """A server that is good but for some words, the empty one for its greeting; gives the port.

    With *suites* it has these alone, and no TLS 1.3.
    """
    words = {**GOOD[service], **(wrong or {})}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*pki.rsa)
    if suites:
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        tls.set_ciphers(suites)

    def answer(link: socket.socket) -> None:
        talk = Talk(link, store or Store(), tls)
        try:
            if mode == "implicit":
                talk.start_tls()
            _converse(talk, words, tagged=service == "imap")
        except (OSError, ValueError):
            pass  # the client has left
        finally:
            talk.close()

    with listening(answer) as port:
        yield port


def _converse(talk: Talk, words: Words, *, tagged: bool) -> None:
    line, word = "", ""
    while True:
        reply = words[word]
        if callable(reply):
            if reply(talk, line):
                return
        else:
            talk.say(reply.replace("{tag}", talk.tag))
        line = talk.line()
        if not line or word in ("QUIT", "LOGOUT"):
            return
        named = line.upper().split()[1:] if tagged else line.upper().split()
        word = named[1] if named[0] == "UID" else named[0]


def place(
    pki: Pki, service: Service, port: int, mode: Mode = "implicit", account: Account = ACCOUNT
) -> Place:
    """A server as the inventory would name it."""
    endpoint = Endpoint("h1", "127.0.0.1", port, service, mode, "localhost")
    return Place(endpoint, roots.read(str(pki.root)), account)


def errand(where: Place, profile: Traffic = "access", reader: Place | None = None) -> Errand:
    """What is done there."""
    return Errand(where, profile, reader)

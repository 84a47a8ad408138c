"""The dialogues before TLS: fed with the words of real servers."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.facts import Plaintext, Service
from audit.wire import login
from audit.wire.dialogue import PROTOCOLS, Refused, before_tls, to_starttls
from audit.wire.reply import NotAReply, Reply, ReplyReader


def talk(service: Service, replies: Sequence[str], *, try_mail: bool = False) -> Plaintext:
    """Walk the dialogue with a server that says these things, one for each step."""
    dialogue = before_tls(service, try_mail=try_mail)
    reader = ReplyReader()
    said = iter(replies)
    step = next(dialogue)
    while True:
        reader.feed(next(said).replace("\n", "\r\n").encode())
        reply = reader.take(step.grammar, step.tag)
        assert reply is not None, step
        try:
            step = dialogue.send(reply)
        except StopIteration as end:
            found: Plaintext = end.value
            return found


# Service, replies; then STARTTLS, mechanisms, login. Hardened servers as their releases answer.
HARDENED = [
    ("imap", ["* OK [CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED] Cyrus\n",
              "* CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED\nc1 OK done\n",
              '* ID ("name" "Cyrus IMAPD")\nc5 OK done\n',
              "c3 NO Login only available under a layer\n"]),
    ("imap", ["* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] Dovecot ready.\n",
              "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\nc1 OK Pre-login capabilities\n",
              "* BAD [ALERT] Plaintext\nc3 NO [PRIVACYREQUIRED] Authentication not allowed\n"]),
    ("pop3", ["+OK Cyrus POP3\n", "+OK list\nSTLS\nUIDL\n.\n",
              "-ERR [AUTH] USER command only available under a layer\n"]),
    ("sieve", ['"IMPLEMENTATION" "Cyrus"\n"SASL" ""\n"STARTTLS"\nOK\n',
               'NO "AUTHENTICATE only available under a layer"\n']),
    ("smtp", ["220-m\n220 m ESMTP Exim\n", "250-m Hello\n250-STARTTLS\n250 HELP\n",
              *["503 AUTH command used when not advertised\n"] * 2]),
    ("smtp", ["220 m ESMTP Postfix\n", "250-m\n250 STARTTLS\n",
              *["530 5.7.0 Must issue a STARTTLS command first\n"] * 2]),
    ("lmtp", ["220 m LMTP Cyrus\n", "250-m\n250-STARTTLS\n250 PIPELINING\n",
              *["502 5.5.1 Unknown command\n"] * 2]),
]  # fmt: skip
OPEN = [
    ("imap", ["* OK ready\n", "* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\nc1 OK done\n",
              "c3 NO [AUTHENTICATIONFAILED] Login failed: user not found\n"]),
    ("pop3", ["+OK ready\n", "+OK list\nSTLS\nUSER\nSASL PLAIN LOGIN\n.\n", "+OK Name is valid\n",
              "-ERR [AUTH] Invalid login\n"]),
    ("sieve", ['"SASL" "PLAIN LOGIN"\n"STARTTLS"\nOK\n', 'NO "Authentication Error"\n']),
    ("smtp", ["220 m\n", "250-m\n250-AUTH PLAIN LOGIN\n250 STARTTLS\n",
              "535 Incorrect authentication data\n"]),
    ("lmtp", ["220 m\n", "250-m\n250-AUTH PLAIN\n250 STARTTLS\n", "235 ok\n"]),
    ("smtp", ["220 m\n", "250-m\n250-AUTH LOGIN\n250 STARTTLS\n", "504 no such mechanism\n",
              "334 VXNlcm5hbWU6\n", "501 cancelled\n"]),
]  # fmt: skip


@pytest.mark.parametrize(("service", "replies"), HARDENED)
def test_hardened_servers_offer_nothing_and_read_nothing(
    service: Service, replies: list[str]
) -> None:
    """STARTTLS is there, no mechanism is, and the login is refused unread."""
    found = talk(service, replies)
    assert (found.starttls, found.auth_offered, found.login) == ("accepted", (), "refused")


@pytest.mark.parametrize(("service", "replies"), OPEN)
def test_open_servers_are_seen_to_look_at_passwords(service: Service, replies: list[str]) -> None:
    """The mechanisms are listed, and a wrong password counts as looked at."""
    found = talk(service, replies)
    assert found.auth_offered
    assert found.login == "accepted"


def test_a_refusal_in_unknown_words_is_not_guessed_at() -> None:
    """Neither pass nor fail."""
    assert login.verdict("imap", Reply(ok=False, lines=("c3 NO Nope",))) == "inconclusive"


def test_preauth_is_seen() -> None:
    """In the greeting, whatever follows."""
    replies = [
        "* PREAUTH welcome\n",
        "* CAPABILITY IMAP4rev1\nc1 OK\n",
        "c3 BAD logged in already\n",
    ]
    found = talk("imap", replies)
    assert found.preauth
    assert found.starttls == "refused"


def test_mail_before_tls_is_tried_where_asked() -> None:
    """And nowhere else."""
    replies = ["220 m\n", "250-m\n250 STARTTLS\n", *["503 no\n"] * 2, "530 5.7.0 STARTTLS first\n"]
    found = talk("smtp", replies, try_mail=True)
    assert found.mail is not None
    assert found.mail.seen == "refused"
    assert talk("smtp", replies[:4]).mail is None


@pytest.mark.parametrize(
    ("service", "reply", "for_now"),
    [("smtp", "421 too many connections\n", True), ("smtp", "554 no\n", False),
     ("imap", "* BYE overloaded\n", True), ("pop3", "-ERR [SYS/TEMP] busy\n", True),
     ("sieve", 'BYE "too many"\n', True)],
)  # fmt: skip
def test_a_refusing_greeting_is_read_as_now_or_never(
    service: Service,
    reply: str,
    for_now: bool,
) -> None:
    """421 and BYE may be different later; 554 will not."""
    dialogue = to_starttls(service)
    step = next(dialogue)
    reader = ReplyReader()
    reader.feed(reply.encode())
    found = reader.take(step.grammar)
    assert found is not None
    with pytest.raises(Refused) as refused:
        dialogue.send(found)
    assert refused.value.for_now == for_now


def test_nobody_is_spoken_to_before_the_greeting() -> None:
    """Exim drops clients that are."""
    for service in PROTOCOLS:
        assert next(to_starttls(service)).send == b""


def test_replies_are_read_as_a_stream() -> None:
    """Split inside a line, or two at once."""
    reader = ReplyReader()
    reader.feed(b"250-a\r\n25")
    assert reader.take("smtp") is None
    reader.feed(b"0 b\r\n220 next\r\n")
    first, second = reader.take("smtp"), reader.take("smtp")
    assert first == Reply(ok=True, lines=("250-a", "250 b"))
    assert second == Reply(ok=True, lines=("220 next",))


@pytest.mark.parametrize("size", [8191, 8192])
def test_the_longest_line_is_as_long_however_it_comes(size: int) -> None:
    """Its end counts, whether it comes with the line or after it."""
    line = b"250 " + b"x" * (size - 4)
    for parts in ([line + b"\r\n"], [line + b"\r", b"\n"]):
        reader, taken = ReplyReader(), None
        try:
            for part in parts:
                reader.feed(part)
                taken = reader.take("smtp")
        except NotAReply:
            pass
        assert (taken is not None) == (size == 8191)


@pytest.mark.parametrize(
    "data", [b"250-" + b"x" * 9000, b"250-x\r\n" * 300, b"\x16\x03\x01" + b"\n"]
)
def test_endless_replies_are_refused(data: bytes) -> None:
    """A line or a reply that does not end is no reply."""
    reader = ReplyReader()
    reader.feed(data)
    with pytest.raises(NotAReply):
        reader.take("smtp")


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["smtp", "imap", "pop3", "pop3-list", "sieve", "greeting"]),
)
def test_random_replies_end_in_a_reply_or_a_sentence(data: bytes, grammar: str) -> None:
    """Nothing else is raised."""
    reader = ReplyReader()
    reader.feed(data)
    try:
        while reader.take(grammar, "c1"):  # type: ignore[arg-type]
            pass
    except NotAReply:
        pass


@pytest.mark.parametrize(
    ("service", "reply"),
    [
        ("smtp", "504 Invalid Username or Password"),
        ("smtp", "530 5.7.8 Authentication failed"),
        ("smtp", "501 Authentication failed"),
        ("imap", "c3 NO [AUTHENTICATIONFAILED] user not recognized"),
        ("imap", "c3 NO Login failed: account not enabled"),
        ("pop3", "-ERR unrecognized user or password"),
        ("pop3", "-ERR maildrop not available"),
    ],
)
def test_a_password_that_was_looked_at_is_never_taken_for_unread(
    service: Service, reply: str
) -> None:
    """Whatever code or second half the refusal has."""
    assert login.verdict(service, Reply(ok=False, lines=(reply,))) == "accepted"


def test_words_of_both_kinds_are_not_decided() -> None:
    """Looked at, or TLS wanted: it says both."""
    words = "c3 NO authentication failed, STARTTLS required"
    assert login.verdict("imap", Reply(ok=False, lines=(words,))) == "inconclusive"


@pytest.mark.parametrize(
    "reply", ["421 try later", "451 greylisted", "550 null sender not allowed"]
)
def test_a_refusal_of_mail_for_another_reason_proves_nothing(reply: str) -> None:
    """Only a refusal that asks for TLS or a login is about TLS."""
    replies = ["220 m\n", "250-m\n250 STARTTLS\n", *["503 no\n"] * 2, f"{reply}\n"]
    found = talk("smtp", replies, try_mail=True)
    assert found.mail is not None
    assert found.mail.seen == "inconclusive"


def test_an_open_exchange_is_taken_back_before_mail_is_tried() -> None:
    """After 334 the next line would be an answer to the challenge."""
    replies = ["220 m\n", "250-m\n250 STARTTLS\n", "334 \n", "501 cancelled\n", "250 OK\n"]
    found = talk("smtp", replies, try_mail=True)
    assert found.login == "accepted"
    assert found.mail is not None
    assert found.mail.seen == "accepted"


def test_a_server_without_capa_is_taken_to_offer_user() -> None:
    """RFC 2449 is younger than USER."""
    replies = [
        "+OK ready\n",
        "-ERR unknown command\n",
        "-ERR [AUTH] only available under a layer\n",
    ]
    assert talk("pop3", replies).auth_offered == ("USER",)


def test_imap_is_read_whatever_its_case() -> None:
    """RFC 9051, section 9: all of it is case-insensitive."""
    replies = ["* ok ready\n", "* capability IMAP4rev1 STARTTLS LOGINDISABLED\nC1 ok\n",
               "c3 no Login only available under a layer\n"]  # fmt: skip
    assert talk("imap", replies).login == "refused"

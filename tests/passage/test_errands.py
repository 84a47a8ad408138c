"""Logins and mails at servers on loopback: good, refusing, busy, broken and hostile ones."""

import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from audit import bounded
from audit.account import Account
from audit.facts import Mode, Service
from audit.passage import mailbox, way
from audit.passage.errand import do
from audit.passage.outcome import End, Outcome
from audit.policy.model import Traffic
from tests.passage.served import ACCOUNT, Answer, Store, Talk, Words, errand, place, serving
from tests.servers import Pki, free_port, listening

ALL: list[tuple[Service, Mode, Traffic]] = [
    ("imap", "implicit", "access"),
    ("imap", "starttls", "access"),
    ("pop3", "implicit", "access"),
    ("pop3", "starttls", "access"),
    ("sieve", "starttls", "access"),
    ("lmtp", "starttls", "access"),
    ("smtp", "implicit", "submission"),
    ("smtp", "starttls", "submission"),
    ("smtp", "starttls", "mx"),
]
MODES = [row for row in ALL if row[1] == "starttls"]
_SHORT = 1.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(way, "_GOODBYE", 0.1)
    monkeypatch.setattr(mailbox, "_PAUSE", 0.01)


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may need longer than this for a good server."""
    monkeypatch.setattr(way, "_SECONDS", _SHORT)


def go(
    pki: Pki,
    service: Service,
    mode: Mode = "implicit",
    profile: Traffic = "access",
    wrong: Words | None = None,
) -> Outcome:
    """One errand at a server that is good but for some words."""
    with serving(pki, service, mode, wrong=wrong) as port:
        return do(errand(place(pki, service, port, mode), profile), 0.1)


def says(text: str) -> Callable[[Talk, str], bool]:
    """Says it and hangs up."""

    def answer(talk: Talk, line: str) -> bool:
        talk.say(text.replace("{tag}", talk.tag))
        return True

    return answer


def endless(text: str) -> Callable[[Talk, str], None]:
    """Never comes to an end."""

    def answer(talk: Talk, line: str) -> None:
        while True:
            talk.say(text)

    return answer


def slow(text: str) -> Callable[[Talk, str], None]:
    """A byte at a time, each in good time."""

    def answer(talk: Talk, line: str) -> None:
        for byte in text * 100:
            talk.link.sendall(byte.encode())
            time.sleep(0.1)

    return answer


def silent(talk: Talk, line: str) -> None:
    """Say nothing until the client leaves."""
    talk.line()


def hangs_up(talk: Talk, line: str) -> bool:
    """Close without a word."""
    return True


@pytest.mark.parametrize(("service", "mode", "profile"), ALL)
def test_a_good_server_passes(pki: Pki, service: Service, mode: Mode, profile: Traffic) -> None:
    """Each protocol, in each mode; nothing is left to be said about it."""
    outcome = go(pki, service, mode, profile)
    assert (outcome.verdict, outcome.step, outcome.words) == ("pass", "", "")
    assert bool(outcome.message) == (service in ("smtp", "lmtp"))


@pytest.mark.parametrize(("service", "mode", "profile"), ALL)
def test_a_wrong_name_in_the_certificate_fails(
    pki: Pki, service: Service, mode: Mode, profile: Traffic
) -> None:
    """No password goes to a server that is not who it should be."""
    heard: list[str] = []

    def note(talk: Talk, line: str) -> None:
        heard.append(line)

    with serving(
        pki, service, mode, wrong=dict.fromkeys(("AUTH", "AUTHENTICATE", "USER"), note)
    ) as port:
        where = place(pki, service, port, mode)
        other = replace(where, endpoint=replace(where.endpoint, name="mail.example.org"))
        outcome = do(errand(other, profile), 0.1)
    assert (outcome.verdict, outcome.end) == ("fail", "untrusted")
    assert outcome.step == ("TLS" if mode == "implicit" else "STARTTLS")
    assert "mail.example.org" in outcome.words
    assert not outcome.again
    assert heard == []


def test_an_unknown_root_fails(pki: Pki) -> None:
    """As an unknown name does."""
    with serving(pki, "imap") as port:
        where = replace(place(pki, "imap", port), roots=())
        outcome = do(errand(where), 0.1)
    assert (outcome.end, outcome.step) == ("untrusted", "TLS")


@pytest.mark.parametrize(("service", "mode", "profile"), MODES)
def test_no_starttls_fails(pki: Pki, service: Service, mode: Mode, profile: Traffic) -> None:
    """Whatever else the server offers in clear."""
    words: dict[Service, Words] = {
        "imap": {"CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done"},
        "pop3": {"CAPA": "+OK\r\nUSER\r\n."},
        "sieve": {"": '"SASL" "PLAIN"\r\nOK'},
        "smtp": {"EHLO": "250-localhost\r\n250 AUTH PLAIN"},
        "lmtp": {"LHLO": "250-localhost\r\n250 AUTH PLAIN"},
    }
    outcome = go(pki, service, mode, profile, words[service])
    assert (outcome.verdict, outcome.end, outcome.step) == ("fail", "refused", "STARTTLS")
    assert outcome.words == "STARTTLS is not offered"


@pytest.mark.parametrize(("service", "mode", "profile"), MODES)
def test_starttls_that_is_refused_fails(
    pki: Pki, service: Service, mode: Mode, profile: Traffic
) -> None:
    """Although it was offered."""
    no = {"imap": "{tag} NO no", "pop3": "-ERR no", "sieve": 'NO "no"'}.get(service, "554 no")
    outcome = go(pki, service, mode, profile, dict.fromkeys(("STLS", "STARTTLS"), no))
    assert (outcome.verdict, outcome.end, outcome.step) == ("fail", "refused", "STARTTLS")


@pytest.mark.parametrize(
    ("service", "mode", "profile"), [r for r in ALL if r[2] != "mx" and r[0] != "lmtp"]
)
def test_a_wrong_password_fails(pki: Pki, service: Service, mode: Mode, profile: Traffic) -> None:
    """In the server's own words."""
    wrong = replace(ACCOUNT, password="not it")
    with serving(pki, service, mode) as port:
        outcome = do(errand(place(pki, service, port, mode, wrong), profile), 0.1)
    assert (outcome.verdict, outcome.end, outcome.step) == ("fail", "refused", "login")
    assert "wrong" in outcome.words
    assert "not it" not in str(outcome)


def test_lmtp_logs_in_only_where_it_is_asked_to(pki: Pki) -> None:
    """As another server would: with a login of its own, or with none."""
    assert go(pki, "lmtp", "starttls", wrong={"MAIL": "250 ok", "AUTH": "535 no"}).verdict == "pass"
    outcome = go(pki, "lmtp", "starttls", wrong={"AUTH": "535 no"})
    assert (outcome.end, outcome.step, outcome.words) == ("refused", "login", "535 no")


def test_lmtp_that_wants_a_login_is_not_tried_without_one(pki: Pki) -> None:
    """The inventory has to say who may deliver."""
    with serving(pki, "lmtp", "starttls") as port:
        nobody = Account(recipient=ACCOUNT.recipient)
        outcome = do(errand(place(pki, "lmtp", port, "starttls", nobody)), 0.1)
    assert (outcome.end, outcome.step) == ("unfit", "login")


_LATER: list[tuple[Service, str, str, str]] = [
    ("smtp", "", "421 too many", "greeting"),
    ("smtp", "MAIL", "451 4.7.1 greylisted", "sender"),
    ("smtp", "RCPT", "450 later", "recipient"),
    ("smtp", "AUTH", "454 4.7.0 later", "login"),
    ("smtp", "DATA", "451 no room", "mail"),
    ("imap", "", "* BYE busy", "greeting"),
    ("imap", "AUTHENTICATE", "{tag} NO [UNAVAILABLE] backend", "login"),
    ("imap", "LIST", "* BYE going down", "list"),
    ("imap", "EXAMINE", "{tag} NO [INUSE] locked", "inbox"),
    ("pop3", "", "-ERR busy", "greeting"),
    ("pop3", "PASS", "-ERR [IN-USE] locked", "login"),
    ("sieve", "", 'BYE "busy"', "greeting"),
    ("sieve", "AUTHENTICATE", "NO (TRYLATER) later", "login"),
]


def test_a_user_who_was_there_a_moment_ago_was_let_in(pki: Pki) -> None:
    """LOGIN-DELAY comes once the password is known to be right; of the name it says nothing."""
    delay = "-ERR [LOGIN-DELAY] Logins must be at least 1 minute apart"
    assert go(pki, "pop3", "implicit", wrong={"PASS": delay}).verdict == "pass"
    outcome = go(pki, "pop3", "implicit", wrong={"USER": delay})
    assert (outcome.verdict, outcome.step) == ("not-tried", "login")


@pytest.mark.parametrize(("service", "word", "text", "step"), _LATER)
def test_later_is_not_tried(pki: Pki, service: Service, word: str, text: str, step: str) -> None:
    """What a busy server says is neither a failure nor fine, and may end better."""
    outcome = go(pki, service, "implicit", "submission", {word: says(text)})
    assert (outcome.verdict, outcome.end, outcome.step) == ("not-tried", "busy", step)
    assert outcome.again
    assert outcome.words


_NO: list[tuple[Service, str, str, str]] = [
    ("smtp", "", "554 go away", "greeting"),
    ("smtp", "EHLO", "550 who are you", "introduction"),
    ("smtp", "MAIL", "550 not you", "sender"),
    ("smtp", "RCPT", "550 no such user", "recipient"),
    ("smtp", "DATA", "554 spam", "mail"),
    ("smtp", "EHLO", "250 nothing", "login"),
    ("imap", "LIST", "{tag} NO not now", "list"),
    ("imap", "LIST", "{tag} BAD what", "list"),
    ("imap", "EXAMINE", "{tag} NO no inbox", "inbox"),
    ("imap", "", "* PREAUTH welcome", "login"),
    ("pop3", "USER", "-ERR no", "login"),
    ("pop3", "LIST", "-ERR no", "list"),
    ("sieve", "LISTSCRIPTS", 'NO "no"', "list"),
]


@pytest.mark.parametrize(("service", "word", "text", "step"), _NO)
def test_no_is_a_failure(pki: Pki, service: Service, word: str, text: str, step: str) -> None:
    """With the step, for good, and in the server's words."""
    outcome = go(pki, service, "implicit", "submission", {word: text})
    assert (outcome.verdict, outcome.end, outcome.step) == ("fail", "refused", step)
    assert not outcome.again


def test_other_mechanisms_than_plain_are_not_tried(pki: Pki) -> None:
    """What this program cannot do is no fault of the server."""
    outcome = go(
        pki, "smtp", profile="submission", wrong={"EHLO": "250-x\r\n250 AUTH LOGIN GSSAPI"}
    )
    assert (outcome.verdict, outcome.end, outcome.step) == ("not-tried", "unfit", "login")
    assert "LOGIN GSSAPI" in outcome.words


def test_imap_without_plain_uses_login(pki: Pki) -> None:
    """As a user's client does."""
    words = {"CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done", "LOGIN": "{tag} OK in"}
    account = replace(ACCOUNT, password="ascii only")
    with serving(pki, "imap", wrong=words) as port:
        assert do(errand(place(pki, "imap", port, account=account)), 0.1).verdict == "pass"
        outcome = do(errand(place(pki, "imap", port)), 0.1)
    assert (outcome.end, outcome.words) == (
        "unfit",
        "AUTH=PLAIN is not offered, and LOGIN takes ASCII only",
    )


_BROKEN: list[tuple[Service, str, Answer]] = [
    *((s, "", silent) for s in ("smtp", "lmtp", "imap", "pop3", "sieve")),
    *((s, "", hangs_up) for s in ("smtp", "lmtp", "imap", "pop3", "sieve")),
    *((s, "", "GET / HTTP/1.1") for s in ("smtp", "imap", "pop3")),
    *((s, "", "\0" * 9000) for s in ("smtp", "imap", "pop3", "sieve")),
    ("smtp", "", endless("220-hello")),
    ("smtp", "EHLO", endless("250-X")),
    ("imap", "LIST", endless("* LIST () NIL x")),
    ("imap", "LIST", "* LIST () NIL {99999999999}"),
    ("pop3", "LIST", endless("1 1")),
    ("sieve", "", endless('"X"')),
    ("smtp", "", slow("220-hello ")),
    ("imap", "", slow("* OK hello ")),
    ("pop3", "", slow("+OK hello ")),
    ("sieve", "", slow('"HELLO" ')),
    ("smtp", "DATA", hangs_up),
    ("smtp", "AUTH", hangs_up),
    ("imap", "AUTHENTICATE", hangs_up),
    ("imap", "LIST", silent),
    ("imap", "LIST", "* LIST (\r\n{tag} WHAT"),
    ("imap", "CAPABILITY", "{tag} OK none"),
    ("pop3", "PASS", hangs_up),
    ("sieve", "AUTHENTICATE", hangs_up),
]


@pytest.mark.usefixtures("_soon")
@pytest.mark.parametrize(("service", "word", "answer"), _BROKEN)
def test_a_hostile_server_is_a_failure_in_time(
    pki: Pki, service: Service, word: str, answer: Answer
) -> None:
    """No answer, no end, a byte at a time, too much, or another protocol: never for long."""
    started = time.monotonic()
    outcome = go(pki, service, "implicit", "submission", {word: answer})
    assert (outcome.verdict, outcome.end) == ("fail", "broken")
    assert outcome.again
    assert outcome.words
    assert time.monotonic() - started < _SHORT + 2


@pytest.mark.usefixtures("_soon")
def test_silence_instead_of_tls_is_a_failure_in_time(pki: Pki) -> None:
    """The handshake is under the same bound."""
    with listening(lambda link: time.sleep(2 * _SHORT)) as port:
        outcome = do(errand(place(pki, "imap", port)), 0.1)
    assert (outcome.end, outcome.step) == ("broken", "TLS")
    assert outcome.seconds < 1.5 * _SHORT


def test_clear_text_instead_of_tls_is_a_failure(pki: Pki) -> None:
    """As where somebody forgot to switch it on."""
    with listening(lambda link: link.sendall(b"* OK in clear\r\n" * 20)) as port:
        outcome = do(errand(place(pki, "imap", port)), 0.1)
    assert (outcome.verdict, outcome.step) == ("fail", "TLS")


def test_a_suite_that_users_still_take_is_no_reason_to_fail(pki: Pki) -> None:
    """Python's own list would leave out a server with CBC and SHA-1 alone."""
    with serving(pki, "imap", suites="ECDHE-RSA-AES256-SHA") as port:
        assert do(errand(place(pki, "imap", port)), 0.1).end == "done"


def test_a_closed_port_is_a_failure(pki: Pki) -> None:
    """The inventory says that somebody listens; after a restart somebody may."""
    outcome = do(errand(place(pki, "imap", free_port())), 0.1)
    assert (outcome.verdict, outcome.step, outcome.again) == ("fail", "connect", True)
    assert outcome.words == "Connection refused"


def test_no_route_is_not_tried(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is this machine's fault."""

    def unreachable(self: object, address: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(bounded.Plain, "connect", unreachable)
    outcome = do(errand(place(pki, "imap", 1)), 0.1)
    assert (outcome.verdict, outcome.end) == ("not-tried", "no-way")


@pytest.mark.parametrize("late", [0, 3])
def test_a_mail_is_seen_and_removed(pki: Pki, late: int) -> None:
    """At once, or a little later; afterwards the mailbox is as it was."""
    store = Store(late=late)
    with serving(pki, "imap", store=store) as imap, serving(pki, "lmtp", "starttls", store) as lmtp:
        where = place(pki, "lmtp", lmtp, "starttls")
        outcome = do(errand(where, reader=place(pki, "imap", imap)), 2.0)
    assert outcome.verdict == "pass"
    assert store.ever == [outcome.message]
    assert store.ids == set()


def test_only_our_own_mail_is_removed_where_that_can_be_said(pki: Pki) -> None:
    """With UIDPLUS; without, everything that is marked goes."""
    store = Store()
    said: list[str] = []

    def expunge(talk: Talk, line: str) -> None:
        said.append(line.split(maxsplit=1)[1])
        talk.say(f"{talk.tag} OK done")

    bare = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n{tag} OK done"
    ways: list[Words] = [{"EXPUNGE": expunge}, {"EXPUNGE": expunge, "CAPABILITY": bare}]
    for words in ways:
        with (
            serving(pki, "imap", store=store, wrong=words) as imap,
            serving(pki, "lmtp", "starttls", store) as lmtp,
        ):
            where = place(pki, "lmtp", lmtp, "starttls")
            assert do(errand(where, reader=place(pki, "imap", imap)), 2.0).verdict == "pass"
    assert said == ["UID EXPUNGE 1", "EXPUNGE"]


def test_a_mail_that_was_accepted_and_is_not_there_fails(pki: Pki) -> None:
    """With the host on which it was looked for, and its Message-ID for the logs."""
    with serving(pki, "imap") as imap, serving(pki, "smtp", "starttls") as smtp:
        where = place(pki, "smtp", smtp, "starttls")
        outcome = do(errand(where, "mx", place(pki, "imap", imap)), 0.2)
    assert (outcome.verdict, outcome.end, outcome.step) == ("fail", "lost", "arrival")
    assert outcome.words == "accepted, but not in the inbox on h1 within 0.2 s"
    assert outcome.message


@pytest.mark.parametrize("word", ["SELECT", "SEARCH", "STORE", "EXPUNGE", "NOOP"])
def test_a_mailbox_that_cannot_be_read_fails(pki: Pki, word: str) -> None:
    """At each command that it takes."""
    store = Store(late=1)
    with (
        serving(pki, "imap", store=store, wrong={word: "{tag} NO no"}) as imap,
        serving(pki, "lmtp", "starttls", store) as lmtp,
    ):
        where = place(pki, "lmtp", lmtp, "starttls")
        outcome = do(errand(where, reader=place(pki, "imap", imap)), 1.0)
    assert (outcome.verdict, outcome.end) == ("fail", "refused")
    assert outcome.step in ("inbox", "arrival", "removal")


def test_a_server_that_repeats_the_password_does_not_make_us_do_so(pki: Pki) -> None:
    """In none of the forms in which it was sent."""

    def repeat(talk: Talk, line: str) -> None:
        talk.say(f"501 what is {line} or {ACCOUNT.password}")

    outcome = go(pki, "smtp", profile="submission", wrong={"AUTH": repeat})
    assert outcome.words == "501 what is AUTH PLAIN [password] or [password]"


@pytest.mark.parametrize(("end", "step"), [("refused", "recipient"), ("refused", "login")])
def test_an_errand_that_fails_still_says_good_bye(pki: Pki, end: End, step: str) -> None:
    """A server's log shows no client that vanished."""
    heard: list[str] = []

    def note(talk: Talk, line: str) -> bool:
        heard.append(line)
        return True

    word = {"recipient": "RCPT", "login": "AUTH"}[step]
    outcome = go(pki, "smtp", profile="submission", wrong={"QUIT": note, word: "550 no"})
    assert (outcome.end, outcome.step) == (end, step)
    deadline = time.monotonic() + 2
    while not heard and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heard == ["QUIT"]

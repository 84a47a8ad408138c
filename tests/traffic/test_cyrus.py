"""Cyrus' lines: whose session a login had, old lines and new, and what users can forge."""

import pytest

from audit.traffic.tally import Tally
from tests.traffic.counted import count, stamped

# What Cyrus 3.6 wrote in the tests' cell.
START = "starttls: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits new) no authentication"
LOGIN = (
    "login: [192.0.2.2] user plaintext+TLS User logged in "
    "SESSIONID=<localhost-1795947922-50-1-14832406206060815696>"
)
FAILED = (
    "badlogin: [192.0.2.2] plaintext (user) [SASL(-13): authentication failure: checkpass failed]"
)
NOBODY = "badlogin: [192.0.2.2] plaintext (x) [SASL(-4): no mechanism available] (y) invalid user"
X = b"TLSv1.3:TLS_AES_256_GCM_SHA384:256"
DAY = b"2026-11-29"

SESSIONS = [
    (START, X),
    (
        START.replace(
            "new) no authentication", "reused) authenticated as CN; application protocol = imap"
        ),
        X,
    ),
    (
        "starttls: TLSv1 with cipher AES128-SHA (128/128 bits new) no authentication",
        b"TLSv1:AES128-SHA:128",
    ),
]
# As imapd.c, pop3d.c and httpd.c of 2.4.17 to 3.12, and loginlog.c of 2026 write them.
GOOD = [
    LOGIN,
    "login: host.example [192.0.2.2] user plaintext+TLS User logged in",
    "login: host.example [192.0.2.2] user+x PLAIN+TLS User logged in SESSIONID=<a>",
    "login: [192.0.2.2] user APOP+TLS User logged in SESSIONID=<a>",
    (
        'event=login.good session.id=a r.clienthost="host.example [192.0.2.2]" u.username=user '
        "login.mech=plaintext login.tls=1"
    ),
    "event=login.good session.id=a r.clienthost=[192.0.2.2] u.username=user login.tls=1",
]
BAD = [
    (FAILED, "bad"),
    (NOBODY, "bad"),
    ("badlogin: h.example [192.0.2.2] plaintext user SASL(-13): authentication failure: x", "bad"),
    ("badlogin: h.example [192.0.2.2] PLAIN [SASL(-13): authentication failure: x]", "bad"),
    ("badlogin: [192.0.2.2] anonymous login refused", "bad"),
    (
        'event=login.bad r.clienthost="[192.0.2.2]" u.username="a b" login.mech=PLAIN error="no"',
        "bad",
    ),
    (
        "badlogin: h.example [192.0.2.2] PLAIN [SASL(-16): encryption needed to use mechanism: x]",
        "refused",
    ),
    (
        (
            'event=login.bad r.clienthost=[192.0.2.2] u.username="" login.mech=PLAIN '
            'error="encryption needed to use mechanism"'
        ),
        "refused",
    ),
]


def _process(*messages: str, service: str = "cyrus/imap") -> Tally:
    return count(*stamped(*(f"{service}[50]: {message}" for message in messages)))


@pytest.mark.parametrize(("session", "x"), SESSIONS)
@pytest.mark.parametrize(
    "service", ["cyrus/imaps", "imap", "cyrus/pop3", "cyrus/imap2", "cyrus/sieve"]
)
def test_a_login_has_the_session_before_it(session: str, x: bytes, service: str) -> None:
    """Of the same process; the line that names it has no client."""
    found = _process(session, LOGIN, service=service)
    assert dict(found.logins) == {(DAY, "good", x): 1}
    assert found.clients.keys() == {("access", b"192.0.2.2", b"user", x)}
    assert dict(found.lines) == {("session", True): 1, ("login", False): 1}
    assert found.named == 1


@pytest.mark.parametrize("login", GOOD)
def test_every_spelling_of_a_good_login(login: str) -> None:
    """From 2.4.17 to the newest, with and without the name of the host."""
    assert dict(_process(START, login).logins) == {(DAY, "good", X): 1}
    assert dict(_process(login).logins) == {(DAY, "good", b"?"): 1}
    clear = login.replace("+TLS", "").replace("login.tls=1", "login.tls=0")
    assert dict(_process(START, clear).logins) == {(DAY, "good", b""): 1}


@pytest.mark.parametrize(("login", "outcome"), BAD)
def test_every_spelling_of_a_bad_login(login: str, outcome: str) -> None:
    """Refused is who was told to use TLS; with TLS nobody is."""
    assert dict(_process(login).logins) == {(DAY, outcome, b""): 1}
    assert dict(_process(START, login).logins) == {(DAY, "bad", X): 1}
    assert dict(_process(login, service="cyrus/imaps").logins) == {(DAY, "bad", b"?"): 1}


def test_who_comes_next_in_a_process_has_no_session() -> None:
    """After a login, a new connection, or when somebody else is there."""
    other = FAILED.replace("192.0.2.2", "192.0.2.3")
    for lines in (
        (START, LOGIN, FAILED),
        (START, "accepted connection", FAILED),
        (START, FAILED, other),
    ):
        assert _process(*lines).logins[DAY, "bad", b""] == 1, lines
    assert dict(_process(START, FAILED, FAILED).logins) == {(DAY, "bad", X): 2}


@pytest.mark.parametrize(
    "failed",
    [
        *(
            "imaps TLS negotiation failed: [192.0.2.2]",
            "STARTTLS negotiation failed: a.example [192.0.2.2]",
        ),
        *(
            "pop3s failed: [192.0.2.2]",
            "TLS negiation failed: [192.0.2.2]",
            "TLS negotiation failed: [192.0.2.2]",
        ),
    ],
)
def test_a_failed_handshake(failed: str) -> None:
    """Why is not logged."""
    found = _process(failed)
    assert found.errors.keys() == {("access", b"192.0.2.2", "other")}
    assert dict(found.lines) == {("tls-error", False): 1}


@pytest.mark.parametrize(
    "name",
    ["x) [SASL(-16): encryption needed to use mechanism] (y", "a [6.6.6.6] b+TLS User logged in"],
)
def test_a_name_is_no_reason_and_no_address(name: str) -> None:
    """It stands between the address and the reason, and may be any text."""
    for line in (
        FAILED.replace("(user)", f"({name})"),
        f"badlogin: [192.0.2.2] plaintext ({name}) invalid user",
    ):
        found = _process(line)
        assert (dict(found.logins), found.clients) == ({(DAY, "bad", b""): 1}, {})


def test_names_in_logfmt_are_quoted() -> None:
    """What stands in a name is no field."""
    name = 'x\\" login.tls=1 r.clienthost=[6.6.6.6] a=\\"'
    line = f'event=login.good r.clienthost=[192.0.2.2] u.username="{name}" login.tls=0'
    found = _process(line)
    assert [(ip, x) for _, ip, _, x in found.clients] == [(b"192.0.2.2", b"")]


def test_hosts_of_the_cluster_are_no_users() -> None:
    """What the daemon itself asks another host for, and who delivers mail."""
    asked = START.replace("bits new", "bits new client")
    found = _process(START, LOGIN, asked, LOGIN.replace("+TLS", ""))
    assert dict(found.logins) == {(DAY, "good", X): 1, (DAY, "good", b""): 1}
    delivers = _process(START, LOGIN, service="cyrus/lmtp")
    assert (dict(delivers.lines), delivers.logins) == (
        {("session", True): 1, ("other", False): 1},
        {},
    )


def test_a_session_that_cannot_be_read_is_shown() -> None:
    """It is not silently left out."""
    found = _process(START.replace("TLSv1.3 with", "TLSv9 with"))
    assert dict(found.lines) == {("ambiguous", True): 1}

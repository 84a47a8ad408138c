"""Dovecot's lines: who logged in, who failed, who was refused, and what users can forge."""

import pytest

from audit.traffic.tally import Tally
from tests.traffic.counted import CHANGED, Counted, count

X = b"TLSv1.3:TLS_AES_256_GCM_SHA384:256"
SUITE = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
BAD = "Disconnected: Aborted login by logging out (auth failed, 2 attempts in 8 secs)"
WHERE = "rip=192.0.2.2, lip=192.0.2.1"
# Dovecot 2.3.19 in the tests' cell, with `ssl = required`, wrote the first, and with %k the second
# and the fifth; also the two that were refused with "auth failed" (some with shorter names of
# sessions here). The others are what client-common.c of 2.3.19 and of 2.4.4 can write.
LINES = [
    (
        f"Login: user=<user>, method=PLAIN, {WHERE}, mpid=48, TLS, session=<C9WMr2dhOtvAAAIC>",
        "good",
        b"?",
    ),
    (
        f"Login: user=<user>, method=PLAIN, {WHERE}, mpid=48, TLS, {SUITE}, session=<C9WMr>",
        "good",
        X,
    ),
    (f"Login: user=<user>, method=PLAIN, {WHERE}, mpid=48, session=<C9WMr>", "good", b""),
    (f"Login: user=<user>, method=PLAIN, {WHERE}, mpid=48, secured, session=<C9WMr>", "good", b""),
    (f"{BAD}: user=<user>, method=PLAIN, {WHERE}, TLS, {SUITE}, session=<DEixs>", "bad", X),
    (f"{BAD}: user=<user>, method=PLAIN, {WHERE}, session=<DEixs>", "bad", b""),
    (f"{BAD}: user=<user>, {WHERE}, session=<A4BktGdhiMzAAAIC>", "refused", b""),
    (f"{BAD}: user=<>, method=PLAIN, {WHERE}, session=<NuVktGdhiszAAAIC>", "refused", b""),
    (
        (
            "Disconnected: Aborted login by logging out (tried to use disallowed plaintext auth): "
            f"user=<>, {WHERE}, session=<a>"
        ),
        *("refused", b""),
    ),
    (f"Logged in: user=<user>, method=PLAIN, {WHERE}, mpid=4, TLS, session=<a>", "good", b"?"),
    (
        f"Login failed: Cleartext authentication disabled: user=<>, {WHERE}, session=<a>",
        "refused",
        b"",
    ),
    (
        (
            "Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): "
            f"user=<user>, method=PLAIN, {WHERE}, TLS, session=<a>"
        ),
        *("bad", b"?"),
    ),
    (f"Login: user=<user>, method=PLAIN, {WHERE}, TLS, (proxied), session=<a>", "good", b"?"),
]
SESSIONS = [
    (
        "Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, rip=192.0.2.2, "
        "lip=192.0.2.1, session=<gxaBr2dhGqLAAAIC>"
    ),
    # This attempt had a line of its own before.
    (
        "Login aborted: Connection closed (tried to use disallowed cleartext auth) "
        f"(cleartext_auth_disabled): user=<>, {WHERE}, session=<a>"
    ),
]
ERRORS = [
    ("SSL_accept() failed: error:0A0000C1:SSL routines::no shared cipher", "no-suite"),
    ("SSL_accept() failed: error:0A00010B:SSL routines::wrong version number", "not-tls"),
    ("SSL_accept() failed: error:0A000102:SSL routines::unsupported protocol", "old-version"),
    ("Connection closed", "other"),
]


def _both(message: str) -> list[Tally]:
    """In its own log file, and in syslog."""
    return [
        count(f"Nov 29 10:07:46 imap-login: Info: {message}"),
        count(f"Nov 29 10:07:46 mx1 dovecot: imap-login: {message}"),
        count(f"2026-11-29T10:07:46Z mx1 dovecot[77]: pop3-login: {message}"),
    ]


@pytest.mark.parametrize(("message", "outcome", "x"), LINES, ids=range(len(LINES)))
def test_what_a_line_says_of_a_login(message: str, outcome: str, x: bytes) -> None:
    """Good, bad or refused; with which session, or one without a name, or none."""
    for found in _both(message):
        assert dict(found.logins) == {(b"2026-11-29", outcome, x): 1}
        assert dict(found.lines) == {("login", x == X): 1}
        assert found.named == (x == X)
        assert all(ip == b"192.0.2.2" for _, ip, *_ in found.clients)
        assert len(found.refused) == (outcome == "refused")


@pytest.mark.parametrize("message", SESSIONS)
def test_who_did_not_try_is_no_login(message: str) -> None:
    """A connection, and no more."""
    for found in _both(message):
        assert (dict(found.lines), found.logins) == ({("session", False): 1}, {})


@pytest.mark.parametrize(("error", "reason"), ERRORS)
def test_why_a_handshake_failed(error: str, reason: str) -> None:
    """It stands in the same line."""
    message = (
        f"Disconnected: Connection closed: {error} (no auth attempts in 0 secs): user=<>, "
        f"rip=192.0.2.2, lip=192.0.2.1, TLS handshaking: {error}, session=<xKHxsGdhgsvAAAIC>"
    )
    for found in _both(message):
        assert found.errors.keys() == {("access", b"192.0.2.2", reason)}
        assert (dict(found.lines), found.logins) == ({("tls-error", False): 1}, {})


def test_an_offer_is_kept() -> None:
    """With who made it and what came of it."""
    ja3 = "771,4865-4866-49195,0-11-10-35-16-22-23-13-43-45-51,29-23-30,0-1-2"
    line = f"Login: user=<me>, method=PLAIN, {WHERE}, TLS, {SUITE}, ja3={ja3}, session=<a>"
    for words in (line, line.replace("ja3=", "")):
        counted = Counted().part([f"Nov 29 10:07:46 imap-login: Info: {words}".encode()])
        seen = counted.tally.offers["access", b"192.0.2.2", b"me", X, ja3.encode()]
        assert (seen.count, seen.last) == (1, str(CHANGED.date()).encode())
    assert not Counted().part([line.replace(ja3, "771").encode()]).tally.offers


# What a client sent as its name in the tests' cell, to look like another host, with TLS.
NAME = "a>, method=PLAIN, rip=6.6.6.6, lip=1.1.1.1, TLS, session=<x"


def test_a_name_with_fields_in_it_is_a_name() -> None:
    """A field that is there twice stands in the name: the real one is the last."""
    for found in _both(f"{BAD}: user=<{NAME}>, method=PLAIN, {WHERE}, session=<qn5isGdhaMvAAAIC>"):
        assert dict(found.logins) == {(b"2026-11-29", "bad", b""): 1}


@pytest.mark.parametrize("name", ["a>, TLS, b=<c", f"a>, {SUITE}, b=<c", "a>, foo"])
def test_what_can_be_read_in_two_ways_is_ambiguous(name: str) -> None:
    """Nobody can tell where such a name ends."""
    for found in _both(f"Login: user=<{name}>, method=PLAIN, {WHERE}, session=<a>"):
        assert (list(found.lines), found.logins) == ([("ambiguous", SUITE in name)], {})
        assert len(found.strange) == 1


def test_a_format_without_a_name_is_shown() -> None:
    """It is not read wrongly, and not silently left out."""
    for found in _both(f"Login: method=PLAIN, {WHERE}, TLS, session=<a>"):
        assert dict(found.lines) == {("ambiguous", False): 1}


def test_who_submits_does_not_read() -> None:
    """Its sessions are no logins to read mail; mail processes say nothing of TLS."""
    login = f"Login: user=<user>, method=PLAIN, {WHERE}, TLS, session=<a>"
    found = count(
        f"Nov 29 10:07:46 mx1 dovecot: submission-login: {login}",
        f"Nov 29 10:07:46 mx1 dovecot: imap(me)<48><C9>: {login}",
        f"Nov 29 10:07:46 mx1 dovecot: auth: {login}",
    )
    assert dict(found.lines) == {("session", False): 1, ("other", False): 2}
    assert found.logins == {}

"""Postfix's lines: what is joined, what is told apart, and what others have written into them."""

import pytest

from audit.traffic.syslog_lines import NAMED
from audit.traffic.tally import UNNAMED, Tally
from tests.traffic.counted import Counted, count, stamped

SUITE = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
X = b"TLSv1.3:TLS_AES_256_GCM_SHA384:256"
# As tls_misc.c of 3.11 writes them, and older versions did.
SESSIONS = [
    (
        (
            "Anonymous TLS connection established from unknown[192.0.2.2]: TLSv1.3 with cipher "
            "TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 "
            "server-signature ECDSA (P-256) server-digest SHA256"
        ),
        *(X + b":X25519", b"no"),
    ),
    (f"Trusted TLS connection established from a.example[2001:db8::1]: {SUITE}", X, b"yes"),
    (f"Verified TLS connection reused from a.example[192.0.2.2]: {SUITE}", X, b"yes"),
    (
        f"Untrusted TLS connection established from a.example[192.0.2.2] to b.example: {SUITE}",
        X,
        b"no",
    ),
    (f"TLS connection established from a.example[192.0.2.2]: {SUITE}", X, b""),
    (f"Anonymous TLS connection established from [192.0.2.2]:47992: {SUITE}", X, b"no"),
    (
        (
            f"Anonymous TLS connection established from a.example[192.0.2.2]: {SUITE} "
            "key-exchange ECDHE (prime256v1) server-signature RSA-PSS (2048 bits)"
        ),
        *(X + b":prime256v1", b"no"),
    ),
    (
        (
            "Anonymous TLS connection established from a.example[192.0.2.2]: TLSv1 with cipher "
            "DHE-RSA-AES256-SHA (256/256 bits) key-exchange DHE (2048 bits)"
        ),
        *(b"TLSv1:DHE-RSA-AES256-SHA:256", b"no"),
    ),
]


def _delivered(
    number: str = "A1",
    relay: str = "mx.example[192.0.2.9]:25",
    status: str = "sent",
    more: str = "",
) -> str:
    return (
        f"postfix/smtp[9]: {number}: to=<a@b.example>, relay={relay}, delay=1.2, "
        f"delays=0.1/0/1/0.1, {more}dsn=2.0.0, status={status} (250 2.0.0 Ok)"
    )


def _sent_with(trust: str) -> str:
    peer = "mx.example[192.0.2.9]:25"
    return f"postfix/smtp[9]: {trust} TLS connection established to {peer}: {SUITE}"


def _server(*messages: str, service: str = "postfix/smtpd") -> Tally:
    return count(*stamped(*(f"{service}[7]: {message}" for message in messages)))


@pytest.mark.parametrize(("session", "x", "cv"), SESSIONS)
def test_every_spelling_of_a_session(session: str, x: bytes, cv: bytes) -> None:
    """The mail after it has its version, suite, bits and group, and how far the client is known."""
    found = _server("connect from a[192.0.2.2]", session, "A1: client=a[192.0.2.2]")
    assert dict(found.incoming) == {(b"2026-11-29", "mx", x, cv): 1}
    assert found.lines["session", True] == found.named == 1


@pytest.mark.parametrize(
    ("service", "end", "use", "x"),
    [
        ("postfix/smtpd", "ehlo=2 starttls=1 mail=1", "mx", UNNAMED),
        ("postfix/smtpd", "ehlo=1 mail=1 commands=2", "mx", b""),
        ("postfix/smtpd", "ehlo=1 starttls=0/1 mail=1", "mx", b""),
        ("postfix/smtps/smtpd", "ehlo=1 mail=1", "submission", UNNAMED),
        ("postfix/submission/smtpd", "ehlo=1 mail=1", "submission", b""),
        ("postfix-in/smtpd", "ehlo=1 mail=1", "mx", b""),
    ],
)
def test_without_a_line_of_its_own_a_session_has_no_name(
    service: str, end: str, use: str, x: bytes
) -> None:
    """At log level 0 the end of a connection says that there was one, or the service does."""
    found = _server(
        *(
            "connect from a[192.0.2.2]",
            "A1: client=a[192.0.2.2]",
            f"disconnect from a[192.0.2.2] {end}",
        ),
        service=service,
    )
    assert dict(found.incoming) == {(b"2026-11-29", use, x, b""): 1}


def test_where_no_session_is_ever_named_nothing_is_in_clear() -> None:
    """At log level 0 deliveries look the same with and without TLS: that is not logged."""
    quiet = stamped(_delivered("A1"), "postfix/smtpd[7]: A1: client=a[192.0.2.2]")
    found = count(*quiet)
    assert dict(found.outgoing) == {(b"2026-11-29", b"!", b""): 1}
    assert dict(found.incoming) == {(b"2026-11-29", "mx", b"!", b""): 1}
    assert {key[4] for key in found.ways} == {key[3] for key in found.clients} == {b"!"}
    assert found.silent == {b"mx1 postfix/smtp", b"mx1 postfix/smtpd"}


def test_where_one_session_is_named_all_others_were_in_clear() -> None:
    """Of that program on that host, wherever the log was cut, and of nobody else."""
    named = stamped(_sent_with("Untrusted"), _delivered("A1"))
    quiet = stamped(_delivered("A2"), "postfix/smtpd[7]: A1: client=a[192.0.2.2]")
    other = [line.replace(b" mx1 ", b" mx2 ") for line in stamped(_delivered("A3"))]
    instance = stamped(_delivered("A4").replace("postfix/", "postfix-out/"))
    service = stamped(_delivered("A5").replace("postfix/", "postfix/relay/"))
    found = Counted().part(quiet + instance, 0).part(other + service, 2).part(named, 1).finish()
    assert dict(found.outgoing) == {
        (b"2026-11-29", X, b"no"): 1,
        (b"2026-11-29", b"", b""): 2,
        (b"2026-11-29", b"!", b""): 2,
    }
    assert found.silent == {b"mx1 postfix/smtpd", b"mx1 postfix-out/smtp", b"mx2 postfix/smtp"}


def test_who_logs_in_may_have_come_with_tls_from_the_start() -> None:
    """Then no STARTTLS says nothing; at a service that is known to have it, it does."""
    login = "A1: client=a[192.0.2.2], sasl_method=PLAIN, sasl_username=me"
    for service, x in (("postfix/smtpd", b"!"), ("postfix/submission/smtpd", b"")):
        end = "disconnect from a[192.0.2.2] ehlo=1 auth=1 mail=1 quit=1 commands=4"
        found = _server("connect from a[192.0.2.2]", login, end, service=service)
        assert dict(found.incoming) == {(b"2026-11-29", "submission", x, b""): 1}


def test_a_session_ends_with_its_connection() -> None:
    """Who comes next in the same process has none."""
    session = f"Anonymous TLS connection established from a[192.0.2.2]: {SUITE}"
    for end in (["disconnect from a[192.0.2.2] starttls=1"], []):
        found = _server(
            *("connect from a[192.0.2.2]", session, "A1: client=a[192.0.2.2]", *end),
            *("connect from b[192.0.2.3]", "A2: client=b[192.0.2.3]"),
        )
        assert found.clients.keys() == {
            ("mx", b"192.0.2.2", b"", X),
            ("mx", b"192.0.2.3", b"", b""),
        }


def test_who_logged_in_submits() -> None:
    """On whatever port; the name may have a comma, and what follows it is no part of it."""
    found = _server(
        "A1: client=a[192.0.2.2], sasl_method=PLAIN, sasl_username=me, too, sasl_sender=x@y"
    )
    assert found.clients.keys() == {("submission", b"192.0.2.2", b"me, too", b"!")}


@pytest.mark.parametrize(
    ("error", "library", "reason"),
    [
        ("-1", "error:0A000102:SSL routines::unsupported protocol:ssl/a.c:1:", "old-version"),
        ("-1", "error:0A0000C1:SSL routines::no shared cipher:ssl/a.c:1:", "no-suite"),
        ("lost connection", None, "other"),
    ],
)
def test_why_a_handshake_failed_stands_in_the_next_line(
    error: str, library: str | None, reason: str
) -> None:
    """Of the same process; another process's words are not its reason."""
    more = [f"warning: TLS library problem: {library}"] if library else []
    found = _server(
        "connect from a[192.0.2.2]", f"SSL_accept error from a[192.0.2.2]: {error}", *more
    )
    assert {key: seen.count for key, seen in found.errors.items()} == {
        ("mx", b"192.0.2.2", reason): 1
    }
    foreign = count(
        *stamped(
            "postfix/smtpd[7]: SSL_accept error from a[192.0.2.2]: -1",
            "postfix/smtpd[8]: warning: TLS library problem: error:0A0000C1::no shared cipher:",
        )
    )
    assert foreign.errors.keys() == {("mx", b"192.0.2.2", "other")}


@pytest.mark.parametrize(
    ("trust", "cv"), [("Verified", b"yes"), ("Trusted", b"yes"), ("Untrusted", b"no")]
)
def test_a_delivery_has_the_session_to_the_same_host(trust: str, cv: bytes) -> None:
    """And no other host's; the message is one mail however many recipients it has there."""
    session = (
        f"postfix/smtp[9]: {trust} TLS connection established to mx.example[192.0.2.9]:25: {SUITE}"
    )
    found = count(
        *stamped(
            "postfix/cleanup[5]: A1: message-id=<a>",
            *(session, _delivered(), _delivered(), _delivered(relay="b.example[192.0.2.8]:25")),
            "postfix/qmgr[4]: A1: removed",
        )
    )
    assert dict(found.outgoing) == {(b"2026-11-29", X, cv): 1, (b"2026-11-29", b"", b""): 1}
    assert dict(found.deliveries) == {(b"2026-11-29", X): 2, (b"2026-11-29", b""): 1}
    assert found.lines["completed", False] == 1


def test_a_session_is_for_one_message() -> None:
    """Postfix writes a line for every session, so the next message without one had none."""
    session = _sent_with("Untrusted")
    found = count(*stamped(session, _delivered("A1"), _delivered("A2"), session, _delivered("A3")))
    assert dict(found.outgoing) == {(b"2026-11-29", X, b"no"): 2, (b"2026-11-29", b"", b""): 1}


def test_what_a_delivery_was_held_to() -> None:
    """Since 3.11 it says DANE."""
    session = (
        f"postfix/smtp[9]: Verified TLS connection established to mx.example[192.0.2.9]:25: {SUITE}"
    )
    found = count(*stamped(session, _delivered(more="tls=dane, ")))
    assert dict(found.outgoing) == {(b"2026-11-29", X, b"dane"): 1}


def test_what_is_no_delivery_to_another_host() -> None:
    """Local ones, those that wait or failed, and content filters: lines, and no mails sent."""
    local = _delivered(relay="local").replace("smtp[9]", "local[3]")
    lines = stamped(
        *(
            local,
            _delivered(relay="mx1[private/lmtp]"),
            _delivered(relay="none", status="deferred"),
        ),
        *(_delivered(status="bounced"), _delivered(relay="filter[127.0.0.1]:10024")),
    )
    found = Counted(own={b"127.0.0.1"}).part(lines).finish()
    assert (found.outgoing, found.ways) == ({}, {})
    kinds = {kind: n for (kind, _), n in found.lines.items()}
    assert kinds == {"delivery": 3, "deferral": 1, "failure": 1}


def test_mail_that_a_filter_gives_back_is_ones_own() -> None:
    """It came once already."""
    lines = stamped("postfix/smtpd[7]: A1: client=localhost[127.0.0.1]")
    found = Counted(own={b"127.0.0.1"}).part(lines).finish()
    assert dict(found.incoming) == {(b"2026-11-29", "own", b"!", b""): 1}


FAKE = f"established from b[1.1.1.1]: {SUITE}"
FORGED = ">, relay=evil.example[6.6.6.6]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (x"


@pytest.mark.parametrize(
    "line",
    [
        _delivered().replace("<a@b.example>", f'<"a{FORGED}"@b.example>'),
        _delivered(status="deferred").replace("250 2.0.0 Ok", f"450 no{FORGED}"),
    ],
)
def test_a_delivery_that_can_be_read_in_two_ways_is_ambiguous(line: str) -> None:
    """A recipient's name and an answer may be any text; nobody is told which one it was."""
    found = count(*stamped(line))
    assert dict(found.lines) == {("ambiguous", False): 1}
    assert found.strange == stamped(line)
    assert (found.outgoing, found.ways) == ({}, {})


@pytest.mark.parametrize(
    "line",
    [
        f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from a: 550; helo=<x TLS connection {FAKE}>",
        f"postfix/smtpd[7]: disconnect from a[192.0.2.2] {SUITE}",
        f"postfix/smtpd[7]: warning: hostname Anonymous TLS connection {FAKE}",
        f"postfix/smtpd[7]: TLS connection established from b[1.1.1.1]: TLSv9 with cipher {SUITE}",
        f"postfix/cleanup[7]: A1: message-id=<Anonymous TLS connection {FAKE}>",
        _delivered().replace(
            "Ok", f"Anonymous TLS connection established to mx.example[192.0.2.9]:25: {SUITE}"
        ),
    ],
)
def test_a_session_in_somebodys_words_is_none(line: str) -> None:
    """What follows has none, nor is it told that there would have been one; nothing is lost."""
    found = count(*stamped(line, "postfix/smtpd[7]: A1: client=a[192.0.2.2]", _delivered("A2")))
    assert {x for _, _, x, _ in found.incoming} == {x for _, x, _ in found.outgoing} == {b"!"}
    assert found.named == sum(n for (_, names), n in found.lines.items() if names) == 1
    assert NAMED in line.encode()


def test_a_daemon_that_nobody_knows_breaks_the_law() -> None:
    """What names a session and was read by nobody must show."""
    found = count(*stamped(f"pofix/smtpd[7]: Anonymous TLS connection {FAKE}"))
    assert (found.named, dict(found.lines)) == (1, {("other", False): 1})

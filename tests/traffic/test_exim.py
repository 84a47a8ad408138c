"""Lines of Exim, as they are and as somebody would like them to be read."""

from typing import Any

import pytest

from audit.traffic.exim import Event, parse
from tests.traffic.lines import FAKE, REAL

AT = b"2026-11-23 21:55:34 "
ID = b"1xVc0c-00003u-1d"
HEAD = AT + ID
DAY = b"2026-11-23"


def arrival(**more: bytes) -> Event:
    """A mail that came from 192.0.2.1."""
    fields: dict[str, Any] = {"protocol": b"esmtps", "ip": b"192.0.2.1", "x": REAL} | more
    return Event("arrival", DAY, ID, **fields)


def delivery(*, signed: bool = False, **more: bytes) -> Event:
    """A mail that went to 192.0.2.1, by the transport t and to somebody of the domain b."""
    fields: dict[str, Any] = {"name": b"mx.example.org", "ip": b"192.0.2.1", "x": REAL}
    return Event(
        "delivery", DAY, ID, protocol=b"t", signed=signed, **{"domain": b"b"} | fields | more
    )


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            b" <= a@b H=mx.b (mx) [192.0.2.1]:38374 P=esmtps X=" + REAL + b" CV=no SNI=mx K S=550",
            arrival(cv=b"no"),
        ),
        (
            b" <= <> H=(x) [192.0.2.1] P=esmtpsa X="
            + REAL
            + b'* CV=yes DN="/C=AT/CN=x" A=plain:u S=5',
            arrival(protocol=b"esmtpsa", cv=b"yes", dn=b"/C=AT/CN=x", login=b"plain:u"),
        ),
        (b" <= a@b H=h [192.0.2.1] U=i P=esmtp S=5", arrival(protocol=b"esmtp", x=b"")),
        (b" <= a@b H=h [192.0.2.1] I=[::1]:25 P=smtp S=5", arrival(protocol=b"smtp", x=b"")),
        (b" <= a@b U=root P=local S=287", Event("arrival", DAY, ID)),
        (b" <= <> R=1xVc0c-00003u-1e U=Debian-exim P=local S=9", Event("arrival", DAY, ID)),
        (
            b" => u@b R=r T=t H=mx.example.org DS [192.0.2.1]:25* X=" + REAL + b" CV=dane",
            delivery(cv=b"dane", signed=True),
        ),
        (
            b" -> u <u@b> F=<a@b> R=r T=t S=7 H=mx.example.org [192.0.2.1] X="
            + REAL
            + b' CV=yes DN="CN=y" K C="250 ok"',
            delivery(cv=b"yes", dn=b"CN=y", domain=b""),
        ),
        (b" => u <u@b> R=local T=drop", Event("delivery", DAY, ID, protocol=b"drop")),
        (b' => |/bin/f a "b" <u@b> R=p T=pipe', Event("delivery", DAY, ID, protocol=b"pipe")),
        (b" *> u@b R=r T=t H=mx.example.org [192.0.2.1] X=" + REAL, Event("other", DAY, ID)),
        (
            b" == u@b R=r T=t defer (-37) H=h [192.0.2.1]: TLS session: x",
            Event("deferral", DAY, ID),
        ),
        (b" ** u@b R=r T=t H=h [192.0.2.1] X=" + REAL + b": 550 no", Event("failure", DAY, ID)),
        (b" Completed QT=3s", Event("completed", DAY, ID)),
    ],
)
def test_a_line_about_a_message(line: bytes, event: Event) -> None:
    assert parse(HEAD + line) == event


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"H=h [192.0.2.1] X=" + REAL + b" F=<a@b> rejected RCPT <c@d>: no", "reject"),
        (b"no MAIL in SMTP connection from h [192.0.2.1] D=0s X=" + REAL + b" C=EHLO", "no-mail"),
        (b"SMTP connection from h [192.0.2.1] closed by QUIT", "other"),
        (b"Start queue run: pid=1", "other"),
    ],
)
def test_a_line_about_no_message(line: bytes, kind: str) -> None:
    assert parse(AT + line).kind == kind
    assert parse(b"  " + line) == Event("other"), "without a time it goes on with the line before"


@pytest.mark.parametrize("id_", [b"1xVc0c-00003u-1d", b"1vP0eC-00000001hNa-0gCl"])
@pytest.mark.parametrize("at", [b"21:55:34", b"21:55:34.123", b"21:55:34 +0200", b"21:55:34 [9]"])
def test_every_head(id_: bytes, at: bytes) -> None:
    event = parse(DAY + b" " + at + b" " + id_ + b" Completed")
    assert event == Event("completed", DAY, id_)


def test_a_handshake_that_failed() -> None:
    event = parse(AT + b"TLS error on connection from h (x) [192.0.2.1]:5 (SSL_accept): error:0A0")
    assert (event.kind, event.ip, event.text) == (
        "tls-error",
        b"192.0.2.1",
        b"(SSL_accept): error:0A0",
    )
    claimed = parse(
        AT + b"TLS error on connection from (x [9.9.9.9] y) [192.0.2.1] (SSL_accept): e"
    )
    assert (claimed.kind, claimed.ip) == ("tls-error", b"")


_TRUE = b" [192.0.2.1]:5 P=esmtps X=" + REAL + b" CV=no"


@pytest.mark.parametrize(
    "line",
    [
        # What a real Exim wrote for clients that forge: the sender, and junk in HELO.
        b' <= "a X=' + FAKE + b' CV=yes H=h [1.2.3.4]"@b H=(c)' + _TRUE + b" S=5",
        b" <= a@b H=(evil X=" + FAKE + b" CV=dane)" + _TRUE + b" S=5",
        b" <= a@b H=h" + _TRUE + b' S=5 T="T\\" X=' + FAKE + b' ..."',
        b" <= a@b H=h" + _TRUE + b' DN="/CN=evil" X=' + FAKE + b' CV=dane DN="x" S=5',
    ],
)
def test_what_is_forged_where_it_cannot_be_real(line: bytes) -> None:
    event = parse(HEAD + line)
    assert (event.kind, event.ip, event.x) == ("arrival", b"192.0.2.1", REAL)


@pytest.mark.parametrize(
    "line",
    [
        b" <= a@b H=(x) [192.0.2.9] P=esmtps X=" + FAKE + b" S=1 id=a)" + _TRUE + b" S=5",
        b" <= a@b H=(h)" + _TRUE + b' DN="/CN=a") [192.0.2.9] P=esmtps X=' + FAKE + b' S=1 " S=5',
        b" <= a@b H=(h)" + _TRUE + b' DN="/CN=a" A=plain:boss S=1 " A=plain:me S=5',
        b" <= a@b H=h" + _TRUE + b" SNI=a A=plain:boss S=1 A=plain:me S=5",
        b" <= a@b H=h [192.0.2.1] P=esmtp X=" + REAL + b" S=5",
        b' => a@b F=<"x R=r T=t H=h [192.0.2.9] X='
        + FAKE
        + b' "@b> R=r T=t H=h [192.0.2.1] X='
        + REAL,
        b" => a@b R=r T=t H=h [192.0.2.1] X="
        + REAL
        + b' DN="a" R=r T=t H=h [192.0.2.9] X='
        + FAKE
        + b' K"',
    ],
)
def test_what_nobody_can_tell_is_ambiguous(line: bytes) -> None:
    assert parse(HEAD + line) == Event("ambiguous", DAY, ID)

"""News on their way: relays and web servers that take them, and such as do not."""

import base64
import hashlib
import hmac
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from audit import connect, roots
from audit.notify import mail, webhook
from audit.notify.post import Letter, Post
from audit.notify.target import Target
from audit.report.news import News
from tests.notify.notify_factories import OK, aged, hooking, relaying, telling, trust
from tests.passage.served import Talk, Words
from tests.servers import Pki, free_port, listening

NEWS = News("mailseal: 2 new; 3 failed", "pass → fail\n.\nlast\n", b'{"a": 1}')
KEY = b"k" * 32
TO = Target("post@example.org")


def deliver(post: Post, letter: bytes | None = None) -> tuple[list[str], bytes | None]:
    """Who was not told and why, and what is still owed."""
    troubles: list[str] = []
    owed = {7: letter or post.letter(NEWS)}
    [(number, left)] = list(post.deliver(owed, troubles))
    assert number == 7
    return troubles, left


@pytest.fixture(autouse=True)
def trusted(pki: Pki, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root of the tests is the system's."""
    trust(pki, monkeypatch)


@pytest.mark.parametrize(("mode", "scheme"), [("starttls", "smtp"), ("implicit", "smtps")])
def test_a_mail_is_taken_over_tls(pki: Pki, mode: str, scheme: str) -> None:
    """Plain text, one subject, from and to whom it should; nobody's holiday answers it."""
    with relaying(pki, mode) as box:
        relay = mail.relay(f"{scheme}://localhost:{box.port}")
        assert deliver(telling(TO, relay=relay)) == ([], None)
    [message] = box.mails
    assert box.secure == [True]
    assert message["Subject"] == NEWS.subject
    assert (message["From"], message["To"]) == ("audit@control.example", "post@example.org")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content() == NEWS.text
    assert message["Message-ID"].endswith("@control.example>")


def test_a_relay_without_tls_gets_it_too(pki: Pki) -> None:
    """As on this machine itself."""
    with relaying(pki, wrong={"EHLO": "250 localhost"}) as box:
        assert deliver(telling(TO, relay=box.relay)) == ([], None)
    assert (len(box.mails), box.secure) == (1, [False])


def test_no_header_can_be_smuggled_in() -> None:
    """Whoever made such a subject is stopped, whatever made it."""
    with pytest.raises(ValueError, match="linefeed"):
        mail.compose("x\r\nBcc: c@d", "t", "a@b", "c@d", datetime.now(tz=UTC))


REFUSED: dict[str, tuple[Words, str]] = {
    "a recipient": ({"RCPT": "550 5.1.1 no \x1b[2Jsuch user"}, "it says 550 5.1.1 no \\x1b[2Jsuch"),
    "a sender": ({"MAIL": "451 4.7.1 later"}, "it says 451 4.7.1 later"),
    "the mail": ({"DATA": "554 5.7.1 spam"}, "it says 554 5.7.1 spam"),
    "everybody": ({"": "421 busy"}, "it says 421 busy"),
}


@pytest.mark.parametrize(("wrong", "words"), REFUSED.values(), ids=REFUSED)
def test_a_mail_that_is_refused_is_still_owed(pki: Pki, wrong: Words, words: str) -> None:
    """With the words of the relay, made visible."""
    with relaying(pki, wrong=wrong) as box:
        troubles, left = deliver(telling(TO, relay=box.relay))
    [trouble] = troubles
    assert trouble.startswith(f"mailto:post@example.org: was not told: {box.relay}: {words}")
    assert left
    assert msgspec.json.decode(left, type=Letter).to == (TO.mark,)
    with relaying(pki) as box:  # and goes out once the relay takes it
        assert deliver(telling(TO, relay=box.relay), left) == ([], None)
    assert len(box.mails) == 1


def test_a_mail_that_was_taken_is_told_although_the_farewell_fails(pki: Pki) -> None:
    """It would come twice."""

    def hang_up(talk: Talk, _line: str) -> bool:
        return True

    with relaying(pki, wrong={"QUIT": hang_up}) as box:
        assert deliver(telling(TO, relay=box.relay)) == ([], None)
    assert len(box.mails) == 1


def test_what_a_relay_says_to_the_farewell_is_not_the_reason(pki: Pki) -> None:
    """It refused before that."""
    with relaying(pki, wrong={"STARTTLS": "454 4.7.0 no TLS now", "QUIT": "250 ok"}) as box:
        [trouble], _ = deliver(telling(TO, relay=box.relay))
    assert trouble.endswith(f"{box.relay}: it says 454 4.7.0 no TLS now")
    assert box.mails == []


def test_a_relay_with_a_foreign_certificate_is_none_where_tls_comes_first(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is only offered, no certificate is better than no TLS."""
    monkeypatch.setattr(roots, "read", lambda: ())
    with relaying(pki, "implicit") as box:
        relay = mail.relay(f"smtps://localhost:{box.port}")
        [trouble], _ = deliver(telling(TO, relay=relay))
    assert "its certificate does not verify" in trouble
    assert box.mails == []
    with relaying(pki) as box:
        assert deliver(telling(TO, relay=box.relay)) == ([], None)
    assert box.secure == [True]


def test_a_failed_starttls_is_no_reason_to_go_on_in_clear(pki: Pki) -> None:
    """What is offered has to work."""
    with relaying(pki, wrong={"STARTTLS": "220 go"}) as box:
        [trouble], _ = deliver(telling(TO, relay=box.relay))
    assert f"{box.relay}: " in trouble
    assert box.mails == []


def test_a_document_is_taken_and_signed(pki: Pki) -> None:
    """By Standard Webhooks: name, time and body, so that it cannot be played again."""
    with hooking(pki) as hook:
        assert deliver(telling(hook.target, key=KEY)) == ([], None)
    [(head, body)] = hook.requests
    assert body == NEWS.document
    assert head["Content-Type"] == "application/json"
    assert abs(int(head["webhook-timestamp"]) - time.time()) < 60
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert head["webhook-signature"] == f"v1,{mac}"


def test_the_signature_is_that_of_the_specification() -> None:
    """Its own example (standard-webhooks, spec/standard-webhooks.md and its libraries)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    when = datetime.fromtimestamp(1614265330, tz=UTC)
    told = webhook.headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", when, b'{"test": 2432232314}')
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_there_is_no_signature(pki: Pki) -> None:
    """And the URL may be the secret: no message has it."""
    with hooking(pki) as hook:
        assert deliver(telling(hook.target)) == ([], None)
    assert hook.requests[0][0]["webhook-signature"] is None


def _slow(link: socket.socket) -> None:
    for _ in range(100):
        link.sendall(b"H")
        time.sleep(0.1)


def _endless_head(link: socket.socket) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        link.sendall(b"X-More: " + b"x" * 8000 + b"\r\n")


ANSWERS: dict[str, tuple[bytes | Callable[[socket.socket], None], str]] = {
    "a failure": (b"HTTP/1.1 500 Oh\x1b[2J\r\n\r\n", r"it answers 500 Oh\\x1b\[2J"),
    "a redirect": (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        "it answers 302 Found, which is not followed",
    ),
    "no HTTP": (b"220 smtp\r\n", "220 smtp"),
    "nothing": (lambda _: None, "Remote end closed connection without response"),
    "a byte now and then": (_slow, "not done within 2 s"),
    "headers without end": (_endless_head, "got more than 100 headers|not done within 20 s"),
}


@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_document_that_is_not_taken_is_still_owed(
    pki: Pki,
    answer: bytes | Callable[[socket.socket], None],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence without the URL, in bounded time."""
    monkeypatch.setattr(connect, "SECONDS", 2.0 if answer is _slow else 20.0)
    started = time.monotonic()
    with hooking(pki, answer) as hook:
        troubles, left = deliver(telling(hook.target))
    assert time.monotonic() - started < 25
    [trouble] = troubles
    assert re.fullmatch(f"https://localhost:{hook.port}: was not told: ({words})", trouble)
    assert "hunter2" not in trouble
    assert left
    assert len(hook.requests) == 1


def test_a_body_without_end_is_not_read(pki: Pki) -> None:
    """The answer is in the first line."""

    def endless(link: socket.socket) -> None:
        link.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            link.sendall(b"2000\r\n" + b"x" * 8192 + b"\r\n")

    started = time.monotonic()
    with hooking(pki, endless) as hook:
        assert deliver(telling(hook.target)) == ([], None)
    assert time.monotonic() - started < 25


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign root, another name, no TLS at all, nobody there."""
    with hooking(pki) as hook:
        monkeypatch.setattr(roots, "read", lambda: ())
        [trouble], _ = deliver(telling(hook.target))
        assert "its certificate does not verify" in trouble
        assert hook.requests == []
    monkeypatch.undo()
    trust(pki, monkeypatch)
    with hooking(pki) as hook:
        [trouble], _ = deliver(telling(Target(url=f"https://127.0.0.1:{hook.port}/")))
        assert "its certificate does not verify" in trouble
        assert hook.requests == []
    with listening(lambda link: link.sendall(OK)) as port:
        [trouble], _ = deliver(telling(Target(url=f"https://localhost:{port}/")))
        assert "TLS failed" in trouble
    [trouble], left = deliver(telling(Target(url=f"https://localhost:{free_port()}/")))
    assert "Connection refused" in trouble
    assert left


def test_who_was_told_is_not_told_again_for_the_others_sake(pki: Pki) -> None:
    """Each is owed a letter alone."""
    with hooking(pki) as hook:
        post = telling(TO, hook.target)  # nobody listens at the relay
        [trouble], left = deliver(post)
        assert trouble.startswith("mailto:post@example.org: was not told: smtp://localhost:1: ")
        assert left
        with relaying(pki) as box:
            assert deliver(replace(post, relay=box.relay), left) == ([], None)
        assert (len(hook.requests), len(box.mails)) == (1, 1)


def test_what_is_true_now_comes_first_and_who_is_deaf_is_tried_once(pki: Pki) -> None:
    """A letter that is never taken holds up no other, and is given up after days."""
    post = telling(TO)
    fresh = post.letter(NEWS)
    letter = msgspec.json.decode(fresh, type=Letter)
    old = msgspec.json.encode(replace(letter, written=letter.written - aged(6), subject="old"))
    troubles: list[str] = []
    left = dict(post.deliver({1: old, 2: fresh, 3: b'{"name": "\xff"}'}, troubles))
    assert list(left) == [3, 2, 1]
    assert (left[3], left[1]) == (None, None)
    assert left[2]
    assert len(troubles) == 1
    with relaying(pki) as box:
        assert dict(replace(post, relay=box.relay).deliver({1: old, 2: fresh}, [])) == {
            1: None,
            2: None,
        }
    assert [m["Subject"] for m in box.mails] == [NEWS.subject, "old"]


def test_what_is_no_letter_at_all_is_owed_to_nobody() -> None:
    """SQLite takes any value in any column, and a time without a zone is no moment."""
    letter = msgspec.json.decode(telling(TO).letter(NEWS), type=Letter)
    zoneless = msgspec.json.encode(replace(letter, written=datetime(2026, 11, 28)))  # noqa: DTZ001
    owed: dict[int, Any] = {1: 5, 2: "text", 3: zoneless}
    assert dict(telling(TO).deliver(owed, [])) == {3: None, 2: None, 1: None}


def test_a_run_that_tells_others_owes_the_first_ones_still() -> None:
    """Until nobody tries any more: somebody may have taken the address out."""
    fresh = telling(TO).letter(NEWS)
    others = telling(Target("other@example.org"))
    assert deliver(others, fresh) == ([], fresh)
    letter = msgspec.json.decode(fresh, type=Letter)
    old = msgspec.json.encode(replace(letter, written=letter.written - aged(6)))
    assert deliver(others, old) == ([], None)


@pytest.mark.parametrize("host", ["a..b", "x" * 64, ".example"])
def test_a_name_that_no_host_has_is_no_traceback(host: str) -> None:
    """A sentence, by mail and by webhook; the other targets get theirs."""
    words = f"{host} is no name of a host"
    mail_ = mail.compose("subject", "text", "a@example.org", "b@example.org", datetime.now(UTC))
    assert mail.send(mail_, mail.relay(f"smtp://{host}")) == f"smtp://{host}:25: {words}"
    assert webhook.post(Target(url=f"https://{host}/x"), b"{}", {}) == words

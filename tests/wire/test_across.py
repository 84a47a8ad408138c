"""What is read out of the bytes across STARTTLS, without any server."""

import pytest

from audit.facts import Seen, Service
from audit.wire.inside import answers_to_http, opening
from audit.wire.reply import ReplyReader
from audit.wire.starttls import commands, heard, lists

TAG = "0123456789ab"
CAPA = "+OK\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"
LIST = '"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\nOK\r\n'
HEARD: list[tuple[Service, str, Seen | None]] = [
    ("smtp", "", None),
    ("smtp", "500 what?\r\n", "refused"),
    ("smtp", "220 twin, once more\r\n500 what?\r\n", "refused"),
    ("smtp", "250 ok\r\n500 what?\r\n", "accepted"),
    ("smtp", "250 ok\r\n", "accepted"),
    ("smtp", "250-ok\r\n", None),
    ("smtp", "500 what?\r\n500 what?\r\n", "accepted"),
    ("smtp", "421 later\r\n", None),
    ("lmtp", "250 ok\r\n500 what?\r\n", "accepted"),
    ("imap", f"m{TAG} OK done\r\n", "refused"),
    ("imap", f"* CAPABILITY IMAP4rev1\r\nm{TAG} OK done\r\n", "refused"),
    ("imap", f"{TAG} OK done\r\nm{TAG} OK done\r\n", "accepted"),
    ("imap", f"{TAG} BAD no\r\n", "accepted"),
    ("imap", "* OK still here\r\n", None),
    ("imap", "* BYE no\r\n", None),
    ("pop3", "-ERR what?\r\n", "refused"),
    ("pop3", "+OK twin, once more\r\n-ERR what?\r\n", "refused"),
    ("pop3", f"{CAPA}-ERR what?\r\n", "accepted"),
    ("pop3", "-ERR what?\r\n-ERR what?\r\n", "accepted"),
    ("sieve", f'{LIST}OK (TAG "m{TAG}") "done"\r\n', "refused"),
    ("sieve", f"OK (TAG {{13}}\r\nm{TAG}) done\r\n", "refused"),
    ("sieve", f'{LIST}OK (TAG "{TAG}") "done"\r\n', "accepted"),
    ("sieve", f'{LIST}NO "what?"\r\nNO "what?"\r\n', "accepted"),
    ("sieve", f'{LIST}NO "what?"\r\n', "refused"),
    ("sieve", LIST, None),
]


@pytest.mark.parametrize(("service", "text", "seen"), HEARD)
def test_answers_to_what_was_injected_are_told_from_others(
    service: Service, text: str, seen: Seen | None
) -> None:
    """By the tag, by the kind of answer, or by their number."""
    assert heard(service, text, TAG, parted=False) == seen
    bye = {"sieve": 'OK "bye"\r\n', "pop3": "+OK bye\r\n", "imap": "c9 OK bye\r\n"}
    if seen:
        text += bye.get(service, "221 bye\r\n")
        assert heard(service, text, TAG, parted=True) == seen


@pytest.mark.parametrize("service", ["smtp", "lmtp", "imap", "pop3", "sieve"])
def test_what_is_injected_is_one_harmless_line(service: Service) -> None:
    """So is the marker, and they differ."""
    injected, marker = commands(service, TAG)
    assert injected.count(b"\n") == marker.count(b"\n") == 1
    assert injected != marker
    assert any(word in injected for word in (b"NOOP", b"CAPA"))


def _lists(service: Service, data: bytes, grammar: str) -> tuple[frozenset[str], ...]:
    reader = ReplyReader()
    reader.feed(data)
    reply = reader.take(grammar, "c1")  # type: ignore[arg-type]
    assert reply is not None
    return lists(service, reply)


def test_capabilities_are_compared_by_name() -> None:
    """Neither the server's name nor a session's number makes two lists different."""
    one = _lists("lmtp", b"250-a\r\n250-STARTTLS\r\n250 OK SESSIONID=<1>\r\n", "smtp")
    assert one == _lists("lmtp", b"250-b\r\n250-STARTTLS\r\n250 OK SESSIONID=<2>\r\n", "smtp")
    assert one == (frozenset({"STARTTLS", "OK"}),)
    pushed = b"* CAPABILITY IMAP4rev1 STARTTLS\r\n* CAPABILITY IMAP4rev1\r\nc1 OK done\r\n"
    assert _lists("imap", pushed, "imap") == (
        frozenset({"IMAP4REV1", "STARTTLS"}),
        frozenset({"IMAP4REV1"}),
    )
    assert _lists("pop3", b"-ERR no CAPA\r\n", "pop3-list") == ()


def test_managesieve_capabilities_may_come_unasked_or_not() -> None:
    """The first reply that is none of them answers what was asked."""
    for data, unasked in ((LIST + 'OK "done"\r\n', 1), ('NO "what?"\r\n', 0)):
        reader = ReplyReader()
        reader.feed(data.encode())
        dialogue = opening("sieve", "starttls")
        step = next(dialogue)
        try:
            while True:
                reply = reader.take(step.grammar)
                assert reply is not None
                step = dialogue.send(reply)
        except StopIteration as end:
            assert len(end.value) == unasked


def test_answers_to_http_are_counted() -> None:
    """HTTP itself is another matter, and a last word is none."""
    assert answers_to_http("smtp", "500 a\r\n500 b\r\n421 bye\r\n") == 2
    assert answers_to_http("imap", "GET BAD a\r\nHost: BAD b\r\n* BYE c\r\n") == 2
    assert answers_to_http("pop3", "-ERR a\r\n") == 1
    assert answers_to_http("sieve", f'{LIST}NO "a"\r\nBYE "b"\r\n') == 1
    assert answers_to_http("smtp", "HTTP/1.1 400 Bad Request\r\n") is None

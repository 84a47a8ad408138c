"""Whether a resolver validates, as the role sees it: from answers of every kind."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.plugins import plugin

Answer = Callable[[dns.message.Message], bytes]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return plugin("resolver/library/mailseal_resolver.py")


@contextmanager
def _resolver(answer: Answer) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        link.settimeout(0.2)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    wire, client = link.recvfrom(4096)
                except TimeoutError:
                    continue
                link.sendto(answer(dns.message.from_wire(wire)), client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield link.getsockname()[1]
        ended.set()
        thread.join()


def _says(
    *, ad: bool = True, code: dns.rcode.Rcode = dns.rcode.NOERROR, records: int = 1
) -> Answer:
    def answer(query: dns.message.Message) -> bytes:
        made = dns.message.make_response(query)
        made.set_rcode(code)
        name = query.question[0].name
        if ad:
            made.flags |= dns.flags.AD
        if records:
            made.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", "a. b. 1 2 3 4 5"))
        return made.to_wire()

    return answer


@pytest.mark.parametrize("name", [".", "example.org", "example.org."])
def test_a_validated_answer_is_good(module: ModuleType, name: str) -> None:
    """It asks for the SOA record, says that it understands AD, and takes a long answer."""
    asked = []

    def answer(query: dns.message.Message) -> bytes:
        asked.append(query)
        return _says()(query)

    with _resolver(answer) as port:
        assert module.until("127.0.0.1", port, name, 5) == "NOERROR"
    (query,) = asked
    assert query.question[0].to_text() == f"{name.rstrip('.')}. IN SOA"
    assert query.flags & dns.flags.AD
    assert query.flags & dns.flags.RD
    assert query.payload == 1232


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_says(ad=False), "its answer is not validated"),
        (_says(code=dns.rcode.SERVFAIL, records=0), "it answers SERVFAIL"),
        (_says(code=dns.rcode.NXDOMAIN, records=0), "it answers NXDOMAIN"),
        (_says(code=dns.rcode.NOTAUTH), "it answers code 9"),
        (_says(records=0), "it answers with no record"),
        (lambda _: b"", "it does not answer"),
        (lambda _: b"\xff" * 5, "it does not answer"),
        (lambda query: query.to_wire(), "it does not answer"),  # its own question is no answer
    ],
)
def test_everything_else_is_not(
    module: ModuleType, answer: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sentence, with who was asked and for what; what is another's answer is passed over."""
    once = module.ask
    monkeypatch.setattr(module, "ask", lambda *where: once(*where[:3], 0.3))
    with _resolver(answer) as port, pytest.raises(module.Failed) as failed:
        module.until("127.0.0.1", port, "example.org", 0.1)
    assert str(failed.value).startswith(f"127.0.0.1 does not validate example.org: {words}")


def test_one_that_is_not_there_is_waited_for(module: ModuleType) -> None:
    """It may just have been started; but not for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind(("127.0.0.1", 0))
        port = link.getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(module.Failed, match="it does not answer"):
        module.until("127.0.0.1", port, "example.org", 1)
    assert 1 <= time.monotonic() - begun < 5


def test_a_name_that_is_none_is_said(module: ModuleType) -> None:
    """And no traceback."""
    name = "a" * 70
    with pytest.raises(module.Failed, match=f"does not validate {name}"):
        module.until("127.0.0.1", 1, name, 0)

"""The MTA-STS policy as it is fetched: from real web servers, right and hostile ones."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from audit import roots
from audit.domain import policy_host
from audit.facts import Fetched
from tests.domain.world import Authority
from tests.servers import free_port, listening

HOST = "mta-sts.example.org"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
_BODY = b"version: STSv1\nmode: none\nmax_age: 1\n"
Talk = Callable[[ssl.SSLSocket], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("policy-host")))


@contextmanager
def _served(authority: Authority, talk: Talk, name: str = HOST) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.keys(name).pki.ecdsa)

    def one(client: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(client, server_side=True) as link:
            link.recv(4096)
            talk(link)

    with listening(one) as port:
        yield port


def _fetch(
    authority: Authority, port: int, monkeypatch: pytest.MonkeyPatch, seconds: float = 5.0
) -> Fetched:
    monkeypatch.setattr(policy_host, "_PORT", port)
    monkeypatch.setattr(policy_host, "_SECONDS", seconds)
    started = time.monotonic()
    found = policy_host.fetch(HOST, ("127.0.0.1",), lambda: roots.read(str(authority.file)))
    assert time.monotonic() - started < seconds + 3
    return found


def _says(*parts: bytes) -> Talk:
    return lambda link: link.sendall(b"".join(parts))


def test_a_policy_is_fetched(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified, by its own name; with status, media type and body."""
    length = b"Content-Length: %d\r\n\r\n" % len(_BODY)
    with _served(authority, _says(_OK, length, _BODY)) as port:
        found = _fetch(authority, port, monkeypatch)
    assert (found.status, found.media, found.body) == (200, "text/plain", _BODY)
    assert found.whole
    assert (found.fault, found.doubt) == ("", "")
    assert found.url == "https://mta-sts.example.org/.well-known/mta-sts.txt"


def test_no_redirect_is_followed(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request, and its status is told (RFC 8461, section 3.3)."""
    asked = []

    def talk(link: ssl.SSLSocket) -> None:
        asked.append(link)
        link.sendall(b"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with _served(authority, talk) as port:
        assert _fetch(authority, port, monkeypatch).status == 301
    assert len(asked) == 1


def _endless(link: ssl.SSLSocket) -> None:
    link.sendall(_OK + b"\r\n")
    while True:
        link.sendall(b"x" * 16384)


def _chunks(link: ssl.SSLSocket) -> None:
    link.sendall(_OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        link.sendall(b"4000\r\n" + b"x" * 16384 + b"\r\n")


@pytest.mark.parametrize("talk", [_endless, _chunks])
def test_a_body_without_end_is_read_no_further_than_senders_do(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, talk: Talk
) -> None:
    """64 KiB, and the word that there would be more."""
    with _served(authority, talk) as port:
        found = _fetch(authority, port, monkeypatch)
    assert not found.whole
    assert len(found.body) == policy_host.LARGEST


def _drips(link: ssl.SSLSocket) -> None:
    link.sendall(_OK + b"Content-Length: 60000\r\n\r\n")
    while True:
        link.sendall(b"x")
        time.sleep(0.05)


def _headers(link: ssl.SSLSocket) -> None:
    link.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        link.sendall(b"X: " + b"x" * 60000 + b"\r\n")


def _waits(link: ssl.SSLSocket) -> None:
    link.recv(1)


BAD: dict[str, tuple[Talk, str, str]] = {
    "drips": (_drips, "doubt", "not done within 1 s"),
    "never answers": (_waits, "doubt", "not done within 1 s"),
    "headers without end": (_headers, "fault", "says more than"),
    "another protocol": (_says(b"220 mx.example.org ESMTP\r\n"), "fault", "no HTTP"),
    "says nothing": (_says(), "fault", "no HTTP"),
    "less than nothing": (
        _says(_OK, b"Transfer-Encoding: chunked\r\n\r\n-5\r\nversion"),
        "fault",
        "no HTTP",
    ),
    "cut off": (_says(_OK, b"Content-Length: 900\r\n\r\nversion"), "fault", "ends too soon"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_told_and_ends_in_time(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whose doing it is decides whether it is a fault or a doubt."""
    talk, kind, words = BAD[name]
    with _served(authority, talk) as port:
        found = _fetch(authority, port, monkeypatch, 1.0)
    assert words in getattr(found, kind), found
    assert bool(found.fault) != bool(found.doubt)
    assert not found.status


def test_a_certificate_for_another_name_is_a_fault(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Senders stop there."""
    with _served(authority, _says(_OK), "www.example.org") as port:
        found = _fetch(authority, port, monkeypatch)
    assert "does not verify" in found.fault


def test_a_certificate_of_an_unknown_authority_is_a_fault(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Even for the right name."""
    with _served(Authority(tmp_path), _says(_OK)) as port:
        found = _fetch(authority, port, monkeypatch)
    assert "does not verify" in found.fault


def test_no_tls_is_a_fault(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP on the port of HTTPS."""
    with listening(lambda client: client.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        found = _fetch(authority, port, monkeypatch)
    assert "TLS failed" in found.fault


def test_nobody_there_is_a_fault(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is an answer; silence would be a doubt."""
    found = _fetch(authority, free_port(), monkeypatch)
    assert "nothing listens" in found.fault

"""Mail through every program that can carry it, and servers that do something else with it."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.clients.driver import MissingError, Start
from tests.clients.pipes import PIPES
from tests.clients.talk import Outcome, TalkError, carried, hand_in, log_in
from tests.daemons.settings import dh_parameters
from tests.servers import Pki

SMTP = (
    *("250-localhost\r\n250 HELP", "235 in", "250 OK", "250 OK", "354 go"),
    *("250 OK id=1abcde-000001-XY", "221 bye"),
)
# They have nothing in common with a server of TLS 1.2, or with any that there is.
_NEVER = ("tls13-alone", "tls13-p521", "tls10-rc4-3des")
STEPS = hand_in("a@client.example", "b@localhost", "u", "p", greeted=False)


def _answers(tls: ssl.SSLSocket, answers: tuple[str, ...]) -> None:
    for answer in answers:
        said = b""
        while not said.endswith(b"\r\n.\r\n" if answer.startswith("250 OK id=") else b"\r\n"):
            if not (data := tls.recv(4096)):
                return
            said += data
        tls.sendall(f"{answer}\r\n".encode())


@contextmanager
def _serving(pki: Pki, answers: tuple[str, ...], ciphers: str, greeting: str = "") -> Iterator[int]:
    """A server of TLS up to 1.2 that says these words, one after each line it hears."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.rsa)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    prime = pki.root.parent / "dh.pem"
    prime.write_text(dh_parameters(2048), encoding="ascii")
    context.load_dh_params(str(prime))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.settimeout(60)
                with (
                    client,
                    suppress(OSError),
                    context.wrap_socket(client, server_side=True) as tls,
                ):
                    tls.sendall(greeting.encode())
                    _answers(tls, answers)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)


def _outcome(name: str, port: int, pki: Pki, folder: Path) -> Outcome:
    try:
        return carried(PIPES[name], port, folder, pki.root, STEPS)
    except MissingError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", [name for name in PIPES if name not in _NEVER])
def test_a_mail_is_taken_over_every_one(name: str, pki: Pki, tmp_path: Path) -> None:
    """By a server that has what each of them offers."""
    with _serving(pki, SMTP, "ALL") as port:
        assert _outcome(name, port, pki, tmp_path) == "taken"


@pytest.mark.parametrize("name", ["openssl-3.0", "gnutls-3.7", "nss-3.87", "node-20", "java-17"])
def test_no_tls_is_told_as_that(name: str, pki: Pki, tmp_path: Path) -> None:
    """A server with nothing but a suite that nobody of them offers."""
    with _serving(pki, SMTP, "ECDHE-RSA-NULL-SHA") as port:
        assert _outcome(name, port, pki, tmp_path) == "no TLS"


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        (("250 HELP", "535 wrong"), "535 wrong"),
        (("250 HELP", "235 in", "250 OK", "550 relay not permitted"), "550 relay"),
        (SMTP[:5], "354 go"),
        ((), "after 0 of 7"),
    ],
)
def test_what_is_not_about_tls_is_an_error(
    answers: tuple[str, ...], last: str, pki: Pki, tmp_path: Path
) -> None:
    """A refusal in words, or a server that hangs up in the middle, proves nothing of TLS."""
    greeting = "" if answers else "554 go away\r\n"
    with _serving(pki, answers, "ALL", greeting) as port, pytest.raises(TalkError, match=last):
        _outcome("openssl-3.0", port, pki, tmp_path)


def test_a_program_that_never_asks_is_an_error(pki: Pki, tmp_path: Path) -> None:
    """It ends without a hello, and nothing was refused to it."""
    with _serving(pki, SMTP, "ALL") as port, pytest.raises(TalkError, match="after 0 of 7"):
        carried(lambda at: Start(("false",)), port, tmp_path, pki.root, STEPS)


def test_a_login_is_let_in(pki: Pki, tmp_path: Path) -> None:
    """And one that is not is an error."""
    steps = log_in("u", "p")
    for word, taken in (("OK", True), ("NO", False)):
        answers = (f"in {word} done", "out OK done")
        with _serving(pki, answers, "ALL", "* OK there\r\n") as port:
            if taken:
                assert carried(PIPES["tls12-all"], port, tmp_path, pki.root, steps) == "taken"
            else:
                with pytest.raises(TalkError, match="in NO done"):
                    carried(PIPES["tls12-all"], port, tmp_path, pki.root, steps)

"""The recorded clients: read, and refused with file and reason if wrong."""

from functools import cache
from pathlib import Path

import msgspec

from audit.clients.model import Client
from audit.errors import MailsealError
from audit.wire.client_hello import client_hello
from audit.wire.offer import Offer
from audit.wire.server_hello import Malformed

RECORDINGS = Path(__file__).parent / "recordings"
_LARGEST = 1 << 16  # bytes; a recording has two thousand


@cache
def clients() -> tuple[Client, ...]:
    """All that come with mailseal, in order of name.

    Raises:
        MailsealError: one is malformed.
    """
    return tuple(read(path) for path in sorted(RECORDINGS.glob("*.yaml")))


def read(path: Path) -> Client:
    """The client in this file.

    Raises:
        MailsealError: unreadable or malformed.
    """
    try:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            raise MailsealError(f"{path}: larger than {_LARGEST} bytes, so not a recorded client")
        client = msgspec.yaml.decode(data, type=Client)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise MailsealError(f"{path}: not a recorded client ({error})") from None
    if path.stem != client.id:
        raise MailsealError(f"{path}: the client in it is called {client.id}")
    if (client.kind == "modelled") != bool(client.models):
        raise MailsealError(f"{path}: a modelled client says what it models, a recorded one is it")
    offer(client, str(path))
    return client


def offer(client: Client, file: str = "") -> Offer:
    """What the client offers.

    Raises:
        MailsealError: its hello is malformed.
    """
    try:
        return client_hello(bytes.fromhex(client.hello))
    except (Malformed, ValueError) as error:
        raise MailsealError(f"{file or client.id}: hello: {error}") from None

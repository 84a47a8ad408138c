"""What every stand-in does: dial the daemon behind it and carry bytes both ways."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

MAX_RECORD = 16384 + 2048
CHUNK = 65536

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass(frozen=True)
class Place:
    """The port of the daemon behind, and the certificate that forged answers carry."""

    port: int
    certificate: bytes


async def pump(reader: Reader, writer: Writer) -> None:
    """Carry bytes until there are no more."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def record(reader: Reader) -> bytes:
    """Read one TLS record; raises IncompleteReadError when the peer ends before its end."""
    head = await reader.readexactly(5)
    return head + await reader.readexactly(min(int.from_bytes(head[3:5], "big"), MAX_RECORD))


async def dial(place: Place, opening: bytes) -> tuple[Reader, Writer]:
    """Connect to the daemon behind, and say what the client said already."""
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(opening)
    return reader, writer


async def both(client: tuple[Reader, Writer], daemon: tuple[Reader, Writer]) -> None:
    """Carry bytes both ways until one of them ends."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pump(client[0], daemon[1]))
            tasks.create_task(pump(daemon[0], client[1]))
    finally:
        daemon[1].close()


async def first(*jobs: Awaitable[None]) -> None:
    """Run jobs until one of them ends, then end the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

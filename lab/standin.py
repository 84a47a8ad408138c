"""A listener in a daemon's place that relays to it and does exactly one thing wrong.

It runs in a host's network namespace, on the real machine's Python: `python -m lab.standin`.
"""

import argparse
import asyncio
import contextlib
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

from lab import forged
from lab.relay import CHUNK, Place, Reader, Writer, both, dial, first, pump, record

_PATIENCE = 30.0
_SMTP_STARTTLS = re.compile(rb"^(250[- ])STARTTLS")
_TAGGED = 2  # words of IMAP's STARTTLS


async def compression(client: tuple[Reader, Writer], place: Place) -> None:
    """Choose DEFLATE whenever a client offers it."""
    opening = await record(client[0])
    hello = forged.parse_hello(opening)
    daemon = await dial(place, opening)
    if hello:
        client[1].write(forged.deflate(await record(daemon[0]), hello))
    await both(client, daemon)


async def sslv3(client: tuple[Reader, Writer], place: Place) -> None:
    """Answer a client that speaks SSLv3 at most in SSLv3."""
    opening = await record(client[0])
    hello = forged.parse_hello(opening)
    answer = forged.ssl3_answer(hello, place.certificate) if hello else None
    if answer is None:
        await both(client, await dial(place, opening))
        return
    client[1].write(answer)
    await client[1].drain()
    await client[0].read(CHUNK)


async def sslv2(client: tuple[Reader, Writer], place: Place) -> None:
    """Answer an SSLv2 CLIENT-HELLO with an SSLv2 SERVER-HELLO."""
    head = await client[0].readexactly(forged.SSL2_HEAD)
    if not forged.is_ssl2(head):
        await both(client, await dial(place, head))
        return
    length = int.from_bytes(head[:2], "big") & 0x7FFF
    message = head[2:] + await client[0].readexactly(max(0, length - 3))
    client[1].write(forged.ssl2_answer(message, place.certificate))
    await client[1].drain()
    await client[0].read(CHUNK)


async def preauth(client: tuple[Reader, Writer], place: Place) -> None:
    """Greet as if the client were logged in already."""
    daemon = await dial(place, b"")
    greeting = await daemon[0].readline()
    client[1].write(greeting.replace(b"* OK", b"* PREAUTH", 1))
    await both(client, daemon)


async def no_starttls(client: tuple[Reader, Writer], place: Place) -> None:
    """Hide STARTTLS from every list of capabilities, and refuse it when asked for nonetheless.

    IMAP has capabilities in one line and commands with tags, SMTP neither: there the word becomes
    another one, as firewalls do it.
    """
    daemon = await dial(place, b"")

    async def outward() -> None:
        while line := await daemon[0].readline():
            shown = _SMTP_STARTTLS.sub(rb"\1XXXXXXXA", line)
            client[1].write(shown.replace(b" STARTTLS", b""))
            await client[1].drain()
        client[1].write_eof()

    async def inward() -> None:
        while line := await client[0].readline():
            words = line.split()
            if [word.upper() for word in words[-1:]] == [b"STARTTLS"] and len(words) <= _TAGGED:
                refusal = words[0] + b" BAD" if len(words) == _TAGGED else b"500"
                client[1].write(refusal + b" Unrecognized command\r\n")
            else:
                daemon[1].write(line)
            await daemon[1].drain()
        daemon[1].write_eof()  # who says QUIT and nothing more still waits for the answers

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(outward())
        tasks.create_task(inward())
    daemon[1].close()


async def starttls_arguments(client: tuple[Reader, Writer], place: Place) -> None:
    """Overlook whatever a client puts behind STARTTLS."""
    daemon = await dial(place, b"")

    async def inward() -> None:
        while line := await client[0].readline():
            words = line.split()
            begins = len(words) > 1 and words[1].upper() == b"STARTTLS"
            daemon[1].write(b" ".join(words[:2]) + b"\r\n" if begins else line)
            await daemon[1].drain()
            if begins:
                break
        await pump(client[0], daemon[1])

    await first(pump(daemon[0], client[1]), inward())
    daemon[1].close()


async def response_extra(client: tuple[Reader, Writer], place: Place) -> None:
    """Say one thing more after the go-ahead for TLS, in clear."""
    daemon = await dial(place, b"")
    tags: list[bytes] = []

    async def inward() -> None:
        while line := await client[0].readline():
            tag, _, command = line.strip().partition(b" ")
            tags.extend([tag] if command.upper() == b"STARTTLS" else [])
            daemon[1].write(line)
            await daemon[1].drain()
            if tags:
                break
        await pump(client[0], daemon[1])

    async def outward() -> None:
        while line := await daemon[0].readline():
            begins = any(line.startswith(tag + b" OK") for tag in tags)
            client[1].write(line + (b"* OK one thing more\r\n" if begins else b""))
            await client[1].drain()
            if begins:
                break
        await pump(daemon[0], client[1])

    await first(outward(), inward())
    daemon[1].close()


async def smtp(client: tuple[Reader, Writer], _place: Place) -> None:
    """Be a mail server that nobody asked for; it takes no mail."""
    reader, writer = client
    writer.write(b"220 unexpected.lab.test ESMTP\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb in {b"EHLO", b"HELO", b"NOOP"}:
            writer.write(b"250 unexpected.lab.test\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            return
        else:
            writer.write(b"502 not implemented\r\n")
        await writer.drain()


MODES: dict[str, Callable[[tuple[Reader, Writer], Place], Awaitable[None]]] = {
    "compression": compression,
    "sslv3": sslv3,
    "sslv2": sslv2,
    "preauth": preauth,
    "no-starttls": no_starttls,
    "starttls-arguments": starttls_arguments,
    "response-extra": response_extra,
    "smtp": smtp,
}


async def serve(mode: str, addresses: list[str], port: int, place: Place) -> None:
    """Listen until killed; a connection gets half a minute and no more."""
    handle = MODES[mode]

    async def connected(reader: Reader, writer: Writer) -> None:
        # A peer that misbehaves ends its own connection, never the listener.
        failures = (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, ExceptionGroup)
        with contextlib.suppress(*failures):
            async with asyncio.timeout(_PATIENCE):
                await handle((reader, writer), place)
        writer.close()

    server = await asyncio.start_server(connected, addresses, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="A listener that does one thing wrong.")
    parser.add_argument("mode", choices=sorted(MODES))
    parser.add_argument("--address", action="append", help="where to listen (default: everywhere)")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--behind", type=int, default=0)
    parser.add_argument("--certificate", type=Path)
    args = parser.parse_args()
    pem = args.certificate.read_text(encoding="ascii") if args.certificate else ""
    leaf = pem[: pem.find("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
    der = ssl.PEM_cert_to_DER_cert(leaf[leaf.find("-----BEGIN") :]) if pem else b""
    addresses = args.address or ["0.0.0.0", "::"]  # noqa: S104
    asyncio.run(serve(args.mode, addresses, args.port, Place(args.behind, der)))


if __name__ == "__main__":
    main()

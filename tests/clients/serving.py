"""Real TLS servers on loopback, told exactly what a policy is compiled to."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.forecast.outcome import certificates
from audit.policy.compile import gnutls, openssl
from audit.policy.model import Profile
from tests.clients.driver import LIBRARY_3_5, program, unpacked
from tests.daemons.settings import dh_parameters
from tests.servers import Pki, free_port

_SECONDS = 20.0
# What each says once a handshake is complete, and of which suite; and when it gave one up.
_COMPLETE = {
    "openssl": re.compile(r"Protocol version: (\S+)\n(?:.*\n)*?Ciphersuite: (\S+)"),
    "gnutls": re.compile(r"Description: \((TLS[0-9.]+)[^)]*\)-(.+)"),
}
_GIVEN_UP = re.compile(r"^ERROR|Error in handshake|:error:", re.MULTILINE)


@dataclass
class Served:
    """A server that takes one client.

    Attributes:
        port: where it listens.
        said: the file with its words.
        library: which of `LIBRARIES` it runs on.
        process: itself.
    """

    port: int
    said: Path
    library: str
    process: "subprocess.Popen[bytes]"

    def completed(self) -> tuple[str, str] | None:
        """Version and suite in its own words, once it has seen a handshake or its failure."""
        end = time.monotonic() + _SECONDS
        pattern = _COMPLETE[self.library.partition("-")[0]]
        while True:
            over = self.process.poll() is not None or time.monotonic() > end
            words = self.said.read_text(encoding="utf-8", errors="replace")
            if found := pattern.search(words):
                return found[1], found[2]
            if over or _GIVEN_UP.search(words):
                return None
            time.sleep(0.05)


@contextmanager
def serving(library: str, profile: Profile, day: date, pki: Pki, folder: Path) -> Iterator[Served]:
    """Serve as the profile says, with the certificates that it has a use for.

    Raises:
        MissingError: the library is not on this machine.
    """
    port = free_port()
    make = _gnutls if library.startswith("gnutls") else _openssl
    command, environment = make(library, port, profile, day, folder)
    for number, kind in enumerate(certificates(profile)):
        certificate, key = getattr(pki, kind)
        command += _files(library, number, str(certificate), str(key))
    said = folder / "server"
    with (
        said.open("wb") as out,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            env={**os.environ, **environment},
        ) as process,
    ):
        try:
            _wait(port, process, said)
            yield Served(port, said, library, process)
        finally:
            process.kill()


def _openssl(
    library: str, port: int, profile: Profile, day: date, folder: Path
) -> tuple[list[str], dict[str, str]]:
    numbers = (3, 5, 0) if library == "openssl-3.5" else (3, 0, 0)
    settings = folder / "openssl.cnf"
    settings.write_text(openssl.cnf(profile, numbers, day) or "", encoding="ascii")
    command, environment = program("openssl"), {"OPENSSL_CONF": str(settings)}
    if library == "openssl-3.5":
        (own,) = unpacked(LIBRARY_3_5).glob("opt/mailseal/openssl-*")
        command, environment["LD_LIBRARY_PATH"] = str(own / "bin/openssl"), str(own / "lib")
    return [
        command,
        "s_server",
        "-accept",
        f"127.0.0.1:{port}",
        "-naccept",
        "1",
        "-brief",
    ], environment


def _gnutls(
    _: str, port: int, profile: Profile, day: date, folder: Path
) -> tuple[list[str], dict[str, str]]:
    # Into a file it would speak only when it is full.
    command = [
        "stdbuf",
        "-oL",
        program("gnutls-serv"),
        "-p",
        str(port),
        "--echo",
        "--disable-client-cert",
    ]
    if profile.dh_bits:
        prime = folder / "dh.pem"
        prime.write_text(dh_parameters(profile.dh_bits), encoding="ascii")
        command += ["--dhparams", str(prime)]
    return [*command, "--priority", gnutls.priority(profile, day)], {}


def _files(library: str, number: int, certificate: str, key: str) -> list[str]:
    if library.startswith("gnutls"):
        return ["--x509certfile", certificate, "--x509keyfile", key]
    prefix = "-d" if number else "-"
    return [f"{prefix}cert", certificate, f"{prefix}key", key]


def _wait(port: int, process: "subprocess.Popen[bytes]", said: Path) -> None:
    """Until it listens, without a connection: it would be the one that it takes."""
    end = time.monotonic() + _SECONDS
    row = f":{port:04X} "
    while time.monotonic() < end and process.poll() is None:
        tables = [Path(f"/proc/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6")]
        if any(row in line and " 0A " in line for table in tables for line in table.splitlines()):
            return
        time.sleep(0.02)
    raise RuntimeError(f"the server does not listen: {said.read_text(encoding='utf-8')}")

"""How a mail client is started, and what can start one on this machine."""

import atexit
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from audit.clients.model import Use
from audit.iana import Version
from lab import paths
from tests.clients.relay import Opening

LIBRARY_3_5 = "mailseal-openssl-3.5_*.deb"
LIBRARY_1_1 = "mailseal-openssl-1.1.1-1*.rpm"
_SECONDS = 30


class MissingError(Exception):
    """This machine cannot start the client; the reason says why."""


@dataclass(frozen=True)
class At:
    """Where a client is led to.

    Attributes:
        port: on 127.0.0.1, by the name of localhost.
        folder: a directory of its own, empty.
        roots: the certificates to trust, as PEM.
    """

    port: int
    folder: Path
    roots: Path


@dataclass(frozen=True)
class Start:
    """A command, and what it is given.

    Attributes:
        command: the words.
        said: its input; none closes it at once.
        environment: beside what this process has.
    """

    command: tuple[str, ...]
    said: bytes = b""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One client: what is recorded of it, and how it is made to connect.

    Attributes:
        id, software, uses, models, oldest: as in `audit.clients.model.Client`.
        version, library: how to find them out.
        made: in words, how its hello is made.
        opening: what is spoken before TLS.
        start: the command that makes it connect; raises MissingError.
        root: it runs over a Debian root of its own, and needs to be root for that.
    """

    id: str
    software: str
    version: Callable[[], str]
    uses: tuple[Use, ...]
    made: str
    start: Callable[[At], Start]
    library: Callable[[], str] = lambda: ""
    models: str = ""
    opening: Opening = "tls"
    oldest: Version | None = None
    root: bool = False


def program(name: str) -> str:
    """The path of a program.

    Raises:
        MissingError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not installed")
    return found


def said(pattern: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
    """What matches in the words of a command, which say a version.

    Raises:
        MissingError: they do not.
    """
    program(command[0])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
        check=False,
        env=environment,
    )
    found = re.search(pattern, done.stdout + done.stderr)
    if found is None:
        raise MissingError(f"{' '.join(command)} does not say its version")
    return found[1]


def debian(package: str, root: Path | None = None) -> str:
    """The version of a Debian package installed here, or in that root, without Debian's revision.

    Raises:
        MissingError: it is not installed.
    """
    where = ["--admindir", str(root / "var/lib/dpkg")] if root else []
    command = ["dpkg-query", *where, "-W", "-f", "${Version} is ${db:Status-Status}\n", package]
    version = said(r"(\S+) is installed", *command)
    return re.sub(r"^\d+:|[-+~](dfsg|deb)?[^-]*$", "", version)


@cache
def built(pattern: str) -> Path:
    """The newest package of this name that the project has built on this machine.

    Raises:
        MissingError: there is none.
    """
    found = sorted(
        (paths.cache() / "packages").glob(f"*/{pattern}"), key=lambda p: p.stat().st_mtime
    )
    if not found:
        raise MissingError(f"no {pattern} was built here (mailseal lab up --size selfbuilt or el6)")
    return found[-1]


def numbered(pattern: str) -> str:
    """The version of what is in a package that the project built.

    Raises:
        MissingError: there is none.
    """
    found = re.search(r"([0-9.]+[a-z]?)-1\.[0-9a-f]{8}", built(pattern).name)
    return found[1] if found else "unknown"


@cache
def unpacked(pattern: str) -> Path:
    """The files of such a package, laid out where they vanish with us; nothing is installed.

    Raises:
        MissingError: there is none.
    """
    package, folder = built(pattern), Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # it may become the top of a root
    if package.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True)
    else:
        with package.open("rb") as rpm:
            words = [program("rpm2archive"), "-n"]
            archive = subprocess.run(words, stdin=rpm, capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder

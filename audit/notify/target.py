"""Who is to be told, as the command line and files name them."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from audit.account import ADDRESS
from audit.errors import MailsealError

_FILE = "@"
_LOCAL = re.compile(r"[A-Za-z0-9._+-]+")  # a mailbox of this machine, such as root
_PRINTABLE = re.compile(r"[!-~]+")
_MOST = 20  # of all; each may take its time
_LARGEST = 65536  # octets of a file


class Target(Struct, frozen=True):
    """One who is told.

    Attributes:
        mailbox: the address of a mail; empty for a webhook.
        url: of a webhook, which may be a secret; empty for a mail.
    """

    mailbox: str = ""
    url: str = ""

    def __str__(self) -> str:
        """As messages name it: of a URL only the host, for the rest may be a secret."""
        return f"mailto:{self.mailbox}" if self.mailbox else f"https://{self.parts.netloc}"

    @property
    def parts(self) -> SplitResult:
        """The URL, taken apart."""
        return urlsplit(self.url)

    @property
    def mark(self) -> str:
        """What names it in a history, which has no secrets."""
        return hashlib.sha256((self.mailbox or self.url).encode()).hexdigest()


def targets(words: Iterable[str]) -> tuple[Target, ...]:
    """Each once, in the order they are named.

    Args:
        words: mailto:ADDRESS, https://... or @FILE with one of these a line.

    Raises:
        MailsealError: one of them is none of these, or a file cannot be read. The sentence repeats
            no URL.
    """
    found = tuple(dict.fromkeys(t for word in words for t in _targets(word)))
    if len(found) > _MOST:
        raise MailsealError(f"--notify: {len(found)} are to be told, and {_MOST} are the most")
    return found


def _targets(word: str) -> Iterator[Target]:
    if not word.startswith(_FILE):
        yield _target(word, "--notify")
        return
    path = word.removeprefix(_FILE)
    for number, line in enumerate(secret_file(path, "--notify").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _target(line.strip(), f"{path}, line {number}")


def _target(word: str, place: str) -> Target:
    scheme, colon, rest = word.partition(":")
    if colon and scheme.lower() == "mailto":
        if not (ADDRESS.fullmatch(rest) or _LOCAL.fullmatch(rest)):
            raise MailsealError(f"{place}: after mailto: must come one mail address in ASCII")
        return Target(mailbox=rest)
    if scheme.lower() == "https" and _PRINTABLE.fullmatch(word):
        try:
            parts = urlsplit(word)
            whole = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            whole = False
        if whole:
            return Target(url=word)
        raise MailsealError(f"{place}: the URL cannot be read: https://HOST[:PORT]/PATH")
    raise MailsealError(f"{place}: must be mailto:ADDRESS, https://HOST/PATH or @FILE with such")


def secret_file(path: str, place: str) -> str:
    """What stands in a file that only its owner and group may read.

    Raises:
        MailsealError: it cannot be read, is too large, or everybody can read it.
    """
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise MailsealError(f"{place}: {path}: cannot be read ({error.strerror})") from None
    if mode & stat.S_IRWXO and stat.S_ISREG(mode):
        raise MailsealError(f"{place}: {path}: everybody may read it, and it may hold a secret")
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        raise MailsealError(f"{place}: {path}: is no text in ASCII") from None
    if len(content) > _LARGEST:
        raise MailsealError(f"{place}: {path}: has more than {_LARGEST} bytes")
    return text

"""The policies that the helper for MTA-STS (role mta_sts) keeps, a file for each domain."""

from collections.abc import Iterator
from pathlib import Path

from audit.errors import MailsealError
from audit.mta_sts.kept import kept
from audit.tlsrpt.applied import Policies
from audit.wire.mta_sts import Policy

_LARGEST = 1 << 20  # bytes of a policy; the helper takes 64 KiB


def read(directory: Path) -> tuple[Policies, list[str]]:
    """What there is, and a sentence for each file that is no policy.

    Raises:
        MailsealError: the directory cannot be read.
    """
    found: dict[bytes, Policy] = {}
    troubles = []
    for path in _files(directory):
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST)
            found[path.name.lower().encode()] = policy(content.decode("ascii"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            troubles.append(f"{path} is no policy of MTA-STS: {reason}")
    return found, troubles


def policy(line: str) -> Policy:
    """The policy in a line of the helper's cache, `mode=enforce until=20 at=10 id=1 mx=*.a.test`.

    Raises:
        ValueError: it is none.
    """
    if found := kept(line):
        return found.policy
    raise ValueError("it is no line of the helper's")


def _files(directory: Path) -> Iterator[Path]:
    try:
        every = sorted(directory.iterdir())
    except OSError as error:
        raise MailsealError(f"{directory} cannot be read: {error.strerror}") from None
    return (path for path in every if not path.name.startswith("."))

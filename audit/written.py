"""Files that always hold what they held before, or all that is new."""

import os
from pathlib import Path

from audit.errors import MailsealError


def put(report: bytes, path: Path, *, private: bool = False) -> None:
    """Have a file hold this, or what it held before.

    Args:
        report: all of it.
        path: the file.
        private: for its owner alone, whatever the umask says.

    Raises:
        MailsealError: it cannot be written.
    """
    try:
        if is_a_device(path):
            path.write_bytes(report)
        else:
            _replace(Path(os.path.realpath(path)), report, 0o600 if private else 0o666)
    except OSError as error:
        raise MailsealError(f"{path}: cannot be written ({error.strerror or error})") from None


def is_a_device(path: Path) -> bool:
    """True for /dev/stdout, pipes and the like, which must be written to and never replaced."""
    return path.is_relative_to("/dev") or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Put the content beside the file and rename it; the umask has its say on the mode."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC
        with open(os.open(beside, flags, mode), "wb") as file:  # noqa: PTH123 - for the mode
            file.write(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

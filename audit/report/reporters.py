"""The table of reporters, and the one way a report reaches a file."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from audit.errors import MailsealError

if TYPE_CHECKING:
    from audit.findings import Run
    from audit.past import Past


class Reporter(Protocol):
    """A pure function from a run, and what was before it, to a complete report."""

    def __call__(self, run: "Run", past: "Past" = ..., /) -> bytes:
        """The report, ready to be written to a file."""


# Name on the command line: module and function. Looked up on use, so that `--help` does not wait
# for jinja2 and the like.
REPORTERS: Mapping[str, str] = {
    "html": "audit.report.html:html_document",
    "json": "audit.report.json:run_document",
    "json-scan": "audit.report.json:scan_document",
    "jsonl": "audit.report.jsonl:lines_document",
    "junit": "audit.report.junit:junit_document",
    "oscal": "audit.report.oscal:oscal_document",
    "prometheus": "audit.report.prometheus:prometheus_document",
    "sarif": "audit.report.sarif:sarif_document",
    "text": "audit.report.terminal:text_document",
}
# What `mailseal audit --out` writes.
USUAL: Mapping[str, str] = {"json": "run.json", "junit": "junit.xml", "html": "report.html"}

# What names a file for as long as it is written; of a long name its beginning is enough.
_STEM = 50
_ENDING = ".tmp"

# A format and the file it goes to.
Wanted = tuple[str, Path]


def reporter(name: str) -> Reporter:
    """The reporter of this name.

    Raises:
        MailsealError: there is none.
    """
    if name not in REPORTERS:
        raise MailsealError(f"there is no report format {name!r}: one of {', '.join(REPORTERS)}")
    module, _, function = REPORTERS[name].partition(":")
    return cast("Reporter", getattr(import_module(module), function))


def render(run: "Run", format_name: str, past: "Past | None" = None) -> bytes:
    """The run as a report of this format."""
    made = reporter(format_name)
    return made(run, past) if past else made(run)


def wanted(words: Iterable[str], out: Path | None = None) -> list[Wanted]:
    """What is to be written, looked at before the work and not after it.

    Args:
        words: each FORMAT=FILE.
        out: a directory for the usual reports; it is made.

    Raises:
        MailsealError: no such format, not this form, no file that could be written, or one twice.
    """
    if out:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MailsealError(f"{out}: cannot be made ({error.strerror})") from None
    usual = [(name, out / file) for name, file in USUAL.items()] if out else []
    for _, path in usual:
        writable(path)
    found = [_wanted(word) for word in words] + usual
    places = [os.path.realpath(path) for _, path in found if not _is_a_device(path)]
    for place in places:
        if places.count(place) > 1:
            raise MailsealError(f"{place}: two reports would go there")
    return found


def _wanted(word: str) -> Wanted:
    name, _, file = word.partition("=")
    if not file:
        raise MailsealError(f"--report {word}: must be FORMAT=FILE")
    if name not in REPORTERS:
        raise MailsealError(f"--report {word}: the formats are {', '.join(REPORTERS)}")
    writable(Path(file), f"--report {word}")
    return name, Path(file)


def writable(path: Path, name: str = "") -> None:
    """See that a file could be written; what is in it stays.

    Args:
        path: the file.
        name: what messages call it, if not by its path.

    Raises:
        MailsealError: it could not. A disk that is full now may have room when the work is done.
    """
    said = name or path
    try:
        if _is_a_device(path):
            return
        if path.is_dir():
            raise MailsealError(f"{said}: that is a directory")
        if not path.parent.is_dir():
            raise MailsealError(f"{said}: there is no directory {path.parent}")
        with _beside(Path(os.path.realpath(path)), 0o600):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise MailsealError(f"{said}: cannot be written ({error.strerror})") from None


def write(run: "Run", format_name: str, path: Path, past: "Past | None" = None) -> None:
    """Write the run to a file that is always either the old report or the whole new one.

    Raises:
        MailsealError: no such format, or the file cannot be written.
    """
    put(render(run, format_name, past), path)


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
        if _is_a_device(path):
            path.write_bytes(report)
            return
        real = Path(os.path.realpath(path))
        with _beside(real, 0o600 if private else 0o666) as (beside, file):
            file.write(report)
            file.flush()
            os.fsync(file)  # a new name must not outlive a power cut without what it names
            beside.replace(real)
    except OSError as error:
        raise MailsealError(f"{path}: cannot be written ({error.strerror or error})") from None


def _is_a_device(path: Path) -> bool:
    """True for /dev/stdout, pipes and the like, which must be written to and never replaced."""
    return path.is_relative_to("/dev") or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


@contextmanager
def _beside(path: Path, mode: int) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file beside another, gone at the end if it has not taken its place.

    The umask has its say on the mode.
    """
    name = f".{path.name[:_STEM]}."
    with suppress(OSError):
        _tidy(path.parent, name)
    beside = path.with_name(f"{name}{os.getpid()}{_ENDING}")
    beside.unlink(missing_ok=True)  # of a process that had our number
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        with open(os.open(beside, flags, mode), "wb") as file:  # noqa: PTH123 - for the mode
            yield beside, file
    finally:
        beside.unlink(missing_ok=True)


def _tidy(folder: Path, name: str) -> None:
    """Remove what writers have left that were killed: each file has the number of its process."""
    for left in folder.iterdir():
        writer = left.name.removeprefix(name).removesuffix(_ENDING)
        if left.name == f"{name}{writer}{_ENDING}" and writer.isdecimal() and not _lives(writer):
            left.unlink(missing_ok=True)


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True

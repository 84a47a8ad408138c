"""The table of reporters, and the one way a report reaches a file."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from audit.errors import MailsealError

if TYPE_CHECKING:
    from audit.findings import Run


class Reporter(Protocol):
    """A pure function from a run to a complete report."""

    def __call__(self, run: "Run", /) -> bytes:
        """The report, ready to be written to a file."""


# Name on the command line: module and function. Looked up on use, so that `--help` does not wait
# for rich and jinja2.
REPORTERS: Mapping[str, str] = {
    "html": "audit.report.html:html_document",
    "json": "audit.report.json:run_document",
    "json-scan": "audit.report.json:scan_document",
    "junit": "audit.report.junit:junit_document",
    "text": "audit.report.terminal:text_document",
}


def reporter(name: str) -> Reporter:
    """The reporter of this name.

    Raises:
        MailsealError: there is none.
    """
    if name not in REPORTERS:
        raise MailsealError(f"there is no report format {name!r}: one of {', '.join(REPORTERS)}")
    module, _, function = REPORTERS[name].partition(":")
    return cast("Reporter", getattr(import_module(module), function))


def render(run: "Run", format_name: str) -> bytes:
    """The run as a report of this format."""
    return reporter(format_name)(run)


def make(folder: Path) -> None:
    """A directory for reports.

    Raises:
        MailsealError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MailsealError(f"{folder}: cannot be made ({error.strerror})") from None


def write(run: "Run", format_name: str, path: Path) -> None:
    """Write the run to a file that is always either the old report or the whole new one.

    Raises:
        MailsealError: no such format, or the file cannot be written.
    """
    report = render(run, format_name)
    try:
        if _is_a_device(path):
            path.write_bytes(report)
        else:
            _replace(path.resolve(), report)
    except OSError as error:
        raise MailsealError(f"{path}: cannot be written ({error.strerror or error})") from None


def _is_a_device(path: Path) -> bool:
    """True for /dev/stdout, pipes and the like, which must be written to and never replaced."""
    return path.is_relative_to("/dev") or (
        path.exists() and not path.is_file() and not path.is_dir()
    )


def _replace(path: Path, content: bytes) -> None:
    """Put the content beside the file and rename it, with the permissions of the user's umask."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

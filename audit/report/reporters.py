"""The table of reporters, and the one way a report reaches a file."""

import os
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from audit.errors import MailsealError
from audit.written import is_a_device, put, writable

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
    places = [os.path.realpath(path) for _, path in found if not is_a_device(path)]
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


def write(run: "Run", format_name: str, path: Path, past: "Past | None" = None) -> None:
    """Write the run to a file that is always either the old report or the whole new one.

    Raises:
        MailsealError: no such format, or the file cannot be written.
    """
    put(render(run, format_name, past), path)

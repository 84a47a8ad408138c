"""What came of a passage, on a terminal and as JSON."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TextIO

from audit.findings import timestamp
from audit.passage.outcome import Outcome, Verdict
from audit.report.documents import OutcomeDocument, PassageDocument
from audit.report.encode import pretty
from audit.report.paint import Line, painted, wanted
from audit.report.visible import visible

_STYLES: dict[Verdict, str] = {"pass": "bold", "fail": "bold red", "not-tried": "bold yellow"}
_WORDS: dict[Verdict, str] = {"pass": "passed", "fail": "failed", "not-tried": "not tried"}
_LONGEST = 300  # characters of one line; all of it is in the JSON


def show(outcomes: Sequence[Outcome], file: TextIO) -> None:
    """A line for each host, one for each way in which something did not pass, and the sum."""
    colour = wanted(file)
    text = "".join(f"{painted(line, colour=colour)}\n" for line in _lines(outcomes))
    encoding = file.encoding or "utf-8"
    file.write(text.encode(encoding, "replace").decode(encoding))


def document(outcomes: Iterable[Outcome], started: datetime, finished: datetime) -> bytes:
    """The same as "mailseal/passage/1"."""
    return pretty(
        PassageDocument(
            schema="mailseal/passage/1",
            started=timestamp(started),
            finished=timestamp(finished),
            outcomes=[_outcome(outcome) for outcome in outcomes],
        )
    )


def _outcome(outcome: Outcome) -> OutcomeDocument:
    where = outcome.endpoint
    return OutcomeDocument(
        host=where.host,
        address=where.address,
        family=where.family,
        port=where.port,
        service=where.service,
        mode=where.mode,
        verdict=outcome.verdict,
        again=outcome.again,
        step=outcome.step,
        words=outcome.words,
        message=outcome.message,
        seconds=round(outcome.seconds, 3),
    )


def _lines(outcomes: Sequence[Outcome]) -> Iterator[Line]:
    width = max((len(visible(o.endpoint.host)) for o in outcomes), default=0)
    for host, group in groupby(outcomes, lambda o: o.endpoint.host):
        found = list(group)
        yield ((visible(host).ljust(width), "bold"), "  ", *_counts(found))
        yield from _trouble(found)
    if not outcomes:
        yield (("There is no endpoint to log in at or to send a mail to.", "bold yellow"),)
        return
    number = len(outcomes)
    yield (f"{number} endpoint{'' if number == 1 else 's'}: ", *_counts(outcomes))


def _counts(outcomes: Sequence[Outcome]) -> Iterator[str | tuple[str, str]]:
    count = Counter(outcome.verdict for outcome in outcomes)
    for number, verdict in enumerate(v for v in _WORDS if count[v]):
        yield ", " if number else ""
        yield (f"{count[verdict]} {_WORDS[verdict]}", _STYLES[verdict])


def _trouble(outcomes: Sequence[Outcome]) -> Iterator[Line]:
    """What ended in the same way is one line that names all its places."""
    ways: dict[tuple[Verdict, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.verdict != "pass":
            ways.setdefault((outcome.verdict, outcome.step, outcome.words), []).append(outcome)
    for (verdict, step, words), group in ways.items():
        places = ", ".join(_place(outcome) for outcome in group)
        if len(group) == len(outcomes):
            places = "everywhere"
        why = visible(words, longest=_LONGEST)
        head = (f"  {_WORDS[verdict]:9}", _STYLES[verdict])
        yield (head, f"  {places}: {f'{step}: ' if step else ''}{why}")


def _place(outcome: Outcome) -> str:
    where = outcome.endpoint
    return f"[{visible(where.address)}]:{where.port} {where.service}"

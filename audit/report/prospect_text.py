"""A staging on a terminal: what breaks first, the word on it last."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from audit.prospect.deployment import Replaced
from audit.prospect.fates import Turn
from audit.prospect.places import Served
from audit.prospect.result import Staged
from audit.report import prospect_words as words
from audit.report.changed import changed
from audit.report.paint import Line, painted, put
from audit.report.summary import plural
from audit.report.visible import visible

_LONGEST = 300  # characters of one line; the whole is in the JSON
_STYLES = {
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "pass": "bold green",
    "not-applicable": "bold",
    "waived": "bold blue",
}
_SIGNS = {"+": "green", "-": "red", "@": "cyan"}


def show(found: Staged, file: TextIO) -> None:
    """Print it; with colours if the file is a terminal that wants them."""
    put(_lines(found), file)


def text(found: Staged) -> bytes:
    """The same as plain text."""
    return "".join(f"{painted(line, colour=False)}\n" for line in _lines(found)).encode()


def _lines(found: Staged) -> Iterator[Line]:
    yield ((visible(words.title(found)), "bold reverse"), f"  on {visible(words.where(found))}")
    for what, state in (("now", found.now), ("candidate", found.candidate)):
        said = ", ".join(f"{number} {verdict}" for verdict, number in state.counts.items())
        yield (
            (f"  {what:10}", "dim"),
            visible(f"{state.policies}: {words.source(state)}{f': {said}' if said else ''}"),
        )
    yield ()
    yield from _clients(found.turns)
    yield from _places(found.served)
    if found.changes:
        yield (("Findings, both states judged by the candidate's policy", "bold"),)
        yield from changed(found.changes)
    if found.candidate.run or found.files:
        yield from _files("Replaced on the staging cluster", found.files)
    if found.production:
        yield from _files(f"Would be replaced in {found.production.inventory}", *_asked(found))
    for notice in found.notices:
        yield (("note  ", "bold blue"), visible(notice, longest=_LONGEST))
    style = _STYLES[words.VERDICTS[found.outcome]]
    for reason in found.reasons:
        yield (("why   ", style), visible(reason, longest=4 * _LONGEST))
    yield ((f"{words.headline(found)}.", style),)


def _asked(found: Staged) -> tuple[Sequence[Replaced], Sequence[str]]:
    told = found.production.deployment if found.production else None
    troubles = told.troubles if told else ()
    failed = [f"{t.host or 'it'}: {t.reason}" for t in troubles]
    return (told.files if told else ()), failed


def _clients(turns: Sequence[Turn]) -> Iterator[Line]:
    for kind, mine in words.by_kind(turns).items():
        heading, verdict = words.KINDS[kind]
        yield ((heading, _STYLES[verdict]),)
        for turn in mine:
            announced = " (announced)" if turn.announced else ""
            yield (
                "  ",
                (visible(turn.client) + announced, _STYLES[verdict]),
                f"  {visible(words.name(turn))}",
                ("; for ", "dim"),
                f"{turn.use} at {', '.join(turn.places)}",
            )
            yield from _fates(turn)
        yield ()
    if turns:
        counted = ", ".join(
            f"{number} {words.COUNTED[kind]}" for kind, number in words.counts(turns).items()
        )
        yield (
            (f"Of {plural(len({t.client for t in turns}), 'recorded client')}: ", "bold"),
            counted,
        )
        yield ()


def _fates(turn: Turn) -> Iterator[Line]:
    for what, fate in (("before", turn.before), ("now", turn.after)):
        yield ((f"    {what:7}", "dim"), visible(str(fate), longest=_LONGEST))


def _places(served: Sequence[Served]) -> Iterator[Line]:
    rows = words.places(served)
    if rows:
        yield (("What the services offer", "bold"),)
    for one, where in rows:
        yield ("  ", (visible(where), "bold"))
        if one.closed or one.opened:
            yield ("    ", ("no longer served" if one.closed else "served for the first time"))
        for part in words.PARTS:
            shift = getattr(one, part)
            for sign, names in (("-", shift.gone), ("+", shift.come)):
                for name in names:
                    yield ("    ", (f"{sign} {name}", _SIGNS[sign]))
        for why in one.untold:
            yield ("    ", ("? ", "bold yellow"), visible(why, longest=_LONGEST))
    if rows:
        yield ()


def _files(heading: str, files: Sequence[Replaced], missing: Sequence[str] = ()) -> Iterator[Line]:
    yield ((visible(heading), "bold"),)
    for why in missing:
        yield ("  ", ("not known of ", "bold yellow"), visible(why, longest=_LONGEST))
    if not files and not missing:
        yield ("  nothing",)
    for one, hosts in words.files(files):
        yield ("  ", (visible(one.path), "cyan"), ("; on ", "dim"), visible(hosts))
        for line in one.lines:
            yield ("    ", (visible(line, longest=_LONGEST), _SIGNS.get(line[:1], "dim")))
        if one.more:
            yield ("    ", (f"and {plural(one.more, 'more line')}", "dim"))
    yield ()

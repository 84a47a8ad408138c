"""A staging as the comment on a merge request: GitHub's Markdown, which GitLab reads as well."""

import re
from collections.abc import Iterator
from html import escape

from audit.prospect.result import Staged
from audit.report import prospect_words as words
from audit.report.summary import plural
from audit.report.visible import visible

_SIGNS = {"holds": "✅", "fails": "❌", "breaks": "❌", "undetermined": "❔"}
# What Markdown takes for its own, what calls people (@) and issues (#), and what becomes a link.
_OWN = re.compile(r"[\\`*_{}\[\]()#+!|~@:]|(?<=www)\.")
_MOST = 50  # rows; the page has all
_LONGEST = 200


def markdown(found: Staged) -> bytes:
    """The summary; the page has the rest."""
    return "".join(f"{line}\n" for line in _lines(found)).encode("utf-8", "backslashreplace")


def plain(told: str) -> str:
    """Text in which nothing means anything."""
    return _OWN.sub(lambda m: f"&#{ord(m[0])};", escape(visible(told, longest=_LONGEST)))


def _lines(found: Staged) -> Iterator[str]:
    yield f"### {_SIGNS[found.outcome]} {plain(words.headline(found))}"
    yield ""
    yield f"{plain(words.title(found))} on {plain(words.where(found))}"
    yield ""
    for sentence in (*found.reasons, *found.notices):
        yield f"- {plain(sentence)}"
    yield ""
    yield from _clients(found)
    yield from _services(found)
    if counted := [f"{change.kind} finding" for change in found.changes]:
        yield f"- {', '.join(plural(counted.count(k), k) for k in dict.fromkeys(counted))}"
    if files := words.files(found.files):
        told = ", ".join(f"{plain(file.path)} on {plain(hosts)}" for file, hosts in files)
        yield f"- replaced on staging: {told}"


def _clients(found: Staged) -> Iterator[str]:
    rows = [(kind, turn) for kind, mine in words.by_kind(found.turns).items() for turn in mine]
    if not rows:
        return
    yield "| client | what becomes of it | at | before | now |"
    yield "|---|---|---|---|---|"
    for kind, turn in rows[:_MOST]:
        fate = words.KINDS[kind][0] + (" (announced)" if turn.announced else "")
        cells = (words.name(turn), fate, ", ".join(turn.places), str(turn.before), str(turn.after))
        yield f"| {' | '.join(map(plain, cells))} |"
    if len(rows) > _MOST:
        yield f"| and {len(rows) - _MOST} more | | | | |"
    yield ""


def _services(found: Staged) -> Iterator[str]:
    for one, where in words.places(found.served):
        for part in words.PARTS:
            shift = getattr(one, part)
            for what, names in (("gone", shift.gone), ("new", shift.come)):
                if names:
                    yield f"- {plain(where)}: {part} {what}: {plain(', '.join(names))}"
        if one.closed or one.opened:
            yield f"- {plain(where)}: {'no longer served' if one.closed else 'newly served'}"

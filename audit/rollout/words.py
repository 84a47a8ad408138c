"""The words of a rollout: how it can end on a host, and the parts of the work."""

from collections.abc import Mapping
from typing import Literal, get_args

from audit.findings import Verdict

State = Literal[
    "passed",
    "unchanged",
    "aside",
    "would-change",
    "restored",
    "done",
    "unaudited",
    "back",
    "untouched",
    "stayed",
    "otherwise",
    "unjudged",
    "not-back",
    "failed",
    "unreachable",
    "cut-off",
    "running",
    "not-begun",
]
STATES: tuple[State, ...] = get_args(State)

# In a few words, a symbol (nothing is told by colour alone), what it counts as, and the whole.
MEANING: Mapping[State, tuple[str, str, Verdict, str]] = {
    "passed": ("changed and passed", "✓", "pass", "has the new state and passed the gate"),
    "unchanged": ("unchanged", "=", "pass", "was as it should be, so nothing was replaced"),
    "aside": ("changed aside", "✓", "pass", "was changed in what its daemons need no restart for"),
    "would-change": ("would change", "Δ", "waived", "would be changed, and was not (--check)"),
    "restored": ("gone back as asked", "↩", "pass", "serves again what it served then"),
    "done": ("done", "✓", "pass", "did what its plays say (no mail host)"),
    "unaudited": (
        "changed, not audited",
        "?",
        "inconclusive",
        "has the new state, and no gate looked at it",
    ),
    "back": ("went back", "↩", "fail", "did not pass, went back and is as before"),
    "untouched": ("failed, untouched", "✕", "fail", "failed before its mail daemon was touched"),
    "stayed": ("stayed", "↩", "fail", "could not go back as asked and serves as before"),
    "otherwise": (
        "serves OTHERWISE",
        "!",
        "fail",
        "went back and does NOT serve as before",
    ),
    "unjudged": (
        "went back, not compared",
        "?",
        "inconclusive",
        "went back, and nobody compared",
    ),
    "not-back": ("NOT back", "!", "fail", "did not pass, and the old state is NOT back"),
    "failed": ("failed", "✕", "fail", "failed, and nothing was put back"),
    "unreachable": ("unreachable", "✕", "fail", "could not be reached any more"),
    "cut-off": ("cut off", "?", "inconclusive", "was in work when the record broke off"),
    "running": ("in work", "…", "waived", "is in work now"),
    "not-begun": ("not begun", "\N{EN DASH}", "not-applicable", "was not begun"),
}

# The parts of the work on a host, as people call them; in a play without parts it is the play.
PHASES: Mapping[str, str] = {
    "pre-flight": "pre-flight",
    "look-before": "look before",
    "change": "change",
    "look-after": "look after",
    "passage": "login and mail",
    "keep": "keep",
    "back": "go back",
    "look-back": "look whether it is back",
    "": "the play",
}
# Nothing that serves has been replaced yet.
BEFORE = ("", "pre-flight")
# The end of a rollout reached these hosts before they were begun.
HELD = "held"
BACK = ("back", "look-back")

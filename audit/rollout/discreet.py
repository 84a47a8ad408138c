"""What a record may say: no password, no key, nothing that no text can carry.

Tasks that have secrets are no_log and tell nothing. This is for the rest: a password that stands in
a file of configuration, or that a program repeats in its complaint. (What the history keeps is read
setting by setting, and sifted by their names alone: `audit/history/pack.py`.)
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from audit.rollout.shapes import HIDDEN, NAME, OF_FILES, SETTING, SHAPES, spelled

_SHORTEST = 4  # characters; what is shorter is in every second word
_LONGEST = 2000  # characters of one sentence
_KEY = "PRIVATE KEY-----"
_WHOLE_KEY = re.compile(
    rf"-----BEGIN [A-Z0-9 ]*{_KEY}(?:.*?-----END [A-Z0-9 ]*{_KEY}|.*)", re.DOTALL
)


def is_secret(name: str) -> bool:
    """Whether what a variable of this name holds is nobody's business."""
    return bool(NAME.search(name)) and not OF_FILES.search(name)


def secrets(variables: Mapping[Any, Any], *, within: bool = False) -> Iterator[str]:
    """Every text under a name that sounds secret, however deep.

    Args:
        variables: of a host.
        within: whether they stand under such a name already.
    """
    for name, value in variables.items():
        yield from _texts(value, secret=within or is_secret(str(name)))


def _texts(value: object, *, secret: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from secrets(value, within=secret)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one, secret=secret)
    elif secret and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield str(value)


def plain(words: object) -> str:
    """Characters that UTF-8 can carry, and nothing of what Ansible hangs on its own texts."""
    return str(words).encode("utf-8", "backslashreplace").decode()


class Discreet:
    """Takes out of texts what must not be in them."""

    def __init__(self) -> None:
        """Know of no secret yet."""
        self._known: set[str] = set()
        self._shape: re.Pattern[str] | None = None

    def learn(self, texts: Iterable[str]) -> None:
        """Take these out from now on, line by line as files are shown; a template is none."""
        lines = {line.strip() for t in texts if "{{" not in t for line in t.splitlines()}
        found = {line for line in lines if len(line) >= _SHORTEST} - self._known
        if found:
            self._known |= found
            # The longest first: one may be the beginning of another.
            ordered = sorted(self._known, key=len, reverse=True)
            self._shape = re.compile("|".join(map(spelled, ordered)))

    @property
    def known(self) -> frozenset[str]:
        """All that is taken out, a line each."""
        return frozenset(self._known)

    def text(self, words: object) -> str:
        """A sentence, of a length that can be read, and of characters that UTF-8 can carry."""
        said = plain(words)
        if _KEY in said:
            return HIDDEN
        if self._shape:
            said = self._shape.sub(HIDDEN, said)
        for shape, before in SHAPES:
            said = shape.sub(rf"{before}{HIDDEN}", said)
        return said if len(said) <= _LONGEST else f"{said[:_LONGEST]} …"

    def setting(self, line: str) -> str:
        """A line of a file; of a setting that sounds secret only its name."""
        return self.text(SETTING.sub(rf"\1{HIDDEN}", line))


def holds_a_key(text: str) -> bool:
    """Whether it is a private key, or has one in it."""
    return _KEY in text


def without_keys(text: str) -> str:
    """A text of many lines without the private keys in it; a key without an end is all the rest."""
    return _WHOLE_KEY.sub(HIDDEN, text)

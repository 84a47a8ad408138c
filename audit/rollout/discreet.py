"""What a record may say: no password, no key, nothing that no text can carry.

Tasks that have secrets are no_log and tell nothing. This is for the rest: a password that stands in
a file of configuration, or that a program repeats in its complaint. (What the history keeps is read
setting by setting, and sifted by their names alone: `audit/history/pack.py`.)
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

HIDDEN = "(not shown)"
_WORD = r"(?:pass(?!age|ing|ive|ed)\w*|pwd|_pw(?!\w)|secret|token|credentials?|api_?key)"
# What needs neither colon nor equals sign before that which is secret.
_PLAIN = r"(?:passw(?:or)?d|passphrase|secret)"
# Names of variables whose values are secret; of those that name a file, only the file is.
_NAME = re.compile(rf"(?i){_WORD}|private_?key|users$")
_OF_FILES = re.compile(r"(?i)(file|path|dir|directory)$")
_SHORTEST = 4  # characters; what is shorter is in every second word
_SHORT = 10  # characters; what is shorter is looked for as a word of its own
_LONGEST = 2000  # characters of one sentence
_KEY = "PRIVATE KEY-----"
_WHOLE_KEY = re.compile(
    rf"-----BEGIN [A-Z0-9 ]*{_KEY}(?:.*?-----END [A-Z0-9 ]*{_KEY}|.*)", re.DOTALL
)
_SETTING = re.compile(rf"(?i)^(.*?(?:\b[\w.-]*{_WORD}[\w.-]*[\"']?\s*[:=]\s*|\b{_PLAIN}\s+))\S.*$")
_SHAPES = (
    (re.compile(r"(?i)\b([a-z][\w+.-]*://[^\s:/@]*):[^\s@/]+@"), rf"\1:{HIDDEN}@"),
    # As crypt(3) writes them.
    (re.compile(r"\$(?:1|2[abxy]|5|6|7|y|gy|argon2\w*)\$[^\s:'\"]+"), HIDDEN),
)


def is_secret(name: str) -> bool:
    """Whether what a variable of this name holds is nobody's business."""
    return bool(_NAME.search(name)) and not _OF_FILES.search(name)


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
            self._shape = re.compile("|".join(map(_shape, ordered)))

    def text(self, words: object) -> str:
        """A sentence, of a length that can be read, and of characters that UTF-8 can carry."""
        said = plain(words)
        if _KEY in said:
            return HIDDEN
        if self._shape:
            said = self._shape.sub(HIDDEN, said)
        for shape, instead in _SHAPES:
            said = shape.sub(instead, said)
        return said if len(said) <= _LONGEST else f"{said[:_LONGEST]} …"

    def setting(self, line: str) -> str:
        """A line of a file; of a setting that sounds secret only its name."""
        return self.text(_SETTING.sub(rf"\1{HIDDEN}", line))


def _shape(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _SHORT else rf"(?<!\w){escaped}(?!\w)"


def holds_a_key(text: str) -> bool:
    """Whether it is a private key, or has one in it."""
    return _KEY in text


def without_keys(text: str) -> str:
    """A text of many lines without the private keys in it; a key without an end is all the rest."""
    return _WHOLE_KEY.sub(HIDDEN, text)

"""What is in a configuration and belongs in no report: by its name, or by what it looks like."""

import re

NAME = re.compile("passw|secret|_pw$")
# A password, hashed as crypt(3) does it.
_HASH = re.compile(r"\$[0-9a-z]{1,3}\$\S{8}")
_WORD = re.compile(r"[\w-]+")
HIDDEN = "(a line that may hold a secret is not shown)"


def said(line: str) -> str:
    """The line of a configuration, or words in its place."""
    names = _WORD.findall(line.lower())
    return HIDDEN if any(map(NAME.search, names)) or _HASH.search(line) else line

"""Text from the network, made harmless to look at.

A server chooses its banner, its certificate's names and its error messages. Shown as they come,
they could move the cursor, forge lines, turn text around (U+202E) or break an XML parser.
"""

_LONGEST = 4000  # characters; whole answers are in the JSON


def visible(text: str, *, lines: bool = False, longest: int = _LONGEST) -> str:
    r"""Show every character that does not print as itself as an escape such as \x1b or \u202e.

    What is left has no control or format characters, no lone surrogates and no line breaks, and
    is therefore also text that XML 1.0 can carry.

    Args:
        text: anything.
        lines: keep line feeds, for places where a forged line cannot be mistaken for ours.
        longest: what exceeds it is cut, and the cut is said.
    """
    rest = len(text) - longest
    if rest > 0:
        text = text[:longest]
    if lines:
        shown = "\n".join(_one_line(line) for line in text.replace("\r\n", "\n").split("\n"))
    else:
        shown = _one_line(text)
    return f"{shown} … ({rest} more characters)" if rest > 0 else shown


def _one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")

"""What secrets look like in a text: names before them, forms of their own, escapes. Pure.

The bounds of the patterns keep a long line from being looked through once for each of its words.
"""

import json
import re

HIDDEN = "(not shown)"
# "it does not pass: ..." is what a gate says.
_WORD = (
    r"(?:(?<!by)(?<!not\ )pass(?!age|ing|ive|ed|es\b)"
    r"|pwd|_pw(?!\w)|secret|token|credentials?|api_?key)"
)
# Names of variables whose values are secret; of those that name a file, only the file is.
NAME = re.compile(rf"(?ix) {_WORD} | private_?key | users$")
OF_FILES = re.compile(r"(?i)(file|path|dir|directory)$")

# From the word on, what is set: the end of its name and the sign.
_SETS = (
    rf"{_WORD} [\w.-]{{0,64}} (?<!file)(?<!path)(?<!dir)(?<!directory)"
    r"\\*[\"']? [ \t]{0,9} (?>:=|=>|[:=]) [ \t]{0,9}+"
)
_UNSAID = r"(?!\(not\ shown\))"
# In quotes, as JSON, YAML, Python and shells write it, also inside of one another; a list; a word.
_VALUE = r"""(?:
    [a-z$]{0,2} (?P<q>\\*["']) (?:(?P=q)(?P=q) | (?!(?<!\\)(?P=q)).)* (?:(?P=q)(?:["'\\]\S*)?)?
    | [\[{(] [^\]})]* [\]})]?
    | \S+
)"""
# A line of a file; a password may follow its name without a sign.
SETTING = re.compile(
    rf"(?ix) ^ ( .*? (?: {_SETS} | \b(?:passw(?:or)?d|passphrase|secret)\s+ ) ) \S.* $"
)
SHAPES = (
    # A setting that begins a line, to the end of that.
    (
        re.compile(rf"(?imx) ^ ( [ \t+-]{{0,64}} [\w.-]{{0,64}} {_SETS} ) {_UNSAID} \S.* $"),
        r"\1",
    ),
    # One within a sentence, an option of a program, or one that is only quoted.
    (
        re.compile(
            rf"""(?ix) ( {_SETS}
            | (?<![\w-])--[\w-]{{0,64}}{_WORD}[\w-]{{0,64}}[ \t]
            | \bpass(?:word|wd|phrase)[ \t](?=\\*["'])
            ) {_UNSAID} {_VALUE}"""
        ),
        r"\1",
    ),
    (re.compile(r"(?i)\b(authorization\W{1,9}(?:basic|bearer)\s(?!\())[^\s\"']+"), r"\1"),
    (re.compile(r"(?i)\b([a-z][\w+.-]{0,20}://[^\s:/@]{0,99}:)[^\s@/]+(?=@)"), r"\1"),
    # As crypt(3) writes them.
    (re.compile(r"\$(?:1|2[abxy]|5|6|7|y|gy|argon2\w*)\$[^\s:'\"]+"), ""),
)

_SHORT = 10  # characters; what is shorter is looked for as a word of its own
_DEEPEST = 32  # characters that one becomes by being escaped again and again
_PARTS = re.compile(r"""([\\"']+)|(\W|[^\x00-\x7f])""")


def spelled(secret: str) -> str:
    """A pattern of a secret, however often JSON, YAML, Python or a shell have escaped it."""
    shape = _PARTS.sub(_part, secret)
    if len(secret) >= _SHORT:
        return shape
    return rf"(?:(?<!\w)|(?<=\\[nrt])){shape}(?!\w)"  # an escaped line break ends with a letter


def _part(found: re.Match[str]) -> str:
    """Some quotes and backslashes are at least as many afterwards; the others stay or get codes."""
    quotes, other = found.groups()
    if quotes:
        return rf"[\\\"']{{{len(quotes)},{_DEEPEST * len(quotes)}}}"
    if other.isascii():
        return rf"\\{{0,{_DEEPEST}}}{re.escape(other)}"
    codes = {json.dumps(other)[1:-1], other.encode("unicode_escape").decode()}
    forms = [code.replace("\\", rf"\\{{1,{_DEEPEST}}}") for code in sorted(codes)]
    return f"(?i:{'|'.join((re.escape(other), *forms))})"

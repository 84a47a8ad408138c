"""JSON in which no string can do harm to the terminal that shows it."""

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

# A moment, in every document that has one.
Time = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]

# What a terminal would obey although JSON allows it unescaped: C1 controls and bidi marks.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def text(words: str) -> str:
    """Text that UTF-8 can carry: bytes that were no text (lone surrogates) become escapes."""
    return words.encode("utf-8", "backslashreplace").decode()


def line(document: Any) -> bytes:  # noqa: ANN401 - whatever msgspec can write
    """The document in one line, which ends with a line feed and has none inside."""
    return _harmless(msgspec.json.encode(document))


def pretty(document: Any) -> bytes:  # noqa: ANN401 - whatever msgspec can write
    """The document, indented."""
    return _harmless(msgspec.json.format(msgspec.json.encode(document), indent=2))


def _harmless(encoded: bytes) -> bytes:
    shown = _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode())
    return f"{shown}\n".encode()

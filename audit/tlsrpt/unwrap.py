"""Reports out of what they came in: JSON, gzip, or a mail with either. Pure, and bounded.

Whoever knows an address can send there: a bomb, a mail of mails, or what is no report at all.
"""

import email
import email.message
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from audit.errors import MALFORMED
from audit.tlsrpt.report import RefusedError

LARGEST = 1 << 24  # bytes of a file, a mail, or JSON; a sender's day has a few thousand
_MOST_LINES = 500_000  # of a mail; base64 has 76 characters in one
_MOST_PARTS = 50  # of a mail
_LONGEST_FIELD = 8192  # bytes of what says what a part is: reading it takes their square
_GZIP = b"\x1f\x8b"
_TYPES = ("application/tlsrpt+json", "application/tlsrpt+gzip")
# What mail programs make of these types; the name says what is inside.
_OTHER_TYPES = (
    *("application/json", "application/gzip", "application/x-gzip"),
    "application/octet-stream",
)
_NAMED = re.compile(r"\.json(?:\.gz)?$", re.IGNORECASE)
# sender!domain!begin!end, as RFC 8460, section 5.1, names files.
_FILENAME = re.compile(
    r"[^!/]+!(?P<domain>[^!/]+)!\d+!\d+(?:![^!/]*)?\.json(?:\.gz)?", re.IGNORECASE
)
# A carriage return ends a line as well, for the library.
_FIELD = re.compile(
    rb"(?:^|\r)content-(?:type|disposition):[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE
)
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:|From ")
_MARKUP = re.compile(rb"\s*<")


class Piece(NamedTuple):
    """What should be a report.

    Attributes:
        name: where it is.
        content: JSON; empty if it could not be unpacked.
        domain: what it is about by its mail or name, in case it does not say so itself.
        trouble: why there is no content; empty if there is.
    """

    name: str
    content: bytes = b""
    domain: str = ""
    trouble: str = ""


def kind(start: bytes) -> str:
    """What a file is by its beginning: json, gzip, mbox, mail, or nothing of that."""
    words = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_GZIP):
        return "gzip"
    if words.startswith(b"{"):
        return "json"
    if start.startswith(b"From "):
        return "mbox"
    return "mail" if _HEADER.match(start) else ""


def what(start: bytes) -> str:
    """Why something else is no report, in words."""
    if _MARKUP.match(start):
        return "XML or HTML; reports of TLS are JSON"
    return "neither JSON nor gzip nor a mail"


def plain(name: str, content: bytes) -> Piece:
    """A file that is JSON, or that in gzip."""
    named = _FILENAME.fullmatch(name.rpartition("/")[2])
    return _piece(name, content, named["domain"] if named else "")


def mail(name: str, content: bytes) -> Iterator[Piece]:
    """The reports that a mail carries, also one that was forwarded in it; mostly one, or none."""
    if trouble := _too_much(content):
        yield Piece(name, trouble=f"a mail {trouble}")
        return
    try:
        message = email.message_from_bytes(content)
        parts = [part for part in message.walk() if not part.is_multipart()]
        domain = str(message.get("TLS-Report-Domain", "")).strip()
    except (*MALFORMED, LookupError, TypeError, AttributeError):
        yield Piece(name, trouble="a mail that cannot be read")
        return
    for number, part in enumerate(part for part in parts if _may_be_a_report(part)):
        if number >= _MOST_PARTS:
            yield Piece(name, trouble=f"a mail with more than {_MOST_PARTS} reports")
            return
        yield _attached(name, part, domain)


def _too_much(content: bytes) -> str:
    """What of a mail would take too long to read; empty if nothing would."""
    if max(content.count(b"\n"), content.count(b"\r")) > _MOST_LINES:
        return f"of more than {_MOST_LINES:,} lines"
    if content.lower().count(b"boundary") > _MOST_PARTS:  # each line is held to all of them
        return f"of more than {_MOST_PARTS} parts within parts"
    if any(len(field[0]) > _LONGEST_FIELD for field in _FIELD.finditer(content)):
        return f"with a field of more than {_LONGEST_FIELD:,} bytes"
    return ""


def _may_be_a_report(part: email.message.Message) -> bool:
    found = part.get_content_type()
    return found in _TYPES or (found in _OTHER_TYPES and bool(_NAMED.search(_filename(part))))


def _filename(part: email.message.Message) -> str:
    try:
        return str(part.get_filename() or "")
    except (*MALFORMED, LookupError, TypeError, AttributeError):  # as RFC 2231 can be written
        return ""


def _attached(name: str, part: email.message.Message, domain: str) -> Piece:
    filename = _filename(part)
    named = _FILENAME.fullmatch(filename)
    place = f"{name}: {filename}" if filename else name
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return Piece(place, trouble="an attachment that cannot be read")
    return _piece(place, content, domain or (named["domain"] if named else ""))


def _piece(name: str, content: bytes, domain: str) -> Piece:
    try:
        return Piece(name, unzipped(content), domain)
    except RefusedError as error:
        return Piece(name, trouble=str(error))


def unzipped(content: bytes) -> bytes:
    """What is in gzip, or what is not in gzip at all.

    Raises:
        RefusedError: it is damaged, or too much.
    """
    if not content.startswith(_GZIP):
        return content
    opened = zlib.decompressobj(wbits=31)
    try:
        found = opened.decompress(content, LARGEST + 1)
    except zlib.error as error:
        raise RefusedError(f"gzip that is damaged ({error})") from None
    if len(found) > LARGEST:
        raise RefusedError(f"gzip of more than {LARGEST:,} bytes")
    if not opened.eof:
        raise RefusedError("gzip without an end")
    if opened.unused_data.strip(b"\0"):  # zeros fill blocks of tapes and of some mail programs
        raise RefusedError("gzip with something behind it")
    return found

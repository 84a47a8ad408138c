"""Why a client library gave up, in the server's words: refused, busy, or broken."""

import imaplib
import poplib
import re
import smtplib
import ssl
from collections.abc import Callable
from typing import Any

from audit.bounded import Bounds
from audit.passage.outcome import Stopped
from audit.wire.reply import NotAReply

# "Later", by RFC 5530 (IMAP), RFC 2449 and 3206 (POP3), RFC 5804 (ManageSieve).
_LATER = re.compile(
    r"^(\* )?BYE\b|\[(UNAVAILABLE|INUSE|IN-USE|LOGIN-DELAY|SYS/TEMP)\]|^NO \(TRYLATER\)",
    re.IGNORECASE,
)


def told(words: bytes | str, *, greeting: bool = False) -> Stopped:
    """A refusal in words; one that comes instead of a greeting is about this moment only."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return Stopped("busy" if greeting or _LATER.search(text) else "refused", text)


def coded(code: int, words: bytes, *, greeting: bool = False) -> Stopped:
    """A refusal with a code (RFC 5321, section 4.2.1); without one it is not SMTP."""
    text = words.decode("utf-8", "replace")
    if not 200 <= code < 600:  # noqa: PLR2004 - the codes that there are
        return Stopped("broken", f"not SMTP: {text}" if text else "not SMTP")
    later = code // 100 == 4 or (greeting and code // 100 != 5)  # noqa: PLR2004 - the RFC's classes
    return Stopped("busy" if later else "refused", f"{code} {text}")


def reason(error: Exception, step: str, bounds: Bounds) -> Stopped:
    """What an exception means that came out of a client in this step."""
    if isinstance(error, Stopped):
        return error
    if bounds.broken:
        return Stopped("broken", bounds.broken)
    for kind, explain in _REASONS:
        if isinstance(error, kind):
            return explain(error, step == "greeting")
    # A client library met what its author did not foresee; its words may quote anything.
    return Stopped("broken", f"not to be understood ({type(error).__name__})")


def _tls(error: Any, _greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    if isinstance(error, ssl.SSLCertVerificationError):
        return Stopped("untrusted", error.verify_message.rstrip("."))
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return Stopped("broken", "the server ended the connection in the middle of TLS")
    return Stopped("refused", f"TLS failed: {error.reason or error}")


def _smtp(error: Any, greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    if isinstance(error.smtp_error, str):  # the library's own words, not the server's
        return Stopped("broken", error.smtp_error.rstrip("."))
    return coded(error.smtp_code, error.smtp_error, greeting=greeting)


def _imap(error: Any, greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    words = error.args[0] if error.args else ""
    if isinstance(words, bytes):
        return told(words, greeting=greeting)
    return Stopped("broken", str(words)) if greeting else told(str(words))


def _pop3(error: Any, greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    """The library hands the server's own words on as bytes, and uses text for its own."""
    words = error.args[0] if error.args else ""
    if isinstance(words, bytes) and words.upper().startswith(b"-ERR"):
        return told(words, greeting=greeting)
    return Stopped("broken", f"not POP3: {words!r}" if isinstance(words, bytes) else str(words))


def _ended(_error: Any, _greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    return Stopped("broken", "the server ended the connection")


def _other(error: Any, _greeting: bool) -> Stopped:  # noqa: ANN401, FBT001 - one shape
    return Stopped("broken", getattr(error, "strerror", "") or str(error) or type(error).__name__)


# The first that fits: some of these are kinds of others.
_REASONS: tuple[tuple[type[Exception], Callable[[Any, bool], Stopped]], ...] = (
    (ssl.SSLError, _tls),
    (smtplib.SMTPResponseException, _smtp),
    (smtplib.SMTPServerDisconnected, _ended),
    (imaplib.IMAP4.abort, _other),
    (imaplib.IMAP4.error, _imap),
    (poplib.error_proto, _pop3),
    (NotAReply, _other),
    (OSError, _other),
)

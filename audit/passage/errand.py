"""One errand from its beginning to its outcome, whatever the server does."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import uuid4

from audit.account import Account
from audit.passage import imap, mailbox, pop3, sieve, smtp
from audit.passage.outcome import Outcome, Stopped, harmless
from audit.passage.plan import Errand
from audit.passage.reasons import reason
from audit.passage.way import Way
from audit.wire.dialogue import CLIENT

_VISITS = {"imap": imap.visit, "pop3": pop3.visit, "sieve": sieve.visit}


def do(errand: Errand, patience: float) -> Outcome:
    """Do it; a mail that is looked for is given so many seconds to arrive."""
    endpoint = errand.place.endpoint
    account = errand.place.account
    if errand.hindrance or account is None:
        return Outcome(endpoint=endpoint, end="unfit", words=errand.hindrance)
    way = Way()
    started = time.monotonic()
    try:
        _do(errand, account, way, patience)
        stopped = Stopped("done", "")
        way.step = ""
    except Exception as error:  # noqa: BLE001 - a hostile server reaches every line of a client
        stopped = reason(error, way.step, way.bounds)
    accounts = [account, *([errand.reader.account] if errand.reader else [])]
    return Outcome(
        endpoint=endpoint,
        end=stopped.end,
        step=way.step,
        words=harmless(stopped.words, [a for a in accounts if a]),
        message=way.message,
        seconds=time.monotonic() - started,
    )


def _do(errand: Errand, account: Account, way: Way, patience: float) -> None:
    if visit := _VISITS.get(errand.place.endpoint.service):
        visit(errand.place, account, way)
        return
    message = f"<{uuid4()}@{CLIENT}>"
    smtp.send(errand, account, way, message, compose(account, message))
    if errand.reader and errand.reader.account:
        mailbox.collect(errand.reader, errand.reader.account, way, message, patience)


def compose(account: Account, message: str) -> bytes:
    """The mail itself; it says what it is, and that nobody needs to answer (RFC 3834)."""
    lines = (
        f"From: <{account.sender or account.recipient}>",
        f"To: <{account.recipient}>",
        "Subject: mailseal passage",
        f"Date: {format_datetime(datetime.now(tz=UTC))}",
        f"Message-ID: {message}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "A test of the way that mail takes. It can be deleted.",
        "",
    )
    return "\r\n".join(lines).encode("ascii")

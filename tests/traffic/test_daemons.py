"""What real daemons log of known clients is counted as what these did."""

import imaplib
import poplib
import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from audit.traffic.tally import Tally
from tests.daemons.cell import Server, inside
from tests.daemons.cyrus import cyrus
from tests.daemons.dovecot import dovecot
from tests.daemons.postfix import postfix
from tests.daemons.settings import Tls
from tests.servers import Pki
from tests.traffic.counted import Counted

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
OLD = "ECDHE-RSA-AES256-GCM-SHA384"
X13, X12 = b"TLSv1.3:TLS_AES_256_GCM_SHA384:256", b"TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256"
# Sent as names of users: fields of another client with TLS, and a reason that is none.
NAMES = (
    '"a>, method=PLAIN, rip=6.6.6.6, lip=1.1.1.1, TLS, session=<x"',
    '"x) [SASL(-16): encryption needed to use mechanism] (y"',
)
_SECONDS = 20.0


def _context(suite: str = "") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if suite:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(suite)
    return context


def _imap(server: Server, *, suite: str = "", tls: str = "", logins: tuple[str, str]) -> None:
    """One connection: TLS at once, by STARTTLS or not at all, and one login."""
    if tls == "implicit":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(server.address, 993, ssl_context=_context(suite))
    else:
        client = imaplib.IMAP4(server.address, 143)
    if tls == "starttls":
        client.starttls(_context(suite))
    with suppress(imaplib.IMAP4.error):
        client.login(*logins)
    client.logout()


def _readers(server: Server) -> None:
    """Three good logins, three bad ones, two refused and a handshake that fails."""
    right = ("user", "right")
    _imap(server, tls="implicit", logins=right)
    _imap(server, tls="starttls", suite=OLD, logins=right)
    for name in NAMES:
        _imap(server, tls="implicit", logins=(name, "wrong"))
    _imap(server, tls="implicit", logins=("user", "wrong"))
    _imap(server, logins=right)
    pop = poplib.POP3_SSL(server.address, 995, context=_context())
    pop.user("user")
    pop.pass_("right")
    pop.quit()
    clear = poplib.POP3(server.address, 110)
    with suppress(poplib.error_proto):
        clear.user("user")
    with suppress(poplib.error_proto):
        clear.pass_("right")
    clear.quit()
    with suppress(ssl.SSLError, OSError):
        imaplib.IMAP4_SSL(server.address, 993, ssl_context=_context("AES128-SHA"))


def _counted(log: Path, enough: Callable[[Tally], bool]) -> Tally:
    """What a log says, as soon as everything is in it."""
    end = time.monotonic() + _SECONDS
    while True:
        found = Counted().part(log.read_bytes().splitlines()).finish()
        if enough(found) or time.monotonic() > end:
            assert found.named == sum(n for (_, names), n in found.lines.items() if names)
            assert not found.strange
            return found
        time.sleep(0.1)


def _logins(found: Tally) -> dict[tuple[str, bytes], int]:
    return {(outcome, x): count for (_, outcome, x), count in found.logins.items()}


def test_cyrus(pki: Pki, tmp_path: Path) -> None:
    """Who was refused leaves no line."""
    with cyrus(pki, tmp_path / "cell", Tls()) as server, inside(server.netns):
        _readers(server)
        log = server.logs / "mail.log"
        found = _counted(log, lambda t: len(t.errors) > 0 and sum(t.logins.values()) >= 6)
    assert _logins(found) == {("good", X13): 2, ("good", X12): 1, ("bad", X13): 3}
    assert {ip for _, ip, *_ in found.clients} == {b"192.0.2.2"}


@pytest.mark.parametrize("named", [True, False])
def test_dovecot(pki: Pki, tmp_path: Path, *, named: bool) -> None:
    """With `%k` sessions have a name; both who were refused are there."""
    elements = (
        f'"user=<%u> method=%m rip=%r lip=%l mpid=%e %c {"%k " * named}session=<%{{session}}>"'
    )
    more = {"login_log_format_elements": elements, "auth_failure_delay": "0"}
    with dovecot(pki, tmp_path / "cell", Tls(), more) as server, inside(server.netns):
        _readers(server)
        log = server.logs / "dovecot.log"
        found = _counted(log, lambda t: sum(t.logins.values()) >= 8)
    logins = _logins(found)
    assert logins.pop(("refused", b"")) == 2
    assert {ip for ip, _ in found.refused} == {b"192.0.2.2"}
    if named:
        assert logins == {("good", X13): 2, ("good", X12): 1, ("bad", X13): 3}
    else:
        assert logins == {("good", b"?"): 3, ("bad", b"?"): 3}


def _send(server: Server, port: int, *, suite: str = "", tls: bool = True, mails: int = 1) -> None:
    if port == 465:
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.address, port, context=_context(suite))
    else:
        client = smtplib.SMTP(server.address, port)
        if tls:
            client.starttls(context=_context(suite))
    for _ in range(mails):
        client.sendmail("a@b.example", ["root@localhost"], b"Subject: x\r\n\r\nx\r\n")
    client.quit()


_MAILS = 6


@pytest.mark.parametrize("level", ["0", "1"])
def test_postfix(pki: Pki, tmp_path: Path, level: str) -> None:
    """Mails with their session; without a line of its own, one without a name."""
    more = {"smtpd_tls_loglevel": level}
    with postfix(pki, tmp_path / "cell", Tls(), more) as server, inside(server.netns):
        _send(server, 25, mails=2)
        _send(server, 25, suite=OLD)
        _send(server, 25, tls=False)
        _send(server, 587)
        _send(server, 465)
        with suppress(ssl.SSLError, OSError):
            _send(server, 25, suite="AES128-SHA")
        log = server.logs / "postfix.log"
        found = _counted(log, lambda t: len(t.errors) > 1 and sum(t.incoming.values()) >= _MAILS)
    mails = {
        (use, x.rpartition(b":256")[0]): n for (_, use, x, _), n in found.incoming.items() if x
    }
    new, old = (X13[:-4], X12[:-4]) if level == "1" else (b"", b"")
    expected = {("mx", new): 2, ("mx", old): 1} if level == "1" else {("mx", b""): 3}
    assert mails == {**expected, ("submission", new): 2}
    assert sum(n for (_, _, x, _), n in found.incoming.items() if not x) == 1
    # The other one is who waited until the port was open.
    assert {key[2] for key in found.errors} == {"no-suite", "other"}

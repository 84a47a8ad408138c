"""Logins at, and mails through, the real daemons."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit import roots
from audit.account import Account
from audit.facts import Service
from audit.inventory import EndpointRow, Host
from audit.passage.outcome import Outcome
from audit.passage.plan import plan
from audit.passage.run import run
from audit.policy.model import Traffic
from tests.daemons.cell import Ports, Server, cell, inside
from tests.daemons.cyrus import PORTS
from tests.daemons.settings import Tls, files
from tests.servers import Pki

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]

_CYRUS: Ports = {24: ("lmtp", "starttls"), **PORTS, 4190: ("sieve", "starttls")}
_SERVICES = """
START { recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r" }
SERVICES {
  lmtp cmd="lmtpd" listen="24" prefork=0
  imap cmd="imapd" listen="143" prefork=0
  imaps cmd="imapd -s" listen="993" prefork=0
  pop3 cmd="pop3d" listen="110" prefork=0
  pop3s cmd="pop3d -s" listen="995" prefork=0
  sieve cmd="timsieved" listen="4190" prefork=0
}
"""
_IMAPD = """
configdirectory: /var/lib/cyrus
defaultpartition: default
partition-default: /var/spool/cyrus/mail
sievedir: /var/spool/sieve
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
lmtpsocket: /run/cyrus/socket/lmtp
servername: localhost
autocreate_quota: 0
autocreate_post: yes
unixhierarchysep: yes
admins: cyrus
lmtp_admins: postman
allowplaintext: no
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN
tls_server_cert: /etc/tls/rsa.crt
tls_server_key: /etc/tls/rsa.key
"""
_MASTER = """
printf '%s\n' 'module(load="imuxsock")' '*.* /var/log/mail.log' >/etc/rsyslog.conf
install -d -o cyrus -g mail /run/cyrus /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket
install -d /run/saslauthd
rsyslogd
hostname cell
for user in tester postman; do printf 'a b"c' | saslpasswd2 -p -c -u cell $user; done
saslauthd -a sasldb -c -m /var/run/saslauthd
exec /usr/sbin/cyrmaster
"""
_EXIM: Ports = {25: ("smtp", "starttls"), 465: ("smtp", "implicit"), 587: ("smtp", "starttls")}
_EXIM_CONF = """
primary_hostname = localhost
disable_ipv6 = true
daemon_smtp_ports = 25 : 465 : 587
tls_on_connect_ports = 465
log_file_path = /var/log/exim4/%slog
tls_advertise_hosts = *
tls_certificate = /etc/tls/rsa.crt
tls_privatekey = /etc/tls/rsa.key
auth_advertise_hosts = ${if def:tls_in_cipher{*}}
acl_smtp_rcpt = check
never_users = root
begin acl
check:
  accept authenticated = *
  accept domains = lab.test
  deny message = relay not permitted
begin routers
spool:
  driver = accept
  domains = lab.test
  check_local_user
  transport = spool
begin transports
spool:
  driver = appendfile
  file = /var/mail/$local_part_data
  group = mail
  mode = 0660
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{tester}}{eq{$auth3}{a b\\"c}}}}
"""
ACCOUNT = Account(
    user="tester",
    password='a b"c',
    recipient="tester@lab.test",
    lmtp_user="postman",
    lmtp_password='a b"c',
)


def _passage(server: Server, pki: Pki, account: Account) -> list[Outcome]:
    """Go everywhere once."""
    rows = tuple(
        EndpointRow(port, service, mode, _profile(port, service))
        for port, (service, mode) in sorted(server.ports.items())
    )
    host = Host(
        name="h",
        addresses=(server.address,),
        server_name="localhost",
        endpoints=rows,
        test_account=account,
    )
    with inside(server.netns):
        return run(plan([host], {}, {"h": roots.read(str(pki.root))}), 10.0)


def _profile(port: int, service: Service) -> Traffic:
    if service == "smtp":
        return "mx" if port == 25 else "submission"
    return "access"


def test_cyrus_lets_in_and_takes_mail_which_is_then_gone(pki: Pki, tmp_path: Path) -> None:
    """IMAP, POP3 and ManageSieve; LMTP with a login of its own, and the mail read and removed."""
    laid = {**files(Tls(), pki), "etc/imapd.conf": _IMAPD, "etc/cyrus.conf": _SERVICES}
    with cell("lab", tmp_path / "cell", laid, _MASTER, _CYRUS) as server:
        found = _passage(server, pki, ACCOUNT)
        again = _passage(server, pki, ACCOUNT)
        wrong = _passage(server, pki, replace(ACCOUNT, password="wrong", lmtp_password="wrong"))
        meek = _passage(server, pki, replace(ACCOUNT, lmtp_user="", lmtp_password=""))
        log = (server.logs / "mail.log").read_text()
    for outcome in (*found, *again):
        assert outcome.verdict == "pass", outcome
    assert {(o.end, o.step) for o in wrong} == {("refused", "login")}
    assert [(o.endpoint.port, o.step) for o in meek if o.end != "done"] == [(24, "login")]
    assert log.count("Delivered: <") == 2
    assert 'a b"c' not in str((found, wrong))


def test_exim_takes_mail_from_a_user_and_from_a_server(pki: Pki, tmp_path: Path) -> None:
    """With AUTH on 465 and 587, and without on 25; what is accepted is delivered."""
    laid = {**files(Tls(), pki), "etc/exim4/exim4.conf": _EXIM_CONF}
    account = replace(ACCOUNT, recipient="mail@lab.test", sender="tester@lab.test")
    with cell("lab", tmp_path / "cell", laid, "exec /usr/sbin/exim4 -bdf", _EXIM) as server:
        found = _passage(server, pki, account)
        wrong = _passage(server, pki, replace(account, password="wrong"))
        elsewhere = _passage(server, pki, replace(account, recipient="mail@elsewhere.test"))
        spool = server.logs.parent / "mail" / "mail"
        _until(lambda: all(o.message in spool.read_text() for o in (*found, *wrong) if o.message))
    assert [o.verdict for o in found] == ["pass"] * 3, found
    assert [(o.endpoint.port, o.end, o.step) for o in wrong] == [
        (25, "done", ""), (465, "refused", "login"), (587, "refused", "login"),
    ]  # fmt: skip
    assert [(o.endpoint.port, o.step) for o in elsewhere if o.end != "done"] == [(25, "recipient")]


def _until(true: Callable[[], bool]) -> None:
    """Wait for it, ten seconds at most."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            if true():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come true")

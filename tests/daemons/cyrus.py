"""Cyrus 3.6 as Debian sets it up, with TLS as told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.cell import Ports, Server, cell
from tests.daemons.settings import Tls, files, library
from tests.servers import Pki

PORTS: Ports = {
    993: ("imap", "implicit"),
    143: ("imap", "starttls"),
    995: ("pop3", "implicit"),
    110: ("pop3", "starttls"),
}
_SERVICES = """
START { recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r" }
SERVICES {
  imap cmd="imapd -U 30" listen="143" prefork=0 maxchild=100
  imaps cmd="imapd -s -U 30" listen="993" prefork=0 maxchild=100
  pop3 cmd="pop3d -U 30" listen="110" prefork=0 maxchild=50
  pop3s cmd="pop3d -s -U 30" listen="995" prefork=0 maxchild=50
}
"""
# Cyrus logs to syslog only, so it needs one.
_START = """
printf '%s\n' 'module(load="imuxsock")' '*.* /var/log/mail.log' >/etc/rsyslog.conf
install -d -o cyrus -g mail /run/cyrus /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket
rsyslogd
printf right | saslpasswd2 -p -c -u localhost user
chown cyrus /etc/sasldb2
exec /usr/sbin/cyrmaster
"""


@contextmanager
def cyrus(pki: Pki, folder: Path, tls: Tls) -> Iterator[Server]:
    """Cyrus; the suites of TLS 1.3 and the list of groups are the library's."""
    settings = {
        "configdirectory": "/var/lib/cyrus",
        "proc_path": "/run/cyrus/proc",
        "mboxname_lockpath": "/run/cyrus/lock",
        "defaultpartition": "default",
        "partition-default": "/var/spool/cyrus/mail",
        "servername": "localhost",
        "sasl_pwcheck_method": "auxprop",
        "sasl_mech_list": "PLAIN",
        "tls_server_cert": ",".join(f"/etc/tls/{key}.crt" for key in tls.keys),
        "tls_server_key": ",".join(f"/etc/tls/{key}.key" for key in tls.keys),
        "tls_versions": " ".join(v.replace("TLSv", "tls").replace(".", "_") for v in tls.versions),
        "tls_ciphers": tls.cipher_string,
        "tls_prefer_server_ciphers": "yes" if tls.prefer == "server" else "no",
        "tls_eccurve": "auto",
    }
    if tls.dh_bits:
        settings["tls_server_dhparam"] = "/etc/tls/dh.pem"
    lines = "".join(f"{name}: {value}\n" for name, value in settings.items())
    laid = {**files(tls, pki), **library(tls), "etc/imapd.conf": lines, "etc/cyrus.conf": _SERVICES}
    with cell("lab", folder, laid, _START, PORTS) as server:
        yield server

"""Postfix 3.7 as Debian sets it up, with TLS as told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.cell import Ports, Server, cell
from tests.daemons.settings import Tls, files, library
from tests.servers import Pki

PORTS: Ports = {
    465: ("smtp", "implicit"),
    587: ("smtp", "starttls"),
    25: ("smtp", "starttls"),
}
_START = """
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
cat >>/etc/postfix/master.cf <<'END'
587 inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
465 inet n - y - - smtpd
  -o syslog_name=postfix/smtps
  -o smtpd_tls_wrappermode=yes
END
exec postfix start-fg
"""
_NONE: Mapping[str, str] = {}
# What Postfix calls the curves that others name after NIST.
_CURVES = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}


@contextmanager
def postfix(pki: Pki, folder: Path, tls: Tls, more: Mapping[str, str] = _NONE) -> Iterator[Server]:
    """Postfix with its default processes, and *more* settings.

    It goes to security level 0 by itself.
    """
    protocols = f">={tls.versions[0]}, <={tls.versions[-1]}".replace("v1.0", "v1")
    settings = {
        "compatibility_level": "3.6",
        "myhostname": "localhost",
        "inet_protocols": "ipv4",
        "maillog_file": "/var/log/postfix.log",
        "alias_maps": "",
        "smtpd_peername_lookup": "no",  # no name service in here
        "smtpd_tls_security_level": "may",
        "smtpd_tls_chain_files": ", ".join(
            f"/etc/tls/{key}.{kind}" for key in tls.keys for kind in ("key", "crt")
        ),
        # Implicit TLS follows the mandatory ones even on a level of `may`.
        "smtpd_tls_protocols": protocols,
        "smtpd_tls_mandatory_protocols": protocols,
        "smtpd_tls_ciphers": "high",
        "smtpd_tls_mandatory_ciphers": "high",
        "tls_high_cipherlist": ":".join(tls.suites),
        "tls_preempt_cipherlist": "yes" if tls.prefer == "server" else "no",
        "tls_eecdh_auto_curves": ", ".join(_CURVES.get(g, g) for g in tls.groups),
    }
    if tls.dh_bits:
        settings["smtpd_tls_dh1024_param_file"] = "/etc/tls/dh.pem"
    lines = "".join(f"{name} = {value}\n" for name, value in {**settings, **more}.items())
    laid = {**files(tls, pki), **library(tls), "etc/postfix/main.cf": lines}
    with cell("dovecot-postfix", folder, laid, _START, PORTS) as server:
        yield server

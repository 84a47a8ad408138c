"""Dovecot 2.3 as Debian sets it up, with TLS as told."""

from collections.abc import Iterator, Mapping
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
# Who has the password may log in as anybody, and nobody has a mailbox.
_USERS = """auth_mechanisms = plain
passdb {
  driver = static
  args = password=right
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/tmp/mail
}
"""
_NONE: Mapping[str, str] = {}
# Who was wrong before waits up to 15 seconds; a test has no time for that.
_NO_PENALTY = "service anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"


@contextmanager
def dovecot(pki: Pki, folder: Path, tls: Tls, more: Mapping[str, str] = _NONE) -> Iterator[Server]:
    """Dovecot, a process for each login, with *more* settings.

    It has no highest version: that is the library's.
    """
    settings = {
        "log_path": "/var/log/dovecot.log",
        "ssl": "required",
        "ssl_min_protocol": tls.versions[0].replace("v1.0", "v1"),
        "ssl_cert": f"</etc/tls/{tls.keys[0]}.crt",
        "ssl_key": f"</etc/tls/{tls.keys[0]}.key",
        "ssl_cipher_list": tls.cipher_string,
        "ssl_cipher_suites": ":".join(tls.tls13),
        "ssl_curve_list": ":".join(tls.groups),
        "ssl_prefer_server_ciphers": "yes" if tls.prefer == "server" else "no",
    }
    if len(tls.keys) > 1:
        settings["ssl_alt_cert"] = f"</etc/tls/{tls.keys[1]}.crt"
        settings["ssl_alt_key"] = f"</etc/tls/{tls.keys[1]}.key"
    if tls.dh_bits is not None:
        settings["ssl_dh"] = "</etc/tls/dh.pem" if tls.dh_bits else ""
    lines = "".join(f"{name} = {value}\n" for name, value in {**settings, **more}.items())
    laid = {
        **files(tls, pki),
        **library(tls),
        "etc/dovecot/local.conf": lines + _NO_PENALTY,
        "etc/dovecot/conf.d/10-auth.conf": _USERS,
    }
    with cell("dovecot-postfix", folder, laid, "exec dovecot -F", PORTS) as server:
        yield server

"""Mail servers as clients: what they say when they send to another server."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.clients.driver import (
    LIBRARY_3_5,
    At,
    Driver,
    MissingError,
    Start,
    debian,
    numbered,
    unpacked,
)
from tests.daemons import roots

_OVER_ROOT = Path(__file__).with_name("over_root.sh")
_EXIM = """primary_hostname = localhost
qualify_domain = localhost
disable_ipv6 = true
begin routers
all:
  driver = manualroute
  route_list = * "127.0.0.1::{port}"
  transport = smtp
  self = send
begin transports
smtp:
  driver = smtp
"""
_POSTFIX = """compatibility_level = 3.7
mail_owner = man
setgid_group = games
queue_directory = {folder}
data_directory = {folder}
inet_interfaces = loopback-only
mynetworks = 127.0.0.0/8
"""
_MAIL = "an Exim with nothing set but a route sends one mail"


def _exim(root: Callable[[], Path], packages: tuple[str, ...], at: At) -> Start:
    lower = [*(str(unpacked(name)) for name in packages), str(root())]
    upper = at.folder / "upper"
    (upper / "etc/exim4").mkdir(parents=True)
    (upper / "etc/exim4/client.conf").write_text(_EXIM.format(port=at.port), encoding="ascii")
    (upper / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    for folder in (upper, upper / "etc", upper / "etc/exim4"):
        folder.chmod(0o755)
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", str(_OVER_ROOT)]
    words += [":".join(lower), str(at.folder), "/usr/sbin/exim4", "-C", "/etc/exim4/client.conf"]
    words += ["-odf", "-oi", "-f", "a@localhost", "b@example.org"]
    return Start(tuple(words), b"Subject: hello\n\nhello\n")


def _root(name: str) -> Path:
    if os.geteuid() != 0:
        raise MissingError("a client over a root of its own needs root")
    return roots.root(name)


_LAB, _OPENSSL = (partial(_root, name) for name in ("lab", "exim-openssl"))


def _posttls_finger(at: At) -> Start:
    root = _root("dovecot-postfix")
    (at.folder / "main.cf").write_text(_POSTFIX.format(folder=at.folder), encoding="ascii")
    command = (str(root / "usr/sbin/posttls-finger"), "-c", "-l", "may", f"[127.0.0.1]:{at.port}")
    library = {"LD_LIBRARY_PATH": str(root / "usr/lib/postfix"), "MAIL_CONFIG": str(at.folder)}
    return Start(command, environment=library)


SENDERS = (
    Driver(
        id="exim-gnutls-3.7",
        software="Exim",
        version=lambda: debian("exim4-daemon-heavy", _LAB()),
        library=lambda: f"GnuTLS {debian('libgnutls30', _LAB())}",
        uses=("mx",),
        made=f"Debian 12's exim4-daemon-heavy: {_MAIL}",
        opening="smtp",
        start=partial(_exim, _LAB, ()),
        root=True,
    ),
    Driver(
        id="exim-openssl-3.0",
        software="Exim",
        version=lambda: debian("exim4-daemon-light", _OPENSSL()),
        library=lambda: f"OpenSSL {debian('libssl3', _OPENSSL())}",
        uses=("mx",),
        made=f"Debian 12's source built on its OpenSSL: {_MAIL}",
        opening="smtp",
        start=partial(_exim, _OPENSSL, ()),
        oldest="TLSv1.2",
        root=True,
    ),
    Driver(
        id="exim-openssl-3.5",
        software="Exim",
        version=lambda: debian("exim4-daemon-heavy", _LAB()),
        library=lambda: f"OpenSSL {numbered(LIBRARY_3_5)}",
        uses=("mx",),
        made=f"as openssl.yml builds both, with the openssl.cnf of that package: {_MAIL}",
        opening="smtp",
        start=partial(_exim, _LAB, ("mailseal-exim_*.deb", LIBRARY_3_5)),
        root=True,
    ),
    Driver(
        id="postfix-3.7",
        software="Postfix",
        version=lambda: debian("postfix", _root("dovecot-postfix")),
        library=lambda: f"OpenSSL {debian('libssl3', _root('dovecot-postfix'))}",
        uses=("mx",),
        made="posttls-finger -l may, which is its SMTP client without a queue, settings untouched",
        opening="smtp",
        start=_posttls_finger,
        root=True,
    ),
)

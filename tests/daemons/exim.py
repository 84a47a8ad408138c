"""Exim 4.96, on GnuTLS as Debian has it and on OpenSSL as its source builds, TLS as told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.daemons.cell import Ports, Server, cell
from tests.daemons.names import described
from tests.daemons.settings import ALL, Tls, files, library
from tests.servers import Pki

PORTS: Ports = {
    465: ("smtp", "implicit"),
    587: ("smtp", "starttls"),
    25: ("smtp", "starttls"),
}
PORTABLE = {
    "AESGCM(256)": "AES-256-GCM",
    "AESGCM(128)": "AES-128-GCM",
    "CHACHA20/POLY1305(256)": "CHACHA20-POLY1305",
    "AES(256)": "AES-256-CBC",
    "AES(128)": "AES-128-CBC",
    "AESCCM(128)": "AES-128-CCM",
    "AESCCM(256)": "AES-256-CCM",
    "AESCCM8(128)": "AES-128-CCM-8",
    "AESCCM8(256)": "AES-256-CCM-8",
    "Camellia(128)": "CAMELLIA-128-CBC",
    "Camellia(256)": "CAMELLIA-256-CBC",
}
_EXCHANGES = {
    ("ECDH", "ECDSA"): "ECDHE-ECDSA",
    ("ECDH", "RSA"): "ECDHE-RSA",
    ("DH", "RSA"): "DHE-RSA",
    ("RSA", "RSA"): "RSA",
}
_GROUPS = {"P-256": "SECP256R1", "P-384": "SECP384R1", "P-521": "SECP521R1"}


@dataclass(frozen=True)
class More:
    """What is told to it beside TLS.

    Attributes:
        options: of the main section.
        sections: all that comes after it; without it no recipient is accepted.
        files: laid over the root, by their paths in it.
        before: a shell script that is run before it starts.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    sections: str = ""
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    before: str = ""


_NOTHING_MORE = More()


@contextmanager
def exim_gnutls(
    pki: Pki, folder: Path, tls: Tls, accept_max: int = 0, more: More = _NOTHING_MORE
) -> Iterator[Server]:
    """Debian's exim4-daemon-heavy; Exim's own limit of connections would be 20."""
    options = {"tls_require_ciphers": priority(tls), "smtp_accept_max": str(accept_max)}
    more = replace(more, options=options | dict(more.options))
    with _exim("lab", folder, tls, more, files(tls, pki)) as server:
        yield server


@contextmanager
def exim_openssl(pki: Pki, folder: Path, tls: Tls, more: More = _NOTHING_MORE) -> Iterator[Server]:
    """Debian's source, built on OpenSSL."""
    off = [f"+no_{v.lower().replace('.', '_').removesuffix('_0')}" for v in ALL]
    wanted = [word for v, word in zip(ALL, off, strict=True) if v not in tls.versions]
    if tls.prefer == "server":
        wanted.append("+cipher_server_preference")
    options = {
        "tls_require_ciphers": tls.cipher_string,
        "openssl_options": " ".join(["+no_sslv2", "+no_sslv3", *wanted]),
    }
    laid = {**files(tls, pki), **library(tls)}
    more = replace(more, options=options | dict(more.options))
    with _exim("exim-openssl", folder, tls, more, laid) as server:
        yield server


def priority(tls: Tls) -> str:
    """The settings as a GnuTLS priority; its suites are the product of what it lists."""
    told = [described()[name] for name in (*tls.tls13, *tls.suites)]
    old = [s for s in told if s.exchange != "any"]
    words = [
        *(f"VERS-TLS{v.removeprefix('TLSv')}" for v in reversed(tls.versions)),
        *(_EXCHANGES[s.exchange, s.signer] for s in old),
        *(PORTABLE[s.cipher] for s in told),
        *(s.mac for s in old or told),
        *(f"GROUP-{_GROUPS.get(g, g.upper())}" for g in tls.groups),
        "SIGN-ALL",
        "COMP-NULL",
        "CTYPE-X509",
    ]
    ends = ["%SERVER_PRECEDENCE"] if tls.prefer == "server" else []
    return ":".join(["NONE", *(f"+{word}" for word in dict.fromkeys(words)), *ends])


@contextmanager
def _exim(
    root: str,
    folder: Path,
    tls: Tls,
    more: More,
    laid: Mapping[str, str | bytes],
) -> Iterator[Server]:
    settings = {
        "primary_hostname": "localhost",
        "disable_ipv6": "true",
        "daemon_smtp_ports": " : ".join(map(str, PORTS)),
        "tls_on_connect_ports": "465",
        "log_file_path": "/var/log/exim4/%slog",
        "host_lookup": "",
        "rfc1413_hosts": "",
        "smtp_accept_max": "0",
        "acl_smtp_rcpt": "deny",
        "tls_advertise_hosts": "*",
        "tls_certificate": " : ".join(f"/etc/tls/{key}.crt" for key in tls.keys),
        "tls_privatekey": " : ".join(f"/etc/tls/{key}.key" for key in tls.keys),
        **more.options,
    }
    if tls.dh_bits:
        settings["tls_dhparam"] = "/etc/tls/dh.pem"
        settings["tls_dh_max_bits"] = "4096"  # a larger prime than this is left out silently
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items()) + more.sections
    start = f"{more.before}\nexec /usr/sbin/exim4 -bdf"
    files_of_it = {**laid, **more.files, "etc/exim4/exim4.conf": lines}
    with cell(root, folder, files_of_it, start, PORTS) as server:
        yield server

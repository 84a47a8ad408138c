"""Programs with which people and scripts read mail and hand it in."""

import sys
from functools import partial
from pathlib import Path

from audit.clients.model import Use
from tests.clients.driver import At, Driver, Start, debian, program, said
from tests.clients.libraries import openssl_version

_PYTHON = Path(__file__).parent / "programs" / "connect_python.py"
_BOTH: tuple[Use, ...] = ("access", "submission")
_TLS_OF_GNUTLS = "libgnutls30"


def _gnutls() -> str:
    return f"GnuTLS {debian(_TLS_OF_GNUTLS)}"


def _openssl() -> str:
    return f"OpenSSL {openssl_version()}"


def _msmtp(at: At) -> Start:
    words = [program("msmtp"), "--file=/dev/null", "--host=localhost", f"--port={at.port}"]
    words += ["--tls=on", f"--tls-trust-file={at.roots}", "--from=a@localhost", "b@localhost"]
    return Start(tuple(words), b"Subject: hello\n\nhello\n", {"HOME": str(at.folder)})


def _fetchmail(at: At) -> Start:
    settings = at.folder / "fetchmailrc"
    settings.write_text(
        f"poll localhost service {at.port} protocol imap\n"
        f' user "u" password "p" ssl sslcertck sslcertfile "{at.roots}"\n',
        encoding="ascii",
    )
    settings.chmod(0o600)
    words = (program("fetchmail"), "-f", str(settings), "--nosyslog")
    return Start(
        (*words, "--pidfile", str(at.folder / "pid")), environment={"HOME": str(at.folder)}
    )


def _mutt(name: str, at: At) -> Start:
    (at.folder / "Mail").mkdir()
    settings = at.folder / "muttrc"
    settings.write_text(
        f"set ssl_force_tls=yes imap_pass=p certificate_file={at.roots} ssl_verify_dates=no\n",
        encoding="ascii",
    )
    reading = f"{program(name)} -F {settings} -f imap://u@localhost:{at.port}/"
    terminal = {"HOME": str(at.folder), "TERM": "xterm"}
    return Start((program("script"), "-qec", reading, "/dev/null"), environment=terminal)


def _curl(at: At) -> Start:
    return Start((program("curl"), "--cacert", str(at.roots), f"imaps://localhost:{at.port}/"))


def _swaks(at: At) -> Start:
    words = (program("swaks"), "--server", f"localhost:{at.port}", "--tls", "--quit-after", "TLS")
    return Start((*words, "--to", "b@localhost", "--from", "a@localhost"))


def _python(protocol: str, at: At) -> Start:
    words = (sys.executable, str(_PYTHON), str(at.port), protocol)
    return Start(words, environment={"SSL_CERT_FILE": str(at.roots)})


def _python_version() -> str:
    return sys.version.split()[0]


def _python_library() -> str:
    return said(
        r"(OpenSSL [0-9.]+)", sys.executable, "-c", "import ssl; print(ssl.OPENSSL_VERSION)"
    )


READERS = (
    Driver(
        id="msmtp-1.8",
        software="msmtp",
        version=lambda: debian("msmtp"),
        library=_gnutls,
        uses=("submission",),
        made="Debian 12's package hands in a mail over STARTTLS",
        opening="smtp",
        start=_msmtp,
    ),
    Driver(
        id="fetchmail-6.4",
        software="fetchmail",
        version=lambda: debian("fetchmail"),
        library=_openssl,
        uses=("access",),
        made="Debian 12's package reads from IMAP on a port of its own",
        start=_fetchmail,
        oldest="TLSv1.2",
    ),
    Driver(
        id="mutt-2.2",
        software="mutt",
        version=lambda: debian("mutt"),
        library=_gnutls,
        uses=_BOTH,
        made="Debian 12's package reads from IMAP over STARTTLS",
        opening="imap",
        start=partial(_mutt, "mutt"),
    ),
    Driver(
        id="curl-7.88",
        software="curl",
        version=lambda: debian("curl"),
        library=_openssl,
        uses=_BOTH,
        made="Debian 12's package reads from IMAP on a port of its own",
        start=_curl,
        oldest="TLSv1.2",
    ),
    Driver(
        id="swaks-2020",
        software="swaks",
        version=lambda: debian("swaks"),
        library=_openssl,
        uses=("submission",),
        made="Debian 12's package (Perl, Net::SSLeay) begins TLS over STARTTLS",
        opening="smtp",
        start=_swaks,
        oldest="TLSv1.2",
    ),
    Driver(
        id="python-3.11-smtplib",
        software="Python smtplib",
        version=_python_version,
        library=_python_library,
        uses=("submission",),
        made="SMTP.starttls with ssl.create_default_context()",
        opening="smtp",
        start=partial(_python, "smtp"),
    ),
    Driver(
        id="python-3.11-imaplib",
        software="Python imaplib",
        version=_python_version,
        library=_python_library,
        uses=("access",),
        made="IMAP4_SSL with ssl.create_default_context()",
        start=partial(_python, "imap"),
    ),
)

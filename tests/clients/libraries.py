"""TLS libraries by their own programs: what a client says that leaves everything to its library."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.clients.driver import (
    LIBRARY_1_1,
    LIBRARY_3_5,
    At,
    Driver,
    MissingError,
    Start,
    debian,
    numbered,
    program,
    said,
    unpacked,
)

_PROGRAMS = Path(__file__).parent / "programs"
_NODE = """const server = require("tls").connect(Object.assign({
  port: +process.argv[1], host: "localhost", servername: "localhost", rejectUnauthorized: false
}, JSON.parse(process.argv[2])))
process.stdin.pipe(server).pipe(process.stdout)"""
# What Java has switched off since, TLS 1.0 and 3DES among it, is on again where it stands for an
# older one.
_ALL_ON = "jdk.tls.disabledAlgorithms=\njdk.certpath.disabledAlgorithms=\n"


def s_client(*options: str) -> "partial[Start]":
    """Debian's `openssl s_client`, asking for a name as mail clients do."""
    return partial(_s_client, "", options)


def _s_client(package: str, options: tuple[str, ...], at: At) -> Start:
    command, environment = program("openssl"), {}
    if package:
        (folder,) = unpacked(package).glob("opt/mailseal/openssl-*")
        command, environment = str(folder / "bin/openssl"), {"LD_LIBRARY_PATH": str(folder / "lib")}
        environment["OPENSSL_CONF"] = "/dev/null"
    words = (command, "s_client", "-connect", f"localhost:{at.port}", "-servername", "localhost")
    return Start((*words, *options), environment=environment)


def gnutls_cli(*options: str) -> "partial[Start]":
    """Debian's gnutls-cli."""
    return partial(_gnutls_cli, options)


def _gnutls_cli(options: tuple[str, ...], at: At) -> Start:
    return Start((program("gnutls-cli"), "--insecure", "-p", str(at.port), *options, "localhost"))


def tstclnt(*options: str) -> "partial[Start]":
    """NSS's tstclnt, which stands for Thunderbird."""
    return partial(_tstclnt, options)


def _tstclnt(options: tuple[str, ...], at: At) -> Start:
    store = f"sql:{at.folder}"
    making = f"{program('certutil')} -N -d {store} --empty-password"
    words = [program("tstclnt"), "-h", "127.0.0.1", "-a", "localhost", "-p", str(at.port)]
    client = " ".join([*words, "-d", store, "-o", *options])
    return Start(("sh", "-c", f"{making} && exec {client}"))


def node(options: str = "{}", name: str = "node") -> "partial[Start]":
    """Node.js, as nodemailer uses it; *name* is the program's, for an old one."""
    return partial(_node, options, name)


def _node(options: str, name: str, at: At) -> Start:
    return Start((program(name), "-e", _NODE, str(at.port), options), b"\n")


def java(**properties: str) -> "partial[Start]":
    """Java's javax.net.ssl; with properties everything that was switched off is on again."""
    return partial(_java, properties)


def _java(properties: Mapping[str, str], at: At) -> Start:
    program("javac")  # a JRE cannot start a source file
    store, on = at.folder / "roots.p12", at.folder / "java.security"
    on.write_text(_ALL_ON, encoding="ascii")
    trust = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit"
    words = [f"-D{name.replace('_', '.')}={value}" for name, value in properties.items()]
    if words:
        words.append(f"-Djava.security.properties={on}")
    making = (
        f"keytool -importcert -noprompt -alias root -file {at.roots} -keystore {store}"
        " -storepass changeit"
    )
    client = f"java {trust} {' '.join(words)} {_PROGRAMS / 'Connect.java'} {at.port}"
    return Start(("sh", "-c", f"{making} && exec {client}"))


def _go(at: At) -> Start:
    environment = {"GOCACHE": str(at.folder), "GO111MODULE": "off", "CGO_ENABLED": "0"}
    return Start(
        (program("go"), "run", str(_PROGRAMS / "connect.go"), str(at.port)), environment=environment
    )


def _wolfssl(at: At) -> Start:
    return Start((program("python3"), str(_PROGRAMS / "connect_wolfssl.py"), str(at.port)))


def openssl_version() -> str:
    """Debian's."""
    return said(r"OpenSSL (\S+)", "openssl", "version")


def gnutls_version() -> str:
    """Debian's."""
    return debian("gnutls-bin")


def nss_version() -> str:
    """Debian's."""
    return debian("libnss3")


def node_version(name: str = "node") -> str:
    """Whichever is there."""
    return said(r"v(\S+)", name, "--version")


def node_library(name: str = "node") -> str:
    """The OpenSSL that it has inside."""
    return "OpenSSL " + said(r"([0-9.]+[a-z]?)", name, "-p", "process.versions.openssl")


def java_version() -> str:
    """Whichever is there."""
    return said(r'version "([^"]+)"', "java", "-version")


def _wolfssl_version() -> str:
    try:
        return debian("libwolfssl35")
    except MissingError:
        raise MissingError("libwolfssl35 is not installed") from None


LIBRARIES = (
    Driver(
        id="openssl-1.1.1",
        software="OpenSSL",
        version=lambda: numbered(LIBRARY_1_1),
        uses=("access", "submission", "mx"),
        made="openssl s_client of the package that the project builds for EL6, without openssl.cnf",
        start=partial(_s_client, LIBRARY_1_1, ()),
    ),
    Driver(
        id="openssl-3.0",
        software="OpenSSL",
        version=openssl_version,
        uses=("access", "submission", "mx"),
        made="Debian 12's openssl s_client",
        start=s_client(),
        oldest="TLSv1.2",
    ),
    Driver(
        id="openssl-3.5",
        software="OpenSSL",
        version=lambda: numbered(LIBRARY_3_5),
        uses=("access", "submission", "mx"),
        made="openssl s_client of the package that the project builds, without openssl.cnf",
        start=partial(_s_client, LIBRARY_3_5, ()),
    ),
    Driver(
        id="gnutls-3.7",
        software="GnuTLS",
        version=gnutls_version,
        uses=("access", "submission", "mx"),
        made="Debian 12's gnutls-cli",
        start=gnutls_cli(),
    ),
    Driver(
        id="nss-3.87",
        software="NSS",
        version=nss_version,
        uses=("access", "submission"),
        made="Debian 12's tstclnt; NSS is the library of Thunderbird, which sets more of its own",
        start=tstclnt(),
    ),
    Driver(
        id="wolfssl-5.5",
        software="wolfSSL",
        version=_wolfssl_version,
        uses=("access", "submission"),
        made="Debian 12's libwolfssl35, its client method for all versions, by Python's ctypes",
        start=_wolfssl,
    ),
    Driver(
        id="node-20",
        software="Node.js",
        version=node_version,
        library=node_library,
        uses=("submission",),
        made="tls.connect with its defaults, as nodemailer calls it",
        start=node(),
    ),
    Driver(
        id="node-8",
        software="Node.js",
        version=partial(node_version, "node8"),
        library=partial(node_library, "node8"),
        uses=("submission",),
        made="tls.connect with its defaults, as nodemailer calls it",
        start=node(name="node8"),
    ),
    Driver(
        id="java-17",
        software="Java",
        version=java_version,
        uses=("access", "submission"),
        made="javax.net.ssl with the default context, as JavaMail uses it",
        start=java(),
    ),
    Driver(
        id="go-1.19",
        software="Go",
        version=lambda: said(r"go(1\.\S+)", "go", "version"),
        uses=("submission", "mx"),
        made="crypto/tls with the default configuration, as net/smtp uses it",
        start=_go,
    ),
)

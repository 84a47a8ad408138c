"""Clients of today with settings that make them offer what old ones did: models, no recordings."""

from audit.clients.model import Use
from audit.iana import Version
from tests.clients.driver import Driver
from tests.clients.libraries import (
    gnutls_cli,
    gnutls_version,
    java,
    java_version,
    node,
    node_library,
    node_version,
    openssl_version,
    s_client,
)

_PEOPLE: tuple[Use, ...] = ("access", "submission")
_ALL: tuple[Use, ...] = (*_PEOPLE, "mx")
_CBC = "AES256-SHA:AES128-SHA"
_DHE_GCM = "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"
_ECDHE_CBC = f"ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:{_CBC}"


# Older hellos name the newest version only.
_ONLY: dict[str, Version] = {"-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2"}


def _openssl(name: str, models: str, uses: tuple[Use, ...], *options: str) -> Driver:
    return Driver(
        id=name,
        software="OpenSSL",
        version=openssl_version,
        uses=uses,
        models=models,
        made=f"Debian 12's openssl s_client {' '.join(options)}",
        start=s_client(*options),
        oldest=_ONLY.get(options[0]),
    )


def _gnutls(name: str, models: str, uses: tuple[Use, ...], priority: str) -> Driver:
    return Driver(
        id=name,
        software="GnuTLS",
        version=gnutls_version,
        uses=uses,
        models=models,
        made=f"Debian 12's gnutls-cli --priority {priority}",
        start=gnutls_cli("--priority", priority),
        oldest="TLSv1.2" if "VERS-TLS1.2" in priority else None,
    )


def _java(name: str, models: str, protocols: str, suites: str) -> Driver:
    properties = {"jdk_tls_client_protocols": protocols, "jdk_tls_client_cipherSuites": suites}
    return Driver(
        id=name,
        software="Java",
        version=java_version,
        uses=_PEOPLE,
        models=models,
        made=f"javax.net.ssl with jdk.tls.client.protocols={protocols}, .cipherSuites={suites}",
        start=java(**{k: v for k, v in properties.items() if v}),
    )


OLDER = (
    _openssl(
        "tls12-cbc",
        "TLS 1.2 with ECDHE and CBC, no AEAD (Windows Server 2012 R2 at an RSA certificate)",
        _ALL,
        "-tls1_2", "-cipher", _ECDHE_CBC, "-curves", "P-256:P-384",
    ),
    _openssl(
        "tls12-rsa-gcm",
        "TLS 1.2 with static RSA and GCM alone",
        _ALL,
        "-tls1_2", "-cipher", "AES256-GCM-SHA384:AES128-GCM-SHA256",
    ),
    _openssl(
        "tls12-dhe",
        "TLS 1.2 with DHE alone (a library built without elliptic curves)",
        _ALL,
        "-tls1_2", "-cipher", f"{_DHE_GCM}:DHE-RSA-AES128-SHA",
    ),
    _openssl(
        "tls12-sha1",
        "TLS 1.2 that accepts signatures with SHA-1 alone",
        _ALL,
        "-tls1_2", "-cipher", f"ECDHE-RSA-AES128-GCM-SHA256:{_ECDHE_CBC}:@SECLEVEL=0", "-sigalgs",
        "RSA+SHA1:ECDSA+SHA1",
    ),
    _openssl(
        "tls12-p521",
        "TLS 1.2 with P-521 as its only curve",
        _PEOPLE,
        "-tls1_2", "-curves", "P-521",
    ),
    _openssl(
        "tls13-p521",
        "TLS 1.3 with a key share for P-521 and P-256 behind it",
        _PEOPLE,
        "-tls1_3", "-curves", "P-521:P-256",
    ),
    _openssl(
        "tls10-ecdhe",
        "TLS 1.0 alone, with ECDHE (Android before 4.4, Windows Vista)",
        _ALL,
        "-tls1", "-cipher", f"{_ECDHE_CBC}:@SECLEVEL=0", "-curves", "P-256:P-384",
    ),
    _openssl(
        "tls10-dhe",
        "TLS 1.0 alone, with DHE (OpenSSL 0.9.8, Java 6)",
        _ALL,
        "-tls1", "-cipher", f"DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA:{_CBC}:@SECLEVEL=0",
    ),
    _openssl(
        "tls11-ecdhe",
        "TLS 1.1 alone",
        _PEOPLE,
        "-tls1_1", "-cipher", f"{_ECDHE_CBC}:@SECLEVEL=0", "-curves", "P-256:P-384",
    ),
    _gnutls(
        "tls10-rc4-3des",
        "TLS 1.0 with RC4 and 3DES alone (Windows XP)",
        _ALL,
        "NONE:+VERS-TLS1.0:+ARCFOUR-128:+3DES-CBC:+RSA:+SHA1:+MD5:+COMP-NULL:+CTYPE-X509:+SIGN-ALL",
    ),
    _gnutls(
        "tls12-no-curve-of-ours",
        "TLS 1.2 with X25519 as its only curve, and ECDSA before RSA",
        _PEOPLE,
        "NONE:+VERS-TLS1.2:+AEAD:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:+GROUP-X25519"
        ":+COMP-NULL:+CTYPE-X509:+SIGN-ALL",
    ),
    _java("java-tls12", "Java 8 before TLS 1.3 was brought back to it (8u261)", "TLSv1.2", ""),
    _java(
        "java-tls10",
        "Java 7 as it was: TLS 1.0, and no suite with GCM",
        "TLSv1",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,TLS_RSA_WITH_AES_128_CBC_SHA,"
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA,SSL_RSA_WITH_3DES_EDE_CBC_SHA",
    ),
    Driver(
        id="openssl-1.0.2-tls10",
        software="Node.js",
        version=lambda: node_version("node8"),
        library=lambda: node_library("node8"),
        uses=_ALL,
        models="OpenSSL 1.0.0 and older, which have TLS 1.0 at most",
        made='tls.connect with secureProtocol "TLSv1_client_method"',
        start=node('{"secureProtocol": "TLSv1_client_method"}', "node8"),
    ),
)  # fmt: skip

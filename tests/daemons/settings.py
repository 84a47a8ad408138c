"""What a daemon is told about TLS, in words that all of them share, and what follows from it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Literal

from audit.facts import Preference
from audit.iana import Version
from tests.daemons.names import described
from tests.servers import Pki

Key = Literal["rsa", "ecdsa"]
TLS12_UP: tuple[Version, ...] = ("TLSv1.2", "TLSv1.3")
ALL: tuple[Version, ...] = ("TLSv1.0", "TLSv1.1", *TLS12_UP)
TLS13 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
_MODERN = tuple(
    f"ECDHE-{key}-{cipher}"
    for key in ("ECDSA", "RSA")
    for cipher in ("AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256")
)
# RFC 2409, section 6.2: what servers long had built in. The larger ones are RFC 7919's.
_OAKLEY_2 = (
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E34"
    "04DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6"
    "F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
)


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The settings of a server.

    Attributes:
        versions: those that are on; without a gap.
        suites: up to TLS 1.2, OpenSSL's names, in order.
        tls13: the suites of TLS 1.3, in order.
        groups: in order; those of RFC 7919 only where the daemon takes them (GnuTLS).
        prefer: whose order decides.
        keys: the certificates it has.
        dh_bits: the size of its own Diffie-Hellman prime; 0 for none, and no DHE with it, and None
            for whatever the daemon brings along.
    """

    versions: tuple[Version, ...] = TLS12_UP
    suites: tuple[str, ...] = _MODERN
    tls13: tuple[str, ...] = TLS13
    groups: tuple[str, ...] = ("X25519", "P-256", "P-384")
    prefer: Literal["server", "client"] = "server"
    keys: tuple[Key, ...] = ("rsa", "ecdsa")
    dh_bits: int | None = None

    @property
    def weak(self) -> bool:
        """Whether OpenSSL needs security level 0 for it: its default in Debian is 2."""
        return self.versions[0] < "TLSv1.2" or self.dh_bits == 1024

    @property
    def cipher_string(self) -> str:
        """The suites up to TLS 1.2, as OpenSSL takes them."""
        return ":".join([*self.suites, *(["@SECLEVEL=0"] if self.weak else [])])


@dataclass(frozen=True)
class Truth:
    """What the wire must show of some settings.

    Attributes:
        suites: by version that is on, IANA's names; the order counts where the server decides.
        preference: by version; "unknown" where there is nothing to choose.
        groups: by version, where a client can tell.
        dh_bits: the size of the prime.
        keys: the kinds of certificate.
    """

    suites: Mapping[Version, tuple[str, ...]]
    preference: Mapping[Version, Preference]
    groups: Mapping[Version, tuple[str, ...]]
    dh_bits: int | None
    keys: tuple[Key, ...]


def truth(tls: Tls) -> Truth:
    """What follows from settings, by the RFCs and by OpenSSL's description of its suites."""
    all_of_them = described()
    told = [all_of_them[name] for name in (*tls.tls13, *tls.suites)]
    have = [s for s in told if s.signer in ("any", "None", *(key.upper() for key in tls.keys))]
    if tls.dh_bits == 0:
        have = [s for s in have if s.exchange != "DH"]
    by_version = {v: [s for s in have if s.usable_in(v)] for v in tls.versions}
    elliptic = tuple(g for g in tls.groups if not g.startswith("ffdhe"))
    by_group = {
        v: tls.groups if v == "TLSv1.3" else elliptic
        for v, suites in by_version.items()
        # With an ECDSA certificate a server may insist on its curve: only RSA tells the others.
        if v == "TLSv1.3" or any((s.exchange, s.signer) == ("ECDH", "RSA") for s in suites)
    }
    dhe = any(s.exchange == "DH" for suites in by_version.values() for s in suites)
    return Truth(
        suites={v: tuple(s.iana for s in suites) for v, suites in by_version.items()},
        preference={v: tls.prefer if len(s) > 1 else "unknown" for v, s in by_version.items()},
        groups=by_group,
        dh_bits=tls.dh_bits if dhe else None,
        keys=tuple(sorted(tls.keys)),
    )


def files(tls: Tls, pki: Pki) -> dict[str, str | bytes]:
    """Certificates, keys and Diffie-Hellman parameters, in /etc/tls; who serves may read them."""
    found: dict[str, str | bytes] = {}
    for key in tls.keys:
        certificate, private = getattr(pki, key)
        found[f"etc/tls/{key}.crt"] = Path(certificate).read_bytes()
        found[f"etc/tls/{key}.key"] = Path(private).read_bytes()
    if tls.dh_bits:
        found["etc/tls/dh.pem"] = dh_parameters(tls.dh_bits)
    return found


def dh_parameters(bits: int) -> str:
    """Well-known Diffie-Hellman parameters of that size, as PKCS #3 PEM."""
    # By hand: libraries write primes they know as X9.42, which Postfix and GnuTLS cannot read.
    der = b"".join(_integer(number) for number in (_prime(bits), 2))
    text = b64encode(b"\x30\x82" + len(der).to_bytes(2) + der).decode()
    return f"-----BEGIN DH PARAMETERS-----\n{fill(text, 64)}\n-----END DH PARAMETERS-----\n"


def library(tls: Tls) -> dict[str, str | bytes]:
    """OpenSSL's own configuration, for what a daemon has no option for; an option wins over it."""
    settings = {
        "MinProtocol": _protocol(tls.versions[0]),
        "MaxProtocol": _protocol(tls.versions[-1]),
        "Ciphersuites": ":".join(tls.tls13),
        "Groups": ":".join(tls.groups),
        # Exim loads its Diffie-Hellman prime before its suites, on the library's security level.
        "CipherString": "DEFAULT:@SECLEVEL=0" if tls.weak else "",
    }
    head = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
    lines = "".join(f"{name} = {value}\n" for name, value in settings.items() if value)
    return {"etc/ssl/openssl.cnf": head + lines}


def _protocol(version: Version) -> str:
    return "TLSv1" if version == "TLSv1.0" else version


def _integer(number: int) -> bytes:
    """A DER integer; the first bit is the sign."""
    body = number.to_bytes(number.bit_length() // 8 + 1)
    size = len(body)
    return b"\x02" + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2)) + body


def _prime(bits: int) -> int:
    if bits == 1024:
        return int(_OAKLEY_2, 16)
    # RFC 7919, appendix A: 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1
    offset = {2048: 560316, 3072: 2625351, 4096: 5736041}[bits]
    scale = 1 << (bits + 64)
    term, total, n = scale, scale, 1
    while term:
        term //= n
        total, n = total + term, n + 1
    e = (total << (bits - 130)) // scale
    return (1 << bits) - (1 << (bits - 64)) + ((e + offset) << 64) - 1

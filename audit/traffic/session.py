"""What a daemon writes of a TLS session, in every spelling there is, as one kind of value.

A log has millions of lines and some hundred different spellings, so this is done once for each.
Sources: Exim's tls-openssl.c and tls-gnu.c, ChangeLog of 4.93 (JH/16), 4.94 and 4.100 (JH/08);
GnuTLS' gnutls_session_get_desc; lines of real daemons.
"""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from audit.iana import GROUPS, SUITES, Suite, Version, suite

KeyExchange = Literal["ecdhe", "dhe", "either", "none", "unknown"]

_VERSION = re.compile(
    r"(?:TLSv?-?(?P<tls>1(?:\.[0-3])?)(?:-PKIX)?|SSL(?:v|-)?(?P<ssl>[23])(?:\.0)?)"
)
_NAMES: dict[str, Version] = {
    "1": "TLSv1.0",
    "1.0": "TLSv1.0",
    "1.1": "TLSv1.1",
    "1.2": "TLSv1.2",
    "1.3": "TLSv1.3",
    "2": "SSLv2",
    "3": "SSLv3",
}
# GnuTLS' words that are not IANA's, in names of suites; the later ones build on the earlier.
_GNUTLS = (("_WITH_", "_"), ("3DES_EDE_", "3DES_"), ("RC4_128", "ARCFOUR_128"))
# GnuTLS since Exim 4.93: key exchange [group], [signature], cipher, [MAC], between "__".
_DESCRIBED = re.compile(
    r"(?P<kx>ECDHE|DHE|RSA|PSK|ANON_ECDH|ANON_DH)(?:_(?P<auth>RSA|ECDSA|DSS))?(?:_(?P<group>\w+?))?"
    r"__(?:(?P<sign>(?:RSA|ECDSA|EDDSA|DSA)\w*?)__)?"
    r"(?P<cipher>(?:AES|3DES|CAMELLIA|CHACHA20|ARCFOUR|NULL)\w*?)(?:__(?P<mac>SHA\d+|MD5|AEAD))?"
)
_SIGNERS = {"RSA": "RSA", "ECDSA": "ECDSA", "EDDSA": "ECDSA", "DSA": "DSS"}
_ANONYMOUS = {"ANON_ECDH": "ECDH_anon", "ANON_DH": "DH_anon"}
_CIPHERS = {"3DES_CBC": "3DES_EDE_CBC", "ARCFOUR_128": "RC4_128"}
_LIBRESSL = {
    "AEAD-AES256-GCM-SHA384": "TLS_AES_256_GCM_SHA384",
    "AEAD-AES128-GCM-SHA256": "TLS_AES_128_GCM_SHA256",
    "AEAD-CHACHA20-POLY1305-SHA256": "TLS_CHACHA20_POLY1305_SHA256",
}
# The hash of an AEAD suite is not written, and there is one for each.
_HASHES = {"AES_256_GCM": "SHA384", "CAMELLIA_256_GCM": "SHA384"}


class Session(Struct, frozen=True):
    """What was negotiated, as far as the words tell.

    Attributes:
        words: as they stand in the log.
        version: None if it cannot be told.
        suite: the IANA name; empty if the words fit none, or more than one.
        group: the name of the group for the key exchange; empty if it is not written.
        key_exchange: "none" is one without forward secrecy; "either" is ECDHE or DHE, for the words
            of TLS 1.3 have it in the group, if they have one.
        aead, gcm: whether the cipher is one; None if it cannot be told.
    """

    words: str
    version: Version | None
    suite: str
    group: str
    key_exchange: KeyExchange
    aead: bool | None
    gcm: bool | None

    @property
    def forward_secrecy(self) -> bool | None:
        """Whether a later loss of the private key leaves it closed; None if it cannot be told."""
        if self.version == "TLSv1.3":
            return True
        return None if self.key_exchange == "unknown" else self.key_exchange != "none"


@lru_cache(maxsize=4096)
def session(words: str) -> Session:
    """What the words of a log say: `VERSION:CIPHER:BITS[:GROUP]`, or the same without bits."""
    version, _, rest = words.partition(":")
    cipher, _, more = rest.partition(":")
    named = _VERSION.fullmatch(version)
    known = _NAMES[named["tls"] or named["ssl"]] if named else None
    match = _DESCRIBED.fullmatch(cipher)
    found = _from_description(match, known) if match else _SPELLINGS.get(cipher)
    group = (match["group"] or "" if match else "") or more.partition(":")[2].rstrip("*")
    if found is None:
        exchange = _of_group(group) if known == "TLSv1.3" else "unknown"
        return Session(words, known, "", _group(group), exchange, None, "GCM" in cipher or None)
    return Session(
        words,
        known,
        found.name,
        _group(group),
        _exchange(found, group),
        found.aead,
        "GCM" in found.name,
    )


def _from_description(match: re.Match[str], version: Version | None) -> Suite | None:
    cipher = _CIPHERS.get(match["cipher"], match["cipher"])
    if cipher.endswith(("GCM", "CCM", "CCM_8", "POLY1305")):
        digest = _HASHES.get(cipher, "SHA256")
    else:
        digest = (match["mac"] or "").replace("SHA1", "SHA")
    asymmetric = "" if version == "TLSv1.3" else f"{_asymmetric(match)}_WITH_"
    name = f"TLS_{asymmetric}{cipher}"
    return _BY_NAME.get(f"{name}_{digest}") or _BY_NAME.get(name)  # CCM before TLS 1.3 names none


def _asymmetric(match: re.Match[str]) -> str:
    """Key exchange and authentication, as IANA joins them."""
    kx = match["kx"]
    if kx in _ANONYMOUS:
        return _ANONYMOUS[kx]
    if kx in ("RSA", "PSK"):
        return str(kx)
    signer = _SIGNERS[match["sign"].partition("_")[0]] if match["sign"] else match["auth"]
    return f"{kx}_{signer}"


def _exchange(found: Suite, group: str) -> KeyExchange:
    """How keys were exchanged, unauthenticated ones as ephemeral as the others."""
    if found.tls13:
        return _of_group(group)
    if found.key_exchange in ("ECDHE", "DHE"):
        return "ecdhe" if found.key_exchange == "ECDHE" else "dhe"
    if found.authentication == "anon":
        return "ecdhe" if found.key_exchange == "ECDH" else "dhe"
    return "none"


def _of_group(group: str) -> KeyExchange:
    """The same for TLS 1.3, where nothing else tells; OpenSSL has fields since 3.0."""
    if not group:
        return "either"
    return "dhe" if group.upper().startswith("FFDHE") else "ecdhe"


def _group(words: str) -> str:
    return _GROUPS.get(words.upper(), words)


def _spellings() -> dict[str, Suite]:
    """Every name that a daemon gives a suite, if it is the name of one only."""
    found: dict[str, Suite] = {}
    for one in SUITES:
        old = one.name.removeprefix("TLS_")
        for theirs, ours in _GNUTLS:
            old = old.replace(theirs, ours)
        names = {one.name, one.openssl, old, old.replace("ARCFOUR_128", "ARCFOUR")}
        names |= {f"{name}1" for name in names if name.endswith("_SHA")}
        found.update(dict.fromkeys(names - {""}, one))
    return found | {name: suite(iana) for name, iana in _LIBRESSL.items()}


_BY_NAME = {one.name: one for one in SUITES}
_SPELLINGS = _spellings()
_GROUPS = {spelling.upper(): one.name for one in GROUPS for spelling in (one.name, *one.aliases)}

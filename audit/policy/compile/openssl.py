"""What every daemon on OpenSSL shares: cipher strings and the library's own configuration.

Only the library's file can set the TLS 1.3 suites and, for most daemons, a list of groups. A name
the library does not know is dropped without a word, and one unknown group voids the whole line;
so only names that this version knows are written (OpenSSL CHANGES; ciphers(1); config(5)).
"""

from datetime import date

from audit.iana import VERSIONS, Version, group, suite
from audit.policy.compile.target import Numbers, dotted
from audit.policy.model import Profile, allowed

# First library that has it. 1.0.1 brought TLS 1.2 with GCM, 1.1.0 ChaCha20, 1.1.1 TLS 1.3.
_SINCE_CIPHER: dict[str, Numbers] = {
    "CHACHA20_POLY1305": (1, 1, 0),
    "AES_128_CCM": (1, 1, 0),
    "AES_256_CCM": (1, 1, 0),
}
_SINCE_VERSION: dict[Version, Numbers] = {
    "TLSv1.1": (1, 0, 1),
    "TLSv1.2": (1, 0, 1),
    "TLSv1.3": (1, 1, 1),
}
# system_default sections are read from 1.1.1 on.
CNF_SINCE: Numbers = (1, 1, 1)
# Before 3.0 level 1 still signs with SHA-1; TLS before 1.2 cannot do without it.
_SHA2 = ":".join(
    f"{kind}+{digest}"
    for kind in ("ECDSA", "RSA-PSS", "RSA")
    for digest in ("SHA256", "SHA384", "SHA512")
)
# From 3.0 on, TLS before 1.2 needs security level 0 for its MD5 and SHA-1 signatures.
_LEVEL_0_SINCE: Numbers = (3, 0)


def lacks(profile: Profile, library: Numbers, day: date) -> tuple[list[str], list[str]]:
    """What this OpenSSL has not: the reasons to refuse, and the optional items to leave out."""
    refused: list[str] = []
    left_out: list[str] = []
    for item in (*profile.versions, *profile.suites, *profile.groups):
        if item.level_on(day) == "insufficient":
            continue
        since = _since(item.name)
        if since is None:
            refused.append(f"OpenSSL has no {item.name}")
        elif library < since:
            lack = f"{item.name} needs OpenSSL {dotted(since)}"
            (left_out if item.optional else refused).append(lack)
    return refused, left_out


def _since(name: str) -> Numbers | None:
    if name in VERSIONS:
        return next((since for v, since in _SINCE_VERSION.items() if v == name), (0,))
    if name.startswith("TLS_"):
        found = suite(name)
        if not found.openssl:
            return None
        return (1, 1, 1) if found.tls13 else _SINCE_CIPHER.get(found.cipher, (0,))
    found_group = group(name)
    return found_group.openssl_since if found_group.openssl else None


def holes(profile: Profile, day: date) -> list[str]:
    """Why versions with a gap between them are refused: OpenSSL downgrades or refuses all."""
    versions = profile.allowed_versions(day)
    if not versions:
        return ["no version is left"]
    first, last = VERSIONS.index(versions[0]), VERSIONS.index(versions[-1])
    missing = [v for v in VERSIONS[first:last] if v not in versions]
    if not missing:
        return []
    return [
        (
            f"the versions have a hole ({', '.join(missing)}): OpenSSL would answer a client of"
            " that version with an older one, or refuse every client"
        )
    ]


def cipher_string(profile: Profile, library: Numbers, day: date) -> str:
    """The suites up to TLS 1.2 by OpenSSL name, in order."""
    names = [s.openssl for s in map(suite, allowed(profile.suites, day)) if not s.tls13]
    if library >= _LEVEL_0_SINCE and set(profile.allowed_versions(day)) & {"TLSv1.0", "TLSv1.1"}:
        names.append("@SECLEVEL=0")
    return ":".join(names)


def groups(profile: Profile, library: Numbers, day: date) -> list[str]:
    """The groups that this library knows, by OpenSSL name, in order."""
    known = map(group, allowed(profile.groups, day))
    return [g.openssl for g in known if g.openssl and library >= g.openssl_since]


def cnf(profile: Profile, library: Numbers, day: date) -> str | None:
    """The library's configuration; None for a library that reads none."""
    if library < CNF_SINCE:
        return None
    versions = profile.allowed_versions(day)
    tls13 = [s.openssl for s in map(suite, allowed(profile.suites, day)) if s.tls13]
    options = "ServerPreference" if profile.preference == "server" else "-ServerPreference"
    # From 3.0 on nothing has to be said: a client that renegotiates is refused.
    if library < (3,) and profile.client_renegotiation == "forbidden":
        options += ",NoRenegotiation"
    settings = {
        "MinProtocol": _protocol(versions[0]),
        "MaxProtocol": _protocol(versions[-1]),
        "CipherString": cipher_string(profile, library, day),
        "Ciphersuites": ":".join(tls13) if "TLSv1.3" in versions else "",
        "Groups": ":".join(groups(profile, library, day)),
        "SignatureAlgorithms": _SHA2 if library < (3,) and _modern(versions) else "",
        "Options": f"{options},-Compression",
    }
    lines = [f"{key} = {value}" for key, value in settings.items() if value]
    head = "openssl_conf = mailseal\n\n[mailseal]\nssl_conf = mailseal_ssl\n\n"
    return f"{head}[mailseal_ssl]\nsystem_default = mailseal_tls\n\n[mailseal_tls]\n" + "".join(
        f"{line}\n" for line in lines
    )


def _modern(versions: tuple[Version, ...]) -> bool:
    return VERSIONS.index(versions[0]) >= VERSIONS.index("TLSv1.2")


def _protocol(version: Version) -> str:
    return "TLSv1" if version == "TLSv1.0" else version


def has_dhe(profile: Profile, day: date) -> bool:
    """True if a suite of the profile exchanges keys by finite-field Diffie-Hellman."""
    return any(suite(name).key_exchange == "DHE" for name in allowed(profile.suites, day))


def dh_group(profile: Profile) -> str:
    """The smallest standard group (RFC 7919) that satisfies the profile."""
    bits = profile.dh_bits or 2048
    return next(f"ffdhe{size}" for size in (2048, 3072, 4096, 6144, 8192) if size >= bits)

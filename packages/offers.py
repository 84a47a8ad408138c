"""What a built OpenSSL says of itself, held against what it must not offer."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packages.openssl import numbers, prefix, soname

# Fields of `openssl ciphers -V`.
_FIELD = re.compile(r"\b(Au|Enc|Mac)=(\S+)")
# Broken, too short, or no cipher at all.
_FORBIDDEN = {
    "Enc": re.compile(r"None|RC4|RC2|3?DES|IDEA|SEED|GOST"),
    "Au": re.compile(r"None"),
    "Mac": re.compile(r"MD5"),
}
_NAMED = re.compile(r"\bEXP(ORT)?\b|\bexport\b")
_FEWEST = 10
_OLD_METHODS = tuple(
    f"SSLv{version}_{side}method" for version in (2, 3) for side in ("", "client_", "server_")
)


def judge(version: str, report: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a build, a sentence each; nothing means that it may be shipped."""
    return [*_suites(report["suites"]), *_rest(version, report), *_linkage(version, report)]


def _suites(listing: str) -> Iterator[str]:
    lines = [line for line in listing.splitlines() if " - " in line]
    # An empty list is no proof of anything: the program may not have run.
    if len(lines) < _FEWEST:
        yield f"it lists {len(lines)} suites, too few to be believed"
    for line in lines:
        name = line.split(" - ")[1].split()[0]
        bad = [f"{key}={value}" for key, value in _FIELD.findall(line) if _is_bad(key, value)]
        if bad or _NAMED.search(line):
            yield f"it offers {name} ({', '.join(bad) or 'export'})"


def _is_bad(key: str, value: str) -> bool:
    return _FORBIDDEN[key].match(value) is not None


def _rest(version: str, report: Mapping[str, Any]) -> Iterator[str]:
    if f"OpenSSL {version} " not in report["version"] + " ":
        yield f"it says that it is {report['version']}, not OpenSSL {version}"
    for method in _OLD_METHODS:
        # 1.0.2 keeps the names of SSLv2 with nothing behind them.
        if report["methods"].get(method) not in {"absent", "null"}:
            yield f"it has {method}"
    if report["compressions"] > 0:
        yield f"it has {report['compressions']} compression methods"
    if report["openssldir"] != f"{prefix(version)}/ssl":
        yield f"its directory is {report['openssldir']}"
    if report["int128"] and not report["nistp"]:
        yield "the compiler has 128-bit integers, and the fast code for P-256 is missing"


def _linkage(version: str, report: Mapping[str, Any]) -> Iterator[str]:
    home = prefix(version)
    for library in ("libssl", "libcrypto"):
        name = f"{library}.so.{soname(version)}"
        found = report["dynamic"].get(f"{home}/lib/{name}")
        if found is None:
            yield f"there is no {name}"
            continue
        if found["soname"] != name:
            yield f"{name} calls itself {found['soname']}"
        if f"{home}/lib" not in found["runpath"]:
            yield f"{name} does not look for its own kind in {home}/lib"
    if numbers(version) >= (1, 1) and not report["versioned"]:
        yield "its symbols have no versions"

"""What a built Cyrus says of its OpenSSL, judged.

imapd answers ID with what it was compiled for and what it runs with (imap/version.c); it does so
without a network where it is told to talk to its standard input.
"""

import re
from collections.abc import Iterator

_SAYS = {
    "compiled for": re.compile(r"\bBuilt w/OpenSSL ([^\s;\"]+)"),
    "run with": re.compile(r"\bRunning w/OpenSSL ([^\s;\"]+)"),
}
_FILE = re.compile(r"^File: (.+)$", re.MULTILINE)
_NEEDED = re.compile(r"\(NEEDED\).*\[(.*)\]")
_PATHS = re.compile(r"\(R(?:UN)?PATH\).*\[(.*)\]")


def judge(openssl: str, prefix: str, said: str, dynamic: str) -> list[str]:
    """Return what is wrong with a built Cyrus, a sentence each.

    Args:
        openssl: the version it must be compiled and run with.
        prefix: where it must look for it.
        said: its answer to ID.
        dynamic: the output of ``readelf -d`` for its programs and libraries, two files or more.
    """
    return [*_judge(openssl, prefix, said, dynamic)]


def _judge(openssl: str, prefix: str, said: str, dynamic: str) -> Iterator[str]:
    for what, pattern in _SAYS.items():
        found = pattern.search(said)
        if not found:
            yield f"it does not say which OpenSSL it is {what}"
        elif found[1] != openssl:
            yield f"it is {what} OpenSSL {found[1]}, not {openssl}"
    users = 0
    names_and_parts = _FILE.split(dynamic)[1:]
    for name, part in zip(names_and_parts[::2], names_and_parts[1::2], strict=True):
        if not any(re.match(r"lib(ssl|crypto)\.so", one) for one in _NEEDED.findall(part)):
            continue
        users += 1
        paths = [one for path in _PATHS.findall(part) for one in path.split(":")]
        if f"{prefix}/lib" not in paths:
            yield f"{name.rpartition('/')[2]} does not look for its library in {prefix}/lib"
    if not users:
        yield "nothing in it uses OpenSSL"

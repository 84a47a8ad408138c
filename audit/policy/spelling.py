"""How the lists of a policy file are spelled: shorthands, and the one name for each thing."""

from collections.abc import Callable, Mapping
from typing import Any

from audit.iana import VERSIONS, group, suite
from audit.policy.model import HASHES, OPEN

Lookup = Callable[[str], str]  # the one name for this name, or KeyError


def spelled(raw: Mapping[str, Any], lists: Mapping[str, Lookup]) -> dict[str, Any]:
    """The mapping with every shorthand in its lists written out."""
    long = dict(raw)
    for key in lists:
        found = raw.get(key)
        if isinstance(found, int) and lists[key] is size:
            found = [found]
        if isinstance(found, list):
            long[key] = [_written_out(entry, lists[key]) for entry in found]
    return long


def _written_out(entry: object, lookup: Lookup) -> object:
    if isinstance(entry, dict):
        return {**entry, "until": OPEN} if entry.get("until") == "open" else entry
    return {"bits" if lookup is size else "name": entry}


def _one_of(*names: str) -> Lookup:
    known = {name: name for name in names}
    return known.__getitem__


def _suite(name: str) -> str:
    return suite(name).name


def _group(name: str) -> str:
    return group(name).name


def _curve(name: str) -> str:
    return name if name in _EDWARDS else group(name).name


def size(name: str) -> str:
    """Sizes need no table."""
    return name


_EDWARDS = ("Ed25519", "Ed448")  # keys of certificates (RFC 8410), no groups of a key exchange
LISTS: dict[str, Lookup] = {
    "versions": _one_of(*VERSIONS),
    "suites": _suite,
    "groups": _group,
    "dh_bits": size,
}
CERTIFICATE_LISTS: dict[str, Lookup] = {
    "rsa_bits": size,
    "curves": _curve,
    "signature_hashes": _one_of(*HASHES),
}
# Where the file's word and the attribute differ.
FIELDS = {"dh_bits": "dh_sizes", "rsa_bits": "rsa_sizes"}

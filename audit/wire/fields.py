"""TXT records of fields, `v=...; name=value; ...`, as MTA-STS and TLS reports have them."""

import re
from collections.abc import Iterable

FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_BLANK = " \t"


def announced(records: Iterable[str], version: str) -> list[str]:
    """The records of this version; others may stand beside them and count for nothing."""
    return [one for one in records if one.partition(";")[0].rstrip(_BLANK) == f"v={version}"]


def fields(record: str) -> dict[str, str]:
    """What follows the version, by name; of several with one name the first.

    Raises:
        ValueError: part of it is no field.
    """
    _, *parts = [part.strip(_BLANK) for part in record.split(";")]
    if parts and not parts[-1]:
        parts.pop()  # the last one may be ended too
    found: dict[str, str] = {}
    for part in parts:
        name, sign, value = part.partition("=")
        if not sign or not FIELD.fullmatch(name.rstrip(_BLANK)):
            raise ValueError(f"{part[:60]!r} is no field")
        found.setdefault(name.rstrip(_BLANK), value.lstrip(_BLANK))
    return found

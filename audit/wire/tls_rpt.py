"""Where reports about TLS are wanted, as it is written (RFC 8460, section 3)."""

import re
from collections.abc import Iterable

from audit.wire import fields

_PLACE = re.compile(r"mailto:[^@\s,!;]+@[^@\s,!;]+|https://[^/\s,!;]+(/[^\s,!;]*)?", re.IGNORECASE)


def announced(records: Iterable[str]) -> list[str]:
    """The TXT records that are about reports."""
    return fields.announced(records, "TLSRPTv1")


def places(record: str) -> tuple[str, ...]:
    """Where reports go: mailto: and https: addresses.

    Raises:
        ValueError: such a record does not say; why.
    """
    said = fields.fields(record).get("rua", "")
    found = [place.strip(" \t") for place in said.split(",")] if said else []
    if not found:
        raise ValueError("it has no rua=")
    wrong = [place for place in found if not _PLACE.fullmatch(place)]
    if wrong:
        raise ValueError(f"{wrong[0][:60]!r} is neither mailto: nor https:")
    return tuple(found)

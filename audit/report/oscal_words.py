"""Words, times and lists in the form that OSCAL's data types want."""

import re
from datetime import UTC, date, datetime, time
from typing import Any

from audit.report.summary import moment
from audit.report.visible import visible

_NAMESPACE = "urn:mailseal:oscal"
_NO_TOKEN = re.compile(r"[^\w.-]")
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def words(text: str) -> str:
    """A string: not empty, one line, no space at its ends."""
    return visible(text).strip() or "-"


def token(text: str) -> str:
    """A token: begins with a letter, and has letters, digits, dots, dashes and underlines."""
    safe = _NO_TOKEN.sub("_", text)
    return safe if safe[:1].isalpha() else f"_{safe}"


def rfc3339(stamp: str) -> str:
    """A time with its zone; one that cannot be read is the epoch, for there must be one."""
    return (moment(stamp) or _UNKNOWN).isoformat().replace("+00:00", "Z")


def day_end(day: date) -> str:
    """The last moment of a day, in UTC."""
    end = datetime.combine(day, time(23, 59, 59), UTC)
    return end.isoformat().replace("+00:00", "Z")


def props(**values: str) -> list[dict[str, str]]:
    """Properties in a namespace of ours; those without a value are left out."""
    return [
        {"name": name, "ns": _NAMESPACE, "value": words(value)}
        for name, value in values.items()
        if value
    ]


def without_empty(value: Any) -> Any:  # noqa: ANN401 - JSON
    """OSCAL knows no empty lists and no empty strings: what there is none of is left out."""
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_empty(item)
        for name, item in value.items()
        if name == "include-all" or item not in ("", [], {})
    }

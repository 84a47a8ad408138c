"""Protocol versions, oldest first."""

from typing import Literal, get_args

Version = Literal["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

VERSIONS: tuple[Version, ...] = get_args(Version)

# The ProtocolVersion on the wire (RFC 8446, section 4.1.2 and its predecessors).
CODES: dict[Version, int] = {
    "SSLv2": 0x0002,
    "SSLv3": 0x0300,
    "TLSv1.0": 0x0301,
    "TLSv1.1": 0x0302,
    "TLSv1.2": 0x0303,
    "TLSv1.3": 0x0304,
}
_NAMES = {code: name for name, code in CODES.items()}


def version_name(code: int) -> Version | None:
    """The name of a ProtocolVersion, or None for one that no standard defines."""
    return _NAMES.get(code)

"""Records as a zone file has them (RFC 1035, section 5.1). Pure."""

from collections.abc import Mapping

from audit.publish.model import Place, Records

_STRING = 255  # octets of one string of a TXT record


def snippet(zone: Mapping[Place, Records]) -> str:
    """Lines to paste into a zone file; names are absolute, so the origin does not matter."""
    return "".join(
        f"{place.owner}. {records.ttl} IN {place.kind} {presented(place, one)}\n"
        for place, records in sorted(zone.items())
        for one in sorted(records.data)
    )


def presented(place: Place, data: str) -> str:
    """One record's data; of a text its strings, quoted."""
    if place.kind == "TLSA":
        return data
    raw = data.encode()
    parts = [raw[at : at + _STRING] for at in range(0, len(raw), _STRING)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, part))}"' for part in parts)


def _escaped(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{octet:c}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03}"  # noqa: PLR2004 - printable

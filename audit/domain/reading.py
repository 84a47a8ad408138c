"""DNS messages to answers. Pure.

What a resolver has validated it says by the AD bit (RFC 4035, section 3.2.3). How that is weighed
against what else it says is in `resolver`; here are only the words of one message.
"""

from datetime import UTC, datetime
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from msgspec import Struct

from audit.facts import Kind, Signed

_MOST_ALIASES = 16
_MOST_REASONS = 3


class Read(Struct, frozen=True):
    """What one message says to one question.

    Attributes:
        records: of the kind asked for, at the end of the aliases; see `Answer`.
        alias: the names that CNAMEs led to.
        exists: whether there is such a name.
        denied: it is said that there is nothing, by whom the zone belongs to.
        signed: the signature that ends first, of all that leads to the records.
        zones: who signed; none if anything on the way is not signed.
        validated: the AD bit.
        unread: why some of it cannot be read, a sentence for each record.
        broken: why it is no answer; empty if it is one.
        failed: it is none because the resolver could not or would not give it (SERVFAIL).
    """

    records: tuple[str, ...] = ()
    alias: tuple[str, ...] = ()
    exists: bool = True
    denied: bool = False
    signed: Signed | None = None
    zones: tuple[str, ...] = ()
    validated: bool = False
    unread: tuple[str, ...] = ()
    broken: str = ""
    failed: bool = False


def read(message: dns.message.Message, name: str, kind: Kind) -> Read:
    """What it says; records that are not asked for are passed over."""
    code = message.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        words = f"answers {dns.rcode.to_text(code)}{_reason(message)}"
        return Read(broken=words, failed=code == dns.rcode.SERVFAIL)
    if not message.flags & dns.flags.RA:
        return Read(broken="answers, but does not resolve for others (no RA)")
    at, passed = dns.name.from_text(name), [dns.name.from_text(name)]
    sought = dns.rdatatype.from_text(kind)
    signed: list[list[Signed]] = []  # by hop
    while (found := _at(message, at, sought)) is None:
        hop = _at(message, at, dns.rdatatype.CNAME)
        if hop is None:
            break
        signed.append(_signatures(message, at, dns.rdatatype.CNAME))
        at = hop[0].target
        if at in passed or len(passed) > _MOST_ALIASES:
            return Read(broken=f"leads in a circle of aliases, or through too many: {text(at)}")
        passed.append(at)
    unread = tuple(str(error.exception) or "malformed" for error in message.errors)
    # Senders pass over one such TLSA record; nothing else is judged by halves.
    if unread and not (found and kind == "TLSA"):
        return Read(broken=f"says something that cannot be read: {unread[0]}")
    authority = {rrset.rdtype for rrset in message.authority}
    denied = found is None and dns.rdatatype.SOA in authority
    if found is None and dns.rdatatype.NS in authority and not denied:
        return Read(broken="refers to other servers instead of answering")
    signed.append(_signatures(message, at, sought))
    signatures = [one for hop in signed for one in hop]
    return Read(
        records=tuple(sorted(map(_record, found or ()), key=_by_preference)),
        alias=tuple(map(text, passed[1:])),
        exists=code == dns.rcode.NOERROR,
        denied=denied,
        signed=min(signatures, key=lambda one: one.until, default=None),
        zones=tuple(dict.fromkeys(one.zone for one in signatures)) if all(signed) else (),
        validated=bool(message.flags & dns.flags.AD),
        unread=unread,
    )


def text(name: dns.name.Name) -> str:
    """A name as people write it, in lower case."""
    return name.to_text(omit_final_dot=True).lower()


def _at(
    message: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> dns.rrset.RRset | None:
    return message.get_rrset(message.answer, name, dns.rdataclass.IN, kind)


def _signatures(
    message: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> list[Signed]:
    found = message.get_rrset(
        message.answer, name, dns.rdataclass.IN, dns.rdatatype.RRSIG, covers=kind
    )
    return [
        Signed(
            text(one.signer),
            datetime.fromtimestamp(one.inception, UTC),
            datetime.fromtimestamp(one.expiration, UTC),
        )
        for one in found or ()
    ]


def _record(rdata: Any) -> str:  # noqa: ANN401 - each type has attributes of its own
    match rdata.rdtype:
        case dns.rdatatype.MX:
            return f"{rdata.preference} {text(rdata.exchange)}"
        case dns.rdatatype.PTR:
            return text(rdata.target)
        case dns.rdatatype.TXT:
            return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
        case _:  # in one piece, whatever is long in it
            return str(rdata.to_text(chunksize=0))


def _by_preference(record: str) -> tuple[int, str]:
    """MX records by their number, all others by what they say."""
    first = record.partition(" ")[0]
    return (int(first) if first.isascii() and first.isdigit() else 0, record)


def _reason(message: dns.message.Message) -> str:
    """Why, where the resolver says so (RFC 8914)."""
    told = [_told(one) for one in message.options if isinstance(one, dns.edns.EDEOption)]
    return f" ({'; '.join(told[:_MOST_REASONS])})" if told else ""


def _told(option: dns.edns.EDEOption) -> str:
    name = getattr(option.code, "name", str(int(option.code))).replace("_", " ").lower()
    return f"{name}: {option.text}" if option.text else name

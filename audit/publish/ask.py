"""What name servers have, asked of themselves and not of a resolver."""

import errno
import time
from collections.abc import Iterable, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from msgspec import Struct

from audit.domain import transport
from audit.domain.nameserver import Nameserver
from audit.errors import UNDETERMINED, MailsealError
from audit.publish.model import Place, Records

_SECONDS = 5.0
_TRIES = 2
_MOST_LABELS = 128
_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class Authority(Struct, frozen=True):
    """A zone, as its primary has it.

    Attributes:
        name: absolute.
        negative: seconds that an absence is cached for (RFC 2308, section 5).
        serial: of its SOA record.
    """

    name: dns.name.Name
    negative: int
    serial: int

    def __str__(self) -> str:
        """As people write it."""
        return self.name.to_text(omit_final_dot=True)


class NoRoute(MailsealError):
    """This machine has no way to such an address."""


def authority(owner: str, primary: Nameserver) -> Authority:
    """The zone that a name is in.

    Raises:
        MailsealError: the primary does not answer, or has no such zone.
    """
    name = dns.name.from_text(owner)
    for _ in range(_MOST_LABELS):
        said = ask(name, dns.rdatatype.SOA, primary)
        found = next(
            (r for r in (*said.answer, *said.authority) if r.rdtype == dns.rdatatype.SOA), None
        )
        if found is not None and name.is_subdomain(found.name):
            return Authority(found.name, min(found.ttl, found[0].minimum), found[0].serial)
        if name == dns.name.root:
            break
        name = name.parent()
    raise MailsealError(f"{primary} has no zone that {owner} is in")


def read(places: Iterable[Place], at: Nameserver) -> dict[Place, Records | None]:
    """What a server has at these places; None where it has nothing.

    Raises:
        MailsealError: it does not answer, or not as an authority.
    """
    found: dict[Place, Records | None] = {}
    for place in places:
        name, kind = dns.name.from_text(place.owner), dns.rdatatype.from_text(place.kind)
        rrset = next(
            (r for r in ask(name, kind, at).answer if r.name == name and r.rdtype == kind), None
        )
        data = frozenset(map(_data, rrset or ()))
        found[place] = None if rrset is None else Records(rrset.ttl, data)
    return found


def names(zone: Authority, primary: Nameserver) -> Sequence[str]:
    """The names of its name servers, without their last dots."""
    said = ask(zone.name, dns.rdatatype.NS, primary)
    return sorted(
        one.target.to_text(omit_final_dot=True).lower()
        for rrset in said.answer
        if rrset.rdtype == dns.rdatatype.NS
        for one in rrset
    )


def addresses(name: str, at: Nameserver) -> list[str]:
    """The addresses of a name, if it is the server's own to say; none if it has none.

    Raises:
        MailsealError: it does not say.
    """
    owner = dns.name.from_text(name)
    return [
        one.address
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA)
        for rrset in ask(owner, kind, at).answer
        if rrset.rdtype == kind
        for one in rrset
    ]


def ask(name: dns.name.Name, kind: dns.rdatatype.RdataType, at: Nameserver) -> dns.message.Message:
    """An authoritative answer.

    Raises:
        NoRoute: this machine cannot send to such an address.
        MailsealError: there is none.
    """
    query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
    query.flags &= ~dns.flags.RD
    said = _sent(query, at)
    words = f"{at}, asked for {dns.rdatatype.to_text(kind)} of {name.to_text(omit_final_dot=True)}"
    if said.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise MailsealError(f"{words}, answers {dns.rcode.to_text(said.rcode())}", UNDETERMINED)
    if not said.flags & dns.flags.AA:
        raise MailsealError(f"{words}, is no authority for it (lame)", UNDETERMINED)
    if said.errors:
        raise MailsealError(f"{words}, says something malformed", UNDETERMINED)
    return said


def _sent(query: dns.message.Message, at: Nameserver) -> dns.message.Message:
    end, why = time.monotonic() + _TRIES * _SECONDS, "no answer in time"
    for _ in range(_TRIES):
        left = min(_SECONDS, end - time.monotonic())
        try:
            answer = transport.udp(query, at.address, at.port, left)
            return answer or transport.tcp(query, at.address, at.port, left)
        except TimeoutError:
            continue
        except OSError as error:
            why = error.strerror or str(error)
            if error.errno in _NO_ROUTE:
                raise NoRoute(f"{at}: {why}", UNDETERMINED) from None
    raise MailsealError(f"name server {at} does not answer: {why}", UNDETERMINED)


def _data(rdata: object) -> str:
    if isinstance(strings := getattr(rdata, "strings", None), tuple):
        return b"".join(strings).decode("utf-8", "backslashreplace")
    return str(rdata.to_text(chunksize=0)).lower()  # type: ignore[attr-defined]

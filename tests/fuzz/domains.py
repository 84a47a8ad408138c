"""What must hold of what DNS and policy hosts say of a mail domain, whatever that is."""

from contextlib import suppress

import dns.exception
import dns.message
import dns.name

from audit.domain.reading import Read, read
from audit.domain.transport import parsed
from audit.facts import Kind
from audit.wire import mta_sts, tls_rpt

KINDS: tuple[Kind, ...] = ("A", "AAAA", "MX", "PTR", "TLSA", "TXT", "DS", "DNSKEY")
_NAME = "example.org"
_MOST_RECORDS = 65536 // 11  # a name of two octets, and what is before the data


def policy(data: bytes) -> None:
    """A policy that is taken says the same again when it is written down; no other is taken."""
    try:
        found = mta_sts.policy(data)
    except ValueError as error:
        assert str(error)
        assert len(str(error)) < 1000
        return
    assert 0 <= found.max_age <= mta_sts.LONGEST
    assert found.mx or found.mode == "none"
    lines = ["version: STSv1", f"mode: {found.mode}", f"max_age: {found.max_age}"]
    again = "\n".join([*lines, *(f"mx: {pattern}" for pattern in found.mx)])
    assert mta_sts.policy(again.encode()) == found
    for pattern in found.mx:
        assert found.covers(pattern.replace("*", "any"))
        assert not found.covers(f"a.b.c.{pattern.removeprefix('*.')}") or "*" not in pattern


def texts(data: bytes) -> None:
    """Of TXT records only those of the version count, and only whole ones say anything."""
    records = data.decode("utf-8", "backslashreplace").split("\n")
    for record in mta_sts.announced(records):
        assert record.startswith("v=STSv1")
        with suppress(ValueError):
            assert 1 <= len(mta_sts.identity(record)) <= 32
    for record in tls_rpt.announced(records):
        assert record.startswith("v=TLSRPTv1")
        with suppress(ValueError):
            found = tls_rpt.places(record)
            assert found
            assert all(place.lower().startswith(("mailto:", "https://")) for place in found)


def message(data: bytes) -> None:
    """An answer is one or says why not; nothing is read of another name, and nothing twice."""
    kind = KINDS[data[0] % len(KINDS)] if data else "MX"
    answer = parsed(data[1:])
    if answer is None:
        return
    found = read(answer, _NAME, kind)
    assert read(answer, _NAME, kind) == found
    if found.broken:
        assert found == Read(broken=found.broken, failed=found.failed)
        return
    assert len(found.records) <= _MOST_RECORDS
    assert not (found.denied and found.records)
    assert all("\n" not in record or kind == "TXT" for record in found.records)
    if found.records:
        end = dns.name.from_text(found.alias[-1] if found.alias else _NAME)
        assert any(rrset.name == end for rrset in answer.answer)
    with suppress(dns.exception.DNSException):
        assert all(dns.name.from_text(name) for name in found.alias)

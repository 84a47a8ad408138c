"""How the domains that mail was sent to are told: as tables. Pure."""

from collections.abc import Iterator

from audit.report.traffic_rows import PROVIDERS, SUFFIXES, Row, Table, most_of
from audit.traffic.domains import Domains, PutOff, Vouched
from audit.traffic.refusal import REFUSALS

_VOUCHED: dict[Vouched, str] = {
    "dane": "DANE",
    "yes": "a certificate that was verified",
    "no": "a certificate that was not verified",
    "unknown": "with TLS, and what was verified is not logged",
    "plain": "nothing, in clear",
    "not-logged": "whether there was TLS is not logged",
}


def domains(found: Domains, most: int) -> list[Table]:
    """What vouched for the servers of domains, and where it failed."""
    dane = most_of(found.dane, found.recipients, min(PROVIDERS, most))
    where = "Recipients, by what vouched for the server"
    return [
        Table(where, "Vouched for by", "recipients", list(_vouched(found))),
        Table("Domains with DANE", "Domain", "recipients", dane),
        _failing("Put off for want of TLS or of a proof", "attempts", found.put_off, most),
        _failing("Where DANE failed", "connections", found.dane_failed, most),
    ]


def _vouched(found: Domains) -> Iterator[Row]:
    """Nothing is 0 of which nothing is logged."""
    everybody = found.recipients
    for name, count in found.vouched.items():
        if count or name not in ("unknown", "not-logged"):
            yield Row(_VOUCHED[name], count, everybody)
    signed, unknown = found.signed, found.signed.unknown
    told = signed.yes if signed.yes + signed.no else None
    yield Row("its name by DNSSEC (log_selector = +dnssec)", told, everybody, signed.no, unknown)
    if found.mta_sts is None:
        yield Row("under MTA-STS", None, everybody)
    for mode, count in (found.mta_sts or {}).items():
        yield Row(f"under MTA-STS, {mode}", count, everybody)


def _failing(title: str, unit: str, found: list[PutOff], most: int) -> Table:
    counts = {
        f"{' at '.join(filter(None, (one.domain, one.host)))}: {REFUSALS[one.reason]}": one.count
        for one in found
    }
    return Table(title, "Where", unit, most_of(counts, sum(counts.values()), min(SUFFIXES, most)))

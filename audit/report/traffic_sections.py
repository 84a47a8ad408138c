"""What the page of TLS in logs consists of: rows, tables, and versions to be drawn. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice

from msgspec import Struct

from audit.iana import VERSIONS
from audit.traffic.figures import Access, Incoming, Outgoing, Pairs, Parted, Sessions, Traffic

_PROVIDERS = 20
_SUFFIXES = 40
_HUNDRED = 100

SILENT = (
    "whether what it sent or got had one is not logged"
    " (Postfix: smtp_tls_loglevel = 1, smtpd_tls_loglevel = 1)"
)
_KEYS = {
    "ecdhe": "ECDHE",
    "dhe": "DHE",
    "either": "ECDHE or DHE",
    "none": "no forward secrecy",
    "unknown": "key exchange unknown",
}
_VERIFIED = {
    "yes": "verified",
    "no": "not verified",
    "dane": "by DANE",
    "mixed": "sometimes verified",
    "unknown": "unknown",
}


class Row(Struct, frozen=True):
    """A figure, and what it is a share of.

    Attributes:
        name: what is counted.
        count: how many.
        of: of how many; None where it is a share of nothing.
        without, unknown: the others of these; None where there is no such question.
        inner: whether it is a part of the row above.
    """

    name: str
    count: int
    of: int | None = None
    without: int | None = None
    unknown: int | None = None
    inner: bool = False


class Part(Struct, frozen=True):
    """A version as it is drawn: where it begins and how wide it is, of a hundred."""

    name: str
    count: int
    of: int
    colour: str
    begin: float
    wide: float


class Table(Struct, frozen=True):
    """Rows under a heading; None where the log does not have what they would count."""

    title: str
    first: str
    unit: str
    rows: list[Row] | None


class Section(Struct, frozen=True, kw_only=True):
    """One kind of traffic."""

    id: str
    title: str
    unit: str
    total: int
    tls: int
    figures: list[Row]
    versions: list[Part]
    suites: list[Row]
    tables: list[Table]


def sections(found: Traffic) -> Iterator[Section]:
    """Every kind of traffic that the logs have something of."""
    for name, title, mails in (
        ("incoming", "Mails from other servers", found.incoming),
        ("submission", "Mails from people, handed in", found.submission),
    ):
        if mails.mails:
            yield _section(name, title, "mails", mails.mails, mails, (_certificates(mails),))
    if found.outgoing.mails:
        yield _outgoing(found.outgoing)
    if found.access:
        yield _access(found.access)
    if found.own.mails:
        title, own = "Mails from one's own hosts", found.own
        yield _section("own", title, "mails", own.mails, own, (_certificates(own),))


def _section(  # noqa: PLR0913, PLR0917 - all that a section consists of
    name: str,
    title: str,
    unit: str,
    total: int,
    found: Sessions,
    tables: tuple[Table, ...],
    further: tuple[Row, ...] = (),
) -> Section:
    return Section(
        id=name,
        title=title,
        unit=unit,
        total=total,
        tls=found.tls,
        figures=[
            Row("with TLS", found.tls, total, found.plain, found.not_logged or None),
            _parted("forward secrecy", found.forward_secrecy, found.tls),
            _parted("AEAD", found.aead, found.tls),
            _parted("GCM", found.gcm, found.tls),
            Row("without TLS", found.plain, total, found.tls, found.not_logged or None),
            *further,
        ],
        versions=list(_versions(found)),
        suites=[Row(suite, count, found.tls) for suite, count in found.suites.items()],
        tables=list(tables),
    )


def _parted(name: str, parted: Parted, of: int) -> Row:
    return Row(name, parted.yes, of, parted.no, parted.unknown, inner=True)


def _versions(found: Sessions) -> Iterator[Part]:
    begin = 0.0
    newest_first = sorted(found.versions.items(), key=lambda item: _age(item[0]))
    for name, count in newest_first:
        wide = _HUNDRED * count / found.tls if found.tls else 0.0
        colour = f"version-{VERSIONS.index(name)}" if name in VERSIONS else "version-unknown"
        yield Part(name, count, found.tls, colour, round(begin, 3), round(wide, 3))
        begin += wide


def _age(version: str) -> int:
    """The newest first, what is unknown last."""
    return -VERSIONS.index(version) if version in VERSIONS else 1


def _certificates(found: Incoming) -> Table:
    mine = found.client_certificates
    if mine is None:
        return Table("Client certificates", "Certificate", "mails", None)
    rows = [
        Row("with a client certificate", mine.mails, found.tls),
        Row("not verified", mine.unverified, mine.mails, inner=True),
        Row("of these, domain validated", mine.domain_validated, mine.unverified, inner=True),
        Row("different subjects", mine.distinct),
    ]
    return Table("Client certificates", "Certificate", "mails", rows)


def _outgoing(found: Outgoing) -> Section:
    hosts = found.hosts
    verified = [Row(_verified(key), count, found.tls) for key, count in found.verified.items()]
    totals = [
        Row("all", hosts.total),
        Row("sometimes without TLS", hosts.sometimes_tls, hosts.total),
        Row("never with TLS", hosts.never_tls, hosts.total),
        *([Row("not logged", hosts.not_logged, hosts.total)] if hosts.not_logged else []),
    ]
    suffixes = _most(hosts.by_tld, hosts.never_tls, _SUFFIXES)
    return _section(
        "outgoing",
        "Mails to other servers",
        "mails",
        found.mails,
        found,
        (
            Table("The other side's certificate", "Certificate", "mails", verified),
            Table("Providers", "With TLS, to", "mails", _most(found.providers, found.tls)),
            Table("Pairs of cipher and certificate", "Pair", "pairs", _pairs(found.pairs)),
            Table("Hosts", "Host", "hosts", totals),
            Table("Hosts without TLS, by public suffix", "Suffix", "hosts", suffixes),
        ),
        (
            Row("to one host, both with TLS and without", found.mixed, found.mails),
            Row("recipients", found.deliveries),
        ),
    )


def _pairs(found: Pairs | None) -> list[Row] | None:
    if found is None:
        return None
    return [
        Row("all", found.total),
        *(Row(name, getattr(found, key), found.total) for key, name in _KEYS.items()),
        *(Row(_verified(key), count, found.total) for key, count in found.verified.items()),
        Row("of the not verified, domain validated", found.domain_validated, found.verified["no"]),
    ]


def _verified(word: str) -> str:
    return _VERIFIED.get(word, word)


def _most(counts: Mapping[str, int], of: int, most: int = _PROVIDERS) -> list[Row]:
    """The first rows, and the sum of the rest."""
    rows = [Row(name, count, of) for name, count in islice(counts.items(), most)]
    rest = len(counts) - most
    if rest > 0:
        rows.append(Row(f"{rest:,} others", sum(islice(counts.values(), most, None)), of))
    return rows


def _access(found: Access) -> Section:
    return _section(
        "access",
        "Logins to read mail",
        "logins",
        found.logins,
        found,
        (),
        (
            Row("failed, not in the figures above", found.failed),
            Row("refused, for there was no TLS", found.refused_plain),
        ),
    )

"""The figures of TLS in logs as they are told, on a terminal and on a page: one list. Pure."""

from collections.abc import Iterator, Mapping

from audit.iana import VERSIONS
from audit.report.traffic_domains import domains
from audit.report.traffic_rows import (
    PROVIDERS,
    SUFFIXES,
    Part,
    Row,
    Section,
    Table,
    most_of,
)
from audit.traffic.errors import REASONS
from audit.traffic.figures import (
    Access,
    Hosts,
    Incoming,
    Lines,
    Outgoing,
    Pairs,
    Parted,
    Sessions,
    Traffic,
)

_ALL = 1 << 30  # rows of tables that have no natural end
_HUNDRED = 100

# What is not logged, and what would have it logged.
SUBJECTS = (
    "no subject of a certificate is in the logs (Exim names them with log_selector = +tls_peerdn,"
    " and of Postfix none is read)"
)
_MAILS = (
    "Exim names them with log_selector = +tls_cipher, Postfix with smtp_tls_loglevel = 1 and"
    " smtpd_tls_loglevel = 1"
)
_UNNAMED = {
    "access": "Dovecot names them with %k in login_log_format_elements, %{ssl_security} since 2.4"
}
# The kinds of traffic: a title, and what is counted.
_KINDS = {
    "incoming": ("Mails from other servers", "mails"),
    "submission": ("Mails from people, handed in", "mails"),
    "outgoing": ("Mails to other servers", "mails"),
    "access": ("Logins to read mail", "logins"),
    "own": ("Mails from one's own hosts", "mails"),
}
_EXCHANGES = {
    "ecdhe": "ECDHE",
    "dhe": "DHE",
    "either": "ECDHE or DHE, not logged which",
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


def sections(found: Traffic, most: int = _ALL) -> Iterator[Section]:
    """Every kind of traffic that the logs have something of.

    Args:
        found: the figures.
        most: rows of a table that has no natural end; the rest is summed up in one more.
    """
    for name in ("incoming", "submission"):
        mails: Incoming = getattr(found, name)
        if mails.mails:
            yield _section(name, mails, most, [], [_certificates(mails)])
    if found.outgoing.mails:
        yield _section(
            "outgoing", found.outgoing, most, _both_ways(found.outgoing), _to(found.outgoing, most)
        )
    if found.access:
        yield _section("access", found.access, most, _refused(found.access), [])
    if found.own.mails:
        yield _section("own", found.own, most, [], [_certificates(found.own)])


def silent(who: str) -> str:
    """Whether there was TLS is not logged by a program of Postfix on a host: `mx1 postfix/smtp`."""
    program = who.rpartition("/")[2]
    return (
        f"{who} names no TLS session: whether what it sent or got had one is not logged"
        f" ({program}_tls_loglevel = 1)"
    )


def nothing(lines: Lines) -> str:
    """Why the figures mean nothing, where no line is of mail."""
    if not lines.total:
        return "there is no line at all in these logs, or none of the days that were asked for"
    return "no line is one of mail: nothing below means anything"


def failures(found: Traffic) -> list[Row]:
    """Handshakes that failed, by what the log says of it."""
    return [Row(REASONS[reason], count) for reason, count in found.errors.items()]


def _section(
    name: str, found: Sessions, most: int, further: list[Row], tables: list[Table]
) -> Section:
    title, unit = _KINDS[name]
    total: int = getattr(found, unit)
    return Section(
        id=name,
        title=title,
        unit=unit,
        total=total,
        figures=[*_figures(found, total), *further],
        versions=list(_versions(found)),
        unnamed=_UNNAMED.get(name, _MAILS) if found.versions.get("unknown") else "",
        suites=most_of(found.suites, found.tls, most),
        tables=tables,
    )


def _both_ways(found: Outgoing) -> list[Row]:
    return [
        Row("to one host, both with TLS and without", found.mixed, found.mails),
        Row("recipients", found.deliveries),
    ]


def _refused(found: Access) -> list[Row]:
    return [
        Row("failed, not in the figures above", found.failed),
        Row("refused, for there was no TLS", found.refused_plain),
    ]


def _to(found: Outgoing, most: int) -> list[Table]:
    """Whom mail was sent to."""
    providers = most_of(found.providers, found.tls, min(PROVIDERS, most))
    suffixes = most_of(found.hosts.by_tld, found.hosts.never_tls, min(SUFFIXES, most))
    verified = _verified(found.verified, found.tls)
    return [
        Table("The other side's certificate", "Certificate", "mails", verified),
        Table("Providers", "With TLS, to", "mails", providers),
        Table("Pairs of cipher and certificate", "Pair", "pairs", _pairs(found.pairs)),
        Table("Hosts", "Host", "hosts", _hosts(found.hosts)),
        Table("Hosts without TLS, by public suffix", "Suffix", "hosts", suffixes),
        *domains(found.domains, most),
    ]


def _figures(found: Sessions, total: int) -> list[Row]:
    """What there is with TLS and without; nothing is 0 of which nothing is logged."""
    logged = found.not_logged < total or not total
    tls, plain = (found.tls, found.plain) if logged else (None, None)
    unlogged = found.not_logged or None
    return [
        Row("with TLS", tls, total, plain, unlogged),
        _parted("forward secrecy", found.forward_secrecy, found.tls),
        _parted("AEAD", found.aead, found.tls),
        _parted("GCM", found.gcm, found.tls),
        Row("without TLS", plain, total, tls, unlogged),
    ]


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
    rows = (
        None
        if mine is None
        else [
            Row("with a client certificate", mine.mails, found.tls),
            Row("not verified", mine.unverified, mine.mails, inner=True),
            Row("of these, domain validated", mine.domain_validated, mine.unverified, inner=True),
            Row("different subjects", mine.distinct),
        ]
    )
    return Table("Client certificates", "Certificate", "mails", rows)


def _hosts(found: Hosts) -> list[Row]:
    unlogged = [Row("not logged", found.not_logged, found.total)] if found.not_logged else []
    return [
        Row("all", found.total),
        Row("sometimes without TLS", found.sometimes_tls, found.total),
        Row("never with TLS", found.never_tls, found.total),
        *unlogged,
    ]


def _pairs(found: Pairs | None) -> list[Row] | None:
    return (
        None
        if found is None
        else [
            Row("all", found.total),
            *(Row(name, getattr(found, key), found.total) for key, name in _EXCHANGES.items()),
            *_verified(found.verified, found.total),
            Row(
                "of the not verified, domain validated",
                found.domain_validated,
                found.verified["no"],
            ),
        ]
    )


def _verified(found: Mapping[str, int], of: int) -> list[Row]:
    return [Row(_VERIFIED.get(key, key), count, of) for key, count in found.items()]

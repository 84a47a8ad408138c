"""What logs tell of TLS, for people: each figure with what it is a share of."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TextIO

from audit.report.paint import Line, put
from audit.report.traffic_sections import SILENT
from audit.report.visible import visible
from audit.traffic.figures import Access, Incoming, Outgoing, Parted, Sessions, Traffic
from audit.traffic.tables import share

_MOST = 10  # rows of a table that has no natural end; the page has more, JSON all
_WIDTH = 44


def show(found: Traffic, file: TextIO) -> None:
    """Print all figures."""
    put(_text(found), file)


def _text(found: Traffic) -> Iterator[Line]:
    yield from _whole(found)
    for title, mails in (
        ("Mails from other servers", found.incoming),
        ("Mails from people, handed in", found.submission),
    ):
        if mails.mails:
            yield from _incoming(title, mails)
    if found.outgoing.mails:
        yield from _outgoing(found.outgoing)
    if found.access:
        yield from _access(found.access)
    yield from _errors(found)
    yield from _months(found)


def _whole(found: Traffic) -> Iterator[Line]:
    lines = found.lines
    yield (
        (found.period, "bold"),
        f": {lines.total:,} lines, {lines.with_tls:,} of them with a TLS session",
    )
    if not found.whole:
        yield ((f"{lines.lost:,} lines with a TLS session are NOT counted", "bold red"),)
    if lines.ambiguous:
        yield ((f"{lines.ambiguous:,} lines are ambiguous, and in no figure", "yellow"),)
    if not found.counted:
        yield (("no line is one of mail: nothing below means anything", "bold red"),)
    for who in found.silent:
        yield ((f"  {visible(who)} names no TLS session: {SILENT}", "yellow"),)
    for line in found.ambiguous:
        yield (("  could be read in more than one way: ", "yellow"), visible(line[:200]))


def _incoming(title: str, found: Incoming) -> Iterator[Line]:
    yield from _sessions(title, "mails", found.mails, found)
    certificates = found.client_certificates
    if certificates is None:
        yield _not_logged("client certificates")
    else:
        yield _row("with a client certificate", certificates.mails, found.tls)
        yield _row("  not verified", certificates.unverified, certificates.mails)
        yield _row(
            "  of these domain validated", certificates.domain_validated, certificates.unverified
        )


def _outgoing(found: Outgoing) -> Iterator[Line]:
    yield from _sessions("Mails to other servers", "mails", found.mails, found)
    yield _row("sent both ways to a host", found.mixed, found.mails)
    yield _row("recipients", found.deliveries)
    for name, count in found.verified.items():
        yield _row(f"certificate verified: {name}", count, found.tls)
    yield from _most("with TLS, by provider", found.providers, found.tls)
    pairs = found.pairs
    if pairs is None:
        yield _not_logged("pairs of cipher and certificate")
    else:
        yield _row("pairs of cipher and certificate", pairs.total)
        for name in ("ecdhe", "dhe", "either", "none", "unknown"):
            yield _row(f"  key exchange {name}", getattr(pairs, name), pairs.total)
        for name, count in pairs.verified.items():
            yield _row(f"  verified: {name}", count, pairs.total)
        yield _row("  of no: domain validated", pairs.domain_validated, pairs.verified["no"])
    hosts = found.hosts
    yield _row("hosts", hosts.total)
    yield _row("  sometimes without TLS", hosts.sometimes_tls, hosts.total)
    yield _row("  never with TLS", hosts.never_tls, hosts.total)
    yield from _most("  by top-level domain", hosts.by_tld, hosts.never_tls)


def _access(found: Access) -> Iterator[Line]:
    yield from _sessions("Logins to read mail", "logins", found.logins, found)
    yield _row("failed", found.failed)
    yield _row("refused, for there was no TLS", found.refused_plain)
    for who in found.users[:_MOST]:
        name = f"{visible(who.user)} from {visible(who.address)}"
        yield (f"    {name}: {who.count:,}, last {who.last_seen}",)
    if len(found.users) > _MOST:
        yield (f"    and {len(found.users) - _MOST:,} more",)


def _errors(found: Traffic) -> Iterator[Line]:
    if found.errors:
        yield ()
        yield (("Handshakes that failed", "bold"),)
        for reason, count in found.errors.items():
            yield _row(reason, count)
        yield _row("hosts with old versions only", len(found.failing))
        for host in found.failing[:_MOST]:
            yield (f"    {visible(host.address)}: {host.count:,}, last {host.last_seen}",)


def _months(found: Traffic) -> Iterator[Line]:
    yield ()
    yield (("Share with TLS", "bold"), "        incoming   outgoing")
    for month in found.months:
        shares = _percent(month.incoming_share), _percent(month.outgoing_share)
        yield (f"  {month.month:20}{shares[0]:>8}   {shares[1]:>8}",)


def _sessions(title: str, unit: str, total: int, found: Sessions) -> Iterator[Line]:
    yield ()
    yield ((title, "bold"),)
    yield _row(unit, total)
    yield _row("with TLS", found.tls, total)
    yield _row("without TLS", found.plain, total)
    if found.not_logged:
        yield _row("not logged", found.not_logged, total)
    for name, parted in (
        ("forward secrecy", found.forward_secrecy),
        ("AEAD", found.aead),
        ("GCM", found.gcm),
    ):
        yield _parted(name, parted, found.tls)
    for version, count in found.versions.items():
        yield _row(version, count, found.tls)
    yield from _most("suites", found.suites, found.tls)


def _parted(name: str, parted: Parted, of: int) -> Line:
    unknown = f"; {parted.unknown:,} unknown" if parted.unknown else ""
    return (*_row(name, parted.yes, of), f"; {parted.no:,} without{unknown}")


def _most(title: str, counts: Mapping[str, int], of: int) -> Iterator[Line]:
    yield (f"  {title}",)
    for name, count in islice(counts.items(), _MOST):
        yield _row(f"  {visible(name)}", count, of)
    rest = len(counts) - _MOST
    if rest > 0:
        yield _row(f"  {rest:,} others", sum(islice(counts.values(), _MOST, None)), of)


def _row(name: str, count: int, of: int | None = None) -> Line:
    part = f"{_percent(share(count, of)):>8}" if of is not None else ""
    return (f"  {name:{_WIDTH}}  {count:>12,}{part}",)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}%"


def _not_logged(name: str) -> Line:
    return (f"  {name:{_WIDTH}}  {'not logged':>12}  (Exim: log_selector = +tls_peerdn)",)

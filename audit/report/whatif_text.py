"""Who a policy would hurt, on a terminal: whom to phone first, the word on it last."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from audit.policy.model import Traffic
from audit.report import whatif_sending
from audit.report.paint import Line, painted, put
from audit.report.summary import plural
from audit.report.visible import visible
from audit.whatif.document import ClientDocument, SharesDocument, TrafficDocument
from audit.whatif.document import WhatIfDocument as WhatIf

TITLES: dict[Traffic, str] = {
    "mx": "Port 25, from other servers",
    "submission": "Submission, from people",
    "access": "POP3, IMAP and ManageSieve",
    "outgoing": "To other servers",
}
GUESSES = {
    "": "",
    "usual": "if it does what clients usually do",
    "modelled": "modelled: as recorded clients that negotiate the same",
}
_STYLES = {"break": "bold red", "unknown": "bold yellow", "keep": "bold green"}
_MOST = 40  # of each kind; all are in the JSON
_LONGEST = 400  # characters of evidence
_PER_CENT = 100


def show(found: WhatIf, file: TextIO) -> None:
    """Print it; with colours if the file is a terminal that wants them."""
    put(_lines(found), file)


def text(found: WhatIf) -> bytes:
    """The same as plain text."""
    return "".join(f"{painted(line, colour=False)}\n" for line in _lines(found)).encode()


def days(found: WhatIf) -> str:
    """Those of the logs, in words."""
    if not found.first:
        return "no day"
    return found.first if found.first == found.last else f"{found.first} to {found.last}"


def headline(found: WhatIf) -> tuple[str, str]:
    """The verdict, and a sentence; of the rules that were asked for as well."""
    verdict, words = _policy(found)
    for rule in found.sending:
        worse, more = whatif_sending.sentence(rule)
        verdict = max(verdict, worse, key=("keep", "unknown", "break").index)
        words = f"{words}; {more}"
    return verdict, words


def _policy(found: WhatIf) -> tuple[str, str]:
    broken = [one for one in found.clients if one.verdict == "break"]
    unknown = [one for one in found.clients if one.verdict == "unknown"]
    if broken:
        words = f"{people(broken)} would be hurt by {found.policy}"
        more = f"; of {people(unknown)} it is not known" if unknown else ""
        return "break", words + more
    if unknown:
        return (
            "unknown",
            f"Nobody breaks for certain under {found.policy}; of {people(unknown)} it is not known",
        )
    if not found.traffic:
        return "unknown", "Nobody was seen in these logs: of nobody anything can be said"
    return "keep", f"Nobody who was seen would be hurt by {found.policy}"


def people(rows: Sequence[ClientDocument]) -> str:
    """3 users and 12 hosts: how many there are to talk to."""
    users = len({row.user for row in rows if row.user})
    hosts = len({(row.traffic, row.client) for row in rows if not row.user})
    parts = [plural(users, "user")] if users else []
    parts += [plural(hosts, "host")] if hosts else []
    return " and ".join(parts) or "nobody"


def share(count: int, total: int) -> str:
    """A share of a hundred, never rounded to all or nothing."""
    if not total:
        return "-"
    if 0 < count < total:
        return f"{min(max(_PER_CENT * count / total, 0.1), 99.9):.1f}%"
    return "100%" if count else "0%"


def unseen(one: TrafficDocument) -> str:
    """The rule of three, in words."""
    if one.unseen is None:
        return ""
    rarer = f"{_PER_CENT * one.unseen:.3g}%"
    return f"what was not seen at all is rarer than {rarer} of all {one.unit} (95%)"


def _lines(found: WhatIf) -> Iterator[Line]:
    yield (
        (visible(f"What if {found.policy}?"), "bold reverse"),
        f"  logs of {visible(days(found))}",
    )
    for use, one in found.traffic.items():
        yield from _traffic(use, one)
    for rule in found.sending:
        yield from whatif_sending.lines(rule)
    yield ()
    for verdict, heading in (("break", "Would break"), ("unknown", "Not known")):
        yield from _people(heading, verdict, [c for c in found.clients if c.verdict == verdict])
    if found.already:
        yield (("Cannot connect even now, and not charged to the policy", "bold"),)
        for who in found.already[:_MOST]:
            times = f"{plural(who.count, 'time')} until {who.last_seen}: {who.reason}"
            name = " ".join(filter(None, (who.user, who.client)))
            yield (f"  {visible(name)}  {who.traffic}, {visible(times)}",)
        yield from _rest(len(found.already))
    for notice in found.notices:
        yield (("note  ", "bold blue"), visible(notice, longest=_LONGEST))
    verdict, sentence = headline(found)
    yield ((f"{visible(sentence)}.", _STYLES[verdict]),)


def _traffic(use: Traffic, one: TrafficDocument) -> Iterator[Line]:
    total = one.keep + one.broken + one.unknown
    yield ()
    yield ((TITLES[use], "bold"), f"  {total:,} {one.unit}, {one.plain:,} of them without TLS")
    for verdict, count in (("keep", one.keep), ("break", one.broken), ("unknown", one.unknown)):
        yield (
            "  ",
            (f"{verdict:8}", _STYLES[verdict]),
            f"{count:>10,} {share(count, total):>6}  {_counts(verdict, one)}",
        )
    yield (("  bounds  ", "dim"), f"{one.lower:,} to {one.upper:,} {one.unit} break; {unseen(one)}")
    if one.unknown:
        yield (("  likely  ", "dim"), likely(one.likely))
    source = "; ".join(one.server) or "not known"
    library = f" ({one.library})" if one.library else ""
    yield (("  server  ", "dim"), visible(source, longest=_LONGEST) + library)


def likely(shares: SharesDocument) -> str:
    """What is to be expected of the unknown ones."""
    return (
        f"of the unknown ones {shares.keep:,} go on and {shares.broken:,} break,"
        f" if they are like others; of {shares.unknown:,} not even that can be said"
    )


def _counts(verdict: str, one: TrafficDocument) -> str:
    field = "broken" if verdict == "break" else verdict
    parts = [plural(getattr(one.clients, field), "host")]
    if one.users.total:
        parts.append(plural(getattr(one.users, field), "user"))
    return ", ".join(parts)


def _people(heading: str, verdict: str, rows: Sequence[ClientDocument]) -> Iterator[Line]:
    if not rows:
        return
    yield ((f"{heading}, the heaviest first: {people(rows)}", _STYLES[verdict]),)
    for row in rows[:_MOST]:
        name = " ".join(filter(None, (row.user, row.client)))
        effect = f", {row.effect}" if row.effect else ""
        yield (
            "  ",
            (visible(name), _STYLES[verdict]),
            f"  {row.traffic}, {row.weight:,} until {visible(row.last_seen)}{effect}",
        )
        yield (("    ", ""), visible(row.evidence, longest=_LONGEST) + basis(row))
    yield from _rest(len(rows))


def basis(row: ClientDocument) -> str:
    """What a verdict rests on beside the log, or what is likely and by what."""
    if row.source != "log":
        return f" [{row.source}]"
    if row.verdict == "unknown" and row.likely != "unknown":
        return f" [likely {row.likely}, {GUESSES[row.guess]}]"
    return ""


def _rest(count: int) -> Iterator[Line]:
    if count > _MOST:
        yield (f"  and {count - _MOST:,} more (--json has all)",)

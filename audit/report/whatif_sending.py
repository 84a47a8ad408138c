"""What a stricter rule for outgoing mail would do, in words: on a terminal, and for the page."""

from collections.abc import Iterator
from typing import Literal

from audit.report.paint import Line
from audit.report.summary import plural
from audit.report.visible import visible
from audit.whatif.document import DomainDocument, Rule, SendingDocument, Verdict

NAMES: dict[Rule, str] = {"dane": "DANE", "verified": "a verified certificate"}
_STYLES: dict[Verdict, str] = {"break": "bold red", "unknown": "bold yellow", "keep": "bold green"}
_MOST = 40  # of each kind; all are in the JSON
_LONGEST = 400  # characters of evidence
_ALL = ["*"]


def title(one: SendingDocument) -> str:
    """What is required, and of whom."""
    whom = "every domain" if one.asked == _ALL else plural(len(one.asked), "domain")
    return f"If {NAMES[one.rule]} were required of {whom}"


def sentence(one: SendingDocument) -> tuple[Verdict, str]:
    """The verdict on a rule, and a sentence without its end."""
    required = f"requiring {NAMES[one.rule]}"
    broken, unknown = plural(one.domains.broken, "domain"), plural(one.domains.unknown, "domain")
    if one.broken:
        more = f"; of {unknown} it is not known" if one.unknown else ""
        return "break", f"{required} would stop mail to {broken}{more}"
    if one.unknown:
        return "unknown", f"{required} stops mail to nobody for certain; of {unknown} not known"
    if not one.domains.total:
        return "unknown", f"no mail went to a domain of which {NAMES[one.rule]} would be required"
    if one.not_observed:
        whom = plural(len(one.not_observed), "domain")
        return (
            "unknown",
            f"{required} would stop no mail that was seen; none went to {whom}",
        )
    return "keep", f"{required} would stop no mail that was seen"


def rows(one: SendingDocument, verdict: Literal["break", "unknown"]) -> list[DomainDocument]:
    """The domains of a verdict, the heaviest first."""
    return [row for row in one.rows if row.verdict == verdict]


def lines(one: SendingDocument) -> Iterator[Line]:
    """All of it for a terminal."""
    total = one.keep + one.broken + one.unknown
    yield ()
    yield ((title(one), "bold"), f"  {total:,} recipients, {plural(one.domains.total, 'domain')}")
    shares: tuple[tuple[Verdict, int, int], ...] = (
        ("keep", one.keep, one.domains.keep),
        ("break", one.broken, one.domains.broken),
        ("unknown", one.unknown, one.domains.unknown),
    )
    for verdict, count, domains in shares:
        yield "  ", (f"{verdict:8}", _STYLES[verdict]), f"{count:>10,}  {plural(domains, 'domain')}"
    yield (
        ("  bounds  ", "dim"),
        f"{one.lower:,} to {one.upper:,} recipients get no mail",
    )
    yield from _domains("Would break", "break", rows(one, "break"))
    yield from _domains("Not known", "unknown", rows(one, "unknown"))
    if one.already:
        yield (("  Fails even now, and is not charged to it", "bold"),)
        for who in one.already[:_MOST]:
            where = " at ".join(filter(None, (who.domain, who.host)))
            times = f"{plural(who.count, 'time')} until {who.last_seen}: {who.reason}"
            yield (f"    {visible(where)}  {visible(times)}",)
        yield from _rest(len(one.already))
    if one.not_observed:
        names = ", ".join(one.not_observed)
        yield (("  note  ", "bold blue"), f"no mail went to {visible(names, longest=_LONGEST)}")


def _domains(heading: str, verdict: Verdict, found: list[DomainDocument]) -> Iterator[Line]:
    if not found:
        return
    yield ((f"  {heading}, the heaviest first", _STYLES[verdict]),)
    for row in found[:_MOST]:
        effect = f", {row.effect}" if row.effect else ""
        yield (
            "    ",
            (visible(row.domain or "no domain named"), _STYLES[verdict]),
            f"  {row.weight:,} until {visible(row.last_seen)}{effect}",
        )
        yield (f"      {visible(row.evidence, longest=_LONGEST)}",)
    yield from _rest(len(found))


def _rest(count: int) -> Iterator[Line]:
    if count > _MOST:
        yield (f"    and {count - _MOST:,} more (--json has all)",)

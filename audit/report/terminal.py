"""The report on a terminal, or in a pipe: changes, then failures; the line that counts last."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from audit.findings import UNTESTED, Finding, Run, Verdict
from audit.past import NO_PAST, Past
from audit.report.paint import Line, painted, put
from audit.report.portrait import BEHAVES, Portrait, accepted, portraits
from audit.report.summary import Summary, by_place, by_policy, place, plural, summarize
from audit.report.visible import visible

_HEADINGS: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("Failed", "bold red"),
    "inconclusive": ("Could not be determined", "bold yellow"),
    "waived": ("Waived", "bold blue"),
}
# Characters of one line; a list of suites goes on in the other formats.
_LONGEST = 300
_EXPECTED = 120
_LABEL = 13


def show(run: Run, file: TextIO, past: Past = NO_PAST, *, facts: bool = False) -> None:
    """Print the run; with colours if the file is a terminal that wants them.

    Args:
        run: what was found.
        file: standard output.
        past: what was before it; the changes come first.
        facts: also what each endpoint showed, as `mailseal scan` does.
    """
    put(_lines(run, past, facts=facts), file)


def text_document(run: Run, past: Past = NO_PAST) -> bytes:
    """The same as plain text, for mails and files."""
    return words(run, past, facts=True).encode()


def words(run: Run, past: Past = NO_PAST, *, facts: bool = False) -> str:
    """The same as `show`, without colours."""
    lines = _lines(run, past, facts=facts)
    return "".join(f"{painted(line, colour=False)}\n" for line in lines)


def _lines(run: Run, past: Past, *, facts: bool) -> Iterator[Line]:
    """Every line as long as it is: a terminal wraps it, grep finds it whole."""
    if past.known:
        from audit.report.changed import since  # a scan has no past, and does not wait for it

        yield from since(past)
    if facts:
        yield from _domains(run)
        for portrait in portraits(run):
            yield from _facts(portrait)
            yield ()
    blocks = list(by_policy(run)) if len(run.policies) > 1 else [run]
    for block in blocks:
        yield from _block(block, named=len(blocks) > 1)
    if len(blocks) > 1 and run.planned != run.executed:
        yield _missing(run)


def _block(run: Run, *, named: bool) -> Iterator[Line]:
    """What one policy has to say; its sum is the last line."""
    if named:
        heading = visible(f"Policy {run.policy.id} of {run.policy.version}")
        yield ((heading, "bold reverse"),)
        yield ()
    for verdict, (heading, style) in _HEADINGS.items():
        places = by_place(run.findings, verdict)
        if places:
            yield ((heading, style),)
        for where, findings in places.items():
            yield ((visible(where), "bold"),)
            yield from _findings(findings, style)
        if places:
            yield ()
    yield from _leaving(run.findings)
    for notice in run.notices:
        yield ((visible(notice), "bold yellow"),)
    if run.notices:
        yield ()
    summary = summarize(run)
    if summary.missing:
        yield _missing(run)
    yield ((summary_line(summary, run), "bold"),)
    if named:
        yield ()


def _leaving(findings: Iterable[Finding]) -> Iterator[Line]:
    """Passes that end with a day: the same words once, with the number of places."""
    places: dict[tuple[str, str], list[str]] = {}
    for f in findings:
        if f.verdict == "pass" and f.level == "phase-out":
            places.setdefault((f.check, f.observed), []).append(place(f))
    if places:
        yield (("On phase-out, still passed", "bold cyan"),)
    for (check, observed), where in places.items():
        others = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield (
            "  ",
            (visible(check), "cyan"),
            f"  {visible(observed, longest=_LONGEST)}",
            ("; on ", "dim"),
            visible(where[0]) + others,
        )
    if places:
        yield ()


def _findings(findings: list[Finding], style: str) -> Iterator[Line]:
    untested = [f for f in findings if f.observed == UNTESTED]
    told = [f for f in findings if f.observed != UNTESTED]
    width = max((len(f.check) for f in told), default=0)
    for f in told:
        yield (
            "  ",
            (f"{visible(f.check):<{width}}", style),
            f"  {visible(f.observed, longest=_LONGEST)}",
            (f" [{f.level}]" if f.level else "", "dim"),
            ("; expected: ", "dim"),
            visible(f.expected, longest=_EXPECTED),
        )
        if f.waiver:
            yield ("  ", f"{'':<{width}}  ", (visible(f.waiver.accepted), style))
    for why, count in Counter(f.evidence for f in untested).items():
        yield (
            "  ",
            (plural(count, "check"), style),
            f" {UNTESTED}: {visible(why, longest=_LONGEST)}",
        )


def _missing(run: Run) -> Line:
    missing = run.planned - run.executed
    words = f"Planned {run.planned} checks, made {run.executed}: {missing} are missing."
    return ((words, "bold red"),)


def summary_line(summary: Summary, run: Run) -> str:
    """One line: how many checks, what came of them, where, by which policy, in what time."""
    count = summary.counts
    parts = [
        f"{count['pass']:,} passed",
        f"{count['fail']:,} failed",
        f"{count['inconclusive']:,} inconclusive",
        f"{count['waived']:,} waived",
    ]
    if count["not-applicable"]:
        parts.append(f"{count['not-applicable']:,} not applicable")
    line = (
        f"{plural(run.executed, 'check')}: {', '.join(parts)} on {plural(summary.hosts, 'host')}, "
        f"{plural(summary.endpoints, 'endpoint')}, policy {visible(run.policy.id)}"
    )
    return line if summary.seconds is None else f"{line}, {summary.seconds:.1f} s"


def _domains(run: Run) -> Iterator[Line]:
    if not run.domains:
        return
    from audit.report.domains import rows  # other runs have none, and do not wait for it

    for one in run.domains:
        yield ((visible(one.domain), "bold"),)
        yield from (_row(label, value) for label, value in rows(one))
        yield ()


def _facts(portrait: Portrait) -> Iterator[Line]:
    yield ((visible(portrait.host), "bold"),)
    for port, addresses in portrait.ports.items():
        yield (f"  {port}  ", (visible(" ".join(addresses)), "dim"))
    if portrait.reach:
        yield _row("reached", portrait.reach)
    if portrait.versions:
        said = " ".join(accepted(portrait.versions, "accepted")) or "none"
        refused = " ".join(accepted(portrait.versions, "refused"))
        unknown = " ".join(accepted(portrait.versions, "inconclusive"))
        said += f"; refused: {refused}" if refused else ""
        yield _row("versions", said + (f"; inconclusive: {unknown}" if unknown else ""))
    for negotiated in portrait.negotiated:
        groups = f"; groups {' '.join(negotiated.groups)}" if negotiated.groups else ""
        yield _row(negotiated.version, f"in {negotiated.order}{groups}")
        for suite in negotiated.suites:
            yield _row("", suite)
    rows = [
        *(("certificate", certificate) for certificate in portrait.certificates),
        ("before TLS", portrait.plaintext),
        ("besides", ", ".join(portrait.extras)),
        *((BEHAVES[seen].lower(), ", ".join(n)) for seen, n in portrait.behaviours.items()),
        ("effort", f"{portrait.connections} connections, {portrait.seconds:.1f} s"),
        *(("error", error) for error in portrait.errors),
    ]
    yield from (_row(label, value) for label, value in rows if value)


def _row(label: str, value: str) -> Line:
    return ("  ", (f"{label:<{_LABEL}}", "dim"), visible(value, longest=_LONGEST))

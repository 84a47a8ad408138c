"""The catalogue as a page: ``python -m audit.judge.table > docs/checks.md``."""

from collections.abc import Iterator

from audit.judge.catalogue import CATALOGUE, SUBJECTS, Check


def page() -> str:
    """The page."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Checks"
    yield ""
    yield "Made from `audit/judge/catalogue/` by `python -m audit.judge.table`."
    yield ""
    yield "| check | what holds | severity | connections |"
    yield "| --- | --- | --- | --- |"
    for check in CATALOGUE.values():
        link = f"[{check.id}](#{check.id.lower()})"
        yield f"| {link} | {check.title} | {check.severity} | {check.connections} |"
    for title, rows in SUBJECTS.items():
        yield ""
        yield f"## {title}"
        for check in rows:
            yield ""
            yield from _check(check)


def _check(check: Check) -> Iterator[str]:
    yield f"### {check.id}"
    yield ""
    yield f"**{check.title}.** Severity {check.severity}.{_where(check)}"
    yield ""
    yield f"{check.why}"
    yield ""
    yield f"*How:* {check.how} *Connections:* {check.connections}."
    yield ""
    yield f"*To mend:* {check.fix}"
    yield ""
    yield f"*References:* {'; '.join(check.references)}."


_SCOPES = {
    "domain": "for each mail domain (mailseal_domains, mailseal scan --domain)",
    "mx": "for each server that takes mail for a domain",
    "mx-address": "for each address of a server that takes mail for a domain",
}


def _where(check: Check) -> str:
    words = [_SCOPES[check.scope]] if check.scope in _SCOPES else []
    words += [f"for {', '.join(check.services)}"] if check.services else []
    if check.before_tls:
        words.append("where there is a time before TLS")
    if check.required_only:
        words.append("where the policy makes TLS mandatory")
    if check.rule:
        words.append(f"where the policy has {check.rule[0]}: {check.rule[1]}")
    if check.dhe_only:
        words.append("where the policy sets the size")
    if check.thorough:
        words.append("where more than a quick look is taken")
    if check.served:
        words.append("also where only a part of the cluster is audited")
    made = f" Made {', '.join(words)}." if words else ""
    but = " Not applicable where DANE-EE records vouch for every key served."
    return made + (but if check.by_authority else "")


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201

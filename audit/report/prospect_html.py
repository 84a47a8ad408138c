"""A staging as one HTML file, with the style of the audit's page and no script at all."""

from audit.prospect.result import Staged
from audit.report import prospect_words as words
from audit.report.html import digest, sandboxed
from audit.report.shifts import shifts
from audit.report.summary import moment


def staging_page(found: Staged) -> bytes:
    """The result as one page."""
    environment = sandboxed()
    style = environment.get_template("style.css.j2").render()
    asked = found.production
    times = moment(found.started), moment(found.finished)
    page = environment.get_template("staging.html.j2").render(
        found=found,
        words=words,
        title=words.title(found),
        headline=(words.VERDICTS[found.outcome], words.headline(found)),
        seconds=(times[1] - times[0]).total_seconds() if times[0] and times[1] else None,
        counts=words.counts(found.turns),
        clients=words.by_kind(found.turns),
        others=[t for t in found.turns if t.kind == "other"],
        places=words.places(found.served),
        shifts=shifts(found.changes),
        files=words.files(found.files),
        asked=asked,
        expected=words.files(asked.deployment.files) if asked else [],
        style=style,
        style_hash=digest(style),
    )
    return page.encode()

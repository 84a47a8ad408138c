"""A staging as one HTML file."""

from audit.prospect.result import Staged
from audit.report import prospect_words as words
from audit.report.page import page
from audit.report.shifts import shifts
from audit.report.strip import lasted
from audit.report.summary import moment


def staging_page(found: Staged) -> bytes:
    """The result as one page."""
    asked = found.production
    times = moment(found.started), moment(found.finished)
    return page(
        "staging.html.j2",
        filters={},
        words={"words": words},
        styles=("diff.css.j2",),
        found=found,
        title=words.title(found),
        headline=(words.VERDICTS[found.outcome], words.headline(found)),
        took=lasted((times[1] - times[0]).total_seconds()) if times[0] and times[1] else "",
        counts=words.counts(found.turns),
        clients=words.by_kind(found.turns),
        others=[t for t in found.turns if t.kind == "other"],
        places=words.places(found.served),
        shifts=shifts(found.changes),
        files=words.files(found.files),
        asked=asked,
        expected=words.files(asked.deployment.files) if asked else [],
    )

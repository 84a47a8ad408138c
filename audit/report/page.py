"""What all HTML pages have in common: one file, no external assets, safe to mail around.

Everything in it may come from a hostile server. Every expression goes through `visible` and
jinja2's escaping, and a Content-Security-Policy names the hashes of our own style and script, so
that nothing else would run even if an escape were missing.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from audit import __version__
from audit.changes import Kind
from audit.findings import Verdict
from audit.report.summary import moment, plural
from audit.report.visible import visible

# Name and symbol: a verdict is never told by colour alone.
VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    "fail": ("failed", "✕"),
    "inconclusive": ("inconclusive", "?"),
    "waived": ("waived", "w"),
    "pass": ("passed", "✓"),
    "not-applicable": ("not applicable", "\N{EN DASH}"),
}

# How a change is called, and what it means.
KINDS: Mapping[Kind, tuple[str, str]] = {
    "new": ("New", "failures and doubts that were not there before"),
    "lost": ("Lost", "checks that are no longer made: somebody took an endpoint or a host away"),
    "fixed": ("Fixed", "failures and doubts that are gone"),
    "waived": ("Waived", "failures that are accepted now"),
    "changed": ("Changed", "the same verdict on something else"),
    "added": ("Added", "checks that were not made before, and are fine"),
}


def page(
    template: str,
    *,
    filters: Mapping[str, Callable[..., Any]],
    words: Mapping[str, Any],
    styles: tuple[str, ...] = (),
    **context: Any,  # noqa: ANN401 - whatever the template names
) -> bytes:
    """A page.

    Args:
        template: its name.
        filters: of this page, beside those that all have.
        words: likewise, what every template of it knows.
        styles: further style sheets.
        context: what the template is about.
    """
    environment = _environment()
    environment.filters |= filters
    environment.globals |= words
    sheets = [environment.get_template(name).render() for name in ("style.css.j2", *styles)]
    style = "".join(sheets)
    script = environment.get_template("report.js.j2").render()
    made = environment.get_template(template).render(
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        **context,
    )
    return made.encode()


def minute(stamp: str) -> str:
    """A time as people write it; what is none stays as it is."""
    time = moment(stamp)
    return f"{time:%-d %B %Y, %H:%M} UTC" if time else stamp


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters |= {"lines": _lines, "plural": plural, "minute": minute, "kind_of": _kind}
    environment.globals |= {"verdicts": VERDICTS, "kinds": KINDS, "version": __version__}
    return environment


def _harmless(value: Any) -> Any:  # noqa: ANN401 - jinja2 hands us whatever a template names
    """Every text that is not our own markup, with its control characters made visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Evidence of several lines, for a place where none of them can be taken for ours."""
    return escape(visible(text, lines=True))


def _kind(line: str) -> str:
    """What a line of a difference is."""
    return {"+": "ins", "-": "del", "@": "at"}.get(line[:1], "same")


def _hash(text: str) -> str:
    """As Content-Security-Policy names an inline style or script."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

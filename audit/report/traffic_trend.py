"""Shares of mails with TLS over time, as a picture."""

from collections.abc import Mapping

from markupsafe import Markup

from audit.report.plot import bare, charts, settings
from audit.report.visible import visible
from audit.traffic.shares import Trend

# What is drawn, in the order of its colours.
DRAWN: Mapping[str, str] = {"incoming": "incoming", "outgoing": "outgoing"}
_MOST = 36  # periods; a bar must stay wide enough to be seen
_LABELS = 12  # of them named along the axis
_SIZE = 1000, 220


def trend(found: Trend) -> Markup | None:
    """The last of them; None if there is none."""
    if not found.periods:
        return None
    shown = found.periods[-_MOST:]
    named = range(len(shown) - 1, -1, -max(1, -(-len(shown) // _LABELS)))
    chart = charts().Bar(
        range=(0, 100),
        y_labels=[{"value": value, "label": f"{value}%"} for value in range(0, 101, 25)],
        x_labels=[visible(one.period) if place in named else "" for place, one in enumerate(shown)],
        **settings(_SIZE),
    )
    titles = []
    for name in DRAWN:
        shares = [(one.period, getattr(one, f"{name}_share")) for one in shown]
        chart.add(name, [share for _, share in shares])
        titles.append(
            [
                f"{visible(period)}: {share:.1f}% {name}"
                for period, share in shares
                if share is not None
            ]
        )
    return bare(chart.render(is_unicode=True), _SIZE, titles)

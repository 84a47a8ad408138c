"""Shares of mails with TLS by month, as a picture."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from audit.report.plot import bare, charts, settings
from audit.report.visible import visible
from audit.traffic.figures import Month

# What is drawn, in the order of its colours.
DRAWN: Mapping[str, str] = {"incoming": "incoming", "outgoing": "outgoing"}
_MOST = 36  # months; a bar must stay wide enough to be seen
_LABELS = 12  # months named along the axis
_SIZE = 1000, 220


def months(found: Sequence[Month]) -> Markup | None:
    """The last of them; None if there is none."""
    if not found:
        return None
    shown = found[-_MOST:]
    named = range(len(shown) - 1, -1, -max(1, -(-len(shown) // _LABELS)))
    chart = charts().Bar(
        range=(0, 100),
        y_labels=[{"value": value, "label": f"{value}%"} for value in range(0, 101, 25)],
        x_labels=[
            visible(month.month) if place in named else "" for place, month in enumerate(shown)
        ],
        **settings(_SIZE),
    )
    titles = []
    for name in DRAWN:
        shares = [(month.month, getattr(month, f"{name}_share")) for month in shown]
        chart.add(name, [share for _, share in shares])
        titles.append(
            [
                f"{visible(month)}: {share:.1f}% {name}"
                for month, share in shares
                if share is not None
            ]
        )
    return bare(chart.render(is_unicode=True), _SIZE, titles)

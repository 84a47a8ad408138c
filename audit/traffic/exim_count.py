"""What the quick ways through Exim's lines, `exim_lines` and its twin in C, count at once. Pure."""

from audit.traffic.tally import Kind

# Lines that matter to no message, by kind and whether they name a session.
COUNTED: tuple[tuple[Kind, bool], ...] = (
    ("completed", False),
    ("deferral", False),
    ("failure", False),
    ("delivery", False),
    ("reject", False),
    ("reject", True),
    ("other", False),
    ("other", True),
)

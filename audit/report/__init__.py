"""Findings and facts as people and programs read them: one reporter per file.

Importing this package is cheap: what a reporter rests on is loaded when it is asked for.
"""

from audit.report.reporters import REPORTERS, Reporter, render, wanted, write

__all__ = ["REPORTERS", "Reporter", "render", "wanted", "write"]

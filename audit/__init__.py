"""mailseal's auditor: one policy in, evidence out."""

__version__ = "0.1.0"

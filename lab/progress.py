"""One line per step with the time since the command began, for people and for logs alike."""

import sys
import time

_began = time.monotonic()


def say(step: str) -> None:
    """Print a step at once: a build that says nothing for a minute looks like one that hangs."""
    sys.stdout.write(f"[{time.monotonic() - _began:6.1f} s] {step}\n")
    sys.stdout.flush()

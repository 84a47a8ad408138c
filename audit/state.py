"""Where what lasts from run to run is kept, if nobody says."""

import os
from pathlib import Path


def directory() -> Path:
    """The machine's own for root, otherwise the user's (XDG Base Directory Specification)."""
    if os.geteuid() == 0:
        return Path("/var/lib/mailseal")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "mailseal"

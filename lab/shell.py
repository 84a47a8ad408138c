"""Run the programs of the machine, bounded in time, and turn their failures into sentences."""

import subprocess
from collections.abc import Sequence

from lab.errors import LabError


def run(
    argv: Sequence[str], *, stdin: str | bytes = "", timeout: float = 60, what: str = ""
) -> str:
    """Return what a program printed on its standard output.

    Raises LabError, naming `what` (or the program) and the program's last words, when it is
    missing, fails or takes longer than `timeout` seconds.
    """
    name = what or argv[0]
    data = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        done = subprocess.run(
            list(argv), input=data, capture_output=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{name} took longer than {timeout:.0f} seconds") from None
    if done.returncode:
        words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        last = words[-1] if words else f"exit code {done.returncode}"
        raise LabError(f"{name} failed: {last}")
    return done.stdout.decode(errors="replace")

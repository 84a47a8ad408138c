"""`mailseal scan` with a clock at each of its stages; run as a program of its own.

    python -m benchmarks.peers.clocked scan HOST:PORT --quick --json

The stages are written to standard error, as JSON: what each took of the main thread, in seconds.
The server is asked by other threads from the end of `start` to the end of `waiting`.
"""

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Do what `audit.start.command` does, and look at the clock meanwhile."""
    modules = set(sys.modules)
    begin = time.perf_counter()
    from audit import start

    start.prepare()
    from audit import ahead, cli, measures, scan

    marks = {"imports": time.perf_counter() - begin}
    first = set(sys.modules)

    def clock(owner: Any, name: str, stage: str) -> None:  # noqa: ANN401 - any module or class
        real: Callable[..., object] = getattr(owner, name)

        def timed(*given: object, **named: object) -> object:
            entered = time.perf_counter()
            marks.setdefault(f"{stage} began", entered)
            try:
                return real(*given, **named)
            finally:
                marks[f"{stage} ended"] = time.perf_counter()
                marks[stage] = marks.get(stage, 0.0) + time.perf_counter() - entered

        setattr(owner, name, timed)

    clock(measures, "load_all", "policy")
    clock(scan, "probe_all", "network")
    clock(scan, "calibrate", "calibration")
    clock(ahead.Ahead, "result", "waiting")
    code = cli.main(sys.argv[1:])
    end = time.perf_counter()
    marks["loading"] = marks["waiting began"] - marks["network began"]
    marks["judging"] = end - marks["waiting ended"]
    marks["all"] = end - begin
    marks = {name: value for name, value in marks.items() if " " not in name}
    marks["modules"] = len(first - modules)
    marks["late modules"] = len(set(sys.modules) - first)
    print(json.dumps(marks), file=sys.stderr, flush=True)
    os._exit(code)


if __name__ == "__main__":
    main()

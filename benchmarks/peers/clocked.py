"""`mailseal scan` with a clock at each of its stages; run as a program of its own.

    python -m benchmarks.peers.clocked scan HOST:PORT --quick --json

The stages are written to standard error, as JSON: what each took, in seconds.
"""

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Import what the command imports, then run it."""
    import json
    from typing import Any

    before = set(sys.modules)
    start = time.perf_counter()
    from audit import cli, measures, report, scan
    from audit.report import terminal

    imported = time.perf_counter() - start
    spent: dict[str, float] = {"imports": imported}
    assert terminal  # noqa: S101 - the command imports it too
    first = set(sys.modules)

    def clock(module: Any, name: str, stage: str) -> None:  # noqa: ANN401 - any module
        real: Callable[..., object] = getattr(module, name)

        def timed(*given: object, **named: object) -> object:
            begin = time.perf_counter()
            try:
                return real(*given, **named)
            finally:
                spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - begin

        setattr(module, name, timed)

    clock(measures, "load_all", "policy")
    clock(scan, "calibrate", "calibration")
    clock(scan, "probe_all", "network")
    clock(scan, "judge", "judging")
    clock(report, "render", "report")
    begin = time.perf_counter()
    code = cli.main(sys.argv[1:])
    spent["all"] = time.perf_counter() - begin + imported
    spent["modules"] = len(first - before)
    spent["late modules"] = len(set(sys.modules) - first)
    print(json.dumps(spent), file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()

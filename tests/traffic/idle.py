"""Processes that read logs and are never done: `python -m tests.traffic.idle LOG LOG`."""

import os
import sys
import time
from pathlib import Path

from audit.traffic import work
from audit.traffic.read import Part
from audit.traffic.tally import Tally


def _never(part: Part, wanted: work.Wanted) -> Tally:
    if part.place == 0:
        os.write(1, b"reading\n")
    time.sleep(600)
    return Tally()


work.count = _never
work.tally([Path(name) for name in sys.argv[1:]], work.Wanted(), jobs=2)

"""Run the lab without the rest of mailseal: ``python -m lab up``."""

import sys

from lab.cli import main

sys.exit(main())

"""What is installed as `mailseal`: the command line, started and ended without detours.

A quick scan takes no longer than Python takes to load it and to be taken down again, so both are
seen to.
"""

import atexit
import gc
import os
import sys
from typing import NoReturn

_MANY = 50_000  # objects; what is imported is no garbage, and a search for it takes long
_TURN = 0.0005  # seconds; an answer that has come does not wait until an import is done


def command() -> NoReturn:
    """Run `audit.cli.main`, then whatever was registered for the end, and end."""
    codes: list[int] = []
    atexit.register(_leave, codes)  # the first to register is the last to run
    prepare()
    from audit.cli import main

    codes.append(main())
    sys.exit(codes[0])


def prepare() -> None:
    """What makes the start short."""
    gc.set_threshold(_MANY)
    sys.setswitchinterval(_TURN)
    _load_msgspec()


def _leave(codes: list[int]) -> None:
    """Freeing every module takes as long as a quick look; the kernel does it at once."""
    if codes:
        sys.stdout.flush()
        os._exit(codes[0])


def _load_msgspec() -> None:
    """Without typing_extensions, for which msgspec has no use here and which takes longer to load.

    Where it is not installed, msgspec takes what Python's own `typing` has (msgspec/_utils.py).
    """
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    import msgspec  # noqa: F401

    del sys.modules["typing_extensions"]

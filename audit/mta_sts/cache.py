"""The policies that were fetched, a file of one line each, which Exim can read as well.

The line is what Exim is answered: `mode=enforce until=1795995372 at=1795390572 id=1 mx=*.a.test`.
The file's time of change says when the domain was last asked for.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from audit.mta_sts.kept import Kept, kept

_DAY = 86_400


class Cache:
    """A directory of them. A file is called as its domain, so names are the caller's to check."""

    def __init__(self, directory: Path) -> None:
        """Take the directory, and what a process that was ended has left half done out of it."""
        self.directory = directory
        for left in directory.glob(".new-*"):
            with suppress(OSError):  # somebody else has put it there
                left.unlink()

    def get(self, domain: str, now: float) -> Kept | None:
        """The policy of a domain that has not ended; a file that cannot be read is none."""
        try:
            found = kept((self.directory / domain).read_text(encoding="ascii"))
        except (OSError, UnicodeError):
            return None
        return found if found and found.until > now else None

    def put(self, domain: str, one: Kept) -> None:
        """Keep a policy: whoever reads finds the one before or this, whatever happens meanwhile.

        Raises:
            OSError: it cannot be kept; the one before is.
        """
        path = self.directory / domain
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=self.directory)
        new = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                stream.write(f"{one.line}\n")
                stream.flush()
                os.fchmod(descriptor, 0o644)
                os.fsync(descriptor)
            # A refresh is no question; and none was later, unless the clock was put back.
            asked = path.stat().st_mtime if path.exists() else one.at
            os.utime(new, (one.at, min(asked, one.at)))
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise

    def asked(self, domain: str, now: float) -> None:
        """Note that somebody wants this domain's policy; once a day is often enough."""
        path = self.directory / domain
        with suppress(OSError):
            if not 0 <= now - path.stat().st_mtime <= _DAY:  # or the clock was put back
                os.utime(path, (now, now))

    def entries(self) -> Iterator[tuple[str, float]]:
        """The domains, with when each was last asked for."""
        for path in sorted(self.directory.iterdir()):
            if not path.name.startswith("."):
                with suppress(OSError):  # somebody else has taken it away
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield path.name, status.st_mtime

    def drop(self, domain: str) -> None:
        """Forget a domain."""
        (self.directory / domain).unlink(missing_ok=True)

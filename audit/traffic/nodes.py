"""Which log files are of one node: numbers of messages are unique there, and nowhere else."""

import re
import socket
from pathlib import Path

_DATE = r"[.-](?:\d{4}-\d\d(?:-\d\d)?|\d{6,14})(?:-\d{4,6})?"
_PACKED = r"(?:\.(?:gz|xz|bz2|zst))?"
# What logrotate, savelog and Exim itself (%D, %M) put behind a name, or before its `.log`.
_ROTATED = re.compile(rf"(?:{_DATE})?(\.log)?(?:(?<=\D)\.\d{{1,4}}|{_DATE})?{_PACKED}$")


def node(path: Path) -> bytes:
    """Whose log it is: this machine's, all that was rotated from a file of this name here.

    The machine is in it for counts that each node keeps of its own, where all have the same path.
    A name that is rotated in another way is another's: a message in two such files is two mails.
    """
    whole = path.resolve()
    name = _ROTATED.sub(r"\1", whole.name)
    words = f"{socket.gethostname()}:{whole.with_name(name or whole.name)}"
    return re.sub(rb"\s", b"_", words.encode(errors="surrogateescape"))

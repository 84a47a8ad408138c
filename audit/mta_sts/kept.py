"""A policy that was fetched, as a line: what Exim is answered, and what is kept. Pure."""

import re
from dataclasses import dataclass
from typing import cast

from audit.wire.mta_sts import LONGEST, Mode, Policy

_LINE = re.compile(
    r"mode=(?P<mode>enforce|testing|none) until=(?P<until>\d{1,11}) at=(?P<at>\d{1,11})"
    r" id=(?P<id>[A-Za-z0-9]{1,32}) mx=(?P<mx>[a-z0-9.*:-]*)"
)


@dataclass(frozen=True)
class Kept:
    """A policy, and how it was come by.

    Attributes:
        policy: as it was fetched.
        identity: the id that the domain's record had then.
        at: when that was, seconds since the epoch.
    """

    policy: Policy
    identity: str
    at: int

    @property
    def until(self) -> int:
        """When it ends, seconds since the epoch."""
        return self.at + self.policy.max_age

    @property
    def line(self) -> str:
        """As Exim takes it, and as it is kept."""
        mode, patterns = self.policy.mode, ":".join(self.policy.mx)
        return f"mode={mode} until={self.until} at={self.at} id={self.identity} mx={patterns}"


def kept(line: str) -> Kept | None:
    """What a line says; None if it is none of ours, or torn."""
    found = _LINE.fullmatch(line.removesuffix("\n"))
    if found is None or not line.endswith("\n"):
        return None
    age = int(found["until"]) - int(found["at"])
    if not 0 <= age <= LONGEST or (found["mode"] != "none" and not found["mx"].strip(":")):
        return None
    policy = Policy(cast("Mode", found["mode"]), age, tuple(filter(None, found["mx"].split(":"))))
    return Kept(policy, found["id"], int(found["at"]))

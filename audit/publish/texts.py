"""The MTA-STS policy and the two TXT records of a domain (RFC 8461, RFC 8460). Pure."""

import hashlib
from collections.abc import Iterable

from audit.wire.mta_sts import Mode, Policy

_ID = 20  # letters and digits, of the 32 that RFC 8461, section 3.1, allows


def policy(mode: Mode, mx: Iterable[str], max_age: int) -> bytes:
    """The policy file, as section 3.2 has it; *max_age* in seconds."""
    lines = Policy(mode, max_age, tuple(sorted(mx))).lines
    return "".join(f"{line}\r\n" for line in lines).encode()


def sts(body: bytes) -> str:
    """The text that announces a policy; its id is another exactly where the policy is."""
    return f"v=STSv1; id={hashlib.sha256(body).hexdigest()[:_ID]};"


def tlsrpt(places: Iterable[str]) -> str:
    """The text that says where reports go: mailto: and https: addresses."""
    return f"v=TLSRPTv1; rua={','.join(places)};"

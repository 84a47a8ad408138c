"""The MTA-STS policy and the two TXT records of a domain (RFC 8461, RFC 8460). Pure."""

import hashlib
from collections.abc import Iterable

_ID = 20  # letters and digits, of the 32 that RFC 8461, section 3.1, allows


def policy(mode: str, mx: Iterable[str], max_age: int) -> bytes:
    """The policy file, as section 3.2 has it; *max_age* in seconds."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {one}" for one in sorted(mx))]
    return "".join(f"{line}\r\n" for line in (*lines, f"max_age: {max_age}")).encode()


def sts(body: bytes) -> str:
    """The text that announces a policy; its id is another exactly where the policy is."""
    return f"v=STSv1; id={hashlib.sha256(body).hexdigest()[:_ID]};"


def tlsrpt(places: Iterable[str]) -> str:
    """The text that says where reports go: mailto: and https: addresses."""
    return f"v=TLSRPTv1; rua={','.join(places)};"

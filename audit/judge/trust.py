"""Whether somebody who trusts these authorities would take a chain for a server of this name."""

from collections.abc import Iterable
from datetime import datetime

from audit.facts import Chain
from audit.judge import path
from audit.judge.identity import missing


def doubt(
    chain: Chain,
    roots: tuple[bytes, ...],
    names: Iterable[tuple[str, ...]],
    now: datetime,
    *,
    partial: bool = False,
) -> str:
    """Why not; empty if they would.

    Args:
        chain: as served, leaf first.
        roots: the trusted authorities, DER.
        names: sets of names, of which the leaf must be for all of one.
        now: the moment, in UTC.
        partial: the roots may be authorities that others have signed.
    """
    try:
        verified = path.find(roots, chain, partial=partial)
    except path.NoPathError as error:
        return f"no path to a trusted authority: {error}"
    for certificate in verified:
        if now < certificate.not_before:
            return f"{certificate.subject} is not valid before {certificate.not_before:%Y-%m-%d}"
        if now > certificate.not_after:
            return f"{certificate.subject} ended on {certificate.not_after:%Y-%m-%d}"
    wanted = [one for one in names if one]
    if not any(not missing(chain[0].names, one) for one in wanted):
        is_for = ", ".join(chain[0].names[:5]) or "no name"
        return f"it is for {is_for}, not for {wanted[0][0]}"
    return "" if path.for_servers(chain[0]) else "its extended key usage is not for servers"

"""The other way round: mail that goes out, where we are the client and the others serve. Pure.

The same reasoning with the parts exchanged: our lists are what the other side has to meet. Its
certificate and its prime are its own affair, so nothing is asked of them.
"""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from audit.forecast.manners import Manners
from audit.forecast.server import from_profile, keys
from audit.iana import Version
from audit.policy.model import KEY_TYPES, Profile
from audit.whatif.known import Known, Seen
from audit.whatif.needs import Need
from audit.whatif.reason import Change, Reasoned, reason
from audit.whatif.side import Side

_BY_NATURE: tuple[Version, ...] = ("TLSv1.3",)
_VERIFIED = ("yes", "dane")


def ours(profile: Profile, day: date, manners: Manners, source: str) -> Side:
    """What we offer by a profile."""
    ours_alone = {"own_curve": False, "signs_first": False, "commits": False}
    habits = replace(manners, **ours_alone, finite_fields=False, assumed="")
    server = from_profile(profile, day, keys(KEY_TYPES), habits)
    return Side(server, server, frozenset(), None, source)


def peer(found: Seen, changes: Sequence[Change], cv: str, *, verify: bool) -> Reasoned:
    """What becomes of mail to a host.

    Args:
        found: what was negotiated with it.
        changes: what we offered, and what the policy would have us offer.
        cv: whether its certificate was verified: "yes", "dane", "no"; empty if not logged.
        verify: mail goes only to hosts with a certificate that can be verified.
    """
    if verify and cv == "no":
        return Reasoned("break", "its certificate cannot be verified (CV=no)")
    reasoned = reason(found, changes, base=_base(found, changes))
    if not verify or cv in _VERIFIED or reasoned.verdict == "break":
        return reasoned
    return Reasoned("unknown", "whether its certificate can be verified is not logged")


def _base(found: Seen, changes: Sequence[Change]) -> Known:
    """Signatures are no question, but where SHA-1 is given up."""
    curves = frozenset(key.curve for key in keys(KEY_TYPES))  # nor is ours: nobody is to take it
    given_up = any(one.old.server.sha1 and not one.new.server.sha1 for one in changes)
    if given_up and found.version not in _BY_NATURE:
        return Known(met=(Need("shares"),), curves=curves)
    return Known(met=(Need("shares"), Need("signature")), curves=curves)

"""Shadow: the new policy first, what the old one serves as the tail, and nothing newly enforced.

The server's order decides, so a suite that is logged from the tail proves that the client offered
nothing better; who would be hurt is known before anybody is. Pure.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar

from msgspec.structs import replace

from audit.errors import MailsealError
from audit.iana import suite
from audit.policy.model import (
    OPEN,
    CertificateRules,
    Graded,
    Item,
    Policy,
    Profile,
    Size,
    size_of,
)

Enforcement = Literal["enforce", "shadow"]
SEPARATOR = "+"

# The rules of two policies that differ become the laxer one: shadow enforces nothing that the old
# state does not, and the audit reports the rest.
LAXER = {
    "tls": "offered",
    "clear_logins": "allowed",
    "starttls": "allowed",
    "dh_primes": "any",
    "extended_master_secret": "any",
    "secure_renegotiation": "any",
    "client_renegotiation": "allowed",
    "sha1_signatures": "allowed",
    "encrypt_then_mac": "any",
    "fallback_scsv": "any",
    "session_tickets": "any",
    "ocsp_stapling": "any",
    "foreign_protocols": "any",
    "alpn": "any",
}
# Without these a suite from the tail would prove nothing. Compression stays the new policy's: no
# client was ever lost without it.
FIXED: dict[str, Any] = {"bound": "exact", "order": "exact", "preference": "server"}
# No library of today serves them, and SSLv2 endangers the sessions of everybody (DROWN).
_OFF = ("SSLv2", "SSLv3")
_UNENCRYPTED = ("NULL", "SHA256", "SHA384")  # RFC 9150 has suites that only authenticate

AnyGraded = TypeVar("AnyGraded", bound=Graded)


class Shadow(Policy, frozen=True, kw_only=True):
    """Two policies as one, to be deployed and judged by like any other.

    Attributes:
        new: what comes into force when the shadow ends.
        tail: what was in force before.
        left_off: what the tail has and must not have again, a sentence each.
    """

    new: Policy
    tail: Policy
    left_off: tuple[str, ...] = ()


def in_force(policy: str, enforcement: Enforcement, tail: str) -> str:
    """What an inventory's variables together call a policy: A, or A+B for A in shadow of B.

    Raises:
        MailsealError: shadow without a tail.
    """
    if enforcement == "enforce":
        return policy
    if not tail:
        words = "wants mailseal_shadow_tail, the policy that was in force before"
        raise MailsealError(f"mailseal_enforcement: shadow {words}")
    return f"{policy}{SEPARATOR}{tail}"


def aim(policy: Policy) -> Policy | None:
    """The policy that a shadow leads to; None where what is deployed is enforced."""
    return policy.new if isinstance(policy, Shadow) else None


def shadow(new: Policy, tail: Policy) -> Shadow:
    """*new* in shadow of *tail*, for the kinds of traffic that both have a word about.

    Raises:
        MailsealError: they have none in common, or are no two policies.
    """
    name = f"{new.id}{SEPARATOR}{tail.id}"
    if isinstance(new, Shadow) or isinstance(tail, Shadow) or new.id == tail.id:
        raise MailsealError(f"{name}: a shadow is made of two policies that differ")
    both = [traffic for traffic in new.profiles if traffic in tail.profiles]
    if not both:
        raise MailsealError(f"{name}: they have no kind of traffic in common")
    weak = dict.fromkeys(w for t in both for w in _weak(new.profiles[t], tail.profiles[t]))
    left_off = tuple(
        f"{what} is never taken into a tail, although {tail.id} has it" for what in weak
    )
    rule = (
        f"What {tail.id} serves and {new.id} does not is kept at the end, on phase-out;"
        f" of the rules of {new.id} only those are enforced that {tail.id} has too."
    )
    notes = (rule, *(f"{words}." for words in left_off), new.notes, tail.notes)
    return Shadow(
        id=name,
        title=f"{new.title}; in shadow, the tail: {tail.title}",
        date=max(new.date, tail.date),
        source=f"{new.id}: {new.source} {tail.id}: {tail.source}",
        status=new.status,
        profiles={t: _profile(new.profiles[t], tail.profiles[t]) for t in both},
        notes=" ".join(filter(None, notes)),
        new=new,
        tail=tail,
        left_off=left_off,
    )


def _weak(new: Profile, tail: Profile) -> Iterator[str]:
    """What the tail has and the shadow has not."""
    yield from (i.name for i in _served((*tail.versions, *tail.suites)) if _never(i.name))
    if (new.compression, tail.compression) == ("forbidden", "allowed"):
        yield "compression"


def _profile(new: Profile, tail: Profile) -> Profile:
    rules = {
        field: getattr(new, field) if getattr(new, field) == getattr(tail, field) else lax
        for field, lax in LAXER.items()
    }
    return replace(
        new,
        versions=_items(new.versions, tail.versions),
        suites=_items(new.suites, tail.suites),
        groups=_items(new.groups, tail.groups),
        # One prime serves everybody, and a client that cannot take a larger one says so to nobody.
        dh_sizes=tail.dh_sizes or new.dh_sizes,
        certificate=_certificate(new.certificate, tail.certificate),
        **rules,
        **FIXED,
    )


def _certificate(new: CertificateRules, tail: CertificateRules) -> CertificateRules:
    longest = (new.lifetime_days, tail.lifetime_days)
    return CertificateRules(
        rsa_sizes=_sizes(new.rsa_sizes, tail.rsa_sizes),
        curves=_items(new.curves, tail.curves),
        signature_hashes=_items(new.signature_hashes, tail.signature_hashes),
        days_left=min(new.days_left, tail.days_left),
        lifetime_days=None if None in longest else max(filter(None, longest)),
    )


def _items(new: Iterable[Item], tail: Iterable[Item]) -> tuple[Item, ...]:
    """The new list in its order, then what only the old one has in its own."""
    mine = {i.name: i for i in _served(new)}
    theirs = {i.name: i for i in _served(tail) if not _never(i.name)}
    kept = [_lasting(item, theirs.get(name)) for name, item in mine.items()]
    return (*kept, *(_leaving(item) for name, item in theirs.items() if name not in mine))


def _sizes(new: Iterable[Size], tail: Iterable[Size]) -> tuple[Size, ...]:
    """The new rows, then those of the old ones that are too small for all of them."""
    mine, theirs = _served(new), {s.bits: s for s in _served(tail)}
    kept = [_lasting(size, theirs.get(size.bits)) for size in mine]
    return (*kept, *(_leaving(s) for s in theirs.values() if size_of(mine, s.bits) is None))


def _served(items: Iterable[AnyGraded]) -> list[AnyGraded]:
    """What is insufficient is the same as not listed."""
    return [item for item in items if item.level != "insufficient"]


def _lasting(item: AnyGraded, old: Graded | None) -> AnyGraded:
    """What both have stays as long as with the old one: shadow takes nothing away."""
    if item.until is None or old is None or (last := old.until or OPEN) <= item.until:
        return item
    return replace(item, until=last)


def _leaving(item: AnyGraded) -> AnyGraded:
    """An item of the tail: whatever it was, it is on phase-out now."""
    end = item.until if item.level == "phase-out" else OPEN
    more = {"required": False} if isinstance(item, Item) else {}
    return replace(item, level="phase-out", until=end, **more)


def _never(name: str) -> bool:
    """What no client of today needs and anybody in between could use."""
    if name in _OFF or not name.startswith("TLS_"):
        return name in _OFF
    found = suite(name)
    return found.cipher in _UNENCRYPTED or found.authentication == "anon" or "EXPORT" in name

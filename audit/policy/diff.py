"""What changes from one policy to another: pure, as data and as text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from audit.policy.model import WORDS, Item, Policy, Profile, Size, Traffic

Part = Literal["versions", "suites", "groups", "certificate", "requirements"]
Kind = Literal["added", "removed", "level", "order", "changed"]


class Change(Struct, frozen=True):
    """One difference.

    Attributes:
        part: where in the profile.
        kind: what happened: an item came, went, or has another level; an order, or a value,
            is another.
        name: the item, or the field.
        before, after: level, order or value; empty where there is none.
    """

    part: Part
    kind: Kind
    name: str
    before: str = ""
    after: str = ""


class Edition(Struct, frozen=True):
    """One of the two policies."""

    id: str
    version: date


class Difference(Struct, frozen=True):
    """What `mailseal policy diff --json` says.

    Attributes:
        before, after: the policies.
        profiles: the changes by kind of traffic; empty where nothing changed.
        only_before, only_after: the kinds of traffic that one of them has no word about.
    """

    schema: Literal["mailseal/policy-diff/1"]
    before: Edition
    after: Edition
    profiles: dict[Traffic, tuple[Change, ...]]
    only_before: tuple[Traffic, ...] = ()
    only_after: tuple[Traffic, ...] = ()


def diff(before: Policy, after: Policy) -> Difference:
    """The changes that lead from one policy to the other."""
    old, new = before.profiles, after.profiles
    return Difference(
        schema="mailseal/policy-diff/1",
        before=Edition(before.id, before.date),
        after=Edition(after.id, after.date),
        profiles={t: tuple(_changes(old[t], new[t])) for t in old if t in new},
        only_before=tuple(t for t in old if t not in new),
        only_after=tuple(t for t in new if t not in old),
    )


def _changes(old: Profile, new: Profile) -> Iterator[Change]:
    ordered = old.order == new.order == "exact"  # otherwise the order of a list means nothing
    yield from _lists("versions", "", old.versions, new.versions)
    yield from _lists("suites", "", old.suites, new.suites, ordered=ordered)
    yield from _lists("groups", "", old.groups, new.groups, ordered=ordered)
    mine, theirs = old.certificate, new.certificate
    yield from _lists("certificate", "RSA ", mine.rsa_sizes, theirs.rsa_sizes)
    yield from _lists("certificate", "key on ", mine.curves, theirs.curves)
    yield from _lists("certificate", "signed with ", mine.signature_hashes, theirs.signature_hashes)
    yield from _values("certificate", mine, theirs, ("days_left", "lifetime_days"))
    yield from _lists("requirements", "Diffie-Hellman ", old.dh_sizes, new.dh_sizes)
    yield from _values("requirements", old, new, WORDS)


def _lists(
    part: Part,
    prefix: str,
    old: Sequence[Item | Size],
    new: Sequence[Item | Size],
    *,
    ordered: bool = False,
) -> Iterator[Change]:
    """Added, removed, another level, another order; *prefix* says what the names are names of."""
    mine, theirs = _by_name(old), _by_name(new)
    for name, item in mine.items():
        if name not in theirs:
            yield Change(part, "removed", prefix + name, before=_thought(item))
    for name, item in theirs.items():
        if name not in mine:
            yield Change(part, "added", prefix + name, after=_thought(item))
        elif _thought(mine[name]) != _thought(item):
            yield Change(part, "level", prefix + name, _thought(mine[name]), _thought(item))
    left, right = [n for n in mine if n in theirs], [n for n in theirs if n in mine]
    if ordered and left != right:
        yield Change(part, "order", part, ", ".join(left), ", ".join(right))


def _by_name(items: Sequence[Item | Size]) -> Mapping[str, Item | Size]:
    return {i.name if isinstance(i, Item) else f"{i.bits} bits": i for i in items}


def _thought(item: Item | Size) -> str:
    """The level with what else is said: "good, required"."""
    words = [item.thought]
    if isinstance(item, Item):
        words += [word for word in ("optional", "required") if getattr(item, word)]
    return ", ".join(words)


def _values(part: Part, old: object, new: object, names: Sequence[str]) -> Iterator[Change]:
    for name in names:
        before, after = (_value(getattr(one, name)) for one in (old, new))
        if before != after:
            yield Change(part, "changed", name, before, after)


def _value(value: object) -> str:
    return "any" if value is None else str(value)


def text(difference: Difference) -> str:
    """The difference for people; kinds of traffic with the same changes are told once."""
    return "\n".join(_text(difference)) + "\n"


def _text(found: Difference) -> Iterator[str]:
    before, after = found.before, found.after
    yield f"{before.id} of {before.version} -> {after.id} of {after.version}"
    for policy, only in ((before, found.only_before), (after, found.only_after)):
        if only:
            yield f"only {policy.id} has: {', '.join(only)}"
    alike: dict[tuple[Change, ...], list[str]] = {}
    for traffic, changes in found.profiles.items():
        alike.setdefault(changes, []).append(traffic)
    for changes, names in alike.items():
        yield ""
        yield ", ".join(names) + ("" if changes else ": no difference")
        part = ""
        for change in changes:
            if change.part != part:
                part = change.part
                yield f"  {part}"
            yield f"    {_line(change)}"


def _line(change: Change) -> str:
    match change.kind:
        case "added":
            return f"+ {change.name} ({change.after})"
        case "removed":
            return f"- {change.name} ({change.before})"
        case "order":
            return f"~ order: {change.before}\n      now:   {change.after}"
        case "changed":
            return f"~ {change.name.replace('_', ' ')}: {change.before} -> {change.after}"
    return f"~ {change.name}: {change.before} -> {change.after}"

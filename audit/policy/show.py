"""Policies as text for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from textwrap import fill

from msgspec import structs

from audit.policy.compile import DEFAULTS, Kind, compile_policy, numbers
from audit.policy.model import WORDS, Item, Policy, Profile, Size, Traffic


def listing(policies: Iterable[Policy]) -> str:
    """One line for each policy."""
    return "".join(f"{p.id:<24} {p.date}  {p.status:<11} {p.title}\n" for p in policies)


def details(policy: Policy) -> str:
    """A policy with its profiles; those that say the same are shown once."""
    return "\n".join(_details(policy)) + "\n"


def _details(policy: Policy) -> Iterator[str]:
    yield f"{policy.id}: {policy.title}"
    yield f"{policy.status}, of {policy.date}"
    for label, text in (("source", policy.source), ("notes", policy.notes)):
        if text:
            yield fill(f"{label}: {text}", 100, subsequent_indent="  ", break_long_words=False)
    for heading, profile in alike(policy.profiles):
        yield ""
        yield heading
        yield f"  {_meaning(profile)}"
        yield from _rows("versions", profile.versions)
        yield from _rows("suites", profile.suites)
        yield from _rows("groups", profile.groups)
        yield from _rows("DH", profile.dh_sizes)
        rules = profile.certificate
        yield from _rows("RSA keys", rules.rsa_sizes)
        yield from _rows("keys on", rules.curves)
        yield from _rows("signed with", rules.signature_hashes)
        longest = f", lasts {rules.lifetime_days} days or less" if rules.lifetime_days else ""
        yield f"  {'certificate':<12} {rules.days_left} days left or more{longest}"
        for field in WORDS[WORDS.index("compression") :]:
            value = getattr(profile, field)
            if value not in ("any", "allowed"):
                yield f"  {value:<12} {field.replace('_', ' ')}"


def alike(profiles: Mapping[Traffic, Profile]) -> Iterator[tuple[str, Profile]]:
    """Each profile once, with the kinds of traffic it is for and whether TLS is required there."""
    names: dict[Profile, dict[str, list[str]]] = {}
    for name, profile in profiles.items():
        same = names.setdefault(structs.replace(profile, tls="required"), {})
        same.setdefault(profile.tls, []).append(name)
    for profile, found in names.items():
        yield "; ".join(f"{', '.join(kinds)}: TLS {tls}" for tls, kinds in found.items()), profile


def _meaning(profile: Profile) -> str:
    bound = {"exact": "exactly these", "upper": "nothing but these"}[profile.bound]
    if profile.order == "by-level":
        return f"{bound}, nothing on phase-out before better ones"
    if "any" in (profile.order, profile.preference):
        return f"{bound}, in any order"
    return f"{bound}, in the {profile.preference}'s order"


def _rows(label: str, items: Sequence[Item | Size]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield f"  {label if number == 0 else '':<12} {described(item)}"


def described(item: Item | Size) -> str:
    """A line of a list in words."""
    words = [item.name if isinstance(item, Item) else f"{item.bits} bits or more"]
    if item.level != "good":
        words.append(f"({item.thought})")
    if isinstance(item, Item) and item.optional:
        words.append("(where the library has it)")
    if isinstance(item, Item) and item.required:
        words.append("(required)")
    return " ".join(words)


def settings(
    policy: Policy, kind: Kind, *, profile: Traffic | None, version: str, library: str
) -> str:
    """The daemon's options and the library's configuration, as they are written to files.

    Raises:
        MailsealError: the policy cannot be compiled for this target.
    """
    target = DEFAULTS[kind]
    if version:
        target = replace(target, version=numbers(version))
    if library:
        target = replace(target, library=numbers(library))
    if profile:
        target = replace(target, ports=dict.fromkeys(target.ports, profile))
    compiled = compile_policy(policy, target, datetime.now(tz=UTC).date())
    sign = ": " if kind == "cyrus" else " = "
    lines = [f"# {policy.id} for {target}"]
    lines += [f"# left out: {item}" for item in compiled.left_out]
    lines += [f"{option}{sign}{value}" for option, value in compiled.options.items()]
    if compiled.openssl_cnf:
        lines += ["", "# openssl.cnf", compiled.openssl_cnf.rstrip()]
    return "\n".join(lines) + "\n"

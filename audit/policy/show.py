"""Policies as text for people."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from audit.policy.compile import DEFAULTS, Kind, compile_policy, numbers
from audit.policy.load import built_in_ids, load
from audit.policy.model import Item, Policy, Traffic


def listing() -> str:
    """One line for each policy that comes with mailseal."""
    policies = [load(name) for name in built_in_ids()]
    return "".join(f"{p.id:<16} {p.date}  {p.status:<11} {p.title}\n" for p in policies)


def details(policy: Policy) -> str:
    """A policy with its profiles."""
    return "\n".join(_details(policy)) + "\n"


def _details(policy: Policy) -> Iterator[str]:
    yield f"{policy.id}: {policy.title}"
    yield f"{policy.status}, of {policy.date}"
    yield f"source: {policy.source}"
    for name, profile in policy.profiles.items():
        yield ""
        yield f"{name}: TLS {profile.tls}, {profile.preference} order"
        for label, items in (
            ("versions", profile.versions),
            ("suites", profile.suites),
            ("groups", profile.groups),
        ):
            for number, item in enumerate(items):
                yield f"  {label if number == 0 else '':<12} {_item(item)}"
        if profile.dh_bits:
            yield f"  {'DH':<12} {profile.dh_bits} bits or more"
        yield f"  {'compression':<12} {profile.compression}"
        rules = profile.certificate
        yield f"  {'certificate':<12} RSA {rules.rsa_bits} or more, or {', '.join(rules.curves)};"
        hashes = ", ".join(rules.signature_hashes)
        yield f"  {'':<12} signed with {hashes}; {rules.days_left} days left"


def _item(item: Item) -> str:
    words = [item.name]
    if item.level != "good":
        words.append(f"({item.level}{f' until {item.until}' if item.until else ''})")
    if item.optional:
        words.append("(where the library has it)")
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

"""The handshakes that a trial instance must pass, planned from the policy it was compiled from.

Unknown names fail open in every TLS library: a misspelt suite is dropped, a misspelt group opens
all of them. So one handshake that succeeds proves little. Each suite and group is offered alone
and must be taken; all that the policy does not list is offered together and must be refused.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.errors import MailsealError
from audit.iana import Version
from audit.policy.compile.openssl import dh_group
from audit.policy.load import load
from audit.policy.model import KeyType, Profile, allowed

Handshake = dict[str, Any]

_FLAG: dict[Version, str] = {
    "TLSv1.0": "-tls1",
    "TLSv1.1": "-tls1_1",
    "TLSv1.2": "-tls1_2",
    "TLSv1.3": "-tls1_3",
}
# The groups that every s_client since 1.1.1 can offer, and its name for each when one was used.
_SHOWN = {
    "X25519": "X25519",
    "P-256": "prime256v1",
    "P-384": "secp384r1",
    "P-521": "secp521r1",
    "X448": "X448",
}
_TLS13_SUITES = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
)


def mailseal_handshakes(
    policy: str,
    endpoints: Sequence[Mapping[str, Any]],
    types: Sequence[KeyType],
    day: str | None = None,
) -> list[Handshake]:
    """What `openssl s_client` must see on every endpoint: all of it on one port of each profile.

    The other ports of a profile get one handshake per version.
    """
    try:
        profiles = load(policy).profiles
    except MailsealError as error:
        raise AnsibleFilterError(str(error)) from None
    when = date.fromisoformat(day) if day else datetime.now(tz=UTC).date()
    plan: list[Handshake] = []
    seen: set[str] = set()
    for endpoint in endpoints:
        kind = endpoint["profile"]
        if kind not in profiles:
            raise AnsibleFilterError(f"{policy} has no profile {kind}")
        planner = _Planner(profiles[kind], when, tuple(types))
        steps = planner.whole() if kind not in seen else planner.order()
        seen.add(kind)
        plan += [
            {
                "port": int(endpoint["port"]),
                "starttls": endpoint["service"] if endpoint["mode"] == "starttls" else "",
                **step,
            }
            for step in steps
        ]
    # A refusal may end a serving process; what must succeed comes first.
    return sorted(plan, key=lambda step: step["cipher"] is None)


class _Planner:
    def __init__(self, profile: Profile, day: date, types: tuple[KeyType, ...]) -> None:
        self.profile, self.day, self.types = profile, day, types
        self.versions = [v for v in profile.allowed_versions(day) if v in _FLAG]
        self.groups = [g for g in allowed(profile.groups, day) if g in _SHOWN]

    def whole(self) -> Iterator[Handshake]:
        yield from self.order()
        yield from self.each_suite()
        yield from self.each_group()
        yield from self.nothing_else()

    def suites(self, version: Version) -> list[str]:
        found = self.profile.allowed_suites(version, self.day, self.types)
        return [suite.openssl for suite in found if suite.openssl]

    def order(self) -> Iterator[Handshake]:
        """One handshake per version, the client's wishes being the policy's in reverse."""
        for version in self.versions:
            suites = self.suites(version)
            if not suites:
                continue
            # The first key share decides in TLS 1.3, so only before it the order can be tried.
            groups = self.groups if version == "TLSv1.3" else self.groups[::-1]
            ruled = self.profile.preference == "server"
            elliptic = suites[0].startswith(("ECDHE", "TLS_"))
            yield {
                "what": f"{version} with the server's order" if ruled else version,
                "arguments": _offer(version, suites[::-1] if ruled else suites, groups),
                "cipher": suites[0] if ruled else "",
                "group": _SHOWN[self.groups[0]] if ruled and elliptic and self.groups else "",
            }

    def each_suite(self) -> Iterator[Handshake]:
        done: set[str] = set()
        for version in reversed(self.versions):
            for suite in self.suites(version):
                if suite in done:
                    continue
                done.add(suite)
                finite = suite.startswith("DHE")
                bits = dh_group(self.profile).removeprefix("ffdhe")
                yield {
                    "what": f"{version} with only {suite}",
                    "arguments": _offer(version, [suite], self.groups),
                    "cipher": suite,
                    "group": f"DH, {bits} bits" if finite else "",
                }

    def each_group(self) -> Iterator[Handshake]:
        version = self.versions[-1]
        # ECDSA suites also need the curve of the certificate; RSA ones and TLS 1.3 do not.
        suites = [s for s in self.suites(version) if s.startswith(("TLS_", "ECDHE-RSA"))]
        for group in self.groups if suites else ():
            yield {
                "what": f"{version} with only {group}",
                "arguments": _offer(version, suites, [group]),
                "cipher": "",
                "group": _SHOWN[group],
            }

    def nothing_else(self) -> Iterator[Handshake]:
        for version in _FLAG:
            if version not in self.versions:
                yield _refused(version, _offer(version, ["ALL"], []))
        newest = self.versions[-1]
        foreign = [group for group in _SHOWN if group not in self.groups]
        elliptic = [s for s in self.suites(newest) if s.startswith(("TLS_", "ECDHE"))]
        if foreign and elliptic:
            yield _refused(f"{newest} with {'/'.join(foreign)}", _offer(newest, elliptic, foreign))
        if "TLSv1.3" in self.versions:
            others = [s for s in _TLS13_SUITES if s not in self.suites("TLSv1.3")]
            yield _refused("other suites of TLSv1.3", _offer("TLSv1.3", others, []))
        older = [v for v in self.versions if v != "TLSv1.3"]
        if older:
            mine = {s for version in older for s in self.suites(version)}
            words = ["ALL", "COMPLEMENTOFALL", *(f"!{s}" for s in sorted(mine))]
            yield _refused(f"other suites of {older[-1]}", _offer(older[-1], words, []))


def _offer(version: Version, suites: list[str], groups: list[str]) -> list[str]:
    if version == "TLSv1.3":
        ciphers = [] if suites == ["ALL"] else ["-ciphersuites", ":".join(suites)]
    else:
        ciphers = ["-cipher", ":".join([*suites, "@SECLEVEL=0"])]
    return [_FLAG[version], *ciphers, *(["-groups", ":".join(groups)] if groups else [])]


def _refused(what: str, arguments: list[str]) -> Handshake:
    return {"what": what, "arguments": arguments, "cipher": None, "group": ""}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"mailseal_handshakes": mailseal_handshakes}

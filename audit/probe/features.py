"""What hellos show beside versions, suites and groups. Pure."""

from collections.abc import Iterable, Iterator

from audit.facts import Behaviour, Observation
from audit.iana import VERSIONS, Suite
from audit.probe.discover import Discovery, Script, groups_for, read
from audit.probe.question import Known
from audit.wire.hello import (
    ENCRYPT_THEN_MAC,
    HEARTBEAT,
    MASTER_SECRET,
    SHA1_SCHEMES,
    TICKET,
    Hello,
)
from audit.wire.server_hello import Accepted

_SIGNED = ("ECDHE", "DHE")
# What a server echoes in a ServerHello up to TLS 1.2, where it does it at all.
_ECHOED: dict[Behaviour, tuple[int, str]] = {
    "extended-master-secret": (MASTER_SECRET, "extended_master_secret"),
    "encrypt-then-mac": (ENCRYPT_THEN_MAC, "encrypt_then_mac"),
    "session-ticket": (TICKET, "session_ticket"),
    "heartbeat": (HEARTBEAT, "heartbeat"),
}
# RFC 8446: what TLS 1.3 does always, and what it no longer has.
_TLS13: dict[Behaviour, Observation] = {
    "extended-master-secret": Observation("accepted", "built into TLS 1.3"),
    "encrypt-then-mac": Observation("accepted", "TLS 1.3 has AEAD only"),
    "session-ticket": Observation("inconclusive", "TLS 1.3 shows its tickets after the handshake"),
    "heartbeat": Observation("refused", "no version before TLS 1.3 is served"),
    "sha1-signature": Observation("refused", "TLS 1.3 signs with nothing older than SHA-256"),
}


def echoed(found: Iterable[Discovery]) -> dict[Behaviour, Observation]:
    """Extensions that were offered in every hello up to TLS 1.2, and whether they came back.

    A server that does it sometimes is judged by the worst: the two that must be there count as
    there only if they always are, the two that are better absent if they ever are.
    """
    versions = list(found)
    picks = [p for d in versions for p in d.picks if p.version not in ("SSLv2", "TLSv1.3", None)]
    able = [p for p in picks if p.version != "SSLv3"]  # it has no extensions
    if not able:
        only = any(p.version == "TLSv1.3" for d in versions for p in d.picks)
        return {b: _TLS13[b] for b in _ECHOED} if only else {}
    answers: dict[Behaviour, Observation] = {}
    for behaviour, (kind, name) in _ECHOED.items():
        asked = [p for p in able if _can(behaviour, p.suite)]
        with_it = [p for p in asked if kind in p.extensions]
        if not asked:
            answers[behaviour] = Observation("accepted", "no suite with CBC is served")
            continue
        every = behaviour in ("extended-master-secret", "encrypt-then-mac")
        has = len(with_it) == len(asked) if every else bool(with_it)
        words = f"{name} in {len(with_it)} of {len(asked)} ServerHello messages"
        answers[behaviour] = Observation("accepted" if has else "refused", words)
    return answers


def _can(behaviour: Behaviour, suite: Suite | None) -> bool:
    """RFC 7366, section 3: encrypt_then_mac is answered for suites with CBC only."""
    return behaviour != "encrypt-then-mac" or (suite is not None and "_CBC" in suite.cipher)


def stapled(found: Iterable[Discovery]) -> Observation | None:
    """Whether a certificate status came with the certificate; None where hellos do not show it."""
    picks = [p for d in found for p in d.picks if p.chain and p.version not in ("SSLv2", "SSLv3")]
    if not picks:
        return None
    with_it = sum(p.stapled for p in picks)
    words = f"CertificateStatus in {with_it} of {len(picks)} handshakes"
    return Observation("accepted" if with_it else "refused", words)


def scripts(known: Known, name: str) -> Iterator[tuple[Behaviour, Script[Observation]]]:
    """The questions that take a hello of their own."""
    if not known.accepted:
        return
    yield "fallback-scsv", _fallback(known, name)
    yield "sha1-signature", _sha1(known, name)


def _fallback(known: Known, name: str) -> Script[Observation]:
    """RFC 7507, section 3: a hello below the server's best version with the SCSV is refused."""
    served = [v for v in VERSIONS if v in known.accepted and v != "SSLv2"]
    if len(served) < 2:  # noqa: PLR2004 - a fall takes two
        return Observation("accepted", "one version is served: there is nothing to fall back to")
    lower = served[-2]
    hello = Hello(lower, known.accepted[lower], groups_for(lower), name, fallback=True)
    heard = yield hello
    seen = read(heard, lower)
    if seen.seen == "inconclusive":
        return seen
    words = f"{seen.evidence} to a fallback to {lower}"
    return Observation("refused" if seen.seen == "accepted" else "accepted", words)


def _sha1(known: Known, name: str) -> Script[Observation]:
    """Whether a client that knows signatures with SHA-1 only is served (RFC 9155, section 2)."""
    version = known.classic
    if version is None:
        return _TLS13["sha1-signature"]
    usable = tuple(s for s in known.accepted[version] if s.key_exchange in _SIGNED)
    if not usable:
        return Observation("refused", "no suite that signs is served")
    if version != "TLSv1.2":
        return Observation("accepted", f"{version} signs with MD5 and SHA-1")
    hello = Hello(version, usable, groups_for(version), name, signatures=SHA1_SCHEMES)
    heard = yield hello
    seen = read(heard, version)
    if seen.seen != "accepted" or not isinstance(heard, Accepted):
        return seen
    if heard.signature is None:
        return Observation("inconclusive", "its signature cannot be read")
    words = f"signs with 0x{heard.signature:04x}"
    return Observation("accepted" if heard.signature in SHA1_SCHEMES else "refused", words)

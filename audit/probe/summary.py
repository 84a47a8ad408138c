"""What many answers say together. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from audit.facts import Chain, EndpointFacts, Observation
from audit.iana import Version
from audit.probe.discover import Discovery
from audit.wire.certificate import parse_chain
from audit.wire.server_hello import Accepted

_COMPRESSIONS = {1: "DEFLATE", 64: "LZS"}


def protocols(found: Mapping[Version, Discovery]) -> dict[Version, Observation]:
    """Each version: accepted if it was chosen for whatever hello, else what came of its own."""
    chosen = {
        d.instead: Observation("accepted", f"ServerHello {d.instead} to a hello for {v}")
        for v, d in found.items()
        if d.instead
    }
    return {
        v: chosen[v] if v in chosen and d.first.seen != "accepted" else d.first
        for v, d in found.items()
    }


def compression(found: Iterable[Discovery]) -> Observation:
    """Whether compression, offered in every hello up to TLS 1.2, was ever chosen."""
    versions = list(found)
    picks = _older_picks(versions)
    chosen = next((p for p in picks if p.compression), None)
    if chosen:
        name = _COMPRESSIONS.get(chosen.compression, f"compression {chosen.compression}")
        return Observation("accepted", f"ServerHello {chosen.version} with {name}")
    if picks:
        return Observation("refused", f"null in each of {len(picks)} ServerHello messages")
    if any(d.picks for d in versions):
        return Observation("refused", "no version is served that knows compression")
    return Observation("inconclusive", "no handshake succeeds here")


def secure_renegotiation(found: Iterable[Discovery]) -> bool | None:
    """Whether every ServerHello up to TLS 1.2 answered RFC 5746; None if there was none."""
    picks = _older_picks(found)
    return all(p.secure_renegotiation for p in picks) if picks else None


def chains(
    found: Iterable[Discovery], handshakes: Iterable[Sequence[bytes]]
) -> tuple[tuple[Chain, ...], tuple[str, ...]]:
    """Each different chain once, ECDSA leaves first; and why others cannot be read.

    In an order of their own, whichever answered first.
    """
    seen = dict.fromkeys(p.chain for d in found for p in d.picks if p.chain)
    seen |= dict.fromkeys(tuple(chain) for chain in handshakes if chain)
    parsed, bad = [], []
    for ders in seen:
        try:
            parsed.append(parse_chain(ders))
        except ValueError as error:
            bad.append(str(error))
    order = sorted(parsed, key=lambda chain: (chain[0].key_type, chain[0].fingerprint))
    return tuple(order), tuple(sorted(set(bad)))


def errors(found: Iterable[Discovery], others: Iterable[str]) -> tuple[str, ...]:
    """What went wrong on the way, each once."""
    words = [d.first.evidence for d in found if d.first.seen == "inconclusive"]
    return tuple(dict.fromkeys([*words, *filter(None, others)]))


def foreign(facts: EndpointFacts) -> bool:
    """Whether something answered the hellos in another language than TLS."""
    return any(o.evidence.startswith("not TLS") for o in facts.protocols.values())


def without_control(facts: EndpointFacts, control: Observation) -> EndpointFacts:
    """The same facts with every refusal taken back: with no success beside it, it means nothing."""

    def weaken(seen: Observation) -> Observation:
        if seen.seen != "refused":
            return seen
        return Observation("inconclusive", f"{seen.evidence}; but {control.evidence}")

    return replace(
        facts,
        protocols={v: weaken(o) for v, o in facts.protocols.items()},
        rest={v: weaken(o) for v, o in facts.rest.items()},
        compression=weaken(facts.compression),
        behaviours={b: weaken(o) for b, o in facts.behaviours.items()},
        groups={},
    )


def _older_picks(found: Iterable[Discovery]) -> list[Accepted]:
    return [p for d in found for p in d.picks if p.version not in ("SSLv2", "TLSv1.3", None)]

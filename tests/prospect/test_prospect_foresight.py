"""What was not seen of a server, and what that means for who is refused there."""

from typing import Any

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts
from audit.prospect.fates import Turn, turns
from tests.judge.factories import CHAINS
from tests.prospect.prospect_factories import DAEMONS, IMAPS, KNOWN, NEW, OLD, scene, shown, staged

FULL = shown(OLD, "imap1", IMAPS)
HARD = shown(NEW, "imap1", IMAPS)


def _turns(before: EndpointFacts, after: EndpointFacts) -> dict[str, Turn]:
    found = turns(KNOWN, scene(OLD, before), scene(NEW, after), DAEMONS)
    return {turn.client: turn for turn in found}


@pytest.mark.parametrize(
    ("unseen", "number"),
    [
        ({"chains": ()}, 16),
        ({"chains": (), "bad_chains": ("not a certificate: garbage",)}, 16),
        ({"chains": CHAINS[:1], "bad_chains": ("not a certificate: garbage",)}, 3),
        ({"chains": CHAINS[1:], "bad_chains": ("not a certificate: garbage",)}, 2),
        ({"chains": ((replace(CHAINS[0][0], key_type="ed25519"),),)}, 16),
    ],
)
def test_a_certificate_that_was_not_seen_refuses_nobody(
    unseen: dict[str, Any], number: int
) -> None:
    """Who would be served with it is not lost, nor was refused before; versions are certain."""
    after = _turns(HARD, replace(HARD, **unseen)).values()
    assert [t.after.why for t in after if t.kind == "unknown"] == [
        "which certificates it has could not be told"
    ] * number
    assert not {t.client for t in after if t.kind in ("lost", "clear")}
    assert _turns(FULL, replace(HARD, **unseen))["tls11-ecdhe"].kind == "lost"
    before = staged(scene(OLD, replace(FULL, **unseen)), scene(NEW, HARD))
    assert before.outcome in ("undetermined", "breaks")
    told = {t.client for t in before.turns if t.kind in ("unknown", "lost")}
    assert told == {t.client for t in staged(scene(OLD, FULL), scene(NEW, HARD)).lost}


@pytest.mark.parametrize(
    ("untried", "why"),
    [
        ({"protocols": {}, "suites": {}, "rest": {}, "groups": {}}, "whether it has TLSv1.0"),
        ({"suites": {}, "rest": {}, "groups": {}}, "whether it has more suites of TLSv1.0"),
    ],
)
def test_what_was_not_tried_is_not_refused(untried: dict[str, Any], why: str) -> None:
    """As of a server that answered, and then throttled; it must not have been useless before."""
    after = _turns(FULL, replace(FULL, **untried))
    assert {t.kind for t in after.values() if t.before.result == "tls"} == {"unknown"}
    assert after["tls10-ecdhe"].after.why == f"{why} could not be told"
    before = staged(scene(OLD, replace(FULL, **untried)), scene(NEW, HARD))
    assert (before.outcome, before.exit_code) == ("undetermined", 3)
    kinds = {turn.kind for turn in before.turns if turn.after.result == "fails"}
    assert kinds == {"unknown"}


def test_groups_that_were_told_of_an_older_version_only_refuse_nobody_in_tls13() -> None:
    """Its own decide there; who has nothing newer than TLS 1.2 is refused for certain."""
    half = replace(HARD, groups={"TLSv1.2": HARD.groups["TLSv1.2"]})
    after = _turns(HARD, half)
    assert after["openssl-3.0"].kind == "unknown"
    assert after["openssl-3.0"].after.why == "its groups could not be told"
    few = replace(HARD, groups=dict.fromkeys(HARD.groups, ("X448",)))
    assert _turns(half, few)["tls13-p521"].kind == "unknown"
    assert after["tls12-p521"].kind == "never"


@pytest.mark.parametrize("part", ["suites", "groups"])
def test_what_this_edition_does_not_know_may_have_served_whom_it_refuses(part: str) -> None:
    """As in a run of a later one: it is said, and nobody who offers that version is certain."""
    known = getattr(HARD, part)
    later = replace(HARD, **{part: {**known, "TLSv1.2": ("NEW", *known["TLSv1.2"])}})
    before, after = (_turns(*pair)["tls12-cbc"] for pair in ((later, HARD), (HARD, later)))
    assert (before.kind, after.kind) == ("unknown", "unknown")
    assert after.after.why == "it has NEW, which this edition does not know"
    assert _turns(later, HARD)["openssl-3.0"].kind == "same"
    assert _turns(FULL, later)["tls11-ecdhe"].kind == "lost"
    found = staged(scene(NEW, later), scene(NEW, HARD))
    assert (found.outcome, found.exit_code) == ("undetermined", 3)

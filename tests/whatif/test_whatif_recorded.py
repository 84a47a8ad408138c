"""The recorded clients, known to the last bit, meet one policy and then another."""

from collections import Counter
from datetime import date
from functools import cache
from itertools import product

import pytest

from audit.clients.model import Client, Use
from audit.forecast.manners import GNUTLS_3_7, LIBRARIES, Manners
from audit.forecast.negotiate import Agreed
from audit.forecast.outcome import USES, fate
from audit.forecast.server import Server, keys
from audit.policy.load import load as read
from audit.policy.model import KEY_TYPES, KeyType
from audit.whatif.known import Seen
from audit.whatif.reason import Change, Reasoned, narrowed, reason
from audit.whatif.side import candidate, from_policy
from audit.wire.offer import Offer
from tests.whatif.factories import MODELS, ask, tally

load = cache(read)
DAY = date(2026, 11, 20)
NEW, OLD = "mailseal-2026", "univie-2015"
SHADOW = f"{NEW}+{OLD}"
CHANGES = (
    *((OLD, NEW), (SHADOW, NEW), (NEW, OLD), (OLD, "bsi-tr-02102-2"), (SHADOW, "mozilla-modern")),
    *(("mailseal-el6", NEW), (NEW, "mozilla-modern"), ("mozilla-modern", NEW), (OLD, "rfc9325")),
)


def _change(use: Use, old: str, new: str, manners: Manners) -> Change:
    having = keys(KEY_TYPES)
    before = from_policy(load(old).profiles[use], DAY, having, manners, old)
    return Change(before, candidate(load(new).profiles[use], DAY, having, manners, before.prime))


def _met(client: Client, offer: Offer, server: Server, *, named: bool = True) -> Seen | None:
    found = fate(client, offer, server)
    if not isinstance(found, Agreed):
        return None
    group = found.group.name if named and found.group else ""
    return Seen(found.version, found.suite, group)


@pytest.mark.parametrize(("old", "new"), CHANGES, ids=lambda name: name)
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_keep_connects_and_every_break_fails(old: str, new: str, library: str) -> None:
    """Whatever the library, with and without the group in the log; hellos leave next to nothing."""
    for use, named in product(USES, (True, False)):
        change = _change(use, old, new, LIBRARIES[library])
        for client, offer in MODELS:
            seen = _met(client, offer, change.old.server, named=named)
            if use not in client.uses or seen is None:
                continue
            after = _met(client, offer, change.new.server) is not None
            first = reason(seen, [change])
            hello = narrowed(seen, [change], first, {offer: "captured"}, "hello")
            for found in (first, hello):
                assert found.verdict != "keep" or after, (client.id, found.why)
                assert found.verdict != "break" or not after, (client.id, found.why)
            # What clients keep to themselves: primes that they take, older versions they complete.
            newer = [v for v in change.new.server.versions if v >= seen.version]
            suites = (s for v in newer for s in change.new.server.suites[v])
            if newer and not any(s.key_exchange == "DHE" for s in suites):
                assert hello.verdict != "unknown", (client.id, hello.why)


def _counted(old: str, new: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for use in USES:
        change = _change(use, old, new, LIBRARIES["gnutls-3.7"])
        for client, offer in MODELS:
            seen = _met(client, offer, change.old.server)
            if use in client.uses and seen is not None:
                found[reason(seen, [change]).verdict] += 1
    return found


def test_a_shadow_makes_known_what_was_unknown() -> None:
    """The same clients and the same new policy: what differs is the order that they met before."""
    before, shadow = _counted(OLD, NEW), _counted(SHADOW, NEW)
    assert before.total() <= shadow.total()
    assert before["unknown"] > before.total() / 2
    assert shadow["unknown"] < shadow.total() / 10, shadow


def test_what_is_modelled_is_said_only_if_all_agree() -> None:
    """Each client is foreseen by all others that negotiate the same."""
    guesses: list[tuple[Reasoned, bool]] = []
    for (old, new), use in product(CHANGES, USES):
        change = _change(use, old, new, LIBRARIES["openssl-3.0"])
        models = [(one, offer) for one, offer in MODELS if use in one.uses]
        for client, offer in models:
            seen = _met(client, offer, change.old.server, named=False)
            if seen is not None:
                found = reason(seen, [change], models)
                guesses.append((found, _met(client, offer, change.new.server) is not None))
    modelled = [(found.likely, after) for found, after in guesses if found.guess == "modelled"]
    assert modelled
    assert all((likely == "keep") == after for likely, after in modelled)
    assert {found.verdict for found, _ in guesses if found.guess} == {"unknown"}


@pytest.mark.parametrize(("old", "new"), CHANGES[:5], ids=lambda name: name)
@pytest.mark.parametrize("kinds", [("rsa",), ("ecdsa",), KEY_TYPES], ids="-".join)
def test_the_truth_lies_within_the_bounds(old: str, new: str, kinds: tuple[KeyType, ...]) -> None:
    """From the words of a log to the totals, and nobody says which certificates there are."""
    having = keys(kinds)
    sights: list[tuple[Use, str, str, str, int]] = []
    lost: Counter[str] = Counter()
    for use in USES:
        before = from_policy(load(old).profiles[use], DAY, having, GNUTLS_3_7, old)
        after = candidate(load(new).profiles[use], DAY, having, GNUTLS_3_7, before.prime)
        for number, (client, offer) in enumerate(MODELS, 1):
            seen = _met(client, offer, before.server)
            if use in client.uses and seen is not None and seen.suite is not None:
                words = f"{seen.version}:{seen.suite.name}:256:{seen.group}"
                sights.append((use, client.id, client.id, words, number))
                lost[use] += number * (_met(client, offer, after.server) is None)
    found = ask(tally(*sights), load(new), old)
    for kind, one in found.traffic.items():
        assert one.lower <= lost[kind] <= one.upper
    assert sum(one.keep + one.upper for one in found.traffic.values()) == sum(
        number for *_, number in sights
    )

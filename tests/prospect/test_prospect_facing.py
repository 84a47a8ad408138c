"""Hosts of one place that differ among each other, and those that only one side has."""

import pytest
from msgspec.structs import replace

from audit.facts import Endpoint
from audit.policy.load import load
from audit.prospect.facing import facing
from audit.prospect.places import Rule, Scene
from tests.prospect.prospect_factories import IMAPS, NEW, OLD, SMTP, scene, shown, staged
from tests.prospect.test_prospect import BROKEN


def _hosts(**policies: str) -> Scene:
    """Hosts of one cluster, each as another policy makes it; HOST_N is its Nth address."""
    ends = [
        shown(policy, name.partition("_")[0], IMAPS, f"192.0.2.{name.partition('_')[2] or 1}")
        for name, policy in policies.items()
    ]
    return scene(NEW, *ends)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_hosts(imap1=OLD, imap2=NEW), _hosts(imap1=NEW, imap2=NEW)),
        (_hosts(imap1=NEW, imap2=OLD), _hosts(imap1=OLD, imap2=NEW)),
        (_hosts(imap1=NEW, imap1_2=OLD), _hosts(imap1=NEW, imap1_2=NEW)),
        (_hosts(imap1=NEW, imap1_2=OLD), _hosts(imap1_3=NEW)),
        (_hosts(mail7=OLD, mail8=NEW), _hosts(imap1=NEW)),
        (_hosts(imap1=NEW, mail8=OLD), _hosts(imap1=NEW, imap2=NEW)),
        # Whom a host served that is gone another one has to serve; a new one serves everybody.
        (_hosts(imap1=NEW, imap2=OLD), _hosts(imap1=NEW)),
        (_hosts(imap1=OLD), _hosts(imap1=OLD, imap2=NEW)),
    ],
)
def test_who_was_served_by_one_host_of_several_can_be_lost(before: Scene, after: Scene) -> None:
    """That another one refused it already is no reason: it did not always get that one."""
    found = staged(before, after)
    assert (found.outcome, found.exit_code) == ("breaks", 1)
    assert {t.client for t in found.lost} >= BROKEN
    assert all(t.before.result == "tls" and t.after.result == "fails" for t in found.lost)


@pytest.mark.parametrize(
    "after",
    [
        _hosts(imap1=OLD, imap2=NEW),
        _hosts(imap2=NEW, imap1=OLD),
        _hosts(imap1_5=OLD, imap2_6=NEW),
        _hosts(imap1=OLD, mail8=NEW),
    ],
)
def test_hosts_that_differ_as_before_lose_nobody(after: Scene) -> None:
    """Each is compared with itself, by its name where staging has addresses of its own."""
    found = staged(_hosts(imap1=OLD, imap2=NEW), after)
    assert (found.outcome, found.lost) == ("holds", ())


def test_who_is_still_refused_by_one_host_has_won_nothing() -> None:
    """Once all of them serve it, it can connect."""
    some = staged(_hosts(imap1=NEW, imap2=NEW), _hosts(imap1=OLD, imap2=NEW))
    every = staged(_hosts(imap1=NEW, imap2=NEW), _hosts(imap1=OLD, imap2=OLD))
    kinds = [{t.client: t.kind for t in found.turns}["tls11-ecdhe"] for found in (some, every)]
    assert kinds == ["never", "won"]


@pytest.mark.parametrize("order", [1, -1])
def test_what_a_port_is_for_may_differ_by_host(order: int) -> None:
    """Senders and users of port 25 are told, whichever host comes first; each of its own hosts."""
    before, after = (_port_25(policy, order) for policy in (OLD, NEW))
    found = staged(before, after)
    assert {t.use for t in found.turns} == {"mx", "submission"}
    assert {t.kind for t in found.lost if t.use == "mx"} == {"clear"}
    assert {t.kind for t in found.lost if t.use == "submission"} == {"lost"}
    assert {t.places for t in found.turns} == {("smtp 25",)}


def test_a_port_that_is_for_others_now_serves_who_used_it_no_longer() -> None:
    """TLS is there as before, and not for them."""
    before = _port_25(NEW)
    (mx,) = [e for e in before.run.endpoints if e.endpoint.host == "mx1"]
    found = staged(before, scene(NEW, mx))
    assert {t.use for t in found.lost} == {"submission"}
    assert {t.after.why for t in found.lost} == {"no submission is served there any more"}
    assert {t.kind for t in found.turns if t.use == "mx"} == {"same"}
    assert not found.served[0].closed


def _port_25(policy: str, order: int = 1) -> Scene:
    """An MX, and a host whose port 25 is for users."""
    made = scene(policy, *[shown(policy, host, SMTP) for host in ("msa1", "mx1")][::order])
    users = Rule("submission", load(policy).profiles["submission"])
    return replace(made, rules={**made.rules, ("msa1", SMTP): users})


def test_an_endpoint_faces_itself_then_its_host_then_whatever_is_left() -> None:
    """Nobody is left out on either side."""

    def ends(*words: str) -> list[Endpoint]:
        return [Endpoint(word[0], word[2:], 993, "imap", "implicit") for word in words]

    old = ends("a 1", "a 2", "b 1", "c 1", "d 1")
    new = ends("a 1", "a 3", "b 1", "e 1")
    assert [
        tuple([f"{e.host} {e.address}" for e in side] for side in pair) for pair in facing(old, new)
    ] == [
        (["a 1"], ["a 1"]),
        (["b 1"], ["b 1"]),
        (["a 2"], ["a 3"]),
        (["c 1", "d 1"], ["e 1"]),
    ]
    assert list(facing(old, new[:1]))[-1] == (old[1:], new[:1])
    assert list(facing(old[:1], new))[-1] == (old[:1], new[1:])
    assert list(facing(old, [])) == [(old, [])]

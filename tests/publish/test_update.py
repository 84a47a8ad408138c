"""Dynamic updates of a real Knot DNS that signs its zone, and whatever can go wrong with them."""

import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import dns.message
import dns.rcode
import pytest

from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, USAGE, MailsealError
from audit.inventory import EndpointRow, Host
from audit.publish import ask, site, tsig, update
from audit.publish.model import Change, Place, Records, changes
from audit.publish.zones import Zones
from audit.targets import nameserver
from tests.daemons.cell import inside
from tests.publish.knot import ADDRESS, LAME, NEGATIVE, SECONDARY, ZONE, Knot, key_file, knot

pytestmark = pytest.mark.usefixtures("namespaces")

PRIMARY = Nameserver(ADDRESS)
PLACE = Place(f"_25._tcp.mx.{ZONE}", "TLSA")
TEXT = Place(f"_smtp._tls.{ZONE}", "TXT")
A, B = (f"3 1 1 {letter * 64}" for letter in "ab")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    """One for all of them, and this thread where it can be asked."""
    with knot(Path(tmp_path_factory.mktemp("knot"))) as made, inside(made.server.netns):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                for at in (PRIMARY, nameserver(SECONDARY, "secondary")):
                    ask.authority(PLACE.owner, at)
                break
            except MailsealError:
                time.sleep(0.1)
        yield made


@pytest.fixture(autouse=True)
def empty(running: Knot) -> None:
    """Nothing of ours is in the zone."""
    there = ask.read([PLACE, TEXT], PRIMARY)
    if found := [Change(place, one, None) for place, one in there.items() if one]:
        send(running, *found)


def send(made: Knot, *found: Change) -> None:
    """Make changes."""
    update.send(ask.authority(ZONE, PRIMARY).name, found, PRIMARY, tsig.read(made.key))


def zones(*secondaries: str) -> Zones:
    """As a roll-over has them."""
    host = Host(
        addresses=("192.0.2.10",),
        server_name=f"mx.{ZONE}",
        endpoints=(EndpointRow(25, "smtp", "starttls", "mx"),),
        dns_server=ADDRESS,
        dns_secondaries=secondaries,
        name="mx",
    )
    return Zones(site.site([host]), [PLACE, TEXT], Resolver([PRIMARY]))


def test_what_is_missing_is_published_on_every_name_server(running: Knot) -> None:
    """Of two kinds, in one update; what is there afterwards is what was wanted."""
    wanted = {
        PLACE: Records(20, frozenset({A, B})),
        TEXT: Records(20, frozenset({"v=TLSRPTv1; rua=mailto:a@example.test;"})),
    }
    every = zones(SECONDARY)
    found = changes(every.read()[every.primary], wanted)
    every.change(found, tsig.read(running.key))
    every.follow(found, 20, lambda _: None)
    assert every.read() == {ADDRESS: wanted, SECONDARY: wanted}
    assert changes(every.read()[SECONDARY], wanted) == []


def test_a_single_record_goes_and_the_other_stays(running: Knot) -> None:
    """Only the difference is sent."""
    both, one = Records(20, frozenset({A, B})), Records(20, frozenset({B}))
    send(running, Change(PLACE, None, both))
    change = Change(PLACE, both, one)
    key = tsig.read(running.key)
    sent = update.message(ask.authority(ZONE, PRIMARY).name, [change], key)
    assert [r.to_text() for r in sent.update] == [f"{PLACE.owner}. 0 NONE TLSA {A}"]
    send(running, change)
    assert ask.read([PLACE], PRIMARY) == {PLACE: one}


def test_another_time_to_live_is_set_for_the_whole_set(running: Knot) -> None:
    """A set has one."""
    before, after = Records(20, frozenset({A})), Records(40, frozenset({A, B}))
    send(running, Change(PLACE, None, before))
    send(running, Change(PLACE, before, after))
    assert ask.read([PLACE], PRIMARY) == {PLACE: after}


@pytest.mark.parametrize(
    "before", [None, Records(20, frozenset({A})), Records(20, frozenset({A, B}))]
)
def test_a_concurrent_change_is_noticed(running: Knot, before: Records | None) -> None:
    """What was read is no more what is there: nothing is done."""
    there = Records(20, frozenset({B}))
    send(running, Change(PLACE, None, there))
    with pytest.raises(update.Concurrent, match="somebody changed these records meanwhile"):
        send(running, Change(PLACE, before, Records(20, frozenset({A}))))
    assert ask.read([PLACE], PRIMARY) == {PLACE: there}


def test_a_text_in_several_strings_is_changed_too(running: Knot) -> None:
    """As people write it; it is read as one, and others of its name stay."""
    owner = dns.name.from_text(TEXT.owner)
    by_hand = dns.update.UpdateMessage(ZONE, keyring=tsig.read(running.key))
    by_hand.add(owner, 20, "TXT", '"v=TLSRPTv1; " "rua=mailto:a@example.test"')
    by_hand.add(owner, 20, "TXT", '"else" "where"')
    dns.query.tcp(by_hand, ADDRESS, 15, PRIMARY.port)
    before = ask.read([TEXT], PRIMARY)
    wanted = {TEXT: Records(20, frozenset({"v=TLSRPTv1; rua=mailto:b@example.test;"}))}
    (change,) = changes(before, wanted)
    send(running, change)
    after = Records(20, wanted[TEXT].data | {"elsewhere"})
    assert ask.read([TEXT], PRIMARY) == {TEXT: after}


CHANGE = Change(PLACE, None, Records(20, frozenset({A})))


@pytest.mark.parametrize(
    ("name", "secret", "words"),
    [
        ("nobody", "", "it takes no changes by the key nobody (BADKEY)"),
        ("mailseal", "c2VjcmV0", "it has another secret for mailseal (BADSIG)"),
    ],
)
def test_a_wrong_key_is_told(
    running: Knot, tmp_path: Path, name: str, secret: str, words: str
) -> None:
    """One sentence, and no secret in it."""
    path = key_file(tmp_path / "key", name, secret or running.secret)
    with pytest.raises(MailsealError) as raised:
        update.send(ask.authority(ZONE, PRIMARY).name, [CHANGE], PRIMARY, tsig.read(path))
    assert str(raised.value) == f"primary {ADDRESS}, zone {ZONE}: {words}"
    assert raised.value.exit_code == USAGE
    assert ask.read([PLACE], PRIMARY) == {PLACE: None}


def test_a_wrong_clock_is_told(running: Knot) -> None:
    """TSIG allows five minutes."""
    real = time.time
    zone = ask.authority(ZONE, PRIMARY).name
    with (
        patch("time.time", lambda: real() - 3600),
        pytest.raises(MailsealError, match="clock and ours differ too much") as raised,
    ):
        update.send(zone, [CHANGE], PRIMARY, tsig.read(running.key))
    assert raised.value.exit_code == UNDETERMINED


def test_a_key_that_may_not_is_told(running: Knot) -> None:
    """It may only read; Knot says the same of one that it does not know."""
    zone = ask.authority(ZONE, PRIMARY).name
    with pytest.raises(MailsealError, match=r"takes no changes by the key reader \(BADKEY\)"):
        update.send(zone, [CHANGE], PRIMARY, tsig.read(running.reader))
    assert ask.read([PLACE], PRIMARY) == {PLACE: None}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("REFUSED", r"it refuses: this key may not change it \(REFUSED\)"),
        ("NOTAUTH", r"it does not take changes: it is not its primary \(NOTAUTH\)"),
        ("NOTIMP", r"it knows no dynamic update \(NOTIMP\)"),
        ("SERVFAIL", r"it does not make the change \(SERVFAIL\)"),
        ("NOERROR", "not signed, so whether the change was made is not known"),
    ],
)
def test_what_a_primary_answers_is_told(running: Knot, code: str, words: str) -> None:
    """Also an answer that anybody on the way could have made."""
    zone, key = ask.authority(ZONE, PRIMARY).name, tsig.read(running.key)
    answer = dns.message.make_response(update.message(zone, [CHANGE], key))
    answer.tsig = None
    answer.set_rcode(dns.rcode.from_text(code))
    with patch("dns.query.tcp", lambda *_, **__: answer), pytest.raises(MailsealError, match=words):
        update.send(zone, [CHANGE], PRIMARY, key)


def test_a_primary_that_is_down_is_told(running: Knot) -> None:
    """Nothing listens there."""
    zone = ask.authority(ZONE, PRIMARY).name
    with pytest.raises(MailsealError, match="no answer: Connection refused") as raised:
        update.send(zone, [CHANGE], Nameserver(ADDRESS, 5399), tsig.read(running.key))
    assert raised.value.exit_code == UNDETERMINED


def test_a_lame_secondary_is_told() -> None:
    """It is delegated to, and does not have the zone: nobody knows what it will say tomorrow."""
    with pytest.raises(MailsealError, match=f"{LAME}, asked for TLSA of .* answers REFUSED"):
        zones(SECONDARY, LAME).read()


def test_a_secondary_that_does_not_follow_is_told_in_time() -> None:
    """Bounded, and by its name."""
    begun = time.monotonic()
    with pytest.raises(MailsealError, match=r"after 2 s: .* do not have the change"):
        zones(SECONDARY).follow([CHANGE], 2, lambda _: None)
    assert time.monotonic() - begun < 10


def test_name_servers_are_found_by_their_records() -> None:
    """At port 53 of the addresses of the zone's NS records."""
    assert set(zones().read()) == {ADDRESS, f"ns.{ZONE} [{ADDRESS}]"}


def test_how_long_an_absence_is_cached_is_known() -> None:
    """By the SOA record."""
    assert zones().negative == {PLACE.owner: NEGATIVE, TEXT.owner: NEGATIVE}


def test_a_name_in_no_zone_of_the_primary_is_told() -> None:
    """It is somebody else's."""
    with pytest.raises(MailsealError, match=r"SOA of _25._tcp.mx.example.org, answers REFUSED"):
        ask.authority("_25._tcp.mx.example.org", PRIMARY)

"""A roll-over with a real Knot and a server that speaks TLS, under the eyes of a sender."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.errors import MailsealError
from audit.inventory import EndpointRow, Host
from audit.publish import ask, journal, look, play, rollover, site
from audit.publish.drive import Hands, Pace, Rollover
from audit.publish.model import Place, Records, gaps
from audit.targets import nameserver
from tests.daemons.cell import inside
from tests.domain.world import Authority, Keys
from tests.publish.knot import ADDRESS, SECONDARY, ZONE, Knot, knot
from tests.twins import twin

pytestmark = pytest.mark.usefixtures("namespaces")

PRIMARY = Nameserver(ADDRESS)
OWNER = f"_25._tcp.mx.{ZONE}"
PLACE = Place(OWNER, "TLSA")
TTL = 4
SERVER = ("192.0.2.2", 25)  # the clients' end of the cell's cable


def record(keys: Keys) -> frozenset[str]:
    """For the one key that a twin serves."""
    return frozenset({f"3 1 1 {keys.rsa}"})


class Killed(Exception):
    """kill -9, as far as what is kept is concerned."""


@dataclass
class Scene:
    """The server, its keys, and what a sender met.

    Attributes:
        now, following: what it serves, and is to serve.
        deaths: at which call of the hands to die; emptied as they come.
        said: what the roll-over told.
    """

    made: Knot
    folder: Path
    now: Keys
    following: Keys
    stack: ExitStack = field(default_factory=ExitStack)
    deaths: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def site(self) -> site.Site:
        """As an inventory would have it."""
        host = Host(
            addresses=(SERVER[0],),
            server_name=f"mx.{ZONE}",
            endpoints=(EndpointRow(25, "smtp", "starttls", "mx"),),
            dns_server=ADDRESS,
            dns_secondaries=(SECONDARY,),
            tsig_key_file=str(self.made.key),
            tlsa_ttl=TTL,
            certificate_types=("rsa",),
            name="mx",
        )
        return site.site([host])

    def serve(self, keys: Keys) -> None:
        """Serve these, and nothing else."""
        self.stack.close()
        self.now = keys
        self.stack.enter_context(twin(keys.pki, "smtp", at=SERVER))

    def rollover(self, margin: float = 2) -> Rollover:
        """A new process, as it were."""
        hands = Hands(self._prepare, self._switch, self._say)
        resolver = Resolver([PRIMARY])
        return Rollover(self.site, self.folder, resolver, hands, Pace(margin, 20))

    def _prepare(self) -> dict[str, list[list[bytes]]]:
        place = self.folder / "next" / "mx"
        place.mkdir(parents=True, exist_ok=True)
        (place / "rsa.crt").write_bytes(self.following.pki.rsa[0].read_bytes())
        self._die("prepare")
        return {"mx": play._chains(place)}

    def _switch(self, hosts: Sequence[str]) -> None:
        assert list(hosts) == ["mx"]
        self.serve(self.following)
        self._die("switch")

    def _say(self, words: str) -> None:
        self.said.append(words)
        self._die(words.partition(":")[0])

    def _die(self, where: str) -> None:
        if where in self.deaths:
            self.deaths.remove(where)
            raise Killed(where)


class Sender(threading.Thread):
    """Enforces DANE: asks a name server now and then, keeps what it is told, and compares.

    Attributes:
        deferred: what it would have deferred mail for.
        sent: how often it compared.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(daemon=True)
        self._scene, self._over = scene, threading.Event()
        self.deferred: list[str] = []
        self.sent = 0

    def run(self) -> None:
        """Until it is told to end."""
        cached, until = None, 0.0
        servers = itertools.cycle([PRIMARY, nameserver(SECONDARY, "secondary")])
        with inside(self._scene.made.server.netns):
            while not self._over.wait(0.1):
                if time.monotonic() >= until:
                    at = next(servers)
                    cached = ask.read([PLACE], at)
                    until = time.monotonic() + TTL
                try:
                    served = look.served(self._scene.site, look.look(self._scene.site))
                except OSError:
                    continue
                if cached:
                    self.sent += 1
                    self.deferred += gaps(cached, served)

    def end(self) -> None:
        """Tell it so."""
        self._over.set()
        self.join(30)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    """One for all of them, and this thread where it can be asked."""
    with knot(Path(tmp_path_factory.mktemp("knot"))) as made, inside(made.server.netns):
        _until(lambda: bool(ask.authority(OWNER, nameserver(SECONDARY, "secondary"))))
        yield made


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if true():
                return
        except MailsealError:
            pass
        time.sleep(0.1)
    raise AssertionError("it does not come to that")


@pytest.fixture
def scene(running: Knot, tmp_path: Path) -> Iterator[Scene]:
    """A server with two keys of which the records are published."""
    now = Authority(tmp_path).keys(f"mx.{ZONE}")
    (tmp_path / "later").mkdir()
    following = Authority(tmp_path / "later").keys(f"mx.{ZONE}")
    made = Scene(running, tmp_path / "state", now, following)
    (tmp_path / "state").mkdir()
    with made.stack:
        made.serve(made.now)
        _publish(made)
        yield made


def _publish(made: Scene) -> None:
    from audit.publish import tsig
    from audit.publish.model import Change
    from audit.publish.zones import Zones

    zones = Zones(made.site, [PLACE], Resolver([PRIMARY]))
    before = zones.read()[zones.primary][PLACE]
    after = Records(TTL, record(made.now))
    if before != after:
        zones.change([Change(PLACE, before, after)], tsig.read(made.made.key))
    zones.follow([Change(PLACE, None, after)], 20, lambda _: None)


STEPS = ("beginning with", "prepare", "publish", "note", "wait", "switch", "retire")


def test_no_sender_defers_and_only_the_next_keys_are_left(scene: Scene) -> None:
    """Also on the secondary; and it took no longer than it had to."""
    sender = Sender(scene)
    sender.start()
    begun = time.monotonic()
    scene.rollover().run()
    took = time.monotonic() - begun
    time.sleep(TTL)
    sender.end()
    assert sender.deferred == []
    assert sender.sent > 10
    left = Records(TTL, record(scene.following))
    for at in (PRIMARY, nameserver(SECONDARY, "secondary")):
        assert ask.read([PLACE], at) == {PLACE: left}
    assert journal.load(scene.folder) is None
    assert [w for w in STEPS if any(s.startswith(w) for s in scene.said)] == list(STEPS)
    assert took < TTL + 2 + 25


def test_killed_at_every_step_it_goes_on(scene: Scene) -> None:
    """The same command again, each time; the waiting of before counts."""
    sender = Sender(scene)
    sender.start()
    scene.deaths = ["prepare", "publish", "note", "wait", "switch", "retire"]
    scene.deaths += ["prepare", "switch"]  # after what is done outside, too
    for _ in range(12):
        try:
            scene.rollover().run()
            break
        except Killed:
            continue
    sender.end()
    assert scene.deaths == []
    assert sender.deferred == []
    assert ask.read([PLACE], PRIMARY) == {PLACE: Records(TTL, record(scene.following))}
    assert journal.load(scene.folder) is None


def test_one_that_switches_too_early_has_a_sender_defer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail."""
    monkeypatch.setattr(rollover, "_waited", lambda *_: None)
    monkeypatch.setattr(rollover, "_spread", lambda *_: None)
    sender = Sender(scene)
    sender.start()
    time.sleep(1)
    with pytest.raises(MailsealError, match="serves a key that no record"):
        scene.rollover().run()
    time.sleep(1)
    sender.end()
    assert sender.deferred != []


def test_a_server_that_serves_another_key_after_the_switch_is_told(scene: Scene) -> None:
    """It would be tried for ever."""
    scene.following, right = scene.now, scene.following
    made = scene.rollover()
    made._hands = Hands(lambda: _other(scene, right), lambda _: None, scene.said.append)
    with pytest.raises(MailsealError, match="mx: not only the next keys are seen after the switch"):
        made.run()
    assert journal.load(scene.folder) is not None
    both = record(scene.now) | record(right)
    assert ask.read([PLACE], PRIMARY) == {PLACE: Records(TTL, both)}


def _other(scene: Scene, keys: Keys) -> dict[str, list[list[bytes]]]:
    place = scene.folder / "other"
    place.mkdir()
    (place / "rsa.crt").write_bytes(keys.pki.rsa[0].read_bytes())
    return {"mx": play._chains(place)}


def test_a_roll_over_of_other_names_is_ended_first(scene: Scene) -> None:
    """Its journal says nothing of these."""
    other = {"_25._tcp.other.example.test": frozenset({"3 1 1 aa"})}
    journal.keep(scene.folder, rollover.Journal(0, next=other))
    with pytest.raises(MailsealError, match=r"of other names is under way: _25._tcp.other"):
        scene.rollover().run()

"""Which policy is in force: what RFC 8461 says of records, hosts, time and failures."""

import os
import threading
from pathlib import Path

import pytest

from audit.mta_sts.cache import Cache
from audit.mta_sts.discovery import AGAIN, Discovery
from audit.mta_sts.kept import Kept, kept
from audit.wire.mta_sts import Policy

NOW = 1_795_390_572.0
DAY = 86_400
WEEK = Policy("enforce", 7 * DAY, ("mx.example.org", "*.example.net"))
NONE = Policy("none", DAY, ())


class World:
    """Policy hosts, a clock and a log.

    Attributes:
        now: seconds.
        hosts: what each domain's host has; a sentence for what is wrong there.
        asked: the domains whose host was asked, in order.
        log: what was said.
    """

    def __init__(self, directory: Path) -> None:
        self.now = NOW
        self.hosts: dict[str, Policy | str] = {}
        self.asked: list[str] = []
        self.log: list[str] = []
        self.cache = Cache(directory)
        self.discovery = Discovery(self.cache, self.fetch, lambda: self.now, self.log.append)

    def fetch(self, domain: str) -> Policy:
        self.asked.append(domain)
        found = self.hosts.get(domain, "nobody is there")
        if isinstance(found, Policy):
            return found
        raise ValueError(found)

    def policy(self, *records: str, domain: str = "example.org") -> Policy | None:
        found = self.discovery.policy(domain, records)
        return found.policy if found else None


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_policy_is_fetched_once_and_kept(world: World) -> None:
    """As long as the record says the same id."""
    world.hosts["example.org"] = WEEK
    for _ in range(3):
        assert world.policy("v=STSv1; id=1") == WEEK
    assert world.asked == ["example.org"]


def test_another_id_has_it_fetched_anew(world: World) -> None:
    """And what is fetched replaces what was kept."""
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.hosts["example.org"] = NONE
    assert world.policy("v=STSv1; id=1") == WEEK
    assert world.policy("v=STSv1; id=2") == NONE


@pytest.mark.parametrize(
    "records",
    [
        [],
        ["v=spf1 -all"],
        ["v=STSv1; id=2", "v=STSv1; id=3"],
        ["v=STSv1;"],
        ["v=STSv1; id=not-an-id"],
        ["v=STSv1; id=" + "1" * 33],
        ["v=STSv2; id=2"],
        ["x" * 60_000],
        ["v=STSv1; id=2; " + "a=b; " * 10_000 + "!"],
    ],
)
def test_without_exactly_one_valid_record_what_is_kept_stays(
    world: World, records: list[str]
) -> None:
    """Section 3.1: it is no reason to forget a policy, nor to fetch one."""
    world.hosts["example.org"] = WEEK
    assert world.policy(*records) is None
    assert world.asked == []
    world.policy("v=STSv1; id=1")
    assert world.policy(*records) == WEEK
    assert world.asked == ["example.org"]


def test_what_is_kept_is_never_replaced_by_what_is_invalid(world: World) -> None:
    """Sections 3.3 and 5.1; the log says what was wrong, and for which domain."""
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.hosts["example.org"] = "its certificate does not verify"
    assert world.policy("v=STSv1; id=2") == WEEK
    assert world.log == ["example.org: no policy was taken, for its certificate does not verify"]


def test_a_policy_ends(world: World) -> None:
    """With its max_age, and not before."""
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.hosts.clear()
    world.now += 7 * DAY - 1
    assert world.policy() == WEEK
    world.now += 1
    assert world.policy() is None


def test_a_host_that_failed_is_left_alone_for_five_minutes(world: World) -> None:
    """Section 3.3, for each id: another one may be worth another try."""
    world.policy("v=STSv1; id=1")
    world.now += AGAIN - 1
    world.policy("v=STSv1; id=1")
    assert len(world.asked) == 1
    world.policy("v=STSv1; id=2")
    assert len(world.asked) == 2
    world.now += AGAIN
    world.hosts["example.org"] = WEEK
    assert world.policy("v=STSv1; id=2") == WEEK


def test_a_clock_that_is_put_back_keeps_nothing_from_being_tried(world: World) -> None:
    """What failed in the future would be left alone until then, and no policy come into force."""
    world.policy("v=STSv1; id=1")
    world.now -= 1000 * DAY
    world.hosts["example.org"] = WEEK
    assert world.policy("v=STSv1; id=1") == WEEK


def test_a_clock_that_is_put_back_keeps_no_policy_longer_than_its_time(world: World) -> None:
    """Not even of a host that is gone; one that is there is asked again after a day."""
    future = NOW + 1000 * DAY
    world.now = future
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.now = NOW
    world.discovery.refresh()
    assert world.policy() == WEEK
    assert dict(world.cache.entries()) == {"example.org": NOW}
    assert len(world.asked) == 1
    world.now += DAY
    world.discovery.refresh()
    assert len(world.asked) == 2
    world.hosts.clear()
    world.now += 7 * DAY
    world.discovery.refresh()
    assert world.policy() is None
    assert list(world.cache.entries()) == []


def test_what_somebody_else_has_put_there_keeps_nothing_from_being_refreshed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory, a pipe, a link, half of a file; nor does what cannot be taken away."""
    (tmp_path / "a.example").mkdir()
    (tmp_path / ".new-directory").mkdir()
    os.mkfifo(tmp_path / "b.example")
    (tmp_path / "c.example").symlink_to("/etc/passwd")
    (tmp_path / "d.example").write_text("mode=enforce unt")
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.now += DAY
    with monkeypatch.context() as patched:
        patched.setattr(world.cache, "drop", _read_only)
        world.discovery.refresh()
    assert world.asked == ["example.org"] * 2
    world.discovery.refresh()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.example", ".new-directory", "b.example", "c.example", "example.org"}
    assert [name for name, _ in Cache(tmp_path).entries()] == ["example.org"]


def _read_only(_: str) -> None:
    raise OSError(30, "Read-only file system")


def test_a_policy_is_refreshed_every_day(world: World) -> None:
    """So it stays in force although nobody asks on its last day, or its host is away then."""
    world.hosts["example.org"] = WEEK
    world.policy("v=STSv1; id=1")
    world.now += DAY - 1
    world.discovery.refresh()
    assert len(world.asked) == 1
    world.now += 1
    world.discovery.refresh()
    assert len(world.asked) == 2
    world.hosts.clear()
    world.now += 6 * DAY
    world.discovery.refresh()
    assert world.policy() == WEEK


def test_a_short_policy_is_refreshed_when_half_its_time_is_over(world: World) -> None:
    """A day would be too late for it."""
    world.hosts["example.org"] = Policy("enforce", 3600, ("mx.example.org",))
    world.policy("v=STSv1; id=1")
    world.now += 1800
    world.discovery.refresh()
    assert len(world.asked) == 2


def test_what_nobody_asks_for_is_let_end(world: World) -> None:
    """A refresh is no question."""
    world.hosts["example.org"] = Policy("enforce", 40 * DAY, ("mx.example.org",))
    world.policy("v=STSv1; id=1")
    for _ in range(60):
        world.now += DAY
        world.discovery.refresh()
    assert 28 <= len(world.asked) <= 33
    world.now += 12 * DAY
    world.discovery.refresh()
    assert list(world.cache.entries()) == []


def test_many_at_once_ask_the_host_once(world: World) -> None:
    """And get the same."""
    begun, go = threading.Event(), threading.Event()

    def fetch(domain: str) -> Policy:
        world.asked.append(domain)
        begun.set()
        assert go.wait(10)
        return WEEK

    discovery = Discovery(world.cache, fetch, lambda: world.now, world.log.append)
    found: list[Kept | None] = []

    def ask() -> None:
        found.append(discovery.policy("example.org", ["v=STSv1; id=1"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    other = Discovery(world.cache, fetch, lambda: world.now, world.log.append)
    assert other.policy("example.net", []) is None  # nobody else waits for it
    go.set()
    for thread in threads:
        thread.join(10)
    assert {one.policy for one in found if one} == {WEEK}
    assert len(found) == 8
    assert 1 <= len(world.asked) <= 8


def test_a_fault_of_the_host_keeps_nobody_waiting(world: World) -> None:
    """Whoever waits for the same fetch is told too, and the next one may try again."""

    def fetch(_: str) -> Policy:
        raise RuntimeError

    discovery = Discovery(world.cache, fetch, lambda: world.now, world.log.append)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            discovery.policy("example.org", ["v=STSv1; id=1"])


def test_a_policy_that_cannot_be_kept_is_in_force_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is said, and costs the mail nothing."""

    def put(domain: str, one: Kept) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(world.cache, "put", put)
    world.hosts["example.org"] = WEEK
    assert world.policy("v=STSv1; id=1") == WEEK
    assert world.log == ["example.org: the policy cannot be kept (No space left on device)"]


LINE = Kept(WEEK, "1", int(NOW)).line + "\n"


def test_a_line_is_read_as_it_was_written() -> None:
    """Every field of it."""
    assert kept(LINE) == Kept(WEEK, "1", int(NOW))
    assert kept(Kept(NONE, "a" * 32, 0).line + "\n") == Kept(NONE, "a" * 32, 0)


@pytest.mark.parametrize("length", range(len(LINE)))
def test_a_line_that_is_torn_is_none(length: int) -> None:
    """Wherever."""
    assert kept(LINE[:length]) is None


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("enforce", "enforced"),
        LINE.replace("until=1795995372", "until=9995995372"),  # longer than a year
        LINE.replace("until=1795995372", "until=1795390571"),  # before it began
        LINE.replace(" mx=", " mx= "),
        LINE[: LINE.index(" mx=")] + " mx=:\n",  # in force, and nobody may have the mail
        LINE * 2,
        "\n",
    ],
)
def test_a_line_that_is_not_ours_is_none(line: str) -> None:
    """It is as good as no file."""
    assert kept(line) is None


def test_a_process_that_is_ended_while_it_writes_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the new file and its name; and the next one takes the rest away."""
    cache = Cache(tmp_path)
    cache.put("example.org", Kept(WEEK, "1", int(NOW)))

    class Ended(BaseException):
        pass

    def replace(_: Path, target: Path) -> None:
        raise Ended

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # who is killed cleans nothing up
        with pytest.raises(Ended):
            cache.put("example.org", Kept(NONE, "2", int(NOW)))
    assert len(list(tmp_path.iterdir())) == 2
    again = Cache(tmp_path)
    found = again.get("example.org", NOW)
    assert found is not None
    assert found.policy == WEEK
    assert [path.name for path in tmp_path.iterdir()] == ["example.org"]


def test_what_cannot_be_read_is_not_kept(tmp_path: Path) -> None:
    """A directory, bytes, nothing at all."""
    cache = Cache(tmp_path)
    (tmp_path / "directory.example").mkdir()
    (tmp_path / "bytes.example").write_bytes(b"\xff\xfe")
    (tmp_path / "empty.example").touch()
    for name in ("directory", "bytes", "empty", "missing"):
        assert cache.get(f"{name}.example", NOW) is None

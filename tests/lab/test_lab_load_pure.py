"""The load keeps count rightly: what is retried, what is lost, who was not let in."""

import json
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from audit.facts import Endpoint, Service
from audit.passage import mailbox
from audit.passage.errand import do
from audit.passage.outcome import End, Outcome
from audit.passage.plan import Errand, Place
from tests.commands import ROOT
from tests.lab.load import Lane, lanes, missing
from tests.passage.served import ACCOUNT, Store, errand, place, serving
from tests.passage.test_passage_command import HEAD, WHO, written
from tests.servers import Pki, free_port


def made(service: Service, *hosts: str, hindrance: str = "") -> list[Errand]:
    """An errand at each host."""
    return [
        Errand(
            Place(Endpoint(host, "192.0.2.1", 25, service, "starttls", host), (), ACCOUNT),
            "mx",
            None,
            hindrance,
        )
        for host in hosts
    ]


class Hosts:
    """Hosts that end an errand as they are told; by host and second."""

    def __init__(self, ends: dict[tuple[str, int], End]) -> None:
        self.now = 0.0
        self._ends = ends
        self._numbers = count(1)

    def attempt(self, errand: Errand) -> Outcome:
        """What the host says at this second."""
        where = errand.place.endpoint
        end = self._ends.get((where.host, int(self.now)), "done")
        mail = where.service == "smtp" and end == "done"
        return Outcome(endpoint=where, end=end, message=f"<{next(self._numbers)}>" if mail else "")

    def sleep(self, seconds: float) -> None:
        """Time goes on."""
        self.now += seconds

    def lane(self, service: Service, *names: str) -> Lane:
        """A service at these hosts, ten seconds long, then five of grace."""
        lane = Lane(made(service, *names), self.attempt, lambda: self.now, self.sleep)
        lane.run(10.0, 1.0, 5.0)
        return lane


def test_all_is_well_where_all_is_well() -> None:
    """Ten rounds, by turns at both hosts."""
    lane = Hosts({}).lane("smtp", "a", "b")
    assert (lane.done, lane.tries, lane.deferred, lane.failed) == (10, 10, 0, [])
    assert [errand.place.endpoint.host for _, errand in lane.taken] == ["a", "b"] * 5
    assert len({message for message, _ in lane.taken}) == 10


@pytest.mark.parametrize("service", ["imap", "smtp"])
def test_a_host_that_restarts_is_no_harm_while_another_serves(service: Service) -> None:
    """The user, and the mail, go on to the next."""
    ends: dict[tuple[str, int], End] = {("a", second): "broken" for second in range(3, 8)}
    lane = Hosts(ends).lane(service, "a", "b")
    assert (lane.done, lane.deferred, lane.failed) == (10, 0, [])
    assert lane.tries > 10


def test_a_mail_waits_until_it_is_taken() -> None:
    """Temporary failures and refused connections delay it, and nothing else."""
    ends: dict[tuple[str, int], End] = {("a", 4): "busy", ("a", 5): "broken", ("a", 6): "no-way"}
    lane = Hosts(ends).lane("smtp", "a")
    assert (lane.done, lane.failed) == (10, [])
    assert lane.deferred == 1 + 2 + 3
    assert len(lane.taken) == 10


def test_a_user_does_not_wait() -> None:
    """Whom no host lets in is counted, with the second and the reason."""
    lane = Hosts({("a", 4): "broken", ("b", 4): "busy"}).lane("imap", "a", "b")
    assert lane.done == 9
    (failed,) = lane.failed
    assert failed.startswith("after 4.0 s: ")


def test_a_refusal_for_good_is_not_tried_elsewhere() -> None:
    """A wrong password is wrong everywhere, and a mail that is refused is lost."""
    services: tuple[Service, ...] = ("imap", "smtp")
    for service in services:
        lane = Hosts({("a", 4): "refused"}).lane(service, "a", "b")
        assert (lane.done, lane.tries, len(lane.failed)) == (9, 10, 1)


def test_a_mail_that_is_never_taken_is_lost() -> None:
    """After the time of grace, and not before."""
    for end in range(9, 16):
        ends: dict[tuple[str, int], End] = {("a", second): "broken" for second in range(8, end)}
        lane = Hosts(ends).lane("smtp", "a")
        assert lane.done + len(lane.failed) == 10
        assert len(lane.failed) == (2 if end == 15 else 0)


def test_each_service_has_a_lane() -> None:
    """Of what can be tried at all."""
    found = lanes([*made("smtp", "a", "b"), *made("lmtp", "c"), *made("imap", "d", hindrance="x")])
    assert [(lane.name, len(lane.errands), lane.mails) for lane in found] == [
        ("lmtp 25", 1, True), ("smtp 25", 2, True),
    ]  # fmt: skip


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "_PAUSE", 0.01)


@pytest.mark.usefixtures("_quick")
def test_what_was_taken_must_be_in_the_mailbox(pki: Pki) -> None:
    """In the end all of it is looked for and removed; what is not there is lost, and named."""
    store = Store()
    with serving(pki, "imap", store=store) as imap, serving(pki, "lmtp", "starttls", store) as lmtp:
        one = errand(place(pki, "lmtp", lmtp, "starttls"), reader=place(pki, "imap", imap))
        lane = Lane([one])
        lane.run(0.2, 0.01)
        assert lane.done == len(lane.taken) > 1
        assert {message for message, _ in lane.taken} == store.ids
        lane.taken.append(("<never@mailseal.invalid>", one))
        assert missing(lane, 0.2) == ["<never@mailseal.invalid>: not in the mailbox on h1"]
    assert store.ids == set()
    where = place(pki, "imap", free_port())
    lane.taken = [("<1@mailseal.invalid>", replace(one, reader=where))]
    (lost,) = missing(lane, 0.1)
    assert "connect: Connection refused" in lost


def test_the_default_attempt_looks_for_nothing(pki: Pki) -> None:
    """A restart of IMAP is no reason to hold mail back."""
    with serving(pki, "lmtp", "starttls") as lmtp:
        where = place(pki, "lmtp", lmtp, "starttls")
        one = errand(where, reader=place(pki, "imap", free_port()))
        assert Lane([one]).attempt(one).end == "done"
        assert do(one, 0.1).end == "broken"


def test_the_load_ends_with_its_input(pki: Pki, tmp_path: Path) -> None:
    """And prints what came of it as JSON; with a failure its exit code is 1."""
    with serving(pki, "imap") as imap, serving(pki, "lmtp", "starttls") as lmtp:
        text = HEAD.format(ca=pki.root, imap=imap, lmtp=lmtp) + WHO.format(password="wr0ng")
        words = [sys.executable, "-m", "tests.lab.load", written(tmp_path, text), "--every", "0.05"]
        with subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as load:
            time.sleep(4)
            said, _ = load.communicate(timeout=60)
    assert load.returncode == 1
    found = json.loads(said)
    mails, logins = found[f"lmtp {lmtp}"], found[f"imap {imap}"]
    assert mails["done"] == len(mails["taken"]) == len(mails["lost"]) > 0
    assert logins["done"] == 0
    assert "login: [AUTHENTICATIONFAILED] wrong" in logins["failed"][0]
    assert "wr0ng" not in said

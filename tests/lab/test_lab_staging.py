"""A candidate is staged, and what was foreseen of the clients is held against real connections."""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from audit import namespace
from audit.ahead import Ahead
from audit.clients.load import clients
from audit.iana import SUITES
from lab import paths
from tests.clients.bridge import bridge
from tests.clients.driver import At, MissingError
from tests.clients.record import running
from tests.clients.relay import relay
from tests.clients.replay import replayed
from tests.clients.table import DRIVERS
from tests.commands import BIN, ROOT, Lab, audit, mailseal, passes, run

pytestmark = [pytest.mark.lab, pytest.mark.long("deploys two states to the lab and audits both")]

T = TypeVar("T")
OLD, NEW = "univie-2015", "mailseal-2026"
ADDRESS, PORT = "10.80.0.31", 993
LOG = "/var/log/mail.log"
CA = "/var/lib/mailseal-lab/ca/ca.crt"
READERS = [client.id for client in clients() if "access" in client.uses]
# What Cyrus says once a handshake is complete.
_COMPLETE = re.compile(r"starttls: (\S+) with cipher (\S+) ")
_CODES = {suite.openssl: suite.name for suite in SUITES if suite.openssl}


@dataclass
class Told:
    """What was foreseen, and what happened.

    Attributes:
        document: what `mailseal staging --json` said.
        code: how it ended.
        out: where its files are.
        met: by state and client: version and suite in the words of Cyrus, None for a failure; a
            client that this machine cannot start is not there.
        replies: by state and client: version, suite and group that Cyrus answers to the recorded
            hello, or its refusal in words.
        missing: why a client could not be started.
    """

    document: dict[str, Any]
    code: int
    out: Path
    met: dict[str, dict[str, tuple[str, str] | None]]
    replies: dict[str, dict[str, tuple[str, str, int | None] | str]]
    missing: dict[str, str]


def _inventory(folder: Path) -> Path:
    """The lab's, with certificates that are for localhost too: clients on a bridge ask for that."""
    made = folder / "inventory"
    shutil.copytree(ROOT / "inventory/lab", made)
    imap = made / "group_vars/imap.yml"
    names = yaml.safe_load(imap.read_text(encoding="utf-8"))
    names["mailseal_certificate_names"].append("localhost")
    imap.write_text(yaml.safe_dump(names), encoding="utf-8")
    return made


def _production(inventory: Path, folder: Path) -> Path:
    """Two hosts: one that is there, and one that nobody reaches."""
    made = folder / "production"
    shutil.copytree(inventory, made)
    hosts = yaml.safe_load((made / "hosts.yml").read_text(encoding="utf-8"))
    groups = hosts["all"]["children"]
    for name in ("mx", "msa", "resolver"):
        groups[name] = None
    ghost = {"ansible_host": "10.80.0.99", "mailseal_addresses": ["10.80.0.99"]}
    groups["imap"]["hosts"] = {"imap2": groups["imap"]["hosts"]["imap2"], "ghost": ghost}
    (made / "hosts.yml").write_text(yaml.safe_dump(hosts), encoding="utf-8")
    return made


def _there(work: Callable[[], T]) -> T:
    """In a thread of its own, which enters the lab and does not come back."""

    def entered() -> T:
        namespace.enter(paths.HUB)
        return work()

    return Ahead(entered).result()


def _completed(lab: Lab, seen: int) -> list[tuple[str, str]]:
    done = lab("ssh", "imap1", f"tail -n +{seen + 1} {LOG}")
    return _COMPLETE.findall(done.stdout)


def _lines(lab: Lab) -> int:
    return int(lab("ssh", "imap1", f"wc -l < {LOG}").stdout)


def _meet(lab: Lab, name: str, folder: Path) -> tuple[str, str] | None:
    """Connect the client's own program; Cyrus' log says what came of it."""
    driver, before = DRIVERS[name], _lines(lab)
    folder.mkdir()
    with (
        bridge(paths.HUB, ADDRESS, PORT) as led,
        relay(driver.opening, led.port) as place,
        running(driver, At(place.port, folder, Path(CA))),
    ):
        assert place.seen.wait(60), f"{name} never began with TLS"
        end = time.monotonic() + 6
        found: list[tuple[str, str]] = []
        while not found and time.monotonic() < end:
            time.sleep(0.3)
            found = _completed(lab, before)
            if place.over.is_set() and not found:
                time.sleep(0.5)
                found = _completed(lab, before)
                break
    assert len(found) <= 1, (name, found)
    if not found:
        return None
    version, suite = found[0]
    return ("TLSv1.0" if version == "TLSv1" else version), _CODES[suite]


def _meet_all(lab: Lab, folder: Path, missing: dict[str, str]) -> dict[str, tuple[str, str] | None]:
    met = {}
    folder.mkdir()
    for name in READERS:
        if DRIVERS[name].root:
            missing[name] = "it sends mail, and reads none"
            continue
        try:
            met[name] = _meet(lab, name, folder / name)
        except MissingError as error:
            missing[name] = str(error)
    return met


def _replay_all() -> dict[str, tuple[str, str, int | None] | str]:
    known = [client for client in clients() if client.id in READERS]
    return _there(lambda: {one.id: replayed(one, ADDRESS, PORT) for one in known})


@pytest.fixture(scope="module")
def told(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """imap1 and imap2 on the old policy, imap1 staged to the new one; clients meet both."""
    folder = tmp_path_factory.mktemp("staging")
    inventory = _inventory(folder)
    lab("down")
    done = lab("up")
    assert done.returncode == 0, done.stderr
    play = [str(BIN / "ansible-playbook"), "-i", str(inventory), "rollout.yml"]
    done = run(*play, "--limit", "imap", "-e", f"mailseal_policy={OLD}")
    assert done.returncode == 0, done.stdout[-3000:]
    missing: dict[str, str] = {}
    met = {OLD: _meet_all(lab, folder / OLD, missing)}
    replies = {OLD: _replay_all()}
    words = ["--limit", "imap1", "--now-policy", OLD, "--policy", NEW, "--out", str(folder / "out")]
    words += ["--production", str(_production(inventory, folder)), "--json"]
    done = mailseal("staging", "-i", str(inventory), *words)
    assert done.stdout, done.stderr
    met[NEW] = _meet_all(lab, folder / NEW, missing)
    replies[NEW] = _replay_all()
    print(json.dumps({"met": met, "replies": replies, "missing": missing}, indent=1))  # noqa: T201
    yield Told(json.loads(done.stdout), done.returncode, folder / "out", met, replies, missing)
    lab("down")


def _foreseen(told: Told, state: str) -> dict[str, dict[str, Any]]:
    side = "before" if state == OLD else "after"
    place = f"imap {PORT}"
    return {t["client"]: t[side] for t in told.document["clients"] if place in t["places"]}


def test_the_result_names_the_clients_that_break(told: Told) -> None:
    """Nothing of the candidate fails, and it is no success."""
    assert (told.code, told.document["outcome"]) == (1, "breaks"), told.document["reasons"]
    assert set(_foreseen(told, NEW)) == set(READERS)
    assert {*told.document["lost"]} == {
        *("java-tls10", "openssl-1.0.2-tls10", "tls10-ecdhe", "tls11-ecdhe", "tls12-cbc"),
        *("tls12-dhe", "tls12-p521", "tls12-sha1"),
    }
    assert told.document["now"]["counts"].get("fail", 0) == 0
    assert told.document["candidate"]["counts"].get("fail", 0) == 0
    assert not [t for t in told.document["clients"] if t["kind"] == "unknown"]


@pytest.mark.parametrize("state", [OLD, NEW])
def test_every_client_that_can_be_started_gets_what_was_foreseen(told: Told, state: str) -> None:
    """Its own program, led to Cyrus in the lab: version and suite, or no handshake."""
    foreseen = _foreseen(told, state)
    expected = {
        name: (one["version"], one["suite"]) if one["result"] == "tls" else None
        for name, one in foreseen.items()
        if name in told.met[state]
    }
    assert told.met[state] == expected
    assert len(expected) >= 15, told.missing


@pytest.mark.parametrize("state", [OLD, NEW])
def test_every_recorded_hello_is_answered_as_foreseen(told: Told, state: str) -> None:
    """Replayed: who is not installed here as well. What a client refuses itself no hello shows."""
    for name, one in _foreseen(told, state).items():
        reply = told.replies[state][name]
        if one["result"] == "tls":
            assert isinstance(reply, tuple), (name, reply)
            assert reply[:2] == (one["version"], one["suite"]), name
        elif "it completes none before" not in one["why"]:
            assert isinstance(reply, str), (name, reply)


def test_the_clients_that_break_really_connected_before_and_do_not_now(told: Told) -> None:
    """Neither more of them nor less."""
    lost = {name for name in told.met[OLD] if told.met[OLD][name] and not told.met[NEW][name]}
    assert lost == {*told.document["lost"]} & {*told.met[OLD]}
    assert len(lost) >= 5


def test_services_findings_and_files_say_what_came_and_went(told: Told) -> None:
    """Of the wire, of the checks, and of the configuration."""
    for service in told.document["services"]:
        assert service["versions"] == {"gone": ["TLSv1.0", "TLSv1.1"], "come": ["TLSv1.3"]}
    kinds = {(c["kind"], (c["after"] or c["before"])["check"]) for c in told.document["changes"]}
    assert {("fixed", "MT-TLS10"), ("fixed", "MT-TLS11"), ("fixed", "MT-TLS13")} <= kinds
    assert not {kind for kind, _ in kinds} & {"new", "lost"}
    files = {f["path"].split(" ")[0]: f["lines"] for f in told.document["files"]}
    assert any(line.startswith("-tls_versions:") for line in files["/etc/imapd.conf"])
    assert all(f["host"] == "imap1" for f in told.document["files"])


def test_production_is_asked_and_not_changed(told: Told) -> None:
    """The host that is there would get the same; of the other one nothing is known."""
    production = told.document["production"]
    assert {f["host"] for f in production["files"]} == {"imap2"}
    (ghost,) = production["troubles"]
    assert (ghost["host"], ghost["reached"]) == ("ghost", False)
    assert any("ghost in production was not reached" in r for r in told.document["reasons"])
    assert audit("imap2", "--policy", OLD).document["findings"]
    assert told.replies[OLD] != told.replies[NEW]


def test_the_files_beside_it(told: Told) -> None:
    """The page, the comment, Ansible's own words and the records; no password in what is told."""
    names = {path.name for path in told.out.iterdir()}
    assert names >= {
        *("staging.html", "staging.json", "staging.md", "before.html", "after.html"),
        *("now.log", "candidate.log", "production.log"),
    }
    records = sorted((told.out / "rollouts").glob("*.*"))
    assert [path.suffix for path in records] == [".html", ".jsonl"] * 3
    for path in (*records, *told.out.glob("staging.*")):
        assert "lab-only" not in path.read_text(encoding="utf-8")


def test_a_candidate_that_does_not_pass_leaves_the_old_state(told: Told, lab: Lab) -> None:
    """The reason of the host, exit code 1, and what was there serves again."""
    wrong = json.dumps({"mailseal_cyrus_override_options": {"allowplaintext": "yes"}})
    words = ["--limit", "imap1", "-e", wrong, "--json"]
    done = mailseal("staging", *words)
    document = json.loads(done.stdout)
    assert (done.returncode, document["outcome"]) == (1, "fails"), document["reasons"]
    (trouble,) = document["troubles"]
    assert trouble["host"] == "imap1"
    assert "MT-" in trouble["reason"]
    assert document["notices"] == ["the staging cluster has again what there was"]
    passes("imap1")


def test_two_stagings_of_one_cluster_do_not_run_at_once(told: Told) -> None:
    """The second says so and touches nothing."""
    first = threading.Thread(target=mailseal, args=("staging", "--policy", NEW, "--limit", "imap1"))
    first.start()
    time.sleep(5)
    second = mailseal("staging", "--policy", NEW, "--limit", "imap1")
    first.join()
    assert second.returncode == 3
    assert "another staging of it is running" in second.stderr

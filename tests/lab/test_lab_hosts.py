"""The lab as a whole: it comes up, answers, breaks, mends and goes without a trace."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lab import net, processes
from tests.commands import Lab

pytestmark = pytest.mark.lab

ROOT = Path(__file__).resolve().parents[2]


_SNAPSHOT = (
    "import hashlib, os, sys\n"
    "for top in ('/etc', '/opt'):\n"
    "    for where, _, names in os.walk(top):\n"
    "        for path in [where] + [os.path.join(where, name) for name in names]:\n"
    "            s = os.lstat(path)\n"
    "            data = open(path, 'rb').read() if os.path.isfile(path) else b''\n"
    "            print(path, oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns,\n"
    "                  hashlib.sha256(data).hexdigest())\n"
)


def status(lab: Lab) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lab("status", "--json").stdout)
    return found


def snapshot(lab: Lab, name: str) -> list[str]:
    done = lab("ssh", name, f'python3 -c "{_SNAPSHOT}"')
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


def traces() -> list[str]:
    """Everything of the lab that the real machine shows, as an administrator would look for it."""
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return [
        *net.spaces(),
        *(str(process) for process in processes.everyone()),
        *(line for line in mounts if "/run/netns/ms-" in line or "mailseal" in line),
        *(line for line in links.splitlines() if " p-" in line or "br0" in line),
        *(str(path) for path in Path("/etc/netns").glob("ms-*")),
        *(str(path) for path in Path("/var/lib/mailseal-lab").glob("hosts")),
    ]


def test_up_gives_every_host_an_ssh_server(up: Lab) -> None:
    """After `up` every host of the inventory runs and answers SSH."""
    found = status(up)
    assert found["size"] == "small"
    names = [host["name"] for host in found["hosts"]]
    assert names == ["ns1", "mx1", "mx2", "msa1", "imap1", "imap2", "far1"]
    assert all(host["ssh"] for host in found["hosts"])


def test_up_twice_is_harmless(up: Lab) -> None:
    """A second `up` starts nothing: the first processes are the same as before."""
    before = processes.inits()
    done = up("up")
    assert done.returncode == 0
    assert processes.inits() == before


def test_another_size_needs_down_first(up: Lab) -> None:
    """`up` in another size while the lab is up is refused with one sentence."""
    done = up("up", "--size", "cluster")
    assert done.returncode == 2
    assert "down" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ssh_runs_a_command_on_a_host(up: Lab) -> None:
    """`ssh HOST COMMAND` runs it there and hands its exit code on."""
    assert up("ssh", "mx1", "hostname").stdout == "mx1\n"
    assert up("ssh", "mx1", "exit 7").returncode == 7


@pytest.mark.parametrize("address", ["10.80.0.31", "fd00:80::31"])
def test_both_families_answer_from_the_hub(up: Lab, address: str) -> None:
    """The hub reaches a host's SSH on IPv4 and on IPv6."""
    assert up("run", "--", "nc", "-z", "-w", "5", address, "22").returncode == 0


def test_the_hub_resolves_names(up: Lab) -> None:
    """Inside the hub the lab's names resolve to both families."""
    found = up("run", "--", "getent", "ahosts", "imap1.lab.test").stdout
    assert "10.80.0.31" in found
    assert "fd00:80::31" in found


def test_the_zone_is_signed_and_validated(up: Lab) -> None:
    """ns1 answers for lab.test with the bit that says the signature was checked."""
    found = up("ssh", "imap1", "dig +dnssec @10.80.0.2 mx1.lab.test AAAA").stdout
    assert any(line.startswith(";; flags:") and " ad" in line for line in found.splitlines())


def test_the_real_machine_gets_nothing(up: Lab) -> None:
    """No address, route or interface of the lab is on the real machine."""
    assert status(up)["up"]
    words = (["ip", "addr"], ["ip", "route"], ["ip", "-6", "route"])
    shown = "".join(
        subprocess.run(one, capture_output=True, text=True, check=True).stdout for one in words
    )
    assert "10.80.0." not in shown
    assert "fd00:80:" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("ssh", "nowhere"),
        ("break", "nowhere", "tls10"),
        ("break", "imap1", "nonsense"),
        ("break", "mx1", "tls10"),
        ("mend", "imap1"),
        ("run", "--", "no-such-program"),
    ],
)
def test_wrong_usage_is_one_sentence(up: Lab, words: tuple[str, ...]) -> None:
    """A wrong host, fault or program ends with exit code 2 and one sentence."""
    done = up(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("mailseal: ")
    assert len(done.stderr.splitlines()) == 1


def test_mending_restores_every_byte_and_time(up: Lab) -> None:
    """What a fault changes is as before after `mend`: content, mode, owner and times."""
    up("ssh", "imap1", "install -D -m 640 -g mail /etc/hostname /etc/mailseal/tls/rsa.key")
    before = snapshot(up, "imap1")
    assert up("break", "imap1", "world-readable-key").returncode == 0
    assert snapshot(up, "imap1") != before
    assert up("break", "imap1", "world-readable-key").returncode == 2
    assert status(up)["hosts"][4]["faults"] == ["world-readable-key"]
    assert up("mend", "imap1").returncode == 0
    assert snapshot(up, "imap1") == before
    assert status(up)["hosts"][4]["faults"] == []


def test_a_stand_in_comes_and_goes(up: Lab) -> None:
    """A stand-in listens while its fault lasts, and no longer."""
    assert up("break", "imap2", "extra-port").returncode == 0
    assert 25 in status(up)["hosts"][5]["ports"]
    assert up("mend", "--all").returncode == 0
    assert 25 not in status(up)["hosts"][5]["ports"]


def test_no_host_waits_for_the_disk_of_the_real_machine(up: Lab) -> None:
    """Its layer is volatile; a kernel before 5.10 has no such thing."""
    (line,) = (m for m in up("ssh", "imap1", "cat /proc/mounts").stdout.splitlines() if " / " in m)
    assert line.split()[2] == "overlay"
    new = tuple(int(n) for n in os.uname().release.split(".")[:2]) >= (5, 10)
    assert ("volatile" in line.split()[3]) == new


def test_a_dead_host_comes_back_with_its_disk(up: Lab) -> None:
    """`up` restarts a host that died, with what was written on it."""
    up("ssh", "mx2", "echo kept >/root/witness; sync")
    os.kill(processes.inits()["mx2"], signal.SIGKILL)
    assert up("up").returncode == 0
    assert up("ssh", "mx2", "cat /root/witness").stdout == "kept\n"


@pytest.mark.parametrize("delay", [0.12, 0.2, 0.3, 0.45, 0.7])
def test_down_removes_what_a_killed_up_left(lab: Lab, delay: float) -> None:
    """Wherever `up` is killed, `down` leaves no process, mount, namespace or interface."""
    assert lab("down").returncode == 0
    command = [sys.executable, "-m", "lab", "up", "--size", "cluster"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as half:
        time.sleep(delay)
        half.kill()
    assert lab("down").returncode == 0
    assert traces() == []
    assert lab("down").returncode == 0


def test_up_repairs_what_a_killed_up_left(lab: Lab) -> None:
    """`up` after a killed `up` gives a whole lab."""
    lab("down")
    command = [sys.executable, "-m", "lab", "up"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as half:
        time.sleep(0.3)
        half.kill()
    assert lab("up").returncode == 0
    assert all(host["ssh"] for host in status(lab)["hosts"])

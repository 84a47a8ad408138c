"""The stand-ins for EL6: from no Python to a hardened Exim and Cyrus on our library."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab import paths
from packages import openssl
from tests.commands import BIN, ROOT, Done, Lab, mailseal, run

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long("builds a Python, an OpenSSL, an Exim and a Cyrus for EL6"),
]

INVENTORY = "inventory/el6"
PACKAGES = ("mailseal-python", "mailseal-openssl-1.1.1", "mailseal-exim")
CYRUS_PACKAGES = ("mailseal-python", "mailseal-openssl-1.1.1", "mailseal-cyrus-imapd")
# What of the system must stay as it is: its OpenSSL, and the file in the place of its Python.
SYSTEM = (
    "sha256sum /usr/lib/x86_64-linux-gnu/libssl.so.* /usr/lib/x86_64-linux-gnu/libcrypto.so.*"
    " /usr/bin/openssl /usr/bin/python"
)
# The copy that the control host keeps, and where hosts keep what they installed.
COPIES, KEPT = Path("/var/lib/mailseal-lab/packages"), "/var/lib/mailseal/packages"


def _play(*words: str) -> Done:
    play = [str(BIN / "ansible-playbook"), "-i", INVENTORY, *words]
    return run(*play, seconds=2400)


def _counts(done: Done, host: str) -> dict[str, int]:
    line = re.search(rf"^{host}\s+: (ok=.*)$", done.stdout, re.MULTILINE)
    assert line, done.stdout[-2000:] + done.stderr[-2000:]
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line[1])}


def _on(lab: Lab, command: str, host: str = "old1") -> str:
    done = lab("ssh", host, command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _waiver(days: int) -> dict[str, object]:
    """What quiets the one finding that there is on such a host, until a day."""
    today = datetime.now(tz=UTC).date()
    waiver = {
        "check": "MT-LIB-SUPPORTED",
        "hosts": "old*",
        "reason": "EL6",
        "owner": "postmaster",
        "expires": str(today + timedelta(days=days)),
    }
    return {"mailseal_waivers": [waiver]}


class Brought:
    """What was seen on the way from bare to hardened."""

    def __init__(self, lab: Lab) -> None:
        """Take fresh stand-ins all the way, in one run and through the gate."""
        self.lab = lab
        lab("down")
        done = lab("up", "--size", "el6")
        assert done.returncode == 0, done.stderr
        self.system = _on(lab, SYSTEM)
        self.packages = set(_on(lab, "rpm -qa --qf '%{NAME}\\n'").split())
        self.ping = run(str(BIN / "ansible"), "-i", INVENTORY, "old1", "-m", "ping")
        self.checked = _play("rollout.yml", "--limit", "el6", "--check", "--diff")
        self.after_check = set(_on(lab, "rpm -qa --qf '%{NAME}\\n'").split())
        self.run = _play("rollout.yml", "-e", json.dumps(_waiver(30)))


@pytest.fixture(scope="module")
def brought(lab: Lab) -> Iterator[Brought]:
    yield Brought(lab)
    lab("down")


def test_the_stand_in_begins_with_no_python(brought: Brought) -> None:
    """Ansible itself says so, and there is one RPM, the system's stand-in."""
    assert brought.ping.returncode != 0
    assert brought.packages == {"centos-standin"}


def test_one_run_takes_it_from_bare_to_hardened(brought: Brought) -> None:
    """Python, library, daemon and settings."""
    assert brought.run.returncode == 0, brought.run.stdout[-3000:]
    assert _counts(brought.run, "old1")["failed"] == 0
    installed = set(_on(brought.lab, "rpm -qa --qf '%{NAME}\\n'").split())
    assert installed == {*brought.packages, *PACKAGES, "gpg-pubkey"}


def _python() -> Path:
    """The signed package that hosts without a Python get."""
    built = json.loads((COPIES.parent / "python.json").read_text(encoding="utf-8"))
    return COPIES / f"{built['package']}-{built['version']}.x86_64.rpm"


def _copied(lab: Lab, path: Path) -> str:
    """Bring a file to the stand-in; returns where it is."""
    words = [str(BIN / "mailseal"), "lab", "ssh", "old1", f"cat >/root/{path.name}"]
    with path.open("rb") as package:
        done = subprocess.run(words, stdin=package, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return f"/root/{path.name}"


def _said(lab: Lab, path: str) -> str:
    """What rpm on the stand-in says of a package."""
    return _on(lab, f"rpm -K {path}").strip().removeprefix(f"{path}: ")


def test_what_is_installed_is_what_was_signed(brought: Brought) -> None:
    """`rpm -V` has nothing to say; what was published is signed, what was built was not yet."""
    lab = brought.lab
    assert _on(lab, f"rpm -V {' '.join(PACKAGES)}") == ""
    python = _python()
    kept = _on(lab, f"ls {KEPT}/*.rpm").split()
    signed = [_copied(lab, python), *kept]
    assert len(signed) == len(PACKAGES)
    for path in signed:
        name = Path(path).name
        assert _said(lab, path) == "digests signatures OK"
        stem = name.removesuffix(".rpm")
        package = stem.rsplit("-", 2)[0]
        assert _on(lab, f"rpm -q {package}").strip() == stem
        (unsigned,) = paths.cache().glob(f"packages/*/{name}")
        assert _said(lab, _copied(lab, unsigned)) == "digests OK"


# Releases that become RPMs: the last that was made for systems like EL6, and the stand-in's.
_LAST = "/srv/mailseal/sources/openssl-1.0.2u.tar.gz"
_102U = Path(os.environ.get("MAILSEAL_OPENSSL_102U", _LAST))
RELEASES = {
    "1.0.2u": {
        "source": str(_102U),
        "sha256": "ecd0c6ffb493dd06707d38b14bb4d8c2288bb7033735606569d8f90f89669d16",
    },
    "1.1.1w": {},
}


@pytest.mark.parametrize("version", RELEASES)
def test_a_release_becomes_packages_for_el6(brought: Brought, tmp_path: Path, version: str) -> None:
    """Its libraries have upstream's soname, look for their own kind, and want no newer glibc."""
    if RELEASES[version] and not _102U.exists():
        pytest.skip(
            f"the tarball of OpenSSL {version} is not at {_102U} (MAILSEAL_OPENSSL_102U): Debian's"
            " archive does not have it. The same way is gone with 1.1.1w"
        )
    built = tmp_path / "library.json"
    words: dict[str, object] = {
        "mailseal_library_manifest": str(built),
        "mailseal_el6_packages": [],
    }
    if RELEASES[version]:
        words["mailseal_openssl_source"] = {"version": version, **RELEASES[version]}
    done = _play("openssl.yml", "--limit", "build1", "-e", json.dumps(words))
    assert done.returncode == 0, done.stdout[-3000:]
    manifest = json.loads(built.read_text(encoding="utf-8"))
    package = f"{manifest['package']}-{manifest['version']}.x86_64.rpm"
    unpack = (
        "rm -rf /root/unpacked; mkdir /root/unpacked; cd /root/unpacked;"
        f" rpm2archive - </srv/mailseal/rpm/{package} | tar -xz;"
    )
    home = openssl.prefix(version)
    for library in ("libssl", "libcrypto"):
        name = f"{library}.so.{openssl.soname(version)}"
        look = f"{unpack} readelf -d .{home}/lib/{name}; objdump -T .{home}/lib/{name}"
        text = _on(brought.lab, look, "build1")
        assert re.findall(r"soname: \[(.*)\]", text) == [name]
        assert re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", text) == [f"{home}/lib"]
        found = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([\d.]+)", text)}
        assert (2, 2, 5) <= max(found) <= (2, 12)


def test_a_second_run_changes_nothing(brought: Brought) -> None:
    """Neither on the host nor on the one that builds."""
    done = _play("rollout.yml")
    assert done.returncode == 0, done.stdout[-3000:]
    for host in ("old1", "old2", "build1"):
        assert (_counts(done, host)["changed"], _counts(done, host)["failed"]) == (0, 0)


def test_nothing_of_the_systems_is_changed(brought: Brought) -> None:
    """Its OpenSSL and what stands for its Python have the bytes they had."""
    assert _on(brought.lab, SYSTEM) == brought.system
    assert brought.system.count("\n") == 4


def test_check_mode_on_a_bare_host_says_what_it_would_do(brought: Brought) -> None:
    """And does nothing more, there or elsewhere."""
    assert brought.checked.returncode != 0
    assert re.search(r"there is none to install|would be installed;", brought.checked.stdout)
    assert brought.after_check == brought.packages


def test_no_binary_wants_a_newer_glibc(brought: Brought) -> None:
    """What rpm found in all of them, and what the check of the build reads."""
    wanted = _on(brought.lab, f"rpm -q --requires {' '.join(PACKAGES)}")
    found = {tuple(map(int, v.split("."))) for v in re.findall(r"\(GLIBC_([\d.]+)\)", wanted)}
    assert found
    assert max(found) <= (2, 12)


def test_the_running_exim_has_our_library_and_only_ours(brought: Brought) -> None:
    """From what the process has mapped."""
    maps = _on(brought.lab, "cat /proc/$(cat /var/run/exim.pid)/maps")
    libraries = set(re.findall(r"/\S*/lib(?:ssl|crypto)\S*", maps))
    assert libraries == {
        "/opt/mailseal/openssl-1.1.1/lib/libssl.so.1.1",
        "/opt/mailseal/openssl-1.1.1/lib/libcrypto.so.1.1",
    }
    said = _on(brought.lab, "exim -d -bV 2>&1")
    assert "Compile: OpenSSL 1.1.1w" in said
    assert "Runtime: OpenSSL 1.1.1w" in said


def test_all_that_is_wrong_with_it_is_that_nobody_maintains_its_library(brought: Brought) -> None:
    """From outside and from inside, by the policy that every host of the lab has."""
    done = mailseal("audit", "-i", INVENTORY, "--limit", "el6", "--json")
    found = json.loads(done.stdout)["findings"]
    fine = {"pass", "not-applicable"}
    wrong = [f for f in found if f["verdict"] not in fine]
    bad = {(f["host"], f["check"], f["verdict"]) for f in wrong}
    assert bad == {(host, "MT-LIB-SUPPORTED", "fail") for host in ("old1", "old2")}, wrong
    assert done.returncode == 1


def test_only_a_waiver_with_an_end_quiets_that(brought: Brought, tmp_path: Path) -> None:
    """With an owner and a day the audit is compliant; from the day after, it is not."""
    mine = tmp_path / "el6"
    shutil.copytree(INVENTORY, mine)
    for days, code in ((30, 0), (-1, 1)):
        text = json.dumps(_waiver(days))
        (mine / "group_vars" / "all" / "waivers.yml").write_text(text, encoding="utf-8")
        done = mailseal("audit", "-i", str(mine), "--limit", "old1")
        assert done.returncode == code, done.stdout[-3000:]
        assert ("1 waived" in done.stdout) == (code == 0)
        assert ("expired on" in done.stdout) == (code == 1)


def test_the_ordinary_modules_work_and_are_idempotent(brought: Brought) -> None:
    """Facts, files, users and services, with our Python."""
    assert _on(brought.lab, "mkdir -p /root/modules; echo zero >/root/modules/copied") == ""
    words = ("tests/lab/modules.yml", "--limit", "old1", "-e")
    off = _play(*words, "modules_service=off")
    assert off.returncode == 0, off.stdout[-2000:]
    assert "CentOS 6.10 upstart 3.9.2" in off.stdout
    assert _counts(off, "old1")["changed"] == 6
    assert "3:off" in _on(brought.lab, "chkconfig --list rsyslog")
    assert brought.lab("ssh", "old1", "service rsyslog status").returncode == 3
    assert "copied." in _on(brought.lab, "ls /root/modules")
    # The template is written anew because a line was added to it; no other task changes anything.
    assert _counts(_play(*words, "modules_service=off"), "old1")["changed"] == 2
    assert _counts(_play(*words, "modules_service=on"), "old1")["changed"] == 3
    assert "3:on" in _on(brought.lab, "chkconfig --list rsyslog")


def test_a_host_with_a_python_of_its_own_is_left_alone(brought: Brought) -> None:
    """The host that builds is a current Debian."""
    done = _play("tests/lab/bootstrap.yml", "--limit", "build1")
    assert done.returncode == 0, done.stdout[-2000:]
    assert _counts(done, "build1")["changed"] == 0
    assert brought.lab("ssh", "build1", "test -e /opt/mailseal/python").returncode == 1


def test_an_unsigned_package_is_refused_and_mail_goes_on(brought: Brought) -> None:
    """The same package, before it was signed."""
    lab = brought.lab
    name = _python().name
    (unsigned,) = paths.cache().glob(f"packages/*/{name}")
    pid = _on(lab, "cat /var/run/exim.pid")
    _on(lab, "rpm -e mailseal-python")
    play = ("tests/lab/bootstrap.yml", "--limit", "old1")
    done = _play(*play, "-e", f"mailseal_python_package={unsigned}")
    assert done.returncode != 0
    assert "REFUSED" in done.stdout
    assert "digests OK" in done.stdout
    assert lab("ssh", "old1", "rpm -q mailseal-python").returncode == 1
    assert _on(lab, "cat /var/run/exim.pid") == pid
    again = _play(*play)
    assert again.returncode == 0, again.stdout[-2000:]
    assert _counts(again, "old1")["changed"] == 1


ASK = """\
exec 3<>/dev/tcp/127.0.0.1/143
printf 'a ID NIL\\r\\n' >&3
while read -r -t 20 line <&3; do echo "$line"; case $line in a\\ *) break ;; esac; done
cat /proc/$(pgrep -xo imapd)/maps
"""


def test_the_running_cyrus_has_our_library_and_only_ours(brought: Brought) -> None:
    """Brought there by the same run; from what it says of itself and what it has mapped."""
    lab = brought.lab
    assert _counts(brought.run, "old2")["failed"] == 0
    assert _on(lab, f"rpm -V {' '.join(CYRUS_PACKAGES)}", "old2") == ""
    said = _on(lab, f"bash -c {shlex.quote(ASK)}", "old2")
    assert "Built w/OpenSSL 1.1.1w" in said
    assert "Running w/OpenSSL 1.1.1w" in said
    home = "/opt/mailseal/openssl-1.1.1/lib"
    libraries = set(re.findall(r"/\S*/lib(?:ssl|crypto)\S*", said))
    assert libraries == {f"{home}/libssl.so.1.1", f"{home}/libcrypto.so.1.1"}
    wanted = _on(lab, f"rpm -q --requires {CYRUS_PACKAGES[-1]}", "old2")
    found = {tuple(map(int, v.split("."))) for v in re.findall(r"\(GLIBC_([\d.]+)\)", wanted)}
    assert (2, 2, 5) <= max(found) <= (2, 12)


def test_cyrus_stops_and_starts_as_a_service_there(brought: Brought) -> None:
    """Nothing of it is left in between."""
    lab = brought.lab
    _on(lab, "service cyrus-imapd stop", "old2")
    assert lab("ssh", "old2", "pgrep -x imapd").returncode == 1
    _on(lab, "service cyrus-imapd start", "old2")
    _on(lab, "service cyrus-imapd status", "old2")

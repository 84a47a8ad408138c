"""Building, keeping and publishing, by the roles themselves on this machine, in one directory."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import BIN, Done, run

ABSENT = [
    tool
    for tool in ("gpg", "gpgconf", "flock", "dpkg-deb", "dpkg-scanpackages")
    if shutil.which(tool) is None
]
pytestmark = [
    pytest.mark.skipif(bool(ABSENT), reason=f"{', '.join(ABSENT)} is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="the roles give what they write to root"),
]

BOOK = """
- name: Build and publish
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Build
      ansible.builtin.include_role:
        name: package
    - name: Keep
      ansible.builtin.include_role:
        name: package
        tasks_from: keep
      when: mailseal_package_directory is directory
    - name: Break off
      ansible.builtin.fail:
        msg: Nothing more can be built
      when: break_off | default(false)
    - name: Publish
      ansible.builtin.include_role:
        name: repository
"""
SCRIPT = """
mkdir -p product tree/DEBIAN
printf '%s\\n' 'Package: mailseal-x' 'Version: 1' 'Architecture: all' \\
    'Maintainer: nobody <nobody@localhost>' 'Description: nothing' >tree/DEBIAN/control
dpkg-deb --root-owner-group --build tree product/mailseal-x_1_all.deb
"""


class Site:
    """A control host and a build host in one directory."""

    def __init__(self, home: Path) -> None:
        """Write what is to be played."""
        self.home = home
        self.manifest, self.key = home / "x.json", home / "packages.asc"
        self.cache, self.index = home / "cache", home / "served" / "deb" / "InRelease"
        (home / "play.yml").write_text(BOOK, encoding="utf-8")
        step = {"name": "compile", "script": SCRIPT, "tick": "", "count": ""}
        self.plan: dict[str, Any] = {
            "refused": "",
            "name": "x-1-deb",
            "sources": {},
            "environment": {},
            "steps": [step],
        }

    def play(self, *words: str, **more: object) -> Done:
        told = {
            "ansible_python_interpreter": str(BIN / "python"),
            "mailseal_package_plan": self.plan,
            "mailseal_package_cache": str(self.cache),
            "mailseal_package_build_directory": str(self.home / "build"),
            "mailseal_package_manifest": str(self.manifest),
            "mailseal_package_facts": {"package": "mailseal-x", "version": "1"},
            "mailseal_repository_directory": str(self.home / "served"),
            "mailseal_repository_signing_directory": str(self.home / "signing"),
            "mailseal_repository_key": str(self.key),
            "mailseal_repository_server": "none",
            **more,
        }
        variables = self.home / "told.json"
        variables.write_text(json.dumps(told), encoding="utf-8")
        book, where = str(self.home / "play.yml"), ("-i", "localhost,", "-c", "local")
        return run(str(BIN / "ansible-playbook"), *where, book, "-e", f"@{variables}", *words)

    def kept(self) -> Path:
        (found,) = self.cache.glob("x-1-deb-*")
        return found


def counts(done: Done) -> dict[str, int]:
    found = re.search(r"^localhost\s+: (ok=.*)$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", found[1])}


@pytest.fixture
def site() -> Iterator[Site]:
    """In a directory whose name is short enough for the socket of gpg's agent."""
    with tempfile.TemporaryDirectory(prefix="ms-") as directory:
        made = Site(Path(directory))
        yield made
        signing = made.home / "signing"
        if signing.exists():
            command = ["gpgconf", "--homedir", str(signing), "--kill", "all"]
            subprocess.run(command, check=False)


def test_what_is_built_is_published_and_then_written_down(site: Site) -> None:
    """A second run changes nothing; what the cache has lost is built again."""
    done = site.play()
    assert done.returncode == 0, done.stdout[-3000:]
    assert json.loads(site.manifest.read_text()) == {"package": "mailseal-x", "version": "1"}
    assert "BEGIN PGP PUBLIC KEY BLOCK" in site.key.read_text()
    second = site.play()
    assert (second.returncode, counts(second)["changed"]) == (0, 0), second.stdout[-3000:]
    (site.kept() / "mailseal-x_1_all.deb").write_bytes(b"")
    third = site.play()
    assert third.returncode == 0, third.stdout[-3000:]
    assert "mailseal-x_1_all.deb is not as it was built" in third.stdout
    assert (site.kept() / "mailseal-x_1_all.deb").stat().st_size > 0
    assert not list(site.cache.glob("*.new"))


def test_nothing_is_written_down_that_nobody_can_get(site: Site) -> None:
    """What was built is kept where a later build fails, and hosts hear nothing of it."""
    done = site.play(break_off=True)
    assert done.returncode != 0
    assert site.kept().is_dir()
    done = site.play("--check")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not site.key.exists()
    (site.home / "served" / "deb").mkdir(parents=True)
    damaged = site.home / "served" / "deb" / "mailseal-y_1_all.deb"
    damaged.write_bytes(b"no package")
    done = site.play()
    assert done.returncode != 0
    assert f"localhost: the packages were not published: {damaged} is damaged" in done.stdout
    assert not site.manifest.exists()


def test_check_mode_on_a_bare_machine_touches_nothing(site: Site) -> None:
    """And says what it would build."""
    before = sorted(site.home.rglob("*"))
    done = site.play("--check")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "x-1-deb would be built" in done.stdout
    after = sorted(site.home.rglob("*"))
    assert set(after) - set(before) == {site.home / "told.json"}


def test_gpg_files_without_a_key_are_no_key(site: Site) -> None:
    """An interrupted run left them; and an empty export does not take a good key's place."""
    signing = site.home / "signing"
    signing.mkdir(mode=0o700)
    look = ["gpg", "--homedir", str(signing), "--batch", "--list-keys"]
    subprocess.run(look, check=True, capture_output=True)
    assert (signing / "pubring.kbx").exists()
    done = site.play()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "BEGIN PGP PUBLIC KEY BLOCK" in site.key.read_text()
    tools = site.home / "tools"
    tools.mkdir()
    (tools / "gpg").write_text("#!/bin/sh\ncase $* in *--list-secret*) echo sec:u: ;; esac\n")
    (tools / "gpg").chmod(0o755)
    path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    words = json.loads((site.home / "told.json").read_text())
    before = site.key.read_text()
    book = (site.home / "play.yml").read_text()
    (site.home / "play.yml").write_text(f"{book}  environment: {json.dumps(path)}\n")
    done = site.play(**words)
    assert done.returncode != 0
    assert "gives no public key from" in done.stdout
    assert site.key.read_text() == before


def test_a_wrong_source_is_not_kept_and_no_password_is_shown(site: Site) -> None:
    """From an address that answers nothing, with who asks in it."""
    source = {"file": "x.tar", "source": "http://me:secret@127.0.0.1:9/x.tar"}
    plan = {**site.plan, "sources": {"x.tar": "ab" * 32}}
    done = site.play("-vv", mailseal_package_plan=plan, mailseal_package_sources=[source])
    assert done.returncode != 0
    sentence = re.search(r"x-1-deb: the source (\S+) \(kept as (\S+)\) is not there: ", done.stdout)
    assert sentence, done.stdout[-3000:]
    assert sentence[1] == "http://127.0.0.1:9/x.tar"
    assert "secret" not in done.stdout + done.stderr


def test_a_build_that_fails_is_explained(site: Site) -> None:
    """By its step and its telling line; nothing of it is kept."""
    step = {**site.plan["steps"][0], "script": "echo 'x.c:1: error: stray @'; false"}
    done = site.play(mailseal_package_plan={**site.plan, "steps": [step]})
    assert done.returncode != 0
    assert "x-1-deb: compile failed: x.c:1: error: stray @ (" in done.stdout
    assert not list(site.cache.glob("x-1-deb-*"))


def test_two_builds_in_one_place_are_not_mixed_up(site: Site) -> None:
    """The second says who builds."""
    home = site.home / "build" / "x-1-deb"
    home.mkdir(parents=True)
    with (home / "lock").open("w") as lock:
        subprocess.run(["flock", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        (home / "pid").write_text("4711\n")
        done = site.play()
    assert done.returncode != 0
    assert "x-1-deb: process 4711 builds it on this host already" in done.stdout


def test_check_mode_works_before_anything_was_built(tmp_path: Path) -> None:
    """The whole book: each build says that it would be, each host that there is nothing yet."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": str(BIN / "python")}
    inventory = {
        "builder": {"hosts": {"builds": local}},
        "el6": {},
        "selfbuilt": {"hosts": {"gets": {**local, "mailseal_daemon": "exim"}}},
    }
    (tmp_path / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
    exim = {"file": "exim4_4.96.dsc", "source": "/nowhere/exim4_4.96.dsc", "sha256": "ab" * 32}
    library = {"version": "3.5.7", "source": "/nowhere/openssl.tar.gz", "sha256": "ab" * 32}
    told = {
        "mailseal_openssl_source": library,
        "mailseal_openssl_package_cc": "zcc",
        "mailseal_daemon_sources": {"exim": {"version": "4.96", "files": [exim]}},
        "mailseal_library_manifest": str(tmp_path / "library.json"),
        "mailseal_python_manifest": str(tmp_path / "python.json"),
        "mailseal_daemon_manifests": {"exim": str(tmp_path / "exim.json")},
        "mailseal_package_cache": str(tmp_path / "cache"),
        "mailseal_package_build_directory": str(tmp_path / "build"),
        "mailseal_toolchain_directory": str(tmp_path / "toolchain"),
        "mailseal_repository_directory": str(tmp_path / "served"),
        "mailseal_repository_signing_directory": str(tmp_path / "signing"),
        "mailseal_repository_key": str(tmp_path / "packages.asc"),
        "mailseal_repository_copies": str(tmp_path / "copies"),
        "mailseal_repository_url": "http://127.0.0.1:9",
        "mailseal_repository_server": "none",
        "mailseal_rollout_directory": str(tmp_path / "rollouts"),
    }
    (tmp_path / "told.json").write_text(json.dumps(told), encoding="utf-8")
    words = ("-i", str(tmp_path / "hosts.json"), "-e", f"@{tmp_path / 'told.json'}")
    done = run(str(BIN / "ansible-playbook"), *words, "openssl.yml", "--check")
    for name in ("openssl-3.5.7-deb", "exim-4.96-deb", "python-3.9.2-rpm", "exim"):
        assert f"{name} would be built" in done.stdout, done.stdout[-6000:]
    assert re.search(r"^builds\s.*failed=0", done.stdout, re.MULTILINE), done.stdout[-6000:]
    both = f"{tmp_path / 'library.json'} and {tmp_path / 'exim.json'} is not there"
    assert f"gets: nothing was built yet ({both}): run build.yml" in done.stdout, done.stdout[
        -2500:
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"hosts.json", "told.json", "rollouts"}

"""Directories that roles and their modules make: those above them are for others as well."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.commands import BIN, ROOT, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="root's own directories are looked at")


@pytest.fixture
def strict() -> Iterator[None]:
    """A umask that keeps everything to oneself."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def module(role: str, name: str, **params: object) -> None:
    """Run a module of a role as Ansible does on a host."""
    python = f"ansible_python_interpreter={BIN / 'python'}"
    where = ("-i", "localhost,", "-c", "local", "-e", python)
    words = ("-M", f"roles/{role}/library", "-m", name, "-a", json.dumps(params))
    done = run(str(BIN / "ansible"), *where, "localhost", *words)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("strict")
def test_a_daemon_comes_to_its_settings(tmp_path: Path) -> None:
    """They are read by its own user."""
    path = tmp_path / "etc" / "mailseal" / "x.cnf"
    file = {"path": str(path), "content": "x\n", "owner": "root", "group": "root", "mode": "0644"}
    module("deploy", "mailseal_files", files=[file])
    assert [mode(one) for one in (path, *path.parents[:2])] == [0o644, 0o755, 0o755]


@pytest.mark.usefixtures("strict")
def test_a_daemon_comes_to_its_key(tmp_path: Path) -> None:
    """By its group, and what lies beside it is for all."""
    tls = tmp_path / "mailseal" / "tls"
    params = {"group": "root", "types": ["ecdsa"], "names": ["mx.example.org"]}
    module("tls_certificate", "mailseal_certificate", directory=str(tls), **params)
    assert (mode(tls), mode(tls.parent)) == (0o750, 0o755)


def test_what_lies_beside_the_records_of_rollouts_can_be_read(tmp_path: Path) -> None:
    """Though they are root's alone."""
    (task, *_) = yaml.safe_load((ROOT / "roles/gate/tasks/look.yml").read_text(encoding="utf-8"))
    home = tmp_path / "mailseal"
    told = {
        "mailseal_rollout_directory": f"{home}/rollouts",
        "__mailseal_gate_place": f"{home}/rollouts/mx1/1",
        "__mailseal_gate_moment": "before",
    }
    play = [{"hosts": "localhost", "gather_facts": False, "vars": told, "tasks": [task]}]
    (tmp_path / "play.json").write_text(json.dumps(play), encoding="utf-8")
    done = run(str(BIN / "ansible-playbook"), "-i", "localhost,", str(tmp_path / "play.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert mode(home) == 0o755
    assert {mode(one) for one in (home / "rollouts").rglob("*")} == {0o700}

"""How the compiler for EL6 comes to the control host, with a wheel of the test's own."""

import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.commands import BIN, ROOT, Done, run

ROLE = ROOT / "roles" / "el6_toolchain"
WHEEL = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__mailseal_zig_wheel"]
BOOK = """
- name: Download
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Download
      ansible.builtin.include_role:
        name: el6_toolchain
        tasks_from: download
"""


def _wheel(path: Path) -> None:
    home = "ziglang-0.13.0.dist-info"
    texts = {
        f"{home}/METADATA": "Metadata-Version: 2.1\nName: ziglang\nVersion: 0.13.0\n",
        f"{home}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{home}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in texts.items():
            file.writestr(name, text)


def test_half_a_compiler_is_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run was ended while it wrote it; a whole one is left alone."""
    given, kept = tmp_path / "given" / WHEEL, tmp_path / "cache" / "sources" / WHEEL
    given.parent.mkdir()
    _wheel(given)
    role = tmp_path / "roles" / "el6_toolchain"
    shutil.copytree(ROLE, role)
    digest = hashlib.sha256(given.read_bytes()).hexdigest()
    (role / "files" / "requirements.txt").write_text(f"ziglang==0.13.0 --hash=sha256:{digest}\n")
    (tmp_path / "play.yml").write_text(BOOK, encoding="utf-8")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(given.parent))

    def play() -> Done:
        told = json.dumps({"mailseal_package_cache": str(tmp_path / "cache")})
        book = str(tmp_path / "play.yml")
        done = run(str(BIN / "ansible-playbook"), "-i", "localhost,", book, "-e", told)
        assert done.returncode == 0, done.stdout + done.stderr
        assert kept.read_bytes() == given.read_bytes()
        return done

    assert re.search(r"changed=1\b", play().stdout)
    assert re.search(r"changed=0\b", play().stdout)
    kept.write_bytes(given.read_bytes()[:100])
    assert re.search(r"changed=1\b", play().stdout)

"""What decides whether a package is installed, run with an rpm that says what real ones say."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab import base
from tests.commands import ROOT

# What `rpm -K` printed, 4.16 and later (tried) and 4.8 (from its source), and whether to install.
SAID = [
    ("x.rpm: digests signatures OK", 0, True),
    ("x.rpm: rsa sha1 (md5) pgp md5 OK", 0, True),
    ("x.rpm: digests OK", 0, False),
    ("x.rpm: sha1 md5 OK", 0, False),
    ("x.rpm: digests SIGNATURES NOT OK", 1, False),
    ("x.rpm: DIGESTS signatures NOT OK", 1, False),
    ("x.rpm: RSA sha1 ((MD5) PGP) md5 NOT OK (MISSING KEYS: (MD5) PGP#0608b895)", 1, False),
    ("error: x.rpm: not an rpm package (or package manifest)", 1, False),
    ("", 1, False),
]
RPM = """#!/bin/sh
case $1 in
    -K) printf '%s\\n' {said}; exit {code} ;;
    -U) echo "$@" >>{log}; exit {install} ;;
    *) exit 9 ;;
esac
"""


def _variables() -> dict[str, str]:
    text = (ROOT / "roles" / "bootstrap" / "vars" / "main.yml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def _rpm(folder: Path, said: str, code: int, install: int = 0) -> dict[str, str]:
    """An environment whose rpm says this and installs so."""
    rpm, log = folder / "rpm", folder / "log"
    rpm.write_text(RPM.format(said=shlex.quote(said), code=code, install=install, log=log))
    rpm.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _bootstrap(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # As the action `script` writes it: the executable, then the file.
    command = f"{_variables()['__mailseal_install']} /tmp/x.rpm"
    return subprocess.run(
        ["sh", "-c", command], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("said", "code", "good"), SAID, ids=[said or "-" for said, _, _ in SAID])
def test_only_a_good_signature_is_installed(
    tmp_path: Path, said: str, code: int, good: bool
) -> None:
    """`rpm -K` ends with 0 for an unsigned package: only the word tells."""
    env = _rpm(tmp_path, said, code)
    log = tmp_path / "log"
    done = _bootstrap(env)
    assert (done.returncode == 0) == good == log.exists()
    assert ("INSTALLED" in done.stdout) == good
    assert good or f"REFUSED: {said}" in done.stdout


def test_a_package_that_rpm_does_not_install_is_not_called_installed(tmp_path: Path) -> None:
    """A full disk, a conflict, a missing dependency."""
    env = _rpm(tmp_path, "x.rpm: digests signatures OK", 0, install=1)
    done = _bootstrap(env)
    assert done.returncode == 1
    assert "INSTALLED" not in done.stdout


@pytest.mark.parametrize(
    ("version", "found"), [("3, 9", True), ("3, 8", True), ("3, 6", False), ("2, 6", False)]
)
def test_a_python_counts_if_ansible_can_use_it(tmp_path: Path, version: str, found: bool) -> None:
    """2.6 and 3.6 are there and no use."""
    python = tmp_path / "python3"
    changed = f"import sys; sys.version_info = ({version})\n$2"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{changed}"\n')
    python.chmod(0o755)
    command = _variables()["__mailseal_find_python"]
    command = command.replace("{{ __mailseal_python }}", "/nonexistent")
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == (f"PYTHON={python}\n" if found else "")


def test_files_of_a_root_are_part_of_its_key() -> None:
    """A changed script of the stand-in gives another root; the common one has none."""
    made = base.recipe("el6")
    names = {name: program for name, program, _ in made.files}
    assert names["sbin/chkconfig"]
    assert not names["etc/redhat-release"]
    assert base.recipe().files == ()
    changed = base.Recipe(made.suite, made.arch, made.packages, made.script, made.kind, ())
    assert changed.key() != made.key()

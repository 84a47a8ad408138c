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
from tests.plugins import loaded, rendered
from tests.signatures import SAID

RPM = """#!/bin/sh
case $* in
    *" -K "*) printf '%s\\n' {said}; exit {code} ;;
    *" --import "*) exit 0 ;;
    -qp*) printf %s {name} ;;
    -U*) echo "$@" >>{log}; exit {install} ;;
    *) exit 9 ;;
esac
"""
# Of the directories above the package, those that are not root's alone.
FIND = "#!/bin/sh\nprintf %s {others}\n"


def _variables() -> dict[str, str]:
    text = (ROOT / "roles" / "bootstrap" / "vars" / "main.yml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    assert isinstance(loaded, dict)
    return loaded


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _rpm(
    folder: Path, said: str, code: int, install: int = 0, name: str = "x.rpm", others: str = "''"
) -> dict[str, str]:
    """An environment whose rpm says this and installs so."""
    words = {"said": shlex.quote(said), "code": code, "install": install, "name": name}
    _program(folder / "rpm", RPM.format(**words, log=folder / "log"))
    _program(folder / "find", FIND.format(others=others))
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _bootstrap(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # As the action `script` writes it: the executable, then the file.
    variables = _variables()
    command = rendered(f"{variables['__mailseal_install']} /tmp/x.rpm", variables)
    return subprocess.run(
        ["sh", "-c", command], env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("said", "code", "good"), SAID, ids=[f"{c} {s}" for s, c, _ in SAID])
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


GOOD = "x.rpm: digests signatures OK"


def test_another_package_under_that_name_is_refused(tmp_path: Path) -> None:
    """However well it is signed."""
    done = _bootstrap(_rpm(tmp_path, GOOD, 0, name="y-1-1.x86_64.rpm"))
    assert (done.returncode, done.stdout) == (1, "REFUSED: it is y-1-1.x86_64.rpm\n")
    assert not (tmp_path / "log").exists()


def test_nothing_is_put_where_others_can_exchange_it(tmp_path: Path) -> None:
    """What find prints is a directory that is not root's alone."""
    done = _bootstrap(_rpm(tmp_path, GOOD, 0, others="/opt/mailseal"))
    assert done.returncode == 1
    assert done.stdout == "REFUSED: others than root can change /opt/mailseal\n"
    assert not (tmp_path / "log").exists()


def test_a_broken_package_is_installed_over_itself(tmp_path: Path) -> None:
    """rpm would say that it is installed already."""
    assert _bootstrap(_rpm(tmp_path, GOOD, 0)).returncode == 0
    assert (tmp_path / "log").read_text() == "-U --oldpackage --replacepkgs /tmp/x.rpm\n"


OURS = "PYTHON=/opt/mailseal/python/bin/python3.9"


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        (["HAS=x"], True),
        (["HAS=x", OURS], False),
        (["HAS=older", OURS], True),
        ([OURS], True),
        ([], True),
        (["PYTHON=/usr/bin/python3"], False),
        (["HAS=older", "PYTHON=/usr/bin/python3"], False),
    ],
)
def test_a_python_that_does_not_answer_is_installed_again(said: list[str], needed: bool) -> None:
    """Though rpm has it on its books; one of the host's own is enough."""
    tasks = loaded("roles/bootstrap/tasks/main.yml")
    (task,) = [one for one in tasks if one["name"] == "Install our Python"]
    has = {"stdout": "\n".join(said), "stdout_lines": said}
    variables = {**task["vars"], "__mailseal_has": has, "__mailseal_package_name": "x"}
    assert all(rendered(f"{{{{ {one} }}}}", variables) for one in task["when"]) == needed


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

"""The compiler's stand-in: what is compiled twice in the same words is compiled once."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT

ONCE = ROOT / "roles" / "openssl_package" / "files" / "once.sh"
# Writes its words to the object, and a line for every time it was called.
COMPILER = """#!/bin/sh
echo called >>calls
out=${*##* -o }
out=${out%% *}
printf '%s' "$*" >"$out"
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "cc").write_text(COMPILER, encoding="utf-8")
    (tmp_path / "cc").chmod(0o755)
    (tmp_path / "crypto").mkdir()
    return tmp_path


def compile_(work: Path, kind: str, *flags: str, name: str = "libcrypto") -> int:
    """Compile one file for one kind of library; return how often the compiler was called by now."""
    out = f"crypto/{name}-{kind}-mem.o"
    words = [*flags, "-MF", f"crypto/{name}-{kind}-mem.d.tmp", "-c", "-o", out, "crypto/mem.c"]
    environment = {**os.environ, "ONCE": str(work / "cc")}
    subprocess.run(["sh", str(ONCE), *words], cwd=work, env=environment, check=True)
    assert (work / out).exists()
    return len((work / "calls").read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("order", [("lib", "shlib"), ("shlib", "lib")])
def test_the_second_time_is_a_copy(work: Path, order: tuple[str, str]) -> None:
    """Whichever comes first."""
    assert [compile_(work, kind, "-O2") for kind in order] == [1, 1]
    first, second = (work / f"crypto/libcrypto-{kind}-mem.o" for kind in order)
    assert first.read_bytes() == second.read_bytes()


def test_other_words_are_another_object(work: Path) -> None:
    """A flag more, and nothing is shared."""
    assert compile_(work, "lib", "-O2") == 1
    assert compile_(work, "shlib", "-O2", "-DSHARED") == 2


def test_other_libraries_are_not_mixed(work: Path) -> None:
    """The same file for libssl is another object."""
    assert compile_(work, "lib") == 1
    assert compile_(work, "shlib", name="libssl") == 2


def test_everything_else_goes_to_the_compiler(work: Path) -> None:
    """Programs, and questions that Configure asks."""
    words = ["sh", str(ONCE), "-c", "-o", "crypto/main.o", "main.c"]
    for _ in range(2):
        subprocess.run(words, cwd=work, env={**os.environ, "ONCE": str(work / "cc")}, check=True)
    assert len((work / "calls").read_text(encoding="utf-8").splitlines()) == 2


def test_a_failure_is_a_failure(work: Path) -> None:
    """And leaves nothing that could be copied."""
    (work / "cc").write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    words = ["sh", str(ONCE), "-c", "-o", "crypto/libcrypto-lib-mem.o", "crypto/mem.c"]
    done = subprocess.run(
        words, cwd=work, env={**os.environ, "ONCE": str(work / "cc")}, check=False
    )
    assert done.returncode == 3
    assert list((work / "crypto").iterdir()) == []

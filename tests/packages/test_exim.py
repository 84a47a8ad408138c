"""The build of Exim from Debian's source package."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from packages import exim
from packages.plan import Edit

HOME = "/opt/mailseal/openssl-3.0"
SPEC: dict[str, Any] = {
    "version": "4.96",
    "files": {"exim4_4.96.dsc": "ab" * 32},
    "packages": {"mailseal-openssl-3.5_1.deb": "cd" * 32},
    "prefix": "/opt/mailseal/openssl-3.5",
    "package": "mailseal-openssl-3.5",
}


@pytest.mark.parametrize(
    ("before", "after"),
    [("*outlen = inlen;", "*outlen = in[0];"), ("*outlen = in[0];", "*outlen = in[0];")],
)
def test_the_answer_to_alpn_has_the_length_of_the_name(
    tmp_path: Path, before: str, after: str
) -> None:
    """What has it right already stays as it is."""
    source = tmp_path / "src" / "tls-openssl.c"
    source.parent.mkdir()
    source.write_text(f"      *out = in+1;\n      {before}\n", encoding="utf-8")
    configure = next(step for step in exim.plan(SPEC).steps if step.name == "configure")
    edit = configure.script.split("patch -s")[0].replace("cd source", f"cd {tmp_path}")
    subprocess.run(["sh", "-ec", edit], check=True)
    assert source.read_text(encoding="utf-8") == f"      *out = in+1;\n      {after}\n"


def test_an_edit_that_is_needed_fits_one_place(tmp_path: Path) -> None:
    """None or two, and the build stops; where it is not needed, none is fine."""
    (tmp_path / "x.c").write_text("a\n", encoding="utf-8")
    for needed in (True, False):
        edit = Edit(file="x.c", pattern="b", replacement="c", needed=needed)
        done = subprocess.run(["sh", "-ec", edit.script()], cwd=tmp_path, check=False)
        assert (done.returncode == 0) != needed


SAID = """Exim version 4.96 #2 built 27-May-2026 16:52:26
Support for: crypteq iconv() IPv6 OpenSSL TLS_resume DANE DKIM DNSSEC
Library version: OpenSSL: Compile: OpenSSL 3.0.22 1 Nov 2026
                          Runtime: OpenSSL 3.0.22 1 Nov 2026
"""
DYNAMIC = (
    " 0x000000000000001d (RUNPATH)            Library runpath: [/opt/mailseal/openssl-3.0/lib]\n"
)


def test_a_good_exim_is_shipped() -> None:
    """Compiled for and run with the same library, found by itself, with DANE."""
    assert exim.judge("3.0.22", HOME, SAID, DYNAMIC) == []


@pytest.mark.parametrize(
    ("said", "dynamic", "word"),
    [
        ("", DYNAMIC, "does not say"),
        (SAID.replace("OpenSSL: Compile: OpenSSL", "GnuTLS: Compile:"), DYNAMIC, "does not say"),
        (SAID.replace("Runtime: OpenSSL 3.0.22", "Runtime: OpenSSL 3.0.19"), DYNAMIC, "run with"),
        (
            SAID.replace("Compile: OpenSSL 3.0.22", "Compile: OpenSSL 3.0.1"),
            DYNAMIC,
            "compiled for",
        ),
        (SAID.replace(" DANE", ""), DYNAMIC, "DANE"),
        (SAID, "", "does not look"),
        (SAID, DYNAMIC.replace("mailseal", "other"), "does not look"),
    ],
)
def test_a_bad_exim_is_not(said: str, dynamic: str, word: str) -> None:
    """Each difference is named."""
    wrong = exim.judge("3.0.22", HOME, said, dynamic)
    assert any(word in sentence for sentence in wrong), wrong


def test_the_source_of_exim_needs_its_description() -> None:
    """Without a .dsc nobody could unpack it."""
    with pytest.raises(ValueError, match=r"\.dsc"):
        exim.plan({"version": "4.96", "files": {}, "packages": {}, "prefix": HOME, "package": "x"})


def test_further_lines_are_taken_as_they_are(tmp_path: Path) -> None:
    """With or without an end of line, whatever a shell would make of them."""
    lines = "A=$(B)\nLINES\nC='d' \\"
    planned = exim.plan({**SPEC, "makefile": lines})
    script = next(step.script for step in planned.steps if step.name == "configure")
    (tmp_path / "Local").mkdir()
    words = ["sh", "-ec", script[script.index("printf '%s") :]]
    subprocess.run(words, cwd=tmp_path, check=True)
    written = (tmp_path / "Local" / "Makefile").read_text(encoding="utf-8")
    assert written == exim.makefile(SPEC["prefix"], "$(HOME)/sysroot", lines) + "\n"

"""The table of OpenSSL's versions, and the scripts that follow from it."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from packages import openssl, openssl_plan, rpm
from packages.plan import Failed, Plan, key

SHA = "0123456789abcdef" * 4


def spec(version: str, **more: str) -> dict[str, str]:
    name = f"openssl-{version}.tar.gz"
    return {"version": version, "file": name, "sha256": SHA, "format": "deb", "cnf": "", **more}


@pytest.mark.parametrize(
    ("version", "series", "soname"),
    [
        ("1.0.2u", "1.0.2", "1.0.0"),
        ("1.0.2zh", "1.0.2", "1.0.0"),
        ("1.1.0l", "1.1.0", "1.1"),
        ("1.1.1w", "1.1.1", "1.1"),
        ("3.0.22", "3.0", "3"),
        ("3.3.2", "3.3", "3"),
        ("3.5.4", "3.5", "3"),
    ],
)
def test_versions_that_can_replace_each_other_share_a_place(
    version: str, series: str, soname: str
) -> None:
    """Name, directory and soname follow from the version; two series never meet."""
    assert openssl.series(version) == series
    assert openssl.prefix(version) == f"/opt/mailseal/openssl-{series}"
    assert openssl.package(version) == f"mailseal-openssl-{series}"
    assert openssl.soname(version) == soname


@pytest.mark.parametrize("version", ["1.0.1u", "0.9.8zh", "3", "3.0", "nonsense", "", "3.0.22; id"])
def test_what_cannot_be_built_is_refused(version: str) -> None:
    """One sentence that names what was asked for."""
    with pytest.raises(Failed, match=re.escape(version) or "''"):
        openssl_plan.plan(spec(version))


@pytest.mark.parametrize("checksum", ["", "abc", SHA.upper(), SHA + "0"])
def test_a_source_without_its_checksum_is_refused(checksum: str) -> None:
    """There is no build of just anything."""
    with pytest.raises(Failed, match="SHA-256"):
        openssl_plan.plan(spec("3.0.22", sha256=checksum))


def test_an_unknown_format_is_refused() -> None:
    """A typo must not fall back to another format."""
    with pytest.raises(Failed, match="tar"):
        openssl_plan.plan(spec("3.0.22", format="tar"))


@pytest.mark.parametrize("row", openssl.TABLE, ids=lambda row: ".".join(map(str, row.since)))
def test_every_row_removes_what_is_old(row: openssl.Series) -> None:
    """No SSLv3, neither on the wire nor as functions, no weak suites, no zlib."""
    wanted = {"no-ssl3", "no-ssl3-method", "no-weak-ssl-ciphers", "no-zlib"}
    assert wanted <= set(row.options)


def test_1_0_2_needs_more_than_the_word_weak() -> None:
    """`no-weak-ssl-ciphers` leaves RC4, 3DES, IDEA and SEED in; they have to be named."""
    row = openssl.row("1.0.2u")
    assert {"no-ssl2", "no-rc4", "no-des", "no-idea", "no-seed", "no-comp"} <= set(row.options)
    assert list(row.left_out) == ["test_cms"]


@pytest.mark.parametrize("version", ["1.1.0l", "1.1.1w", "3.0.22", "3.5.4"])
def test_what_programs_of_the_system_want_stays(version: str) -> None:
    """libcurl wants DES, Python's ssl COMP_get_type, `openssl` CMP: ld.so would break them."""
    assert not {"no-des", "no-comp", "no-cmp"} & set(openssl.row(version).options)


def test_the_nearest_older_row_counts() -> None:
    """A release that is newer than the table is built as the last one it knows."""
    assert openssl.row("3.1.7").since == (3, 0)
    assert openssl.row("3.4.0").since == (3, 2)
    assert openssl.row("3.6.0").since == (3, 5)


def test_everything_lies_below_the_prefix() -> None:
    """The library, its configuration, and where it looks for its own kind."""
    words = openssl.options("3.0.22", "linux-x86_64")
    assert "--prefix=/opt/mailseal/openssl-3.0" in words
    assert "--openssldir=/opt/mailseal/openssl-3.0/ssl" in words
    assert words[-1] == "-Wl,-rpath,/opt/mailseal/openssl-3.0/lib"
    assert "shared" in words


# The same function as releases have it: 1.0.2 and 1.1.0, and 3.0 to 3.5.
_OLD = """\
    if (u < SSL3_NUM_CIPHERS)
        return (&(ssl3_ciphers[SSL3_NUM_CIPHERS - 1 - u]));
    else
        return (NULL);
"""
_NEW = """\
    if (u < SSL3_NUM_CIPHERS)
        return &(ssl3_ciphers[SSL3_NUM_CIPHERS - 1 - u]);
    else
        return NULL;
"""


@pytest.mark.parametrize("text", [_OLD, _NEW])
def test_suites_without_a_cipher_leave_the_table(tmp_path: Path, text: str) -> None:
    """The edit fits every version, and what stands around it stays."""
    done, after = _edit(tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert "SSL_eNULL" in after
    assert "SSL_aNULL" in after
    lines = after.splitlines()
    assert lines[0] == text.splitlines()[0]
    assert lines[2:] == text.splitlines()[2:]


@pytest.mark.parametrize("text", ["", _NEW.replace("- 1 - u", "- u"), _NEW * 2])
def test_an_unknown_source_stops_the_build(tmp_path: Path, text: str) -> None:
    """No match or two: nobody would know what is built."""
    done, _after = _edit(tmp_path, text)
    assert done.returncode != 0
    assert "ssl/s3_lib.c is not as it is known" in done.stderr


def _edit(home: Path, text: str) -> tuple[subprocess.CompletedProcess[str], str]:
    source = home / "ssl" / "s3_lib.c"
    source.parent.mkdir()
    source.write_text(text, encoding="utf-8")
    script = openssl.scripts(spec("3.0.22"))["edit"]
    done = subprocess.run(
        ["sh", "-ec", script], cwd=home, capture_output=True, text=True, check=False
    )
    return done, source.read_text(encoding="utf-8")


_MAKEFILE = """\
alltests: \\
\ttest_des test_idea test_cms \\
\ttest_jpake test_v3name

test_evp:
\t@echo
"""


def test_test_cms_is_left_out_by_name(tmp_path: Path) -> None:
    """1.0.2 has no word for "all but": the list is taken from its makefile, all of it."""
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "Makefile").write_text(_MAKEFILE, encoding="utf-8")
    script = openssl.scripts(spec("1.0.2u"))["check"].replace("make test", "printf %s")
    done = subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    words = done.stdout.removeprefix("TESTS=").split()
    assert words == ["test_des", "test_idea", "test_jpake", "test_v3name"]


def test_scripts_are_shell() -> None:
    """Every script of every version and format can be read by sh."""
    for version in ("1.0.2u", "1.1.1w", "3.0.22", "3.5.4"):
        for kind in ("deb", "rpm"):
            planned = openssl_plan.plan(spec(version, format=kind, cnf="it's = 50%\n"))
            for step in planned.steps:
                words = ["sh", "-n", "-c", step.script]
                subprocess.run(words, check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_its_own_tests_run_unless_somebody_says_no(kind: str) -> None:
    """A trial may do without them; nothing else of the build is another one."""
    run = openssl.scripts(spec("3.5.7", format=kind))["check"]
    with_tests = _shell(openssl_plan.plan(spec("3.5.7", format=kind)))
    without = _shell(openssl_plan.plan(spec("3.5.7", format=kind, check="no")))
    assert with_tests.count(run) == 1
    assert run not in without
    assert openssl.scripts(spec("3.5.7", format=kind))["stage"].splitlines()[0] in without


def _shell(planned: Plan) -> str:
    return "\n".join(step.script for step in planned.steps)


def test_a_spec_file_keeps_its_percent_signs() -> None:
    """In a spec file a percent sign begins a macro; one of ours must not."""
    text = openssl_plan.spec_file(spec("3.0.22", format="rpm", cnf="Options = 50%\n"))
    assert "Options = 50%%" in text
    assert "printf %%s" in text
    assert rpm.escaped("a%b") == "a%%b"
    sections = ["%prep", "%build", "%install", "%check", "%files", "%files devel"]
    assert [line for line in text.splitlines() if line in sections] == sections


def test_another_input_is_another_result() -> None:
    """Version, checksum, flags, policy and tools of the build host decide, each of them."""
    base = openssl_plan.plan(spec("3.0.22"))
    others: list[Plan] = [
        openssl_plan.plan(spec("3.0.21")),
        openssl_plan.plan(spec("3.0.22", sha256=SHA[::-1])),
        openssl_plan.plan(spec("3.0.22", flags="-O3")),
        openssl_plan.plan(spec("3.0.22", cnf="x\n")),
        openssl_plan.plan(spec("3.0.22", format="rpm")),
        openssl_plan.plan(spec("3.0.22", cc="clang")),
    ]
    keys = {key(planned.document(), "gcc 12") for planned in (base, *others)}
    assert len(keys) == 1 + len(others)
    assert key(base.document(), "gcc 12") == key(
        openssl_plan.plan(spec("3.0.22")).document(), "gcc 12"
    )
    assert key(base.document(), "gcc 13") not in keys


def test_the_source_is_not_unpacked_over_an_older_build() -> None:
    """What a build left that was ended is cleared away first."""
    document: dict[str, Any] = openssl_plan.plan(spec("3.0.22")).document()
    first = document["steps"][0]
    assert first["name"] == "unpack"
    assert first["script"].startswith("rm -rf ")

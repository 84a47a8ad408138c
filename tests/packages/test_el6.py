"""The builds of what EL6 lacks."""

import re
import subprocess
from pathlib import Path

import pytest

from packages import el6, rpm
from packages.plan import Failed
from tests.commands import ROOT

LIBRARY = {"prefix": "/opt/mailseal/openssl-1.0.2", "package": "mailseal-openssl-1.0.2"}
RPMS = {"mailseal-openssl-1.0.2-1.x86_64.rpm": "ab" * 32}
SPECS = Path(el6.__file__).parent / "specs"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in SPECS.iterdir()}


def _script(which: str) -> str:
    planned = el6.plan(which, TEXTS, "/opt/tools", LIBRARY, RPMS)
    return "\n".join(step.script for step in planned.steps)


@pytest.mark.parametrize("which", el6.TABLE)
def test_spec_file_and_table_agree(which: str) -> None:
    """Name, version and every source, in the words of the spec file."""
    one = el6.TABLE[which]
    text = (SPECS / f"{which}.spec").read_text(encoding="utf-8")
    fields = dict(re.findall(r"^(Name|Version|Source\d+): (\S+)$", text, re.MULTILINE))
    assert (fields.pop("Name"), fields.pop("Version")) == (one.name, one.version)
    assert sorted(fields.values()) == sorted([*one.sources, *one.ours])
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in one.sources.values())


@pytest.mark.parametrize("which", el6.TABLE)
def test_no_macro_is_left_undefined(which: str) -> None:
    """rpmbuild leaves an unknown macro as it is, and a path with a percent sign in it is found."""
    known = {
        "name",
        "version",
        "SOURCE10",
        "SOURCE11",
        "SOURCE3",
        "SOURCE4",
        "buildroot",
        "_smp_mflags",
    }
    script = _script(which)
    known |= set(re.findall(r'--define "(\S+) ', script)) | {"nil"}
    known |= set(re.findall(r"^%global (\S+) ", script, re.MULTILINE))
    assert set(re.findall(r"(?<!%)%\{\??(\w+)\}", script)) <= known


@pytest.mark.parametrize("which", el6.TABLE)
def test_every_package_is_looked_at_for_newer_symbols(which: str) -> None:
    """As a part of its own check, so that no build goes without."""
    check = (SPECS / f"{which}.spec").read_text(encoding="utf-8").split("%check")[1]
    assert "glibc_check.py %{glibc} %{buildroot}" in check.split("%files")[0]
    assert '--define "glibc 2.12"' in _script(which)


def test_exim_is_compiled_on_our_library_and_finds_it_by_itself() -> None:
    """Headers from where its package was unpacked, the path that hosts have in the program."""
    script = _script("exim")
    assert '--define "library /opt/mailseal/openssl-1.0.2"' in script
    assert "-Wl,-rpath,%{library}/lib" in script
    assert "INCLUDE=-I%{sysroot_}%{library}/include" in script
    assert "Requires: %{library_package}" in script
    assert "mailseal-openssl-1.0.2-1.x86_64.rpm" in script
    assert re.search(r"^SUPPORT_DANE=yes$", script, re.MULTILINE)


def test_cyrus_has_nothing_of_the_system_but_its_c_library() -> None:
    """A library of the system's, or a plugin, would bring the system's OpenSSL along."""
    script = _script("cyrus")
    assert "-Wl,-rpath,%{home}/lib:%{library}/lib" in script
    assert 'OPENSSL_LIBS="-L%{sysroot_}%{library}/lib"' in script
    assert "Requires: %{library_package}" in script
    assert "--with-plugindir=%{home}/sasl2" in script
    assert "--with-openssl=no" in script.split("cd cyrus-sasl")[1].split("\n    for part")[0]
    assert "(NEEDED)" in script.split("%check")[1].split("%pre")[0]


def test_cyrus_is_where_that_of_el6_is() -> None:
    """Programs, user and service have the names that administrators know."""
    script = _script("cyrus")
    assert "%global home /usr/lib/cyrus-imapd\n" in script
    assert "useradd -r -u 76 -g mail " in script
    assert "Obsoletes:" not in script
    assert "prog=/usr/lib/cyrus-imapd/cyrus-master\n" in script
    for service in ("imap", "pop", "lmtp", "sieve"):
        assert f" {service} " in script.split("for service in")[1].split("; do")[0] + " "


def test_cyrus_is_asked_over_its_standard_input() -> None:
    """Its answer to ID says what it was compiled for; no master, no network, no user of its own."""
    ask = next(
        step.script
        for step in el6.plan("cyrus", TEXTS, "/opt/tools", LIBRARY, RPMS).steps
        if step.name == "ask what it is"
    )
    assert "a ID NIL\\r\\n" in ask
    assert "/opt/mailseal/openssl-1.0.2/lib" in ask
    assert '>"$HOME/product/version.txt"' in ask
    assert '>"$HOME/product/dynamic.txt"' in ask


@pytest.mark.parametrize("which", ["exim", "cyrus"])
def test_init_script_has_what_chkconfig_reads(which: str) -> None:
    """Runlevels or none, two numbers, a description; and it is shell."""
    path = SPECS / f"{which}.init"
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^# chkconfig: (-|\d+) \d\d \d\d$", text, re.MULTILINE)
    assert re.search(r"^# description: \S", text, re.MULTILINE)
    assert re.search(r"^# pidfile: /var/run/\S+\.pid$", text, re.MULTILINE)
    subprocess.run(["sh", "-n", str(path)], check=True)


def test_no_is_said_by_silence() -> None:
    """To Exim's makefile a value of "no" means yes."""
    text = (SPECS / "exim.spec").read_text(encoding="utf-8")
    assert not re.search(r"^[A-Z_]+=no$", text, re.MULTILINE)
    assert "AUTH_CYRUS_SASL" not in text


def test_python_wants_no_library() -> None:
    """It is brought before there is any."""
    planned = el6.plan("python", TEXTS, "/opt/tools", {}, {})
    assert set(planned.sources) == set(el6.TABLE["python"].sources)


@pytest.mark.parametrize(
    ("which", "library", "packages", "why"),
    [
        ("perl", LIBRARY, RPMS, "no package 'perl'"),
        ("exim", {}, RPMS, "there is none"),
        ("exim", LIBRARY, {}, "there is none"),
    ],
)
def test_what_cannot_be_built_is_refused(
    which: str, library: dict[str, str], packages: dict[str, str], why: str
) -> None:
    """One sentence."""
    with pytest.raises(Failed, match=why):
        el6.plan(which, TEXTS, "/opt/tools", library, packages)


def test_our_own_sources_are_written_as_they_are() -> None:
    """The shell expands nothing in them."""
    text = "a $b `c` 'd' \\e\n"
    script = rpm.build("Name: x\n", {"one.txt": text}, {"m": "$HOME/x"})
    assert f"<<'END OF one.txt'\n{text}END OF one.txt\n" in script
    assert '--define "m $HOME/x"' in script


def test_the_place_of_the_compiler_is_a_plain_path() -> None:
    """It stands in the spec file as it is."""
    with pytest.raises(Failed, match="is no plain path"):
        el6.plan("python", TEXTS, "/opt/$(id)", {}, {})


def test_the_lab_brings_what_is_pinned() -> None:
    """By name: what is newer has another checksum, and would not be built."""
    text = (ROOT / "lab/roots/builder/usr/src/mailseal/bring.py").read_text(encoding="utf-8")
    named = set(re.findall(r'"([^"/ ]+\.tar\.[a-z0-9]+)"', text))
    for one in el6.TABLE.values():
        assert set(one.sources) <= named
    library = (ROOT / "inventory/el6/group_vars/all/el6.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"source: \S*/(\S+\.tar\.gz)", library)) <= named

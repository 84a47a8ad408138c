"""What the module mailseal_package decides, with tools that do as they are told."""

import email.message
import errno
import io
import os
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.plugins import loaded, plugin
from tests.signatures import SAID

LIBRARY, DAEMON = "mailseal-openssl-3.5", "mailseal-exim"


@pytest.fixture(scope="module")
def package() -> ModuleType:
    """The module."""
    return plugin("package_install/library/mailseal_package.py")


class Tools:
    """A package manager in memory: what is installed, what was done, and what goes wrong."""

    suffix = ".deb"

    def __init__(self, package: ModuleType, keep: Path, **installed: str) -> None:
        self.failed, self.keep = package.Failed, keep
        self.now = {name.replace("_", "-"): version for name, version in installed.items()}
        self.log: list[str] = []
        self.reachable = True
        self.bad: set[str] = set()
        self.damaged: set[str] = set()
        self.half: set[str] = set()
        keep.mkdir()
        for name, version in self.now.items():
            self.get(name, version)

    def installed(self, name: str) -> str:
        return self.now.get(name, "")

    def damage(self, name: str) -> str:
        bad = self.now.get(name) in self.bad or name in self.damaged
        return "??5?????? /opt/x" if bad else ""

    def get(self, name: str, version: str) -> str:
        if not self.reachable:
            raise self.failed("the repository is no use")
        path = self.keep / f"{name}_{version}_amd64.deb"
        path.touch()
        return str(path)

    def kept(self, name: str, version: str) -> str:
        path = self.keep / f"{name}_{version}_amd64.deb"
        if not path.exists():
            raise self.failed(f"{name} {version} is not kept in {self.keep}")
        return str(path)

    def files(self, path: str) -> list[tuple[str, int]]:
        return []

    def ours(self) -> list[str]:
        return sorted({*self.now, *self.half})

    def mend(self) -> None:
        self.half.clear()

    def foresee(self, what: str, paths: Sequence[str], gone: Sequence[str] = ()) -> None:
        if any("unwanted" in path for path in paths):
            raise self.failed(f"{what} would remove mail")

    def put(self, what: str, paths: Sequence[str], gone: Sequence[str] = ()) -> None:
        for path in paths:
            name, version, _rest = Path(path).name.split("_")
            self.now[name] = version
            self.damaged.discard(name)
        for name in gone:
            del self.now[name]
        new = [Path(path).name.removesuffix("_amd64.deb") for path in paths]
        self.log.append(", ".join([*new, *(f"no {name}" for name in gone)]))

    def unpack(self, path: str, directory: str) -> None:
        (Path(directory) / "half").touch()
        raise self.failed(f"{path} cannot be unpacked: it is full")


class Ended(Exception):
    """How a module ends."""


def _do(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tools: Tools, **params: Any
) -> dict[str, Any]:
    """Run the module; what it returns."""
    names = ("name", "version", "state", "packages", "format", "keep", "trial", "home")
    given = {"state": "present", "format": "deb", "home": "/opt/mailseal", **params}
    given = {"keep": str(tools.keep), "trial": str(tools.keep / "trial"), **given}

    def end(**result: Any) -> None:
        raise Ended(result)

    module = SimpleNamespace(
        params={name: given.get(name) for name in names},
        check_mode=params.get("check", False),
        exit_json=end,
        fail_json=lambda **result: end(failed=True, **result),
    )
    monkeypatch.setattr(package, "AnsibleModule", lambda **_words: module)
    monkeypatch.setattr(package, "Deb", lambda _params: tools)
    with pytest.raises(Ended) as ended:
        package.main()
    result = ended.value.args[0]
    assert isinstance(result, dict)
    return result


def test_what_there_was_is_there_again_and_nothing_else(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In one step, also where dpkg was ended in its work; not EL6's Python, and not twice."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1", mailseal_python="3")
    there = {DAEMON: "1"}
    for name, version in ((LIBRARY, "2"), (DAEMON, "2"), (DAEMON, "3")):
        wanted = {"name": name, "version": version, "packages": there}
        assert _do(package, monkeypatch, tools, **wanted)["changed"]
    tools.half.add("mailseal-cyrus")
    tools.log.clear()
    tools.reachable = False
    before = {"state": "exactly", "packages": {**there, "mailseal-python": "2"}}
    foreseen = _do(package, monkeypatch, tools, **before, check=True)
    assert (foreseen["changed"], tools.log) == (True, [])
    done = _do(package, monkeypatch, tools, **before)
    assert (
        done["packages"]
        == foreseen["packages"]
        == [
            {"name": DAEMON, "before": "3", "after": "1"},
            {"name": "mailseal-cyrus", "before": "", "after": ""},
            {"name": LIBRARY, "before": "2", "after": ""},
        ]
    )
    assert tools.log == [f"{DAEMON}_1, no {LIBRARY}"]
    assert tools.now == {DAEMON: "1", "mailseal-python": "3"}
    assert not _do(package, monkeypatch, tools, **before)["changed"]


def test_all_of_them_are_put_in_place_at_once(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A daemon may want its library; what is not kept here comes from the repository."""
    tools = Tools(package, tmp_path / "keep")
    wanted = {DAEMON: "1", LIBRARY: "1"}
    _do(package, monkeypatch, tools, state="exactly", packages=wanted)
    assert tools.log == [f"{DAEMON}_1, {LIBRARY}_1"]
    assert tools.now == wanted


def test_none_is_exchanged_where_one_cannot_be_had(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both reasons are named, and what there should be."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    _do(package, monkeypatch, tools, name=DAEMON, version="2")
    _do(package, monkeypatch, tools, name=LIBRARY, version="2")
    tools.log.clear()
    tools.reachable = False
    (tools.keep / f"{DAEMON}_1_amd64.deb").unlink()
    done = _do(package, monkeypatch, tools, state="exactly", packages={DAEMON: "1"})
    assert done["msg"] == (
        f"the packages are NOT as they should be ({DAEMON} 1, no {LIBRARY}): "
        f"{DAEMON} 1 is not kept in {tools.keep}, and the repository is no use"
    )
    assert tools.log == []


@pytest.mark.parametrize(("before", "state"), [("1", "1 is back"), ("", "it is gone again")])
def test_what_is_installed_and_not_whole_goes_again(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str, state: str
) -> None:
    """The version of before is back, and nobody says that nothing was touched."""
    installed = {"mailseal_exim": before} if before else {}
    tools = Tools(package, tmp_path / "keep", **installed)
    tools.bad.add("2")
    done = _do(package, monkeypatch, tools, name=DAEMON, version="2")
    assert done["failed"]
    assert done["msg"] == f"{DAEMON} is not as it was packed: ??5?????? /opt/x; {state}"
    assert tools.installed(DAEMON) == before


def test_half_of_a_version_is_not_taken_for_what_was_there(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """rpm was killed: its books have the version of before, and the files are those of two."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    _do(package, monkeypatch, tools, name=DAEMON, version="2")
    tools.now[DAEMON] = "1"
    tools.damaged.add(DAEMON)
    tools.log.clear()
    _do(package, monkeypatch, tools, state="exactly", packages={DAEMON: "1"})
    assert tools.log == [f"{DAEMON}_1"]
    assert tools.damage(DAEMON) == ""


def test_it_is_said_where_what_was_there_is_not_back(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which it would be from what is kept, or from the repository."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    tools.bad.add("2")
    get = tools.get
    monkeypatch.setattr(tools, "get", lambda *one: get(*one) if one[1] == "2" else tools.kept(*one))
    (tools.keep / f"{DAEMON}_1_amd64.deb").unlink()
    done = _do(package, monkeypatch, tools, name=DAEMON, version="2")
    assert "; 1 is NOT back: mailseal-exim 1 is not kept in " in done["msg"]


def test_what_is_refused_in_time_touches_nothing(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing was touched, and so it is said."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    done = _do(package, monkeypatch, tools, name=DAEMON, version="unwanted")
    assert done["msg"] == f"{DAEMON}: {DAEMON} would remove mail; nothing that serves was touched"
    assert tools.log == []


def test_a_damaged_package_is_installed_again(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Though its version is the one that is wanted; a whole one is left alone."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    assert not _do(package, monkeypatch, tools, name=DAEMON, version="1")["changed"]
    tools.damaged.add(DAEMON)
    assert _do(package, monkeypatch, tools, name=DAEMON, version="1", check=True)["changed"]
    assert tools.log == []
    assert _do(package, monkeypatch, tools, name=DAEMON, version="1")["changed"]
    assert tools.log == [f"{DAEMON}_1"]
    tools.bad.add("1")
    done = _do(package, monkeypatch, tools, name=DAEMON, version="1")
    assert done["msg"].endswith("; it is NOT whole")


def test_files_that_may_be_put_back_are_kept(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """This version, the one before, and the one that the snapshot names."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1.0")
    for version in ("2.0", "3.0", "4.0"):
        wanted = {"name": DAEMON, "version": version, "packages": {DAEMON: "1.0"}}
        _do(package, monkeypatch, tools, **wanted)
    names = sorted(path.name.split("_")[1] for path in tools.keep.glob("*.deb"))
    assert names == ["1.0", "3.0", "4.0"]


def test_nothing_is_left_of_what_cannot_be_laid_out(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that is full stays no fuller than it was."""
    tools = Tools(package, tmp_path / "keep")
    done = _do(package, monkeypatch, tools, state="unpacked", name=DAEMON, version="1")
    assert "cannot be unpacked" in done["msg"]
    assert not (tools.keep / "trial").exists()


def test_what_is_laid_out_needs_room_as_well(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As much as all of its files."""
    tools = Tools(package, tmp_path / "keep")
    monkeypatch.setattr(tools, "files", lambda _path: [(f"{tmp_path}/a", 3 << 50)])
    monkeypatch.setattr(package, "fits", lambda _files: None)
    done = _do(package, monkeypatch, tools, state="unpacked", name=DAEMON, version="1")
    assert f"there is no room: {tools.keep}/trial needs " in done["msg"]


def test_room_is_looked_for_where_the_files_go(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On each file system for what goes there, whatever is not there yet."""
    asked: dict[str, int] = {}
    monkeypatch.setattr(package, "room", asked.__setitem__)
    package.fits([("/proc/mailseal/x", 5), (f"{tmp_path}/new/a", 1), (f"{tmp_path}/new/b/c", 2)])
    assert asked == {"/proc": 5, str(tmp_path): 3}


def test_room_is_refused_by_name(package: ModuleType, tmp_path: Path) -> None:
    """With what there would have to be."""
    package.room(str(tmp_path), 0)
    with pytest.raises(package.Failed, match=r"there is no room: .* needs 1073741840 MB"):
        package.room(str(tmp_path / "new"), 1 << 50)


def test_a_package_says_what_it_brings(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of both tools."""
    listed = (
        "drwxr-xr-x root/root         0 2026-01-01 00:00 ./opt/mailseal/\n"
        "-rwsr-xr-x root/root     22680 2026-01-01 00:00 ./usr/sbin/exim4\n"
        "lrwxrwxrwx root/root         0 2026-01-01 00:00 ./opt/mailseal/x y.so -> x.so.3\n"
    )
    said = {"dpkg-deb": listed, "rpm": "0 /opt/mailseal/thing\n6 /opt/mailseal/thing/a b\n"}
    monkeypatch.setattr(
        package,
        "run",
        lambda *argv, **_words: SimpleNamespace(returncode=0, stdout=said[argv[0]]),
    )
    assert package.Deb({"source": ""}).files("x.deb") == [
        ("/opt/mailseal/", 0),
        ("/usr/sbin/exim4", 22680),
        ("/opt/mailseal/x y.so", 0),
    ]
    assert package.Rpm({}).files("x.rpm") == [
        ("/opt/mailseal/thing", 0),
        ("/opt/mailseal/thing/a b", 6),
    ]


@pytest.mark.parametrize("said", [None, "", "-1", "1e9", "many", "²", "9" * 16])
def test_a_length_that_is_none_is_refused(package: ModuleType, said: str | None) -> None:
    """Room could not be looked for."""
    assert package.length("123") == 123
    with pytest.raises(package.Failed, match="does not say how long"):
        package.length(said)


def test_exactly_what_was_said_is_taken(package: ModuleType) -> None:
    """Not more, and not less."""
    file = io.BytesIO()
    package.copy(io.BytesIO(b"abcdef"), file, 4)
    assert file.getvalue() == b"abcd"
    with pytest.raises(package.Failed, match="ends 2 bytes early"):
        package.copy(io.BytesIO(b"ab"), io.BytesIO(), 4)


@pytest.mark.parametrize(
    "url", ["repository.example.org", "http://[::1", "http://me:secret@127.0.0.1"]
)
def test_an_address_that_is_none_is_refused_in_one_sentence(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    """And a password in it is not shown."""
    tools = Tools(package, tmp_path / "keep", mailseal_exim="1")
    rpm = package.Rpm({"keep": str(tools.keep), "url": url, "key": "k"})
    monkeypatch.setattr(tools, "get", rpm.get)
    done = _do(package, monkeypatch, tools, name=DAEMON, version="2")
    assert "is no address that can be asked; nothing that serves was touched" in done["msg"]
    assert "secret" not in done["msg"]


def test_what_a_program_says_may_be_in_any_encoding(package: ModuleType) -> None:
    """A server's words come through apt as they are."""
    assert package.run("printf", r"\377 no").stdout == "\ufffd no"


class Answer(io.BytesIO):
    """What a server says."""

    def __init__(self, body: bytes, length: str) -> None:
        super().__init__(body)
        self.headers = email.message.Message()
        self.headers["Content-Length"] = length


def _full(*_words: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("length", "verdict", "named"),
    [
        ("4", (0, "x.rpm: digests signatures OK"), ""),
        ("5", (0, "x.rpm: digests signatures OK"), "ends 1 bytes early"),
        ("x", (0, "x.rpm: digests signatures OK"), "does not say how long"),
        (str(1 << 49), (0, "x.rpm: digests signatures OK"), "there is no room"),
        ("4", (1, "x.rpm: DIGESTS signatures NOT OK"), "is not signed with our key"),
        ("4", (0, "full"), "cannot be brought here: "),
        ("4", (0, "other"), "cannot be brought here: it is other-1.x86_64.rpm"),
    ],
)
def test_an_rpm_is_here_wholly_or_not_at_all(
    package: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    length: str,
    verdict: tuple[int, str],
    named: str,
) -> None:
    """Whatever goes wrong, and however far it came; what is kept is what was asked for."""
    rpm = package.Rpm({"keep": str(tmp_path), "url": "http://x", "key": "k"})
    name = verdict[1] if verdict[1] == "other" else "thing"
    good = (0, "x.rpm: digests signatures OK")
    found = SimpleNamespace(returncode=0, stdout=f"{name}-1.x86_64.rpm")
    monkeypatch.setattr(package.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        package.urllib.request, "urlopen", lambda *_a, **_k: Answer(b"abcd", length)
    )
    monkeypatch.setattr(rpm, "verdict", lambda _path: verdict if "OK" in verdict[1] else good)
    monkeypatch.setattr(package, "run", lambda *_argv: found)
    if verdict[1] == "full":
        monkeypatch.setattr(package, "copy", _full)
    if named:
        with pytest.raises(package.Failed, match=named):
            rpm.get("thing", "1")
    else:
        rpm.get("thing", "1")
    assert [path.name for path in tmp_path.iterdir()] == ([] if named else ["thing-1.x86_64.rpm"])


@pytest.mark.parametrize(("said", "code", "good"), SAID, ids=[f"{c} {s}" for s, c, _ in SAID])
def test_only_a_good_signature_counts(
    package: ModuleType, said: str, code: int, good: bool
) -> None:
    """The same table as for hosts without a Python."""
    assert package.signed(code, said) == good


def test_no_key_but_ours_counts(package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """rpm is asked with a database of its own, in which there is that key alone."""
    asked: list[tuple[str, ...]] = []

    def run(*argv: str) -> SimpleNamespace:
        asked.append(argv)
        return SimpleNamespace(returncode=int("--import" in argv and "bad" in argv), stdout="said")

    monkeypatch.setattr(package, "run", run)
    assert package.Rpm({"key": "ours.asc"}).verdict("x.rpm") == (0, "said")
    (first, second) = asked
    assert first[-2:] == ("--import", "ours.asc")
    assert second[-2:] == ("-K", "x.rpm")
    assert first[:3] == second[:3]
    assert first[1] == "--dbpath"
    assert not Path(first[2]).exists()
    assert package.Rpm({"key": "bad"}).verdict("x.rpm") == (1, "said")


@pytest.mark.parametrize(
    ("mode", "owner", "problem"),
    [
        (stat.S_IFDIR | 0o755, 0, ""),
        (stat.S_IFDIR | 0o775, 0, "can be written by others than root"),
        (stat.S_IFDIR | 0o1777, 0, "can be written by others than root"),
        (stat.S_IFDIR | 0o755, 1000, "does not belong to root"),
        (stat.S_IFLNK | 0o777, 0, "is a symbolic link"),
        (stat.S_IFREG | 0o644, 0, "is no directory"),
    ],
)
def test_a_directory_that_is_not_roots_alone_is_refused(
    package: ModuleType, mode: int, owner: int, problem: str
) -> None:
    """Ours and each above it; what is not there yet will be ours."""

    def look(path: str) -> Any:
        if path.startswith("/opt/mailseal/new"):
            raise FileNotFoundError
        odd = path == "/opt/mailseal"
        return SimpleNamespace(
            st_mode=mode if odd else stat.S_IFDIR | 0o755, st_uid=owner if odd else 0
        )

    files = [("/usr/sbin/exim4", 1), ("/opt/mailseal/new/lib/x", 1)]
    if problem:
        with pytest.raises(package.Failed, match=f"/opt/mailseal {problem}"):
            package.owned(files, "/opt/mailseal", look)
    else:
        package.owned(files, "/opt/mailseal", look)
    # What lies elsewhere is the system's affair.
    package.owned(files[:1], "/opt/mailseal", look)


UNMET = """The following packages have unmet dependencies:
 mailseal-exim : Depends: libfoo1 (>= 2) but it is not installable
E: Unable to correct problems, you have held broken packages.
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("W: unsandboxed\nE: Failed to fetch x\nE: Some files failed", "E: Failed to fetch x"),
        ("reading\nW: GPG error: x", "W: GPG error: x"),
        (UNMET, "mailseal-exim : Depends: libfoo1 (>= 2) but it is not installable"),
        (
            "error: Failed dependencies:\n\tlibfoo.so.1 is needed by mailseal-exim-4-1.x86_64\n",
            "libfoo.so.1 is needed by mailseal-exim-4-1.x86_64",
        ),
        ("one\ntwo\n", "two"),
        ("", "no message"),
    ],
)
def test_the_package_tools_are_quoted_by_what_says_most(
    package: ModuleType, said: str, line: str
) -> None:
    """What is missing, then an error, then a warning, then anything else."""
    assert package.last(said) == line


def test_apt_waits_for_another(package: ModuleType) -> None:
    """And installs a version that it has already, where it is told to."""
    words = package.Deb({"source": "/x"}).words(["/y.deb"], ["z"])
    assert "DPkg::Lock::Timeout=120" in words
    assert words[-4:] == ["--reinstall", "install", "/y.deb", "z-"]


RPM = """#!/bin/sh
case $1 in
    -qa) cat {known} ;;
    --import) echo "${{2##*/}}" >{known} ;;
esac
"""


@pytest.mark.parametrize(("known", "said"), [("", "IMPORTED\n"), ("RPM-GPG-KEY-mailseal\n", "")])
def test_a_key_is_imported_where_rpm_does_not_know_it(
    tmp_path: Path, known: str, said: str
) -> None:
    """Whether its file was there already says nothing."""
    (tmp_path / "known").write_text(known)
    (tmp_path / "rpm").write_text(RPM.format(known=tmp_path / "known"))
    (tmp_path / "rpm").chmod(0o755)
    command = loaded("roles/package_install/vars/main.yml")["__mailseal_package_import"]
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == said
    assert not [task for task in loaded("roles/package_install/tasks/rpm.yml") if "when" in task]


class Said:
    """What programs are asked, and what they say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, package: ModuleType, **said: str) -> None:
        self.said = {name.replace("_", "-"): words for name, words in said.items()}
        self.asked: list[tuple[str, ...]] = []
        monkeypatch.setattr(package, "run", self.run)

    def run(self, *argv: str) -> SimpleNamespace:
        self.asked.append(argv)
        return SimpleNamespace(returncode=0, stdout=self.said.get(argv[0], ""))


STATES = """mailseal-exim installed
mailseal-lib half-installed
mailseal-cyrus unpacked
mailseal-x config-files
"""


def test_what_is_here_is_asked_in_the_words_of_both_tools(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a package is to go as well; its settings alone are none, nor are complaints."""
    none = "dpkg-query: no packages found matching mailseal-*\n"
    Said(
        monkeypatch, package, dpkg_query=STATES, rpm="warning: old\nmailseal-exim\nmailseal-exim\n"
    )
    assert package.Deb({"source": ""}).ours() == ["mailseal-exim", "mailseal-lib", "mailseal-cyrus"]
    assert package.Rpm({}).ours() == ["mailseal-exim"]
    Said(monkeypatch, package, dpkg_query=none)
    assert package.Deb({"source": ""}).ours() == []


def test_they_are_exchanged_in_the_words_of_both_tools(
    package: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dpkg first mended; what goes with the rest in one step, or with rpm after it."""
    deb = Said(monkeypatch, package, dpkg_query=STATES, apt_get="Remv mailseal-lib [1]\n")
    tools = package.Deb({"source": ""})
    tools.mend()
    assert [words[1:] for words in deb.asked[1:]] == [
        ("--remove", "--force-remove-reinstreq", "--force-depends", "mailseal-lib"),
        ("--configure", "-a"),
    ]
    tools.foresee("x", ["/x.deb"], ["mailseal-lib"])
    with pytest.raises(package.Failed, match="x would remove mailseal-lib"):
        tools.foresee("x", ["/x.deb"], ["mailseal-cyrus"])
    tools.put("x", ["/x.deb"], ["mailseal-lib"])
    assert deb.asked[-1][-3:] == ("install", "/x.deb", "mailseal-lib-")
    rpm = Said(monkeypatch, package)
    package.Rpm({}).put("x", ["/x.rpm"], ["mailseal-lib"])
    package.Rpm({}).put("x", [], ["mailseal-lib"])
    erase = ("rpm", "-e", "--allmatches", "mailseal-lib")
    assert [*rpm.asked[1:]] == [erase, erase]
    assert rpm.asked[0][-1] == "/x.rpm"


def test_a_snapshot_alone_says_what_there_is_to_go_back_to() -> None:
    """One rename ends it at the end of the block, and all of the rescue is going back."""
    (block,) = [one for one in loaded("roles/host/tasks/main.yml") if "rescue" in one]
    *_, good, after = block["block"]
    assert good["ansible.builtin.include_role"] == {"name": "snapshot", "tasks_from": "kept"}
    assert "ansible.builtin.set_fact" in after
    assert [task["ansible.builtin.include_tasks"] for task in block["rescue"]] == ["back.yml"]
    (task,) = loaded("roles/package_install/tasks/versions.yml")
    assert task["mailseal_package"]["state"] == "exactly"
    defaults = loaded("roles/package_install/defaults/main.yml")
    assert defaults["mailseal_package_versions"] == "{{ mailseal_pending.packages }}"
    host = loaded("roles/host/vars/main.yml")["__mailseal_host_packages"]
    assert host == {"name": "package_install", "tasks_from": "versions"}


def test_the_run_says_what_the_item_of_a_loop_said() -> None:
    """And not that one or more of them failed."""
    said = plugin("deploy/filter_plugins/mailseal_reason.py").mailseal_reason
    assert said({"msg": "there is no room"}) == "there is no room"
    assert said({"stderr": "no"}) == "no"
    assert said({"results": ["x"]}) == "it gives no reason"
    items = [{"msg": "fine"}, {"failed": True, "msg": "ldconfig: no"}]
    assert said({"msg": "One or more items failed", "results": items}) == "ldconfig: no"

"""How a host comes to use a library of its own, and what the module mailseal_linkage refuses."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.plugins import loaded, plugin, rendered

PREFIX = "/opt/mailseal/openssl-3.5"
OURS, SYSTEM = f"{PREFIX}/lib/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libssl.so.3"
LIST = "\tlibssl.so.3 => {} (0x00007f00)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f01)\n"


@pytest.fixture
def linkage() -> ModuleType:
    """The module."""
    return plugin("openssl/library/mailseal_linkage.py")


class Host:
    """A dynamic linker: its cache, the paths that programs have of their own, and what was run."""

    def __init__(self, linkage: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.linkage, self.conf = linkage, folder / "line.conf"
        self.cache = SYSTEM
        self.own: set[str] = set()
        self.commands: list[str] = []
        self.broken = False
        monkeypatch.setattr(linkage, "run", self.run)
        monkeypatch.setattr(linkage, "users", lambda *_words: [])

    def run(self, *argv: str, **_environment: str) -> str:
        """What the programs of the host say."""
        if argv == ("ldconfig", "-p"):
            return f"\tlibssl.so.3 (libc6,x86-64) => {self.cache}\n"
        if argv == ("ldconfig",):
            self.commands.append("ldconfig")
            self.cache = OURS if self.conf.exists() and not self.broken else SYSTEM
            return ""
        found = OURS if argv[-1] in self.own else SYSTEM if "--list" in argv else self.cache
        return LIST.format(found)

    def link(self, method: str, *, verify: bool = False, check: bool = False) -> Any:
        """One task."""
        params = {
            "method": method,
            "prefix": PREFIX,
            "programs": ["/usr/sbin/exim4"],
            "laid_out": "",
            "verify": verify,
            "conf": str(self.conf),
        }
        link = self.linkage.Link(SimpleNamespace(params=params, check_mode=check))
        link.sonames = ["libssl.so.3"]
        return link


@pytest.fixture
def host(linkage: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Host:
    """One that has nothing of ours in force."""
    return Host(linkage, monkeypatch, tmp_path)


def test_what_serves_keeps_the_line_until_a_trial_has_passed(host: Host) -> None:
    """From ld.so to a program's own path or to nothing: the daemon's role takes the line away."""
    assert host.link("ld.so").do()
    host.own.add("/usr/sbin/exim4")
    host.commands.clear()
    for method in ("rpath", "none"):
        link = host.link(method, verify=True)
        assert link.do()
        assert host.conf.exists()
        assert link.link() == {
            "files": [{"path": str(host.conf), "state": "absent"}],
            "environment": {},
            "commands": [["ldconfig"]],
        }
    assert host.commands == []


def test_without_the_line_a_trial_gets_what_there_will_be(host: Host) -> None:
    """The line is still there, so the trial is told where the system's library is."""
    host.link("ld.so").do()
    link = host.link("none", verify=True)
    assert link.do()
    assert link.link()["environment"] == {"LD_LIBRARY_PATH": "/usr/lib/x86_64-linux-gnu"}


def test_a_program_that_lives_by_the_line_is_no_reason_to_take_it(host: Host) -> None:
    """What the line gives does not count for a path of its own."""
    host.link("ld.so").do()
    with pytest.raises(
        host.linkage.Failed, match=f"/usr/sbin/exim4 gets libssl.so.3 from {SYSTEM}"
    ):
        host.link("rpath", verify=True).do()
    with pytest.raises(host.linkage.Failed, match="gets libssl"):
        host.link("rpath").do()
    assert (host.conf.exists(), host.cache) == (True, OURS)


@pytest.mark.parametrize("method", ["rpath", "none"])
def test_where_nothing_serves_the_line_goes_at_once(host: Host, method: str) -> None:
    """And a second time there is nothing to do, nor for the daemon's role."""
    host.link("ld.so").do()
    host.own.add("/usr/sbin/exim4")
    assert host.link(method, check=True).do()
    assert host.conf.exists()
    assert host.link(method).do()
    assert (host.conf.exists(), host.cache) == (False, SYSTEM)
    again = host.link(method)
    assert (again.do(), again.link()) == (False, {})


def test_a_line_without_ldconfig_is_put_in_force(host: Host) -> None:
    """A run that was ended between the two is mended by the next one, either way."""
    host.conf.write_text(f"{PREFIX}/lib\n")
    assert host.link("ld.so").do()
    assert (host.commands, host.cache) == (["ldconfig"], OURS)
    assert not host.link("ld.so").do()
    host.conf.unlink()
    assert host.link("none", verify=True).link()["commands"] == [["ldconfig"]]
    assert host.link("none").do()
    assert host.cache == SYSTEM


def test_a_line_that_does_not_help_goes_again(host: Host) -> None:
    """The programs keep what they had."""
    host.broken = True
    with pytest.raises(host.linkage.Failed, match="gets libssl"):
        host.link("ld.so").do()
    assert not host.conf.exists()


def test_with_the_line_the_daemons_role_keeps_it(host: Host) -> None:
    """Also when it is in force, so that somebody else's hand is seen."""
    for _ in range(2):
        link = host.link("ld.so", verify=True)
        link.do()
        assert link.link()["files"] == [{"path": str(host.conf), "content": f"{PREFIX}/lib\n"}]
        assert link.link()["environment"] == {"LD_LIBRARY_PATH": f"{PREFIX}/lib"}


@pytest.mark.parametrize("method", ["rpath", "ld.so", "none"])
@pytest.mark.parametrize("serving", [True, False])
def test_the_role_only_looks_where_a_daemon_serves(method: str, serving: bool) -> None:
    """Whichever way is wanted."""
    (task,) = [one for one in loaded("roles/openssl/tasks/main.yml") if "mailseal_linkage" in one]
    variables = {"mailseal_openssl_linkage": method, "mailseal_deploy_serving": serving}
    assert rendered(task["mailseal_linkage"]["verify"], variables) is serving


def _program(path: Path, text: bytes = b"libssl.so.3", mode: int = 0o755) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + text)
    path.chmod(mode)
    return str(path)


def test_programs_that_others_brought_are_asked_too(
    linkage: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In /usr/local and /opt; not our own, and nothing that is neither program nor library."""
    prefix = tmp_path / "opt" / "mine" / "openssl-3.5"
    monkeypatch.setattr(linkage, "PLACES", (str(tmp_path / "usr"), str(tmp_path / "nothing")))
    monkeypatch.setattr(linkage, "OTHERS", (str(tmp_path / "opt"), str(tmp_path / "local")))
    monkeypatch.setattr(linkage, "OWN", str(tmp_path / "opt" / "mailseal"))
    monkeypatch.setattr(linkage, "LARGEST", "2M")
    wanted = {
        _program(tmp_path / "usr" / "program"),
        _program(tmp_path / "opt" / "vendor" / "bin" / "program"),
        _program(tmp_path / "local" / "lib" / "module.so.1", mode=0o644),
    }
    _program(prefix / "bin" / "openssl")
    _program(tmp_path / "opt" / "mailseal" / "python" / "python3")
    _program(tmp_path / "opt" / "vendor" / "data", mode=0o644)
    _program(tmp_path / "opt" / "vendor" / "other", text=b"libz.so.1")
    _program(tmp_path / "opt" / "vendor" / "image", text=b"libssl.so.3" + bytes(4 << 20))
    script = tmp_path / "local" / "script"
    script.write_text("libssl.so.3")
    script.chmod(0o755)
    assert set(linkage.users(["libssl.so.3"], str(prefix))) == wanted


@pytest.mark.parametrize(
    ("path", "apart"),
    [("/opt/vendor/lib/libssl.so.3", True), (SYSTEM, False), (OURS, False), ("", False)],
)
def test_a_program_with_a_library_of_its_own_is_not_concerned(
    linkage: ModuleType, path: str, apart: bool
) -> None:
    """The dynamic linker's line comes after the path that it was linked with."""
    link = Host.link(SimpleNamespace(linkage=linkage, conf="/x"), "ld.so")  # type: ignore[arg-type]
    assert link.apart(LIST.format(path) if path else "\tlibssl.so.3 => not found\n") == apart


def test_what_a_program_misses_is_named(linkage: ModuleType) -> None:
    """A symbol, with or without its version, and a version alone."""
    text = (
        "undefined symbol: BIO_f_ssl, version OPENSSL_3.0.0\t(/usr/bin/openssl)\n"
        "undefined symbol: DES_ecb_encrypt\t(/usr/lib/libcurl.so.4)\n"
        "x: /opt/libssl.so.3: version `OPENSSL_3.0.9' not found (required by x)\n"
    )
    assert linkage.missing(text) == {"BIO_f_ssl", "DES_ecb_encrypt", "OPENSSL_3.0.9"}


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/lib/x86_64-linux-gnu/libssl.so.3", True),
        ("/usr/lib/x86_64-linux-gnu/libssl.so.3", True),
        ("/usr/lib64/libssl.so.10", True),
        ("/usr/local/lib/libssl.so.3", False),
        ("/opt/other/lib/libssl.so.3", False),
    ],
)
def test_the_systems_library_is_no_conflict(linkage: ModuleType, path: str, system: bool) -> None:
    """It is what ours comes before; anything else is a third one."""
    assert (linkage.SYSTEM.match(path) is not None) == system

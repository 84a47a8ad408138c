"""The filters and modules of the roles, without a host."""

import hashlib
import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.commands import ROOT

DAY = "2026-11-24"
EXIM = """Exim version 4.96 #2 built 27-May-2026 16:52:26
Library version: GnuTLS: Compile: 3.7.9
                         Runtime: 3.7.9
"""
ACCESS = [
    {"port": 143, "service": "imap", "mode": "starttls", "profile": "access"},
    {"port": 993, "service": "imap", "mode": "implicit", "profile": "access"},
]
MX = [{"port": 25, "service": "smtp", "mode": "starttls", "profile": "mx"}]


def _plugin(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "roles" / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    """The filter that compiles."""
    return _plugin("policy/filter_plugins/mailseal.py")


@pytest.fixture(scope="module")
def planner() -> ModuleType:
    """The filter that plans the trial's handshakes."""
    return _plugin("deploy/filter_plugins/mailseal_trial.py")


@pytest.fixture(scope="module")
def trial() -> ModuleType:
    """The module that tries a daemon."""
    return _plugin("deploy/library/mailseal_trial.py")


def test_a_host_gets_settings_for_what_it_reports(compiler: ModuleType) -> None:
    """Daemon, library and ports decide."""
    found = compiler.mailseal_compile("mailseal-2026", "exim", EXIM, MX, DAY)
    assert found["refused"] == ""
    assert found["target"] == "Exim 4.96 on GnuTLS 3.7.9"
    assert found["options"]["tls_require_ciphers"].startswith("NONE:+VERS-TLS1.3:+VERS-TLS1.2:")
    assert found["openssl_cnf"] is None
    assert found["required_ports"] == []


@pytest.mark.parametrize(
    ("policy", "report", "reason"),
    [
        ("univie-2015", EXIM, "cannot be compiled for Exim 4.96 on GnuTLS 3.7.9"),
        ("nonsense", EXIM, "there is no policy 'nonsense'"),
        ("mailseal-2026", "command not found", "exim"),
    ],
)
def test_a_refusal_is_one_sentence(
    compiler: ModuleType, policy: str, report: str, reason: str
) -> None:
    """No exception, and no settings that somebody could deploy."""
    found = compiler.mailseal_compile(policy, "exim", report, MX, DAY)
    assert list(found) == ["refused"]
    assert reason in found["refused"]
    assert "\n" not in found["refused"]


def _plan(planner: ModuleType, *words: Any) -> list[dict[str, Any]]:
    plan = planner.mailseal_handshakes(*words, DAY)
    assert isinstance(plan, list)
    return plan


def test_every_suite_is_offered_alone(planner: ModuleType) -> None:
    """A name that a daemon dropped without a word cannot pass."""
    plan = _plan(planner, "mailseal-2026", ACCESS, ["ecdsa", "rsa"])
    alone = {s["cipher"] for s in plan if s["cipher"] and s["what"].endswith(s["cipher"])}
    assert len(alone) == 9
    groups = {s["group"] for s in plan if "with only" in s["what"] and s["group"]}
    assert groups == {"X25519", "prime256v1", "secp384r1"}


def test_only_installed_certificates_count(planner: ModuleType) -> None:
    """Without an ECDSA certificate nobody can be served an ECDSA suite."""
    plan = _plan(planner, "mailseal-2026", ACCESS, ["rsa"])
    assert not [s for s in plan if s["cipher"] and "ECDSA" in s["cipher"]]
    assert plan[0]["cipher"] == "ECDHE-RSA-AES256-GCM-SHA384"


def test_the_servers_order_is_tried_against_the_clients(planner: ModuleType) -> None:
    """The client wishes the reverse of what it must get."""
    first = _plan(planner, "mailseal-2026", ACCESS, ["ecdsa", "rsa"])[0]
    offered = first["arguments"][first["arguments"].index("-cipher") + 1].split(":")
    assert offered[-2] == first["cipher"] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    assert first["group"] == "X25519"


def test_what_must_succeed_comes_first(planner: ModuleType) -> None:
    """A refusal may end the process that serves, and counts only beside a success."""
    plan = _plan(planner, "mailseal-2026", ACCESS, ["ecdsa", "rsa"])
    refused = [step["cipher"] is None for step in plan]
    assert refused == sorted(refused)
    assert {s["port"] for s in plan if s["cipher"] is None} == {143}


def test_every_port_shakes_hands_in_every_version(planner: ModuleType) -> None:
    """Also those that share their profile with another port."""
    plan = _plan(planner, "mailseal-2026", ACCESS, ["ecdsa", "rsa"])
    own = [s for s in plan if s["port"] == 993]
    assert [s["arguments"][0] for s in own] == ["-tls1_2", "-tls1_3"]
    assert {s["starttls"] for s in own} == {""}


def test_old_versions_are_refused_and_old_policies_tried_with_them(planner: ModuleType) -> None:
    """What is refused under one policy must be served under the other."""

    def served(policy: str) -> set[str]:
        plan = _plan(planner, policy, ACCESS, ["rsa"])
        return {s["arguments"][0] for s in plan if s["cipher"] is not None}

    assert served("mailseal-2026") == {"-tls1_2", "-tls1_3"}
    assert served("univie-2015") == {"-tls1", "-tls1_1", "-tls1_2"}


def test_diffie_hellman_has_its_size(planner: ModuleType) -> None:
    """A hard-coded 1024-bit prime must not pass for the file that was deployed."""
    plan = _plan(planner, "univie-2015", ACCESS, ["rsa"])
    sizes = {s["group"] for s in plan if s["cipher"] and s["cipher"].startswith("DHE-")}
    assert sizes == {"DH, 2048 bits"}


GOOD = """CONNECTED(00000003)
Server Temp Key: X25519, 253 bits
New, TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256
"""
NONE = "CONNECTED(00000003)\nNew, (NONE), Cipher is (NONE)\n"


@pytest.mark.parametrize(
    ("cipher", "group", "text", "wrong"),
    [
        ("", "", GOOD, ""),
        ("ECDHE-RSA-AES128-GCM-SHA256", "X25519", GOOD, ""),
        (None, "", NONE, ""),
        ("AES128-SHA", "", GOOD, "ECDHE-RSA-AES128-GCM-SHA256 was served, not AES128-SHA"),
        ("", "prime256v1", GOOD, "the key exchange used X25519, 253 bits, not prime256v1"),
        ("", "", NONE, "no handshake"),
        (None, "", GOOD, "should be refused, but ECDHE-RSA-AES128-GCM-SHA256 was served"),
        (None, "", "connect:errno=111\n", "no connection (connect:errno=111)"),
        (
            "",
            "",
            "CONNECTED(3)\nDidn't find STARTTLS in server response",
            "STARTTLS is not offered",
        ),
        (None, "", "CONNECTED(3)\ndidn't find starttls", "STARTTLS is not offered"),
    ],
)
def test_a_handshake_is_judged(
    trial: ModuleType, cipher: str | None, group: str, text: str, wrong: str
) -> None:
    """A port that does not answer refuses nothing."""
    assert trial.judge({"cipher": cipher, "group": group}, text) == wrong


def test_an_old_client_offers_what_it_can(trial: ModuleType) -> None:
    """What it cannot is not tried: a client that offers nothing would be refused by anything."""
    new = ["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0", "-groups", "X25519:P-256"]
    assert trial.fit(new, (3, 0, 19)) == new
    assert trial.fit(new, (1, 0, 2)) == ["-tls1_2", "-cipher", "AES128-SHA", "-curves", "P-256"]
    assert trial.fit([*new[:3], "-groups", "X25519:X448"], (1, 0, 2)) is None
    assert trial.fit(["-tls1_3"], (1, 0, 2)) is None
    assert trial.fit(["-tls1_3"], (1, 1, 1)) == ["-tls1_3"]


def test_a_group_has_two_names(trial: ModuleType) -> None:
    """s_client before 3.0 says P-256 where later ones say prime256v1."""
    old = GOOD.replace("X25519, 253", "ECDH, P-256, 256")
    assert trial.judge({"cipher": "", "group": "prime256v1"}, old) == ""
    assert trial.judge({"cipher": "", "group": "secp384r1"}, old) != ""


def test_differences_hide_secrets_and_backups_keep_the_old(tmp_path: Path) -> None:
    """What is replaced can be looked up, what is secret cannot be read off a screen."""
    files = _plugin("deploy/library/mailseal_files.py")
    live = tmp_path / "live.conf"
    live.write_text("password: old\n")
    mode = files.attributes(str(live))
    one = {"path": str(live), "content": "password: new\n", "secret": True, **mode}
    assert "password" not in str(files.compare(one)["before"])
    copy = files.keep(str(live), str(tmp_path / "backup"))
    files.replace(one)
    assert files.compare(one) is None
    assert Path(copy).read_text() == "password: old\n"
    assert live.read_text() == "password: new\n"


def test_names_are_read_from_a_certificate() -> None:
    """All of them, critical or not."""
    certificate = _plugin("tls_certificate/library/mailseal_certificate.py")
    text = "X509v3 Subject Alternative Name: critical\n        DNS:a.test, DNS:b.test\n"
    assert certificate.names_in(text) == {"a.test", "b.test"}
    assert certificate.names_in("no such extension") == set()


def test_a_build_is_explained_by_its_telling_line() -> None:
    """Not by make's own last words."""
    plugin = _plugin("package/action_plugins/mailseal_build.py")
    words = ["x.c:1: fatal error: idn2.h: No such file", "compilation terminated.", "make: *** [x]"]
    assert plugin.reason(words) == "x.c:1: fatal error: idn2.h: No such file"
    assert plugin.reason(["only this"]) == "only this"
    assert plugin.reason([]) == "it gives no reason"


SOURCE = {"file": "x.tar.gz", "source": "/srv/x.tar.gz"}


@pytest.mark.parametrize(
    ("source", "here", "path"),
    [
        (SOURCE, True, "/srv/x.tar.gz"),
        ({**SOURCE, "on": "builder"}, False, "/srv/x.tar.gz"),
        ({**SOURCE, "source": "https://x.test/x.tar.gz"}, True, "/cache/abababababababab-x.tar.gz"),
    ],
)
def test_a_source_is_looked_for_where_it_is(source: dict[str, str], here: bool, path: str) -> None:
    """On one of two hosts, or where it was brought, under the checksum that it must have."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    pinned = {"x.tar.gz": "ab" * 32}
    (found,) = package.mailseal_package_places([source], pinned, "/cache")
    assert (found["here"], found["path"], found["sha256"]) == (here, path, "ab" * 32)
    got = package.mailseal_package_addresses([source], pinned, "/cache")
    assert [one["path"] for one in got] == ([path] if path.startswith("/cache") else [])


SHOWN = "https://x.test/x.tar.gz"
SECRET = {"file": "x.tar.gz", "source": "https://me:secret@x.test/x.tar.gz"}


def _looked(package: ModuleType, source: dict[str, str], **stat: object) -> dict[str, Any]:
    (place,) = package.mailseal_package_places([source], {"x.tar.gz": "ab" * 32}, "/cache")
    return {"item": place, "stat": stat}


@pytest.mark.parametrize(
    ("source", "stat", "sentence"),
    [
        (SOURCE, {"exists": True, "checksum": "ab" * 32}, ""),
        (SOURCE, {"exists": False}, "the source /srv/x.tar.gz is not there"),
        (SOURCE, {"exists": True}, "has the SHA-256 of no file, not abab"),
        (SOURCE, {"exists": True, "checksum": "cd"}, "has the SHA-256 cd, not abab"),
        (
            SECRET,
            {"exists": False},
            f"{SHOWN} (kept as /cache/abababababababab-x.tar.gz) is not there: no {SHOWN}",
        ),
    ],
)
def test_what_is_wrong_with_a_source_is_said_without_a_password(
    source: dict[str, str], stat: dict[str, object], sentence: str
) -> None:
    """With where it is kept, and with what kept it from coming."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    looked = _looked(package, source, **stat)
    got = [{"item": {"file": "x.tar.gz"}, "msg": f"no {SECRET['source']}"}]
    said = package.mailseal_package_refused(looked, got if source is SECRET else [])
    assert said.endswith(sentence) if source is SECRET else sentence in said
    assert bool(said) == bool(sentence)
    assert "secret" not in said + str(looked)


def _kept(home: Path) -> Path:
    """A result as a build leaves it."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    (home / "a.deb").write_bytes(b"a")
    (home / "offers.json").write_bytes(b"{}")
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in home.iterdir()}
    (home / "SHA256SUMS").write_text(package.mailseal_package_sums(digests), encoding="utf-8")
    return home


def test_a_result_is_taken_from_the_cache_if_it_is_what_was_built(tmp_path: Path) -> None:
    """And what is built on it gets its packages, with their checksums."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    home = _kept(tmp_path)
    assert package.mailseal_package_kept(str(home)) == {"found": True, "wrong": ""}
    assert package.mailseal_package_packages(str(home)) == [
        {
            "file": "a.deb",
            "source": f"{home}/a.deb",
            "sha256": hashlib.sha256(b"a").hexdigest(),
        }
    ]
    done = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=home, check=False)
    assert done.returncode == 0
    gone = package.mailseal_package_kept(str(home / "nothing"))
    assert gone == {"found": False, "wrong": ""}


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("a.deb", b"", "a.deb is not as it was built"),
        ("offers.json", None, "offers.json is missing"),
        ("SHA256SUMS", None, "it has no SHA256SUMS"),
        ("SHA256SUMS", b"", "it has no SHA256SUMS"),
    ],
)
def test_a_damaged_result_is_seen(
    tmp_path: Path, name: str, text: bytes | None, wrong: str
) -> None:
    """Whatever of it the disk lost."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    home = _kept(tmp_path)
    if text is None:
        (home / name).unlink()
    else:
        (home / name).write_bytes(text)
    assert package.mailseal_package_kept(str(home)) == {"found": True, "wrong": wrong}


def test_what_runs_a_build_decides_its_result(tmp_path: Path) -> None:
    """Another runner, other tools of the host, another key."""
    package = _plugin("package/filter_plugins/mailseal_package.py")
    tool = tmp_path / "run.py"
    keys = set()
    for text, versions in (("a", "gcc 12"), ("b", "gcc 12"), ("a", "gcc 13")):
        tool.write_text(text, encoding="utf-8")
        keys.add(package.mailseal_package_key({}, versions, [str(tool)]))
    assert len(keys) == 3
    role = ROOT / "roles" / "package"
    own = yaml.safe_load((role / "vars" / "main.yml").read_text())["__mailseal_package_own"]
    assert {Path(one).name for one in own} == {path.name for path in (role / "files").iterdir()}


LIBRARY = {
    "prefix": "/opt/mailseal/openssl-3.5",
    "package": "mailseal-openssl-3.5",
    "packages": [{"file": "mailseal-openssl-3.5_1.deb", "source": "/x", "sha256": "ab" * 32}],
}
EXIM_SOURCE: dict[str, Any] = {
    "version": "4.96",
    "files": [{"file": "exim4_4.96.dsc", "source": "/srv/exim4_4.96.dsc", "sha256": "cd" * 32}],
}


def test_a_daemon_is_planned_on_the_packages_of_the_library() -> None:
    """And in check mode, where there are none yet, all the same."""
    daemon = _plugin("daemon_package/filter_plugins/mailseal_daemon.py")
    manifests = {"exim": "/srv/exim.json"}
    planned = daemon.mailseal_daemon_plan(EXIM_SOURCE, "exim", LIBRARY, manifests)
    assert planned["refused"] == ""
    assert planned["sources"] == {
        "exim4_4.96.dsc": "cd" * 32,
        "mailseal-openssl-3.5_1.deb": "ab" * 32,
    }
    bare = {**LIBRARY, "packages": []}
    assert daemon.mailseal_daemon_plan(EXIM_SOURCE, "exim", bare, manifests)["refused"] == ""


@pytest.mark.parametrize(
    ("source", "daemon", "manifests", "sentence"),
    [
        (EXIM_SOURCE, "postfix", {}, "no way to rebuild 'postfix'"),
        (EXIM_SOURCE, "exim", {"cyrus": "/x"}, "does not say where that of exim is written"),
        ({**EXIM_SOURCE, "version": 4.96}, "exim", {"exim": "/x"}, "put it into quotes"),
        ({"version": "4.96"}, "exim", {"exim": "/x"}, "the source of exim has no files"),
    ],
)
def test_a_daemon_that_cannot_be_built_is_refused_before_anything_is(
    source: dict[str, Any], daemon: str, manifests: dict[str, str], sentence: str
) -> None:
    """With one sentence."""
    plugin = _plugin("daemon_package/filter_plugins/mailseal_daemon.py")
    found = plugin.mailseal_daemon_plan(source, daemon, LIBRARY, manifests)
    assert list(found) == ["refused"]
    assert sentence in found["refused"]


def test_what_el6_gets_is_planned_on_the_packages_of_the_library() -> None:
    """The daemon, which needs a manifest; the interpreter needs neither."""
    el6 = _plugin("el6_package/filter_plugins/mailseal_el6.py")
    exim = el6.mailseal_el6_plan("exim", "/opt/tools", LIBRARY, {"exim": "/srv/exim.json"})
    assert exim["refused"] == ""
    place = {"source": "/usr/src", "on": "builder"}
    found = el6.mailseal_el6_sources(exim, place, LIBRARY["packages"])
    where = {one["file"]: (one["source"], one["on"]) for one in found}
    assert where["mailseal-openssl-3.5_1.deb"] == ("/x", "control")
    assert where["pcre3_8.39.orig.tar.bz2"] == ("/usr/src/pcre3_8.39.orig.tar.bz2", "builder")
    bare = {**LIBRARY, "packages": []}
    assert "does not say" in el6.mailseal_el6_plan("exim", "/opt/tools", LIBRARY, {})["refused"]
    assert el6.mailseal_el6_plan("python", "/opt/tools", bare, {})["refused"] == ""
    assert [el6.mailseal_el6_on_openssl(one) for one in ("exim", "python")] == [True, False]


def test_the_cache_has_one_place() -> None:
    """Two roles use it, each with its default."""
    found = set()
    for role in ("package", "el6_toolchain"):
        path = ROOT / "roles" / role / "defaults" / "main.yml"
        found.add(yaml.safe_load(path.read_text(encoding="utf-8"))["mailseal_package_cache"])
    assert len(found) == 1


def test_a_policy_without_the_profile_is_refused() -> None:
    """One sentence instead of a library without its floor."""
    library = _plugin("openssl_package/filter_plugins/mailseal_openssl.py")
    spec = {"version": "3.0.22", "file": "x", "sha256": "ab" * 32, "format": "deb"}
    assert library.mailseal_openssl_plan(spec, "mailseal-2026", "mx")["refused"] == ""
    assert "no profile" in library.mailseal_openssl_plan(spec, "univie-2015", "nothing")["refused"]
    assert "nonsense" in library.mailseal_openssl_plan(spec, "nonsense", "mx")["refused"]


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("W: unsandboxed\nE: Failed to fetch x\nE: Some files failed", "E: Failed to fetch x"),
        ("reading\nW: GPG error: x", "W: GPG error: x"),
        ("one\ntwo\n", "two"),
        ("", "no message"),
    ],
)
def test_the_package_tools_are_quoted_by_what_says_most(said: str, line: str) -> None:
    """An error before a warning, a warning before anything else."""
    assert _plugin("package_install/library/mailseal_package.py").last(said) == line


@pytest.mark.parametrize(
    ("said", "signed"),
    [
        ("x.rpm: digests signatures OK", True),
        ("x.rpm: rsa sha1 (md5) pgp md5 OK", True),
        ("x.rpm: digests OK", False),
        ("x.rpm: digests SIGNATURES NOT OK", False),
        ("x.rpm: RSA sha1 ((MD5) PGP) md5 NOT OK (MISSING KEYS: (MD5) PGP#1)", False),
    ],
)
def test_an_unsigned_rpm_is_not_taken_for_a_signed_one(said: str, signed: bool) -> None:
    """`rpm -K` calls an unsigned package OK: only the word counts."""
    package = _plugin("package_install/library/mailseal_package.py")
    assert (package.SIGNED.search(said) is not None) == signed


def test_another_library_in_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One from elsewhere, and one that was replaced where it lay."""
    processes = _plugin("deploy/library/mailseal_processes.py")
    memory: set[str] = set()
    monkeypatch.setattr(processes.os, "readlink", lambda _path: "/usr/sbin/exim4")
    monkeypatch.setattr(processes, "mapped", lambda _pid: memory)
    wanted = "/opt/mailseal/openssl-3.0/lib/libssl.so.3"
    assert list(processes.outdated(1, {"exim4"}, [wanted])) == []
    memory.add(wanted)
    assert list(processes.outdated(1, {"exim4"}, [wanted])) == []
    for other in ("/usr/lib/x86_64-linux-gnu/libssl.so.3", f"{wanted} (deleted)"):
        memory.clear()
        memory.add(other)
        assert list(processes.outdated(1, {"exim4"}, [wanted])) == [
            f"has mapped {other}, not {wanted}"
        ]


@pytest.mark.parametrize(
    ("program", "stale"),
    [
        ("/usr/sbin/exim4", False),
        ("/usr/lib/cyrus/bin/master", False),
        ("/usr/sbin/exim4 (deleted)", True),
        ("/usr/sbin/exim4.distrib", True),
    ],
)
def test_a_replaced_program_is_seen(
    monkeypatch: pytest.MonkeyPatch, program: str, stale: bool
) -> None:
    """Gone, or moved aside; a link under another name is neither."""
    processes = _plugin("deploy/library/mailseal_processes.py")
    monkeypatch.setattr(processes.os, "readlink", lambda _path: program)
    monkeypatch.setattr(processes, "mapped", lambda _pid: set())
    assert bool(list(processes.outdated(1, {"exim4", "cyrmaster"}, []))) == stale


def test_what_a_program_misses_is_named() -> None:
    """A symbol, with or without its version, and a version alone."""
    linkage = _plugin("openssl/library/mailseal_linkage.py")
    text = (
        "undefined symbol: BIO_f_ssl, version OPENSSL_3.0.0\t(/usr/bin/openssl)\n"
        "undefined symbol: DES_ecb_encrypt\t(/usr/lib/libcurl.so.4)\n"
        "x: /opt/libssl.so.3: version `OPENSSL_3.0.9' not found (required by x)\n"
    )
    found = {symbol or version for symbol, version in linkage.MISSING.findall(text)}
    assert found == {"BIO_f_ssl", "DES_ecb_encrypt", "OPENSSL_3.0.9"}


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
def test_the_systems_library_is_no_conflict(path: str, system: bool) -> None:
    """It is what ours comes before; anything else is a third one."""
    linkage = _plugin("openssl/library/mailseal_linkage.py")
    assert (linkage.SYSTEM.match(path) is not None) == system

"""The filters and modules of the roles, without a host."""

import hashlib
import os
import socket
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec import structs

from audit.inventory import Host
from tests.commands import ROOT
from tests.plugins import loaded, plugin

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


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    """The filter that compiles."""
    return plugin("policy/filter_plugins/mailseal.py")


@pytest.fixture(scope="module")
def planner() -> ModuleType:
    """The filter that plans the trial's handshakes."""
    return plugin("deploy/filter_plugins/mailseal_trial.py")


@pytest.fixture(scope="module")
def trial() -> ModuleType:
    """The module that tries a daemon."""
    return plugin("deploy/library/mailseal_trial.py")


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


CYRUS = "cyrus-imapd 3.6.1\nOpenSSL 3.0.22\n"
PAIR = "mailseal-2026+univie-2015"


def _shadow(compiler: ModuleType, daemon: str, report: str, ports: list[Any], tail: str) -> Any:
    words = ("mailseal-2026", daemon, report, ports, DAY)
    return compiler.mailseal_compile(*words, enforcement="shadow", tail=tail)


def test_a_host_in_shadow_is_compiled_for_both_policies(compiler: ModuleType) -> None:
    """And the roles after it are told what it is tried and judged by."""
    found = _shadow(compiler, "cyrus", CYRUS, ACCESS, "univie-2015")
    assert (found["refused"], found["policy"]) == ("", PAIR)
    assert found == compiler.mailseal_compile(PAIR, "cyrus", CYRUS, ACCESS, DAY)
    assert found["options"]["tls_versions"] == "tls1_0 tls1_1 tls1_2 tls1_3"
    enforced = compiler.mailseal_compile(
        "mailseal-2026", "cyrus", CYRUS, ACCESS, DAY, enforcement="enforce", tail="univie-2015"
    )
    assert enforced["policy"] == "mailseal-2026"
    assert enforced["options"]["tls_versions"] == "tls1_2 tls1_3"


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("", "mailseal_enforcement: shadow wants mailseal_shadow_tail"),
        ("nosuch", "there is no policy 'nosuch'"),
        ("mailseal-2026", "two policies that differ"),
        ("univie-2015", f"{PAIR} cannot be compiled for Exim 4.96 on GnuTLS 3.7.9"),
    ],
)
def test_a_shadow_that_cannot_be_is_refused_in_one_sentence(
    compiler: ModuleType, tail: str, reason: str
) -> None:
    """As any policy is: nothing weaker is deployed instead."""
    found = _shadow(compiler, "exim", EXIM, MX, tail)
    assert list(found) == ["refused"]
    assert reason in found["refused"]
    assert "\n" not in found["refused"]


def test_the_trial_of_a_shadow_wants_the_new_first_and_the_tail_as_well(
    planner: ModuleType,
) -> None:
    """Who prefers the tail gets the new suite, who has nothing else gets the tail."""
    plan = _plan(planner, PAIR, ACCESS, ["ecdsa", "rsa"])
    first = next(s for s in plan if s["what"] == "TLSv1.2 with the server's order")
    offered = first["arguments"][first["arguments"].index("-cipher") + 1].split(":")
    assert offered[0] == "ECDHE-RSA-AES128-SHA"
    assert offered[-2] == first["cipher"] == "ECDHE-ECDSA-AES256-GCM-SHA384"
    alone = {s["cipher"]: s for s in plan if s["cipher"] and "with only" in s["what"]}
    assert alone["DHE-RSA-AES256-GCM-SHA384"]["group"] == "DH, 2048 bits"
    assert {"ECDHE-RSA-AES256-SHA", "TLS_AES_256_GCM_SHA384"} <= set(alone)
    served = {s["arguments"][0] for s in plan if s["cipher"] is not None}
    assert served == {"-tls1", "-tls1_1", "-tls1_2", "-tls1_3"}


def test_every_role_takes_what_was_compiled_and_no_policy_of_its_own() -> None:
    """The variables of the inventory are put together in one place."""
    for role in ("cyrus", "exim"):
        texts = [p.read_text() for p in (ROOT / "roles" / role).rglob("*") if p.is_file()]
        assert not [text for text in texts if "mailseal_policy" in text]
        assert any("mailseal_compiled.policy | mailseal_handshakes" in text for text in texts)
    defaults = loaded("roles/policy/defaults/main.yml")
    options = loaded("roles/policy/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for name in ("mailseal_policy", "mailseal_enforcement", "mailseal_shadow_tail"):
        assert options[name]["default"] == defaults[name]
    assert options["mailseal_enforcement"]["choices"] == ["enforce", "shadow"]


def test_the_role_hands_the_variables_of_the_inventory_to_the_compiler() -> None:
    """Under the names that the auditor reads."""
    tasks = loaded("roles/policy/tasks/main.yml")
    (compiles,) = (t for t in tasks if t["name"].startswith("Compile the policy"))
    template = compiles["ansible.builtin.set_fact"]["mailseal_compiled"]
    for name in ("policy", "enforcement", "shadow_tail", "daemon", "endpoints"):
        assert f"mailseal_{name}" in template
        assert f"mailseal_{name}" in {f.encode_name for f in structs.fields(Host)}


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


def test_differences_hide_secrets(tmp_path: Path) -> None:
    """What is secret cannot be read off a screen."""
    files = plugin("deploy/library/mailseal_files.py")
    live = tmp_path / "live.conf"
    live.write_text("password: old\n")
    mode = files.attributes(str(live))
    one = {"path": str(live), "content": "password: new\n", "secret": True, **mode}
    assert "password" not in str(files.compare(one)["before"])
    files.replace(one)
    assert files.compare(one) is None
    assert live.read_text() == "password: new\n"


def _own(path: Path, **more: str) -> dict[str, str]:
    """A file as the module takes it, owned by whoever tests."""
    return {"path": str(path), "owner": path.parent.owner(), "group": path.parent.group(), **more}


def test_all_files_are_replaced_or_none(tmp_path: Path) -> None:
    """Where the second cannot be written the first is as before; so is one that was not there."""
    files = plugin("deploy/library/mailseal_files.py")
    live, new, gone = tmp_path / "live", tmp_path / "new", tmp_path / "gone"
    live.write_text("old")
    gone.write_text("line")
    wanted = [_own(live, content="new"), _own(new, content="x"), _own(gone, state="absent")]
    impossible = _own(tmp_path / "live" / "below", content="x")
    with pytest.raises(OSError, match="File exists"):
        files.put([*wanted, impossible])
    assert (live.read_text(), new.exists(), gone.read_text()) == ("old", False, "line")

    files.put(wanted)
    assert (live.read_text(), new.read_text(), gone.exists()) == ("new", "x", False)
    assert [files.compare(one) for one in wanted] == [None] * 3


def test_a_file_that_has_to_go_is_a_difference(tmp_path: Path) -> None:
    """Until it is gone; what it said is shown."""
    files = plugin("deploy/library/mailseal_files.py")
    line = tmp_path / "line.conf"
    one = {"path": str(line), "state": "absent"}
    assert files.compare(one) is None
    line.write_text("/opt/x\n")
    found = files.compare(one)
    assert (found["before"], found["after"], found["after_header"]) == ("/opt/x\n", "", str(line))


def test_a_file_that_has_to_go_is_empty_in_the_trial(trial: ModuleType, tmp_path: Path) -> None:
    """It cannot be taken away there; where there is none nothing lies over it."""
    line, none = tmp_path / "line.conf", tmp_path / "none.conf"
    line.write_text("/opt/x\n")
    one = object.__new__(trial.Trial)
    one.work = str(tmp_path / "work")
    Path(one.work).mkdir()
    files = [_own(line, state="absent"), _own(none, state="absent")]
    one.params = {"files": files, "scratch": []}
    laid: list[tuple[str, ...]] = []
    one.shell = lambda _script, *words: laid.append(words)
    one.lay_over()
    over = {
        words[-1]: Path(words[0]).read_text()
        for words in laid
        if words[-1] in map(str, (line, none))
    }
    assert over == {str(line): ""}


def test_a_reason_is_the_one_that_says_most() -> None:
    """Of a loop the item's, of processes what is wrong with them."""
    reason = plugin("deploy/filter_plugins/mailseal_reason.py").mailseal_reason
    assert reason({"msg": "no such service"}) == "no such service"
    items = ["a word", {"msg": "fine"}, {"failed": True, "stderr": "ldconfig: no\n"}]
    assert reason({"msg": "One or more items failed", "results": items}) == "ldconfig: no"
    assert reason({"stale": ["exim4 (1) is old"], "failed": True}) == "exim4 (1) is old"
    program = {"msg": "non-zero return code", "rc": 3, "stdout": "said\n"}
    assert reason({**program, "stderr": "working ...\nno such host\n"}) == "no such host"
    assert reason({**program, "stderr": ""}) == "said"
    assert reason({**program, "stdout": ""}) == "non-zero return code"
    assert reason({}) == "it gives no reason"


def test_the_ports_of_a_process_are_those_that_it_listens_on() -> None:
    """What comes back after a failure must listen on them again."""
    processes = plugin("deploy/library/mailseal_processes.py")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        found = processes.held(os.getpid(), processes.listening_sockets())
        assert server.getsockname()[1] in found
        assert other.getsockname()[1] not in found
    assert processes.held(os.getpid(), {}) == set()
    assert processes.held(1 << 30, {"socket:[1]": 1}) == set()


def test_names_are_read_from_a_certificate() -> None:
    """All of them, critical or not."""
    certificate = plugin("tls_certificate/library/mailseal_certificate.py")
    text = "X509v3 Subject Alternative Name: critical\n        DNS:a.test, DNS:b.test\n"
    assert certificate.names_in(text) == {"a.test", "b.test"}
    assert certificate.names_in("no such extension") == set()


def test_a_build_is_explained_by_its_telling_line() -> None:
    """Not by make's own last words."""
    build = plugin("package/action_plugins/mailseal_build.py")
    words = ["x.c:1: fatal error: idn2.h: No such file", "compilation terminated.", "make: *** [x]"]
    assert build.reason(words) == "x.c:1: fatal error: idn2.h: No such file"
    assert build.reason(["only this"]) == "only this"
    assert build.reason([]) == "it gives no reason"


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
    package = plugin("package/filter_plugins/mailseal_package.py")
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
    package = plugin("package/filter_plugins/mailseal_package.py")
    looked = _looked(package, source, **stat)
    got = [{"item": {"file": "x.tar.gz"}, "msg": f"no {SECRET['source']}"}]
    said = package.mailseal_package_refused(looked, got if source is SECRET else [])
    assert said.endswith(sentence) if source is SECRET else sentence in said
    assert bool(said) == bool(sentence)
    assert "secret" not in said + str(looked)


def _kept(home: Path) -> Path:
    """A result as a build leaves it."""
    package = plugin("package/filter_plugins/mailseal_package.py")
    (home / "a.deb").write_bytes(b"a")
    (home / "offers.json").write_bytes(b"{}")
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in home.iterdir()}
    (home / "SHA256SUMS").write_text(package.mailseal_package_sums(digests), encoding="utf-8")
    return home


def test_a_result_is_taken_from_the_cache_if_it_is_what_was_built(tmp_path: Path) -> None:
    """And what is built on it gets its packages, with their checksums."""
    package = plugin("package/filter_plugins/mailseal_package.py")
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
        ("SHA256SUMS", b"\xff", "it has no SHA256SUMS"),
        ("b.deb", b"b", "b.deb is not of what was built"),
    ],
)
def test_a_damaged_result_is_seen(
    tmp_path: Path, name: str, text: bytes | None, wrong: str
) -> None:
    """Whatever of it the disk lost."""
    package = plugin("package/filter_plugins/mailseal_package.py")
    home = _kept(tmp_path)
    if text is None:
        (home / name).unlink()
    else:
        (home / name).write_bytes(text)
    assert package.mailseal_package_kept(str(home)) == {"found": True, "wrong": wrong}


def test_what_runs_a_build_decides_its_result(tmp_path: Path) -> None:
    """Another runner, other tools of the host, another key."""
    package = plugin("package/filter_plugins/mailseal_package.py")
    tool = tmp_path / "run.py"
    keys = set()
    for text, versions in (("a", "gcc 12"), ("b", "gcc 12"), ("a", "gcc 13")):
        tool.write_text(text, encoding="utf-8")
        keys.add(package.mailseal_package_key({}, versions, [str(tool)]))
    assert len(keys) == 3
    role = ROOT / "roles" / "package"
    own = loaded("roles/package/vars/main.yml")["__mailseal_package_own"]
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
    daemon = plugin("daemon_package/filter_plugins/mailseal_daemon.py")
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
    module = plugin("daemon_package/filter_plugins/mailseal_daemon.py")
    found = module.mailseal_daemon_plan(source, daemon, LIBRARY, manifests)
    assert list(found) == ["refused"]
    assert sentence in found["refused"]


def test_what_el6_gets_is_planned_on_the_packages_of_the_library() -> None:
    """The daemon, which needs a manifest; the interpreter needs neither."""
    el6 = plugin("el6_package/filter_plugins/mailseal_el6.py")
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
        found.add(loaded(f"roles/{role}/defaults/main.yml")["mailseal_package_cache"])
    assert len(found) == 1


def test_a_policy_without_the_profile_is_refused() -> None:
    """One sentence instead of a library without its floor."""
    library = plugin("openssl_package/filter_plugins/mailseal_openssl.py")
    spec = {"version": "3.0.22", "file": "x", "sha256": "ab" * 32, "format": "deb"}
    assert library.mailseal_openssl_plan(spec, "mailseal-2026", "mx")["refused"] == ""
    assert "no profile" in library.mailseal_openssl_plan(spec, "univie-2015", "nothing")["refused"]
    assert "nonsense" in library.mailseal_openssl_plan(spec, "nonsense", "mx")["refused"]


def test_another_library_in_memory_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One from elsewhere, and one that was replaced where it lay."""
    processes = plugin("deploy/library/mailseal_processes.py")
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
    processes = plugin("deploy/library/mailseal_processes.py")
    monkeypatch.setattr(processes.os, "readlink", lambda _path: program)
    monkeypatch.setattr(processes, "mapped", lambda _pid: set())
    assert bool(list(processes.outdated(1, {"exim4", "cyrmaster"}, []))) == stale

"""The parts of the lab that need neither root nor hosts."""

import argparse
import os
import shutil
import ssl
import struct
from pathlib import Path

import pytest

from lab import base, cli, dns, faults, forged, machine, mirror, paths, topology
from lab.errors import LabError

GOOD = """
all:
  children:
    mx:
      hosts:
        mx1: {ansible_host: 10.0.0.1, mailseal_addresses: [10.0.0.1, "fd00::1"]}
"""


def test_small_has_one_or_two_of_each_kind() -> None:
    """The size small is read from the inventory that Ansible uses."""
    found = topology.load("small")
    assert [host.name for host in found.cluster] == ["ns1", "mx1", "mx2", "msa1", "imap1", "imap2"]
    assert found.host("imap1").server_name == "imap1.lab.test"
    assert found.host("imap1").groups == {"imap"}


def test_cluster_has_25_hosts() -> None:
    """The size cluster has the shape that the inventory gives it."""
    found = topology.load("cluster")
    assert len(found.cluster) == 25
    sizes = {group: len(found.group(group)) for group in ("resolver", "mx", "msa", "imap")}
    assert sizes == {"resolver": 1, "mx": 6, "msa": 4, "imap": 14}


def test_only_one_host_builds_and_only_in_its_own_size() -> None:
    """The other sizes need no compilers, and stay as fast as they are."""
    roots = {host.name: host.root for host in topology.load("selfbuilt").hosts}
    assert {name for name, root in roots.items() if root == "builder"} == {"build1"}
    for size in ("small", "cluster"):
        assert {host.root for host in topology.load(size).hosts} == {base.COMMON}


def test_a_root_is_finished_by_the_scripts_that_it_names() -> None:
    """The builder gets its sources first, and then boots as the others do."""
    own = base.recipe("builder").script
    common = base.recipe().script
    assert own.endswith(common)
    assert "bring.py" in own.removesuffix(common)


def test_what_python_compiled_is_no_part_of_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root keeps its key whether or not its scripts have been run or compiled here."""
    shutil.copytree(paths.PACKAGE / "roots", tmp_path / "roots")
    monkeypatch.setattr(paths, "PACKAGE", tmp_path)
    (cache,) = {path.parent for path in tmp_path.rglob("bring.py")}
    before = base.recipe("builder")
    (cache / "__pycache__").mkdir(exist_ok=True)
    (cache / "__pycache__" / "bring.cpython-311.pyc").write_bytes(b"\xa7\r\r\n")
    assert base.recipe("builder") == before
    (cache / "more.py").write_text("", encoding="utf-8")
    assert base.recipe("builder") != before


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no groups"),
        ("a: [", "not YAML"),
        ("all: {children: {mx: {hosts: {}}}}", "no hosts"),
        (GOOD.replace(', "fd00::1"', ""), "one IPv6"),
        (GOOD.replace("fd00::1", "fd00::xyz"), "mx1"),
        (GOOD.replace("mx1:", "averyverylongname:"), "longer"),
        (GOOD.rstrip().removesuffix("}") + ", mailseal_lab_root: windows}\n", "mailseal_lab_root"),
        (GOOD + GOOD.splitlines()[-1].replace("mx1", "mx2") + "\n", "both have"),
    ],
)
def test_a_bad_inventory_is_one_sentence(tmp_path: Path, text: str, word: str) -> None:
    """A broken inventory raises an error that names the file and what is wrong."""
    path = tmp_path / "hosts.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabError) as caught:
        topology.parse(path)
    assert str(path) in str(caught.value)
    assert word in str(caught.value)
    assert caught.value.code == 2


def test_an_unknown_host_is_named_with_the_known_ones() -> None:
    """Asking for a host that is not there tells which are."""
    with pytest.raises(LabError, match=r"nowhere.*imap1"):
        topology.load("small").host("nowhere")


DEB822 = """\
# the archive
Types: deb deb-src
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://archive.example/security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://archive.example/debian bookworm main # the archive
deb-src http://archive.example/debian bookworm main
deb http://archive.example/security bookworm-security main
deb http://tools.example/apt stable other
"""


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILSEAL_MIRROR", raising=False)


@pytest.mark.usefixtures("no_mirror")
def test_the_archive_is_read_from_deb822_files(tmp_path: Path) -> None:
    """A deb822 file gives release, updates and security, with the signing key."""
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822, encoding="utf-8")
    lines = [source.line() for source in mirror.sources("bookworm", tmp_path)]
    key = "[signed-by=/usr/share/keyrings/archive.gpg] "
    assert lines == [
        f"deb {key}http://archive.example/debian bookworm main",
        f"deb {key}http://archive.example/debian bookworm-updates main",
        "deb http://archive.example/security bookworm-security main",
    ]


@pytest.mark.usefixtures("no_mirror")
def test_the_archive_is_read_from_one_line_files(tmp_path: Path) -> None:
    """A one-line file gives the same; comments, sources and other sections do not count."""
    (tmp_path / "sources.list").write_text(ONE_LINE, encoding="utf-8")
    lines = [source.line() for source in mirror.sources("bookworm", tmp_path)]
    assert lines == [
        "deb [signed-by=/k.gpg] http://archive.example/debian bookworm main",
        "deb http://archive.example/security bookworm-security main",
    ]


@pytest.mark.usefixtures("no_mirror")
def test_no_archive_is_one_sentence(tmp_path: Path) -> None:
    """A machine without a Debian archive is told how to name one."""
    with pytest.raises(LabError, match="MAILSEAL_MIRROR"):
        mirror.sources("bookworm", tmp_path)


def test_the_environment_overrides_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """MAILSEAL_MIRROR is used instead of what the machine has."""
    monkeypatch.setenv("MAILSEAL_MIRROR", "http://mine.example/debian")
    monkeypatch.setenv("MAILSEAL_MIRROR_SECURITY", "http://mine.example/security")
    suites = [(source.uri[-8:], source.suite) for source in mirror.sources("bookworm")]
    assert suites == [
        ("e/debian", "bookworm"),
        ("e/debian", "bookworm-updates"),
        ("security", "bookworm-security"),
    ]


def test_the_cache_key_follows_the_inputs() -> None:
    """Another package, suite or script gives another key; the order of packages does not."""
    one = base.Recipe("bookworm", "amd64", ("a", "b"), "script")
    assert one.key() == base.Recipe("bookworm", "amd64", ("b", "a"), "script").key()
    others = {
        base.Recipe("bookworm", "amd64", ("a", "b", "c"), "script").key(),
        base.Recipe("trixie", "amd64", ("a", "b"), "script").key(),
        base.Recipe("bookworm", "arm64", ("a", "b"), "script").key(),
        base.Recipe("bookworm", "amd64", ("a", "b"), "another").key(),
    }
    assert len(others | {one.key()}) == 5


def test_a_killed_build_is_never_taken_for_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed build left is removed, and a build that fails leaves nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = base.Recipe("bookworm", "amd64", ("a",), "script")
    stale = tmp_path / "mailseal" / "tmp-killed" / "root"
    stale.mkdir(parents=True)

    def failing(_made: base.Recipe, work: Path) -> None:
        (work / "root").mkdir()
        raise LabError("no archive")

    monkeypatch.setattr(base, "_build", failing)
    with pytest.raises(LabError):
        base.ensure(one)
    assert [path.name for path in (tmp_path / "mailseal").iterdir()] == ["lock"]
    assert base.cached(one) is None
    monkeypatch.setattr(base, "_build", lambda _made, work: (work / "root").mkdir())
    assert base.ensure(one) == base.cached(one)


def test_without_root_the_lab_says_what_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user without root gets one sentence with the way that works, and exit code 3."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for words in (["up"], ["down"], ["status"], ["ssh", "imap1"], ["break", "imap1", "tls10"]):
        assert cli.main(words) == 3
        said = capsys.readouterr().err
        assert "root" in said
        assert "mailseal scan" in said
        assert len(said.splitlines()) == 1


def test_missing_programs_are_named_with_their_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sentence about missing programs has the apt-get line."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match=r"apt-get install .*iproute2.*mmdebstrap") as caught:
        machine.require(tmp_path, build=True)
    assert caught.value.code == 3


@pytest.mark.parametrize(
    "command", ["up", "down", "status", "ssh", "run", "deliver", "faults", "break", "mend"]
)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` of each command shows an example."""
    parser = argparse.ArgumentParser(prog="mailseal lab")
    cli.configure(parser)
    with pytest.raises(SystemExit) as left:
        parser.parse_args([command, "--help"])
    assert left.value.code == 0
    assert f"example: mailseal lab {command}" in capsys.readouterr().out


def test_the_zone_names_every_host_in_both_families() -> None:
    """Each host of the topology has an A and an AAAA record, and mail goes to the mx hosts."""
    found = topology.load("small")
    lines = dns.zone(found).splitlines()
    for host in found.cluster:
        assert f"{host.name} A {host.ipv4}" in lines
        assert f"{host.name} AAAA {host.ipv6}" in lines
    assert "@ MX 10 mx1" in lines


@pytest.mark.parametrize("fault", faults.table().values(), ids=lambda fault: fault.name)
def test_every_fault_is_whole(fault: faults.Fault) -> None:
    """Each fault does something, applies to a host of size small, and expects failures there."""
    hosts = [host for host in topology.load("small").hosts if fault.applies_to(host)]
    assert hosts
    assert fault.changes or fault.standin or fault.certificate
    assert fault.title
    for host in hosts:
        expected = fault.expected(host)
        assert expected
        for one in expected:
            assert one.check.startswith("MT-")
            assert (one.port is None) == (one.family is None)


def test_a_weak_family_is_expected_on_that_family_alone() -> None:
    """The fault on IPv6 expects nothing on IPv4."""
    expected = faults.get("weak-ipv6-only").expected(topology.load("small").host("imap1"))
    assert {one.family for one in expected if one.port} == {"ipv6"}


def test_a_modern_hello_is_understood() -> None:
    """The ClientHello of Python's own TLS library is parsed."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    connection = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="x.example")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    hello = forged.parse_hello(outgoing.read())
    assert hello is not None
    assert hello.version == 0x0303
    assert 0x1301 in hello.suites
    assert hello.compressions == b"\0"


def _hello(version: int, compressions: bytes) -> bytes:
    body = struct.pack(">H", version) + bytes(32) + b"\0" + b"\0\x04\0\x2f\0\x0a"
    body += bytes([len(compressions)]) + compressions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x00" + len(message).to_bytes(2, "big") + message


def test_sslv3_is_answered_only_to_those_who_mean_it() -> None:
    """A hello of SSLv3 gets a flight in SSLv3; one of TLS 1.0 gets none."""
    old = forged.parse_hello(_hello(0x0300, b"\0"))
    new = forged.parse_hello(_hello(0x0301, b"\0"))
    assert old
    assert new
    answer = forged.ssl3_answer(old, b"certificate")
    assert answer
    assert answer[:3] == b"\x16\x03\x00"
    assert int.from_bytes(answer[3:5], "big") == len(answer) - 5
    assert forged.ssl3_answer(new, b"certificate") is None


@pytest.mark.parametrize(("offered", "chosen"), [(b"\0", 0), (b"\1\0", 1)])
def test_deflate_is_chosen_only_if_offered(offered: bytes, chosen: int) -> None:
    """The server's choice becomes DEFLATE when the client offered it, and nothing else changes."""
    hello = forged.parse_hello(_hello(0x0303, offered))
    assert hello
    body = struct.pack(">H", 0x0303) + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    record = b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message
    answer = forged.deflate(record, hello)
    assert answer == record[:-1] + bytes([chosen])


def test_an_sslv2_hello_gets_a_whole_answer() -> None:
    """The SERVER-HELLO has the lengths it claims and a cipher that was offered."""
    kinds = b"\x07\x00\xc0\x01\x00\x80"
    hello = b"\x01\x00\x02" + struct.pack(">HHH", len(kinds), 0, 16) + kinds + bytes(16)
    assert forged.is_ssl2(b"\x80\x00" + hello)
    assert not forged.is_ssl2(b"\x80\x00\x01\x03\x01")
    answer = forged.ssl2_answer(hello, b"DER")
    assert int.from_bytes(answer[:2], "big") & 0x7FFF == len(answer) - 2
    lengths = struct.unpack(">HHH", answer[7:13])
    assert sum(lengths) == len(answer) - 13


@pytest.mark.parametrize("junk", [b"", b"\x16", b"\x16\x03\x01\0\1\1", b"GET / HTTP/1.0\r\n\r\n"])
def test_junk_is_no_hello(junk: bytes) -> None:
    """What is not a ClientHello is told from one without an error."""
    assert forged.parse_hello(junk) is None

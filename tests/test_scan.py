"""`mailseal scan`, as it is typed: exit codes, sentences, JSON."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.cli import main
from audit.errors import MailsealError
from audit.policy.compile import DEFAULTS, compile_policy
from audit.policy.load import BUILT_IN, load
from audit.targets import Options, Target, guessed
from tests.probe.test_probe import sslv3_server
from tests.servers import GOOD, Pki, free_port, listening, openssl_server
from tests.twins import twin

SCHEMA = Path(__file__).parent.parent / "docs" / "schema" / "scan-1.json"


def _ssl2(client: object) -> None:
    from audit.probe.calibration import reply

    hello = client.recv(4096)  # type: ignore[attr-defined]
    sslv2 = bool(hello) and bool(hello[0] & 0x80)
    client.sendall(reply(hello) if sslv2 else b"\x15\x03\x03\x00\x02\x02\x28")  # type: ignore[attr-defined]


def test_a_good_server_ends_with_0(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is as the policy says."""
    with twin(pki, "imap", mode="implicit", strict=True) as port:
        code = main(["scan", f"localhost:{port}", "--ca", str(pki.root)])
    assert code == 0, capsys.readouterr().out


def test_several_policies_judge_what_was_seen_once(
    pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    """No connection more than for one; each finding names its measure; the worst code counts."""
    by_code: dict[tuple[str, ...], tuple[int, dict[str, Any]]] = {}
    for names in (
        ("mailseal-2026",),
        ("mailseal-2026", "rfc9325", "mailseal-2026"),
        ("mailseal-2026", "rfc9325", "bsi-tr-02102-2"),
    ):
        with twin(pki, "imap", mode="implicit", strict=True) as port:
            words = [word for name in names for word in ("--policy", name)]
            command = ["scan", f"localhost:{port}", "--ca", str(pki.root), *words]
            code = main([*command, "--json"])
            by_code[names] = code, json.loads(capsys.readouterr().out)
    (one, alone), (two, both), (three, worst) = by_code.values()
    assert (one, two, three) == (0, 0, 1)
    made = [e["connections"] for e in alone["endpoints"]]
    assert [e["connections"] for e in both["endpoints"]] == made
    assert [e["connections"] for e in worst["endpoints"]] == made
    assert {f["policy"] for f in both["findings"]} == {"mailseal-2026", "rfc9325"}
    assert alone["findings"][0]["policy"] == "mailseal-2026"
    failed = {f["policy"] for f in worst["findings"] if f["verdict"] == "fail"}
    assert failed == {"bsi-tr-02102-2"}


def _tailed(*front: str) -> tuple[str, ...]:
    """A server in shadow, as the compiler tells OpenSSL; *front* comes before all of it."""
    compiled = compile_policy(load(PAIR), DEFAULTS["cyrus"], datetime.now(tz=UTC).date())
    suites = compiled.options["tls_ciphers"].split(":")
    ciphers = ":".join([*front, *(s for s in suites if s not in front)])
    return ("-serverpref", "-min_protocol", "TLSv1", "-cipher", ciphers,
            "-groups", "X25519:P-256:P-384:P-521")  # fmt: skip


PAIR = "mailseal-2026+univie-2015"


@pytest.mark.breaks("MT-CIPHER-ORDER")
@pytest.mark.parametrize(
    ("front", "failed"), [((), set()), (("ECDHE-RSA-AES256-SHA",), {"MT-CIPHER-ORDER"})]
)
def test_a_real_server_in_shadow_is_judged_by_the_pair(
    pki: Pki, tmp_path: Path, capsys: pytest.CaptureFixture[str], front: Any, failed: set[str]
) -> None:
    """It passes and is told what has to go; with a suite of the tail in front it fails."""
    dh = tmp_path / "dh.pem"
    command = "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out"
    subprocess.run([*command.split(), str(dh)], check=True)
    with openssl_server(pki, *_tailed(*front), "-dhparam", str(dh)) as port:
        words = ["--ca", str(pki.root), "--policy", PAIR, "--quick", "--json"]
        main(["scan", f"localhost:{port}", *words])
    found = json.loads(capsys.readouterr().out)["findings"]
    wrong = {f["check"]: f for f in found if f["verdict"] in ("fail", "inconclusive")}
    assert {check: f["verdict"] for check, f in wrong.items()} == dict.fromkeys(failed, "fail"), (
        wrong
    )
    sentence = "in shadow: would fail under mailseal-2026: "
    would = {f["check"] for f in found if f["observed"].startswith(sentence)}
    assert would == {"MT-TLS10", "MT-TLS11", "MT-CIPHER-SET"}
    assert {f["policy"] for f in found} == {PAIR}


def test_two_policies_of_one_id_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody could tell their findings apart."""
    mine = tmp_path / "mine.yaml"
    text = (BUILT_IN / "mailseal-2026.yaml").read_text(encoding="utf-8")
    mine.write_text(text.replace("days_left: 7", "days_left: 9"), encoding="utf-8")
    assert main(["scan", "127.0.0.1:1", "--policy", "mailseal-2026", "--policy", str(mine)]) == 2
    assert "another policy has the id mailseal-2026 too" in capsys.readouterr().err


@pytest.mark.breaks("MT-SSL3", "MT-TLS12", "MT-TLS13")
def test_sslv3_ends_with_1(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """On a real SSLv3 server."""
    with sslv3_server(pki) as port:
        assert main(["scan", f"localhost:{port}", "--json"]) == 1
    assert {"MT-SSL3", "MT-TLS12", "MT-TLS13"} <= _failed(capsys)


@pytest.mark.breaks("MT-SSL2")
def test_sslv2_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """On a listener that answers an SSLv2 CLIENT-HELLO."""
    with listening(_ssl2) as port:
        assert main(["scan", f"127.0.0.1:{port}", "--json"]) == 1
    assert _failed(capsys) == {"MT-SSL2", "MT-HANDSHAKE"}


@pytest.mark.breaks(
    "MT-CIPHER-SET", "MT-CIPHER-ORDER", "MT-CURVES", "MT-CERT-CHAIN", "MT-CERT-NAME"
)
def test_client_order_and_weak_suites_end_with_1(
    pki: Pki, capsys: pytest.CaptureFixture[str]
) -> None:
    """On openssl s_server as it comes."""
    with openssl_server(pki) as port:
        assert main(["scan", f"localhost:{port}", "--json", "--name", "other.example"]) == 1
    expected = {"MT-CIPHER-SET", "MT-CIPHER-ORDER", "MT-CURVES", "MT-CERT-CHAIN", "MT-CERT-NAME"}
    assert _failed(capsys) == expected


@pytest.mark.breaks("MT-TLS10", "MT-TLS11")
def test_old_versions_end_with_1(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """TLS 1.0 and 1.1 on a real server."""
    options = ("-min_protocol", "TLSv1", "-cipher", "ALL:@SECLEVEL=0")
    with openssl_server(pki, *options) as port:
        assert main(["scan", f"localhost:{port}", "--json"]) == 1
    assert {"MT-TLS10", "MT-TLS11"} <= _failed(capsys)


def test_a_closed_port_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing failed, nothing could be told."""
    assert main(["scan", f"127.0.0.1:{free_port()}"]) == 3
    assert "closed" in capsys.readouterr().out


def test_json_is_what_the_schema_says(pki: Pki, capsys: pytest.CaptureFixture[str]) -> None:
    """Stable and versioned."""
    with openssl_server(pki, *GOOD) as port:
        main(["scan", f"localhost:{port}", "--json", "--ca", str(pki.root)])
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["schema"] == "mailseal/scan/1"
    endpoint = document["endpoints"][0]
    assert endpoint["protocols"]["SSLv2"] == "refused"
    assert endpoint["preference"] == {"TLSv1.2": "server", "TLSv1.3": "server"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan"],
        ["scan", "host:port"],
        ["scan", "host:0"],
        ["scan", "host:70000"],
        ["scan", "host:"],
        ["scan", "[::1"],
        ["scan", "[nonsense]:25"],
        ["scan", ":25"],
        ["scan", "host", "--starttls", "ftp"],
        ["scan", "127.0.0.1:25", "--policy", "nosuch"],
        ["scan", "127.0.0.1:25", "--ca", "/nonexistent"],
        ["scan", "127.0.0.1:25", "--ca", "/etc/passwd"],
        ["scan", "no.such.host.invalid:25"],
        ["scan", "x" * 300 + ":25"],
        ["policy", "show", "nosuch"],
        ["policy", "compile", "univie-2015", "--for", "exim-gnutls"],
        ["policy", "compile", "mailseal-2026", "--for", "cyrus", "--library", "old"],
        ["audit", "-i", "/nonexistent"],
        ["audit", "-i", "inventory/lab", "--out", "/etc/passwd"],
        ["audit", "-i", "inventory/lab", "--report", "pdf=report.pdf"],
        ["audit", "-i", "inventory/lab", "--report", "sarif"],
        ["audit", "-i", "inventory/lab", "--report", "sarif=/nonexistent/x"],
        ["scan", "127.0.0.1:25", "--name", "a..b"],
        ["scan", "--domain", "192.0.2.1"],
        ["scan", "--domain", "::1"],
        ["scan", "--domain", "."],
        ["scan", "--domain", ""],
        ["scan", "--domain", "a..b"],
        ["scan", "--domain", "x" * 300],
        ["scan", "--domain", "postmaster@example.org"],
        ["scan", "--domain", "example.org", "--resolver", "dns.example.org"],
        ["scan", "--domain", "example.org", "--resolver", "127.0.0.1:0"],
        ["scan", "--domain", "example.org", "--resolver", "[::1"],
        ["scan", "--domain", "example.org", "--resolver", ""],
        ["scan", "--domain", "example.org", "--starttls", "smtp"],
        ["scan", "--domain", "example.org", "--profile", "mx"],
        ["scan", "127.0.0.1:25", "--domain", "example.org", "--name", "mx.example.org"],
        ["scan", "127.0.0.1:25", "--resolver", "127.0.0.1"],
        ["lab", "break", "imap1", "nosuch"],
        ["nosuch"],
        [],
    ],
)
def test_wrong_usage_ends_with_2_and_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, whatever was typed."""
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("mail.example", "mail.example", None), ("mail.example:25", "mail.example", 25),
     ("192.0.2.1:993", "192.0.2.1", 993), ("2001:db8::1", "2001:db8::1", None),
     ("[2001:db8::1]:587", "2001:db8::1", 587), ("[2001:db8::1]", "2001:db8::1", None)],
)  # fmt: skip
def test_targets_are_read_as_people_write_them(text: str, host: str, port: int | None) -> None:
    """Names and both kinds of address."""
    assert Target.parse(text) == Target(host, port)


def test_a_port_that_is_none_of_mails_is_said_to_be_guessed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is named on the command line is not guessed."""
    port = free_port()
    for words, said in (([], 1), (["--starttls", "smtp"], 0)):
        main(["scan", f"127.0.0.1:{port}", "--quick", *words])
        error = capsys.readouterr().err
        assert error.count(f"note: port {port} is none of mail's: taken for IMAP in TLS") == said
    assert not list(guessed([Target("h", 993), Target("h", None)], Options(())))


def test_a_bare_colon_is_no_target() -> None:
    """The sentence shows how it is written."""
    with pytest.raises(MailsealError, match=r"\[ADDRESS\]:PORT"):
        Target.parse(":")


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """Also the actions of a command."""
    commands = [[], ["scan"], ["audit"], ["policy"], ["policy", "list"], ["policy", "show"],
                ["policy", "compile"], ["lab"], ["lab", "up"], ["lab", "break"],
                ["lab", "deliver"], ["dane"], ["dane", "publish"], ["tlsrpt"]]  # fmt: skip
    for command in commands:
        with pytest.raises(SystemExit) as end:
            main([*command, "--help"])
        assert end.value.code == 0
        told = capsys.readouterr().out
        assert "example: mailseal " in told
        assert "exit codes: " in told


@pytest.mark.parametrize(
    "command", ["clients", "policy list", "policy show", "policy compile", "policy diff"]
)
def test_what_only_informs_promises_no_verdict(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 0 if it could be told, whatever that is."""
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    told = capsys.readouterr().out
    assert "exit codes: 0 it could be told" in told
    assert "failure" not in told


def test_help_is_as_wide_as_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands above and below the options; but an example is there to be copied."""
    monkeypatch.setenv("COLUMNS", "70")
    for command in ("scan", "diff", "rollout", "staging", "traffic", "whatif"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        lines = capsys.readouterr().out.splitlines()
        assert [x for x in lines if len(x) > 70 and not x.startswith("example: mailseal ")] == []
        assert sum(x.startswith("exit codes: 0 ") for x in lines) == 1


# Says which of these modules were loaded when the target was looked up, or at the end.
_LOOK = """
import os, sys, threading
from audit.cli import main

def tell():
    if threading.current_thread() is not threading.main_thread():
        return  # calibration
    found = [name for name in sys.argv[1].split() if name in sys.modules]
    os.write(2, f"loaded: {found}\\n".encode())
    os._exit(0)

sys.addaudithook(lambda event, _: tell() if event == "socket.getaddrinfo" else None)
try:
    main(sys.argv[2:])
finally:
    tell()
"""
_NEVER = "ansible asyncio audit.inventory audit.policy.compile jinja2 lab.cli pytest rich testinfra"
_LATER = "OpenSSL attr audit.judge.identity audit.judge.path cryptography service_identity"


@pytest.mark.parametrize(
    ("words", "modules", "loaded"),
    [
        (["--help"], f"{_NEVER} {_LATER} audit.scan logging msgspec socket ssl yaml", []),
        (["--quick", "127.0.0.1:993"], f"{_NEVER} {_LATER} audit.probe.run", ["audit.probe.run"]),
    ],
    ids=("help", "the target is looked up"),
)
def test_nothing_is_loaded_before_it_is_needed(
    words: list[str], modules: str, loaded: list[str]
) -> None:
    """Whoever waits for a scan waits for what it needs, and the network is busy meanwhile."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, modules, "scan", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == f"loaded: {loaded}\n"


def test_the_command_ends_at_once_with_its_code_and_all_it_said() -> None:
    """Nothing that is printed or registered for the end is lost on the short way out."""
    code = (
        "import atexit, os, sys; from audit import cli, start; real = cli.main;"
        "cli.main = lambda: (atexit.register(os.write, 2, b'cleaned up'), real())[1];"
        "start.command()"
    )
    words = [sys.executable, "-c", code, "scan", "127.0.0.1:1", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert json.loads(done.stdout)["endpoints"][0]["port"] == 1
    assert "cleaned up" in done.stderr


def _failed(capsys: pytest.CaptureFixture[str]) -> set[str]:
    findings = json.loads(capsys.readouterr().out)["findings"]
    return {f["check"] for f in findings if f["verdict"] == "fail"}


@pytest.mark.parametrize("name", ["a..b", "x" * 70, "a*b.example", '"foo bar"', ".", " "])
def test_what_is_no_host_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, and exit code 2."""
    assert main(["scan", "127.0.0.1:25", "--name", name]) == 2
    assert "is no host name" in capsys.readouterr().err


def test_a_name_too_long_for_a_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was written, so nothing is said about writing."""
    assert main(["policy", "show", "x" * 300]) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"{'x' * 300}.yaml: File name too long\n")
    assert "write" not in said


def test_a_full_disk_is_one_sentence(pki: Pki) -> None:
    """And no traceback."""
    words = [str(Path(sys.executable).parent / "mailseal"), "policy", "list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("mailseal: cannot write")
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_scan_at_once() -> None:
    """Even while servers hang."""
    import signal
    import time

    with listening(lambda s: time.sleep(5)) as port:
        words = [str(Path(sys.executable).parent / "mailseal"), "scan", f"127.0.0.1:{port}"]
        # In the background of a shell the tests run with SIGINT ignored, and so would a child.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        signal.signal(signal.SIGINT, before)
        with process:
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            started = time.monotonic()
            assert process.wait(20) == 130
            assert time.monotonic() - started < 3

"""`mailseal passage` as it is typed: what it prints, and how it ends."""

import io
import json
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
from msgspec.structs import replace

from audit.facts import Endpoint
from audit.passage import prepare, report, run
from audit.passage.errand import compose
from audit.passage.outcome import Outcome, exit_code
from audit.passage.plan import Errand
from tests import commands
from tests.commands import ROOT, mailseal
from tests.passage.served import ACCOUNT, Store, errand, place, serving
from tests.servers import Pki

HEAD = """all:
  hosts:
    h1:
      mailseal_addresses: [127.0.0.1]
      mailseal_server_name: localhost
      mailseal_ca_file: {ca}
      mailseal_endpoints:
        - {{port: {imap}, service: imap, mode: implicit, profile: access}}
        - {{port: {lmtp}, service: lmtp, mode: starttls, profile: access}}
"""
WHO = """      mailseal_test_account:
        user: tester
        password: {password}
        recipient: tester@lab.test
        lmtp_user: postman
        lmtp_password: 0ther
"""
WHERE = Endpoint("h1", "192.0.2.1", 993, "imap", "implicit", "h1.example")
NOW = datetime(2026, 11, 28, tzinfo=UTC)
PASSED = Outcome(endpoint=WHERE, end="done", seconds=0.1)


def written(folder: Path, text: str) -> str:
    """An inventory."""
    path = folder / "hosts.yml"
    path.write_text(text)
    return str(path)


def validated(output: str) -> dict[str, list[dict[str, str]]]:
    """The document, if the shipped schema accepts it."""
    document: dict[str, list[dict[str, str]]] = json.loads(output)
    schema = json.loads((ROOT / "docs" / "schema" / "passage-1.json").read_text())
    jsonschema.validate(document, schema)
    return document


@pytest.mark.parametrize(
    ("password", "code", "last"),
    [
        (ACCOUNT.password, 0, "2 endpoints: 2 passed\n"),
        ("wr0ng", 1, "2 endpoints: 2 failed\n"),
        (None, 3, "2 endpoints: 2 not tried\n"),
    ],
)
def test_the_command_ends_as_documented(
    pki: Pki, tmp_path: Path, password: str | None, code: int, last: str
) -> None:
    """0 all passed, 1 something failed, 3 something was not tried; no password in any output."""
    store = Store()
    with serving(pki, "imap", store=store) as imap, serving(pki, "lmtp", "starttls", store) as lmtp:
        text = HEAD.format(ca=pki.root, imap=imap, lmtp=lmtp)
        text += WHO.format(password=password) if password else ""
        words = ("passage", "-i", written(tmp_path, text), "--wait", "5")
        done = mailseal(*words)
        shown = mailseal(*words, "--json")
    assert (done.returncode, shown.returncode) == (code, code), done.stderr
    assert done.stdout.endswith(last)
    outcomes = validated(shown.stdout)["outcomes"]
    assert [o["service"] for o in outcomes] == ["imap", "lmtp"]
    assert all(bool(o["words"]) == (o["verdict"] != "pass") for o in outcomes)
    for secret in (password, ACCOUNT.lmtp_password):
        assert not secret or secret not in done.stdout + done.stderr + shown.stdout + shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--wait", "0"), "is no number of seconds"),
        (("--wait", "soon"), "is no number of seconds"),
        (("-i", "/nonexistent"), "there is no inventory /nonexistent"),
    ],
)
def test_wrong_usage_is_said(words: tuple[str, ...], said: str) -> None:
    """With exit code 2."""
    done = mailseal("passage", "-i", "inventory/lab", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_help_shows_an_example() -> None:
    """As every command does."""
    done = mailseal("passage", "--help")
    assert done.returncode == 0
    assert "example: mailseal passage -i inventory/lab" in done.stdout


def test_a_scan_does_not_wait_for_it() -> None:
    """Nothing of it, nor the clients it uses, is loaded by another command."""
    code = """
import sys
from audit.cli import _parser
_parser(["scan", "x"]).parse_args(["scan", "x"])
print([name for name in sys.modules if name.startswith(("audit.passage", "smtplib", "imaplib"))])
"""
    assert commands.run(sys.executable, "-c", code).stdout == "[]\n"


def test_the_mailbox_of_another_host_is_read_from_the_inventory(pki: Pki, tmp_path: Path) -> None:
    """Also if --limit leaves that host out; a name that is nobody's is refused."""
    text = HEAD.format(ca=pki.root, imap=1, lmtp=2) + WHO.format(password="x")
    text += f"""    mx1:
      mailseal_addresses: [127.0.0.1]
      mailseal_server_name: localhost
      mailseal_ca_file: {pki.root}
      mailseal_endpoints:
        - {{port: 25, service: smtp, mode: starttls, profile: mx}}
      mailseal_test_account: {{recipient: tester@lab.test, mailbox: h1}}
"""
    (one,) = prepare.prepare(written(tmp_path, text), "mx1")
    assert one.reader
    assert one.reader.endpoint.host == "h1"
    done = mailseal("passage", "-i", written(tmp_path, text.replace("mailbox: h1", "mailbox: h2")))
    assert done.returncode == 2
    assert "has no host h2 that could be read" in done.stderr


def test_an_inventory_without_endpoints_is_not_fine(tmp_path: Path) -> None:
    """Nothing was tried, and that is said."""
    text = "all: {hosts: {h1: {mailseal_addresses: [192.0.2.1]}}}\n"
    done = mailseal("passage", "-i", written(tmp_path, text))
    assert (done.returncode, done.stdout) == (
        3,
        "There is no endpoint to log in at or to send a mail to.\n",
    )


def shown(*outcomes: Outcome) -> str:
    """What a pipe gets."""
    file = io.StringIO()
    report.show(outcomes, file)
    return file.getvalue()


def test_what_ended_in_the_same_way_is_one_line() -> None:
    """With every place; a host on which all ended so is named once."""
    late = Outcome(endpoint=WHERE, end="broken", step="login", words="not done within 30 s")
    other = replace(late, endpoint=replace(WHERE, port=143))
    alone = Outcome(endpoint=replace(WHERE, host="h10"), end="unfit", words="nobody")
    assert shown(PASSED, late, other, alone) == (
        "h1   1 passed, 2 failed\n"
        "  failed     [192.0.2.1]:993 imap, [192.0.2.1]:143 imap: login: not done within 30 s\n"
        "h10  1 not tried\n"
        "  not tried  everywhere: nobody\n"
        "4 endpoints: 1 passed, 2 failed, 1 not tried\n"
    )


def test_a_servers_words_cannot_move_the_cursor() -> None:
    """They are escaped on the terminal, and in JSON."""
    evil = replace(PASSED, end="refused", step="login", words="\x1b[2J\u202eno\ud800" * 200)
    text = shown(evil)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 3000
    assert b"\x1b" not in report.document([replace(evil, words="\x1b\x9b\u202e")], NOW, NOW)


def test_nothing_that_was_not_tried_is_fine() -> None:
    """A failure weighs more."""
    busy = replace(PASSED, end="busy")
    assert exit_code([PASSED]) == 0
    assert exit_code([PASSED, busy]) == 3
    assert exit_code([PASSED, busy, replace(PASSED, end="lost")]) == 1
    assert exit_code([]) == 3


def test_a_maildrop_has_one_visitor(monkeypatch: pytest.MonkeyPatch, pki: Pki) -> None:
    """Hosts are visited beside each other, but POP3 nowhere twice at a time; order is kept."""
    inside: list[int] = []
    most = {"pop3": 0, "imap": 0}
    lock = threading.Lock()

    def slowly(one: Errand, patience: float) -> Outcome:
        kind = one.place.endpoint.service
        with lock:
            inside.append(1)
            most[kind] = max(most[kind], len(inside))
        time.sleep(0.05)
        with lock:
            inside.pop()
        return replace(PASSED, endpoint=one.place.endpoint)

    monkeypatch.setattr(run, "do", slowly)
    for kind in ("pop3", "imap"):
        where = place(pki, "pop3" if kind == "pop3" else "imap", 1)
        hosts = [f"h{number}" for number in range(6)]
        errands = [
            errand(replace(where, endpoint=replace(where.endpoint, host=host))) for host in hosts
        ]
        names: list[str] = []
        outcomes = run.run(errands, 1.0, names.append)
        assert [o.endpoint.host for o in outcomes] == hosts
        assert len(names) == 6
    assert most["pop3"] == 1
    assert most["imap"] > 1


def test_the_mail_says_what_it_is() -> None:
    """Nobody answers it, and a bounce goes to the test account."""
    text = compose(ACCOUNT, "<1@mailseal.invalid>").decode("ascii")
    assert "\r\nMessage-ID: <1@mailseal.invalid>\r\n" in text
    assert "\r\nAuto-Submitted: auto-generated\r\n" in text
    assert text.startswith("From: <tester@lab.test>\r\nTo: <tester@lab.test>\r\n")
    assert all(len(line) < 79 for line in text.split("\r\n"))

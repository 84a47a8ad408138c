"""`mailseal whatif` as it is typed: codes, documents, texts, pages, keys and orders."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from audit.cli import main
from audit.commands import whatif as cli
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0
from audit.history.place import place
from audit.policy.load import load
from audit.report import whatif_text
from audit.report.whatif_page import whatif_page
from audit.traffic.tally import Tally
from audit.traffic.ways import way
from audit.whatif.order import by_policy, by_runs
from audit.whatif.premises import Question, premises
from tests.commands import ROOT
from tests.history.history_factories import at, cluster, keep
from tests.report.report_factories import HOSTILE, make_endpoint_facts, make_run
from tests.whatif.captures import capture, hello, packet
from tests.whatif.factories import DAY, ask, tally
from tests.whatif.test_whatif_weigh import CBC, NEW, OLD_TLS, SHADOW, TLS13

Capture = pytest.CaptureFixture[str]
BROKEN = tally(("access", "192.0.2.7", "anna", OLD_TLS, 3), ("mx", "192.0.2.9", "", TLS13, 2))
FINE = tally(("mx", "192.0.2.9", "", TLS13, 2))
ROLLED_OUT = ("--server-order", f"policy:{SHADOW}", "--library", "gnutls-3.7")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command, on what was counted instead of on logs."""

    def ask_(counted: Tally, *words: str) -> int:
        monkeypatch.setattr(cli, "counted", lambda *_: counted)
        monkeypatch.setenv("MAILSEAL_HISTORY", str(tmp_path / "none.db"))
        return main(["whatif", "--policy", NEW, *words, "mainlog"])

    return ask_


def test_the_exit_code_says_whether_anybody_is_hurt(asked: Any, capsys: Capture) -> None:
    """0 nobody, 1 somebody, 3 not known, or nobody was seen."""
    assert asked(FINE, *ROLLED_OUT) == 0
    assert asked(BROKEN, *ROLLED_OUT) == 1
    assert asked(tally(("access", "192.0.2.9", "", CBC, 2))) == 3
    assert asked(Tally(), *ROLLED_OUT) == 3
    assert capsys.readouterr().out.endswith("of nobody anything can be said.\n")


def test_what_cannot_be_written_is_said_after_the_answer(asked: Any, capsys: Capture) -> None:
    """Who is hurt is printed, and stays what the exit code says."""
    for counted, code in ((FINE, 2), (BROKEN, 1)):
        assert asked(counted, *ROLLED_OUT, "--html", "/dev/full") == code
        out, err = capsys.readouterr()
        assert out.endswith(".\n")
        assert err == "mailseal: /dev/full: cannot be written (No space left on device)\n"


def test_each_kind_of_traffic_has_its_library(asked: Any, capsys: Capture) -> None:
    """Exim on GnuTLS takes the mail, Cyrus on OpenSSL is read: each is judged by its own."""
    both = tally(("access", "192.0.2.7", "anna", TLS13, 3), ("mx", "192.0.2.9", "", TLS13, 2))

    def libraries(*words: str) -> tuple[dict[str, str], str]:
        asked(both, *ROLLED_OUT[:2], "--json", *words)
        found = json.loads(capsys.readouterr().out)
        return {use: one["library"] for use, one in found["traffic"].items()}, found["library"]

    old, new = "gnutls-3.7", "openssl-3.0"
    assert libraries() == ({"mx": new, "access": new}, new)
    assert libraries("--library", old) == ({"mx": old, "access": old}, old)
    assert libraries("--library", f"mx={old}") == ({"mx": old, "access": new}, f"{old}, {new}")
    mixed = libraries("--library", old, "--library", f"access={new}")
    assert mixed == ({"mx": old, "access": new}, f"{old}, {new}")


def test_a_kind_of_traffic_is_reasoned_about_by_its_library() -> None:
    """The server as it was, and as it will be."""
    question = Question(
        policy=load(NEW),
        day=date(2026, 11, 20),
        manners=OPENSSL_3_0,
        others={"mx": GNUTLS_3_7},
        before=by_policy(load("univie-2015")),
    )
    for use, manners in (("mx", GNUTLS_3_7), ("access", OPENSSL_3_0)):
        for change in premises(question, use, ()):  # type: ignore[arg-type]
            assert change.old.server.manners == change.new.server.manners == manners


@pytest.mark.parametrize("words", ["gone", "mx=gone", "pop=gnutls-3.7", "=", "mx="])
def test_a_library_that_nobody_knows(asked: Any, capsys: Capture, words: str) -> None:
    """It is named, with those that there are."""
    with pytest.raises(SystemExit, match="2"):
        asked(FINE, "--library", words)
    assert f"{words!r} is no library: " in capsys.readouterr().err


def test_the_document_is_as_its_schema_says(asked: Any, capsys: Capture) -> None:
    """The keys that were promised are all there."""
    assert asked(BROKEN, *ROLLED_OUT, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/schema/whatif-1.json").read_bytes())
    Draft202012Validator(schema).validate(found)
    assert found["schema"] == "mailseal/whatif/1"
    assert {"unit", "keep", "break", "unknown", "lower", "upper"} <= set(found["traffic"]["mx"])
    (row,) = found["clients"]
    assert {"client", "user", "verdict", "evidence", "last_seen", "weight"} <= set(row)
    assert (row["user"], row["verdict"], row["weight"]) == ("anna", "break", 3)
    assert found["traffic"]["access"]["server"] == [f"rolled out: {SHADOW}"]


def test_the_text_names_whom_to_phone(asked: Any, capsys: Capture) -> None:
    """With the reason, the bounds, and the word on it last."""
    asked(BROKEN, *ROLLED_OUT)
    text = capsys.readouterr().out
    assert "anna 192.0.2.7  access, 3 until 2026-11-02, cannot connect" in text
    assert "TLSv1.0 is the newest that it offers" in text
    assert "3 to 3 logins break; what was not seen at all is rarer than 100% of all logins" in text
    assert text.splitlines()[-1] == "1 user would be hurt by mailseal-2026."


def test_users_can_be_hashed_by_a_key(asked: Any, capsys: Capture, tmp_path: Path) -> None:
    """The same key gives the same words, another key others, and no word tells the name."""
    key, other = tmp_path / "key", tmp_path / "other"
    key.write_bytes(b"k" * 32)
    other.write_bytes(b"o" * 32)
    said = []
    for options in ([str(key)], [str(key)], [str(other)]):
        asked(BROKEN, *ROLLED_OUT, "--json", "--key-file", *options)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    asked(BROKEN, *ROLLED_OUT, "--json", "--hash-users")
    said.append(capsys.readouterr().out)
    assert not any("anna" in words for words in said)
    assert all(json.loads(words)["hashed"] for words in said)


def test_kept_counts_have_names_as_they_are_which_is_said(
    asked: Any, capsys: Capture, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    for options, said in (([], 0), (["--hash-users"], 1)):
        asked(BROKEN, *ROLLED_OUT, "--save", str(kept), *options)
        assert capsys.readouterr().out.count("names of users in clear") == said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--policy", "nobodys"], "there is no policy 'nobodys'"),
        (["--server-order", "policy:nobodys"], "there is no policy 'nobodys'"),
        (["--server-order", "latest"], "there is no history"),
        (["--server-order", "univie-2015"], "a policy is given as policy:univie-2015"),
        (["--hellos", "/nowhere/c.pcap"], "/nowhere/c.pcap: the capture cannot be read"),
        (["--key-file", "/nowhere/key"], "/nowhere/key: the key cannot be read"),
        (["--key-file", "/dev/null"], "/dev/null: a key has 16 bytes at least"),
        (["--html", "/nowhere/page.html"], "/nowhere/page.html"),
    ],
)
def test_bad_input_is_one_sentence(
    asked: Any, capsys: Capture, words: list[str], sentence: str
) -> None:
    """And code 2."""
    assert asked(BROKEN, *words) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_a_capture_narrows_what_is_unknown(asked: Any, capsys: Capture, tmp_path: Path) -> None:
    """Of an address whose hello is there; it is named in the evidence."""
    x = "TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256"
    counted = tally(("access", "192.0.2.7", "anna", x, 1))
    univie = ("--server-order", "policy:univie-2015", "--certificates", "rsa")
    assert asked(counted, *univie) == 3
    path = capture(tmp_path / "c.pcap", packet(hello()))
    assert asked(counted, *univie, "--hellos", str(path)) == 0
    capsys.readouterr()
    assert asked(FINE, *ROLLED_OUT, "--hellos", str(path), "--json") == 0
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert notice == "not observed: 1 addresses have hellos, and nothing in the logs"


def test_the_servers_are_those_that_audits_saw(asked: Any, capsys: Capture, tmp_path: Path) -> None:
    """By name, or without one those of the days of the log."""
    where = str(tmp_path / "history.db")
    there = place(where)
    assert there is not None
    keep(there, cluster(), at(-26))
    options = ("--json", "--history", where, "--library", "gnutls-3.7")
    for more in ((), ("--server-order", "latest")):
        assert asked(FINE, *options, *more) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["traffic"]["mx"]["server"][0].startswith("audit 20261102T030000Z: mx1")
        assert found["notices"] == []


def test_a_damaged_history_is_no_unknown_order(asked: Any, capsys: Capture, tmp_path: Path) -> None:
    """Where there is one, it is read or it is said why not."""
    where = tmp_path / "history.db"
    where.write_bytes(b"no database at all" * 100)
    assert asked(FINE, "--history", str(where)) == 2
    assert str(where) in capsys.readouterr().err


def test_what_no_known_server_can_have_negotiated_is_said(asked: Any, capsys: Capture) -> None:
    """Nothing is proven by a configuration that was not the one."""
    assert asked(BROKEN, "--server-order", f"policy:{NEW}", "--json") == 3
    (notice,) = json.loads(capsys.readouterr().out)["notices"]
    assert notice.startswith("access: 3 sessions are none that the known configurations can")


def test_large_numbers_can_be_read_and_one_day_is_one(asked: Any, capsys: Capture) -> None:
    """On a terminal; the page has the same."""
    many = tally(("mx", "192.0.2.9", "", TLS13, 1234567))
    assert asked(many, *ROLLED_OUT) == 0
    text = capsys.readouterr().out
    assert f"logs of {DAY.decode()}\n" in text
    assert "1,234,567 mails" in text
    assert "1234567" not in text


def test_what_does_not_answer_says_nothing_of_an_order() -> None:
    """Ports stand for kinds of traffic; what was not reached is left out."""
    ports = ((25, "smtp"), (587, "smtp"), (465, "smtp"), (993, "imap"), (24, "lmtp"))
    facts = [make_endpoint_facts(place=(port, name, "starttls")) for port, name in ports]  # type: ignore[arg-type]
    shut = make_endpoint_facts(place=(143, "imap", "starttls"), reach="no-answer")
    found = by_runs([make_run(endpoints=(*facts, shut))])
    assert {use: len(before) for use, before in found.items()} == {
        "mx": 1,
        "submission": 2,
        "access": 1,
    }


def test_what_clients_say_of_themselves_is_harmless() -> None:
    """A login, a HELO and a host name may be anything."""
    counted = tally(("access", HOSTILE, HOSTILE, OLD_TLS, 3), hosts=((HOSTILE, OLD_TLS, "no", 2),))
    found = ask(counted, NEW, SHADOW)
    page = whatif_page(found).decode()
    assert HOSTILE not in page
    assert "<script>alert" not in page
    assert "\x1b" not in whatif_text.text(found).decode()
    assert DAY.decode() in page


def _sent(counted: Tally, domain: bytes, cv: bytes) -> None:
    to = way(b"mx1 remote_smtp", domain, b"mx", False, TLS13.encode(), cv, b"")
    counted.sent(b"mx1", domain, (DAY, b"192.0.2.1", to))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--require-dane", "dane.example"], 0),
        (["--require-dane", "*"], 1),
        (["--require-dane", "Other.example."], 1),
        (["--require-dane", "*.example", "--require-dane", "z.example"], 1),
        (["--require-verified"], 0),
        ([], 0),
    ],
)
def test_rules_for_outgoing_mail_count_for_the_exit_code(
    asked: Any, capsys: Capture, words: list[str], code: int
) -> None:
    """And are in the document, which is valid."""
    counted = tally(("mx", "192.0.2.9", "", TLS13, 2))
    for domain, how in ((b"dane.example", b"dane"), (b"other.example", b"yes")):
        _sent(counted, domain, how)
    assert asked(counted, *ROLLED_OUT, "--json", *words) == code
    found = json.loads(capsys.readouterr().out)
    schema = json.loads((ROOT / "docs/schema/whatif-1.json").read_bytes())
    Draft202012Validator(schema).validate(found)
    assert len(found["sending"]) == bool(words)
    assert sum(one["break"] for one in found["sending"]) == code


def test_a_rule_for_nobody_who_was_seen_is_not_fine(asked: Any) -> None:
    """Code 3: a domain that is misspelt would else be one that keeps."""
    dane = tally(("mx", "192.0.2.9", "", TLS13, 2))
    _sent(dane, b"dane.example", b"dane")
    for counted, words in ((FINE, ["z.example"]), (FINE, ["*"]), (dane, ["*", "z.example"])):
        options = [word for one in words for word in ("--require-dane", one)]
        assert asked(counted, *ROLLED_OUT, *options) == 3


@pytest.mark.parametrize("word", ["", "a b", "*.*", "-x", "a*.example", "a@b.example"])
def test_what_is_no_domain_is_wrong_usage(asked: Any, capsys: Capture, word: str) -> None:
    with pytest.raises(SystemExit) as ended:
        asked(FINE, f"--require-dane={word}")
    assert ended.value.code == 2
    assert "is no domain, as example.org" in capsys.readouterr().err

"""`mailseal tlsrpt` from the outside."""

import gzip
import json
import mailbox
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from audit.cli import main
from audit.history.place import place
from tests.commands import BIN, ROOT, mailseal, run
from tests.history.history_factories import at, cluster, dated, keep
from tests.tlsrpt.foreign import FOREIGN, failure, mailed, policy, raw, report
from tests.tlsrpt.lines import DELIVERED, PLAIN, SAMPLES

_WRITE = ("--organization", "Example University", "--contact", "tlsrpt@example.org")
_DAY = ("--from", "2026-11-23", "--zone", "UTC")


def _run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """What a command ends with and says."""
    capsys.readouterr()
    code = main(["tlsrpt", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def _json(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    _, out, _ = _run(capsys, "read", "--json", *words)
    document = json.loads(out)
    shipped = json.loads((ROOT / "docs/schema/tlsrpt-1.json").read_text())
    jsonschema.Draft202012Validator(shipped).validate(document)
    return document


@pytest.fixture
def every(tmp_path: Path) -> Path:
    """Every report once, each in another thing; one of them twice; things that are none."""
    top = tmp_path / "reports"
    (top / "below").mkdir(parents=True)
    (top / "a.json").write_bytes(raw("whole"))
    (top / "below/b.json.gz").write_bytes(gzip.compress(raw("terse")))
    (top / "c.eml").write_bytes(mailed(raw("anonymous")))
    box = mailbox.mbox(top / "d.mbox")
    for name in ("empty", "nameless", "whole"):
        box.add(mailed(raw(name), subtype="tlsrpt+json"))
    box.add(b"From: a@b.test\n\nhello\n")
    box.close()
    folder = mailbox.Maildir(top / "maildir")
    for name in ("stringy", "dane", "odd"):
        folder.add(mailed(raw(name)))
    (top / "maildir/tmp/half").write_bytes(mailed(raw("odd"))[:1500])
    (top / "maildir/new/letter").write_bytes(b"From: a@b.test\n\nhello\n")
    (top / "index").write_bytes(bytes(64))
    return top


def test_everything_below_a_directory_is_read(
    every: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In whatever it came; each report once; what is none is counted, and not refused."""
    found = _json(capsys, every)
    assert (found["reports"], found["copies"]) == (len(FOREIGN), 1)
    assert (found["without"], found["others"], found["refused"]) == (1, 1, [])
    organizations = {
        one["organization"] for domain in found["domains"] for one in domain["organizations"]
    }
    assert organizations == {one["organization-name"] for one in FOREIGN.values()}
    assert [domain["domain"] for domain in found["domains"]] == ["example.org"]


def test_a_bad_report_costs_no_other(every: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each that is refused has its sentence."""
    before = _json(capsys, every)
    (every / "bad1.json").write_bytes(b'{"organization-name": "<?xml?>"}')
    (every / "bad2.eml").write_bytes(mailed(b"{" + b" " * (1 << 24)))
    (every / "bad3.json.gz").write_bytes(gzip.compress(raw("whole"))[:-9])
    (every / "bad4.json").write_bytes(b"{" + b" " * (1 << 24))
    found = _json(capsys, every)
    assert found["domains"] == before["domains"]
    assert [Path(one["source"].split(":")[0]).name for one in found["refused"]] == [
        *("bad1.json", "bad2.eml", "bad3.json.gz", "bad4.json"),
    ]
    _, out, _ = _run(capsys, "read", every)
    assert all(one["reason"] in out for one in found["refused"])


def test_a_directory_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below one that was named it costs no other; the one that was named is an error."""
    (tmp_path / "good.json").write_bytes(raw("terse"))
    shut = tmp_path / "shut"
    shut.mkdir()
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path) == str(shut):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = _json(capsys, tmp_path)
    assert (found["reports"], found["refused"][0]["source"]) == (1, str(shut))
    code, _, err = _run(capsys, "read", tmp_path, shut)
    assert (code, f"{shut} cannot be read" in err) == (2, True)


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Failures come before what could not be read, and nothing read is never fine."""
    good, bad, none = (tmp_path / name for name in ("good", "bad", "none"))
    good.write_bytes(raw("terse"))
    bad.write_bytes(b"{}")
    none.mkdir()
    failing = tmp_path / "failing"
    failing.write_bytes(raw("whole"))
    lapse = tmp_path / "lapse"
    lapse.write_bytes(raw("nameless"))
    expected = {(good,): 0, (failing, bad): 1, (good, bad): 3, (none,): 3, (good, lapse): 3}
    for paths, code in expected.items():
        found, out, _ = _run(capsys, "read", *paths)
        assert found == code, paths
        assert out.endswith(".\n")
    assert _run(capsys, "read", none)[1].endswith("nothing is known.\n")


@pytest.mark.parametrize("kind", ["missing", "pipe", "xml", "device"])
def test_a_path_that_is_no_report(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That was named: one sentence. In a directory it is passed over, and never waited for."""
    path = Path("/dev/null") if kind == "device" else tmp_path / "x"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "xml":
        path.write_text("<?xml version='1.0'?><feedback/>")
    code, out, err = _run(capsys, "read", path)
    if kind == "xml":
        assert (code, "XML or HTML" in out) == (3, True)
    else:
        assert (code, out) == (2, "")
        assert str(path) in err
        assert err.count("\n") == 1
    if kind != "missing":
        assert _json(capsys, tmp_path)["others"] == (kind != "device")


def test_hostile_words_are_shown_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a report, its mail and its file are called."""
    evil = "\x1b[2J\u202e\r\nrefused  x\ud800"
    document = report(
        evil,
        policy(
            evil,
            0,
            1,
            failure(evil, receiving_mx_hostname=evil, receiving_ip=evil, failure_reason_code=evil),
            policy_domain=evil,
        ),
        report_id=evil,
        contact_info=evil,
    )
    text = json.dumps(document).replace("\\ud800", "")
    (tmp_path / "a\x1b[2J.json").write_text(text)
    (tmp_path / "b\x1b[2J.json").write_text("{}")
    (tmp_path / "c.eml").write_bytes(mailed(b"{}").replace(b"sender.example!", b"\x1b[2J!"))
    code, out, _ = _run(capsys, "read", tmp_path)
    assert code == 1
    assert all(line.isprintable() for line in out.split("\n"))
    assert "\\x1b[2J\\u202e" in out
    done = mailseal("tlsrpt", "read", "--json", str(tmp_path))
    assert all(line.isprintable() for line in done.stdout.split("\n"))
    assert json.loads(done.stdout)["domains"][0]["organizations"][0]["organization"] == evil[:-1]


def test_failures_are_set_beside_an_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the id of a kept run, or `latest`."""
    where = place(str(tmp_path / "history.db"))
    assert where is not None
    run = cluster()
    keep(where, dated(run, at(0)), at(0))
    path = tmp_path / "r.json"
    details = failure("certificate-expired", receiving_mx_hostname="mx1")
    path.write_text(json.dumps(report("x", policy("sts", 0, 1, details))))
    history = ("--history", where.file, "--run", "latest")
    found = _json(capsys, path, *history)
    assert found["audit"]["started"] == "2026-11-28T03:00:00.000Z"
    (failed,) = found["domains"][0]["organizations"][0]["failures"]
    assert failed["beside"] == {"sight": "nothing wrong", "seen": []}
    _, out, _ = _run(capsys, "read", path, *history)
    assert "our audit of another day, 2026-11-28 saw nothing wrong" in out
    assert _json(capsys, path)["audit"] is None
    for words in (("--history", "none", "--run", "latest"), (*history[:3], "nonsense")):
        code, out, err = _run(capsys, "read", path, *words)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1


def _log(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{one}\n" for one in lines))
    return path


def test_what_we_write_we_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each report of ours is one that others could send us."""
    whole = _log(tmp_path / "whole", *(one for rows, *_ in SAMPLES.values() for one in rows))
    out = tmp_path / "out"
    code, said, err = _run(capsys, "write", *_WRITE, *_DAY, "--out", out, whole)
    assert code == 0
    assert "9 reports in" in said
    assert "in clear, of which the log does not say why: 1" in err
    assert "the logs begin within these days, at 2026-11-23 21:55 UTC" in err
    assert "the logs end within these days, at 2026-11-23 22:30 UTC" in err
    found = _json(capsys, out)
    assert found["reports"] == 9
    assert sum(one["sessions"]["ok"] for one in found["domains"]) == 3
    assert sum(one["sessions"]["failed"] for one in found["domains"]) == 13


def test_lines_in_syslog_are_read_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With and without Exim's own stamp, beside lines of others."""
    unstamped = DELIVERED.removeprefix("2026-11-23 10:00:00 ")
    mine = [
        f"Nov 23 10:00:01 mx1 exim[77]: {DELIVERED}",
        f"Nov 23 10:00:02 mx1 exim[78]: {unstamped}",
    ]
    log = _log(tmp_path / "mail.log", *mine, "Nov 23 10:00:03 mx1 sshd[9]: Connection closed")
    stamp = datetime(2026, 11, 23, 11, tzinfo=UTC).timestamp()
    os.utime(log, (stamp, stamp))
    out = tmp_path / "out"
    assert _run(capsys, "write", *_WRITE, *_DAY, "--out", out, log)[0] == 0
    (path,) = out.iterdir()
    summary = json.loads(path.read_text())["policies"][0]["summary"]
    assert summary["total-successful-session-count"] == 2


def test_options_of_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The address that mail is sent from, mail in clear, and who wants reports."""
    log = _log(tmp_path / "mainlog", PLAIN)
    assert _run(capsys, "write", *_WRITE, *_DAY, "--out", tmp_path / "none", log)[0] == 3
    wanted = tmp_path / "wanted"
    wanted.write_text("a.test mailto:tls@a.test\n")
    more = ("--count-clear", "--ip", "2001:db8::1", "--recipients", wanted)
    out = tmp_path / "out"
    code, _, err = _run(capsys, "write", *_WRITE, *_DAY, *more, "--out", out, log)
    assert code == 0
    assert "does Exim log +tls_cipher?" in err
    (report_of_it,) = out.glob("*.json")
    details = json.loads(report_of_it.read_text())["policies"][0]["failure-details"]
    assert details[0]["sending-mta-ip"] == "2001:db8::1"
    assert details[0]["result-type"] == "starttls-not-supported"
    assert b"To: tls@a.test" in next(out.glob("*.eml")).read_bytes()


def test_nothing_to_report_on_is_not_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Yesterday is what is asked for, and the log is older; or it cannot be read."""
    log = _log(tmp_path / "mainlog", DELIVERED)
    code, out, _ = _run(capsys, "write", *_WRITE, "--out", tmp_path / "out", log)
    assert (code, out) == (3, f"0 reports in {tmp_path / 'out'}\n")
    unclear = _log(tmp_path / "other", DELIVERED, DELIVERED.replace(" R=l", ""))
    code, out, err = _run(capsys, "write", *_WRITE, *_DAY, "--out", tmp_path / "out", unclear)
    assert (code, "1 report in" in out) == (3, True)
    assert "cannot be read: 1" in err


def test_nobody_waits_for_somebody_to_write_a_log_to_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = ("tlsrpt", "write", *_WRITE, "--out", str(tmp_path / "out"), str(pipe))
    done = run(str(BIN / "mailseal"), *words, seconds=60)
    assert done.returncode == 2
    assert done.stderr == f"mailseal: {pipe} is no log: it is no regular file\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "9999-01-01"), "not over"),
        (("--from", "2026-11-24", "--to", "2026-11-23"), "after"),
        (("--own", "x"), "no network"),
        (("--recipients", "/nowhere"), "/nowhere"),
        (("--out", "/dev/null/x"), "/dev/null"),
    ],
)
def test_wrong_options_of_writing(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, and nothing is written."""
    out = tmp_path / "out"
    log = _log(tmp_path / "mainlog", DELIVERED)
    code, printed, err = _run(capsys, "write", *_WRITE, "--out", out, log, *words)
    assert (code, printed) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not list(out.glob("*"))


@pytest.mark.parametrize(
    "words", [("--contact", "nobody"), ("--ip", "x"), ("--zone", "Nowhere/X"), ("--zone", "/etc")]
)
def test_options_that_are_none(
    words: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parser says which."""
    with pytest.raises(SystemExit) as ended:
        main(["tlsrpt", "write", *_WRITE, "--out", str(tmp_path), "x", *words])
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_today_is_not_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports are about whole days of UTC; yesterday is one."""
    log = _log(tmp_path / "mainlog", DELIVERED)
    today = datetime.now(tz=UTC).date()
    for day, code in ((today, 2), (today - timedelta(days=1), 3)):
        words = ("--out", tmp_path / "out", "--from", day.isoformat(), log)
        assert _run(capsys, "write", *_WRITE, *words)[0] == code


def test_help_has_examples() -> None:
    """Of both actions."""
    for action in ("read", "write"):
        done = mailseal("tlsrpt", action, "--help")
        assert done.returncode == 0
        assert f"example: mailseal tlsrpt {action}" in done.stdout
        assert "exit codes: 0 " in done.stdout

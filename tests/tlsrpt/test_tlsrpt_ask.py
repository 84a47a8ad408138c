"""Who wants reports, asked of DNS."""

import time
from collections.abc import Mapping
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from audit.cli import main
from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.tlsrpt.ask import Asked, ask
from tests.domain.hostile import Speech, answer, nameserver
from tests.tlsrpt.lines import SAMPLES, X, line

_SOA = "test. SOA ns. root. 1 2 3 4 5"
_RPT = '"v=TLSRPTv1; rua={}"'


def _speech(records: Mapping[str, list[str]], broken: tuple[str, ...] = ()) -> Speech:
    """Answers for _smtp._tls of domains; of some nothing can be had."""

    def say(query: dns.message.Message) -> bytes:
        name = query.question[0].name.to_text(omit_final_dot=True)
        if name.removeprefix("_smtp._tls.") in broken:
            return answer(query, rcode=dns.rcode.SERVFAIL)
        found = [
            f"{name}. TXT {text}" for text in records.get(name.removeprefix("_smtp._tls."), ())
        ]
        return answer(query, *found, authority="" if found else _SOA, flags=dns.flags.AD)

    return say


def _asked(
    records: Mapping[str, list[str]], *names: str, broken: tuple[str, ...] = (), until: float = 60
) -> Asked:
    with nameserver(_speech(records, broken)) as at:
        return ask(names, Resolver([at], time.monotonic() + until))


def test_addresses_are_those_of_the_one_record() -> None:
    """By mail; who wants them elsewhere gets no mail, and who says too much no report."""
    records = {
        "mail.test": [_RPT.format("mailto:a@mail.test,MAILTO:b@else.test")],
        "web.test": [_RPT.format("https://web.test/r")],
        "both.test": [_RPT.format("https://web.test/r,mailto:a@both.test")],
        "twice.test": [_RPT.format("mailto:a@b.test"), _RPT.format("mailto:c@d.test")],
        "odd.test": [_RPT.format("ftp://x")],
        "other.test": ['"v=spf1 -all"'],
    }
    found = _asked(records, *records, "none.test")
    assert found.wanted == {
        "mail.test": ("a@mail.test", "b@else.test"),
        "web.test": (),
        "both.test": ("a@both.test",),
    }
    assert not found.untold


def test_who_could_not_be_asked_is_not_taken_for_one_who_wants_none() -> None:
    """A zone that is down, a resolver that is, and what there was no time for."""
    records = {"good.test": [_RPT.format("mailto:a@good.test")]}
    found = _asked(records, "good.test", "lame.test", broken=("lame.test",))
    assert found.wanted == {"good.test": ("a@good.test",), "lame.test": ()}
    assert "SERVFAIL" in found.untold["lame.test"]
    late = _asked(records, "good.test", until=0)
    assert late.wanted == {"good.test": ()}
    assert "was not asked" in late.untold["good.test"]


_LOG = [*SAMPLES["dane"][0], line("1b", f"=> u@a.test R=l T=s H=m.a.test [192.0.2.8] {X} CV=yes")]


@pytest.mark.parametrize("down", [False, True])
def test_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], down: bool
) -> None:
    """Reports of those who want them, with mails; if the resolver is down all, and it is said."""
    log, out = tmp_path / "mainlog", tmp_path / "out"
    log.write_text("\n".join([*_LOG, ""]))
    records = {"a.test": [_RPT.format("mailto:tls@a.test")]}
    with nameserver(_speech(records)) as at:
        where = Nameserver(at.address, 9) if down else at
        code = main([
            *("tlsrpt", "write", "--organization", "o", "--contact", "a@example.org"),
            *("--from", "2026-11-23", "--zone", "UTC", "--out", str(out), str(log)),
            *("--ask", "--resolver", str(where)),
        ])  # fmt: skip
    said = capsys.readouterr().err
    made = sorted(path.name.split("!")[1] + path.suffix for path in out.iterdir())
    if down:
        assert made == ["a.test.json", "two.lab.test.json"]
        assert "of 2 domains could not be told who wants its reports, which are written" in said
        assert code == 3
    else:
        assert made == ["a.test.eml", "a.test.json"]
        assert "To: tls@a.test" in next(out.glob("*.eml")).read_text()
        assert code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--resolver", "192.0.2.1"], "--resolver: is for --ask"),
        (["--ask", "--resolver", "ns.test"], "--resolver: 'ns.test' is not ADDRESS"),
        (["--mta-sts", "/nowhere"], "/nowhere cannot be read: No such file or directory"),
    ],
)
def test_wrong_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    """One sentence, before anything is read."""
    out = ["--out", str(tmp_path / "out"), str(tmp_path / "no-such-log")]
    code = main(["tlsrpt", "write", "--organization", "o", "--contact", "a@b.test", *words, *out])
    assert (code, capsys.readouterr().err[: len(sentence) + 10]) == (2, f"mailseal: {sentence}")


def test_a_file_and_dns_are_not_asked_both(capsys: pytest.CaptureFixture[str]) -> None:
    """Which of them counts would be a guess."""
    words = ["--organization", "o", "--contact", "a@b.test", "--out", "x", "log"]
    with pytest.raises(SystemExit) as ended:
        main(["tlsrpt", "write", "--ask", "--recipients", "f", *words])
    assert ended.value.code == 2
    assert "not allowed with argument" in capsys.readouterr().err

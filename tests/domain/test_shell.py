"""`mailseal scan --domain` on resolvers that are not there, silent or hostile, as it is typed."""

import time
from types import SimpleNamespace

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import pytest

from audit.cli import main
from audit.domain import resolver
from tests.domain.hostile import Speech, answer, nameserver


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_SECONDS", 0.3)


def _scan(speech: Speech, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with nameserver(speech) as at:
        started = time.monotonic()
        code = main(["scan", "--domain", "example.org", "--resolver", str(at), *words])
        assert time.monotonic() - started < 20
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.usefixtures("hurried")
def test_a_silent_resolver_is_told_once_and_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that needed an answer reads as fine."""
    code, out, err = _scan(lambda query: [], capsys)
    assert code == 3
    assert "does not answer in time" in out
    assert " 0 passed, 0 failed, 9 inconclusive" in out.splitlines()[-1]
    assert not err


def _all_the_same(query: dns.message.Message) -> bytes:
    return answer(query, rcode=dns.rcode.REFUSED)


def test_a_resolver_that_refuses_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    """One that does not know us."""
    code, out, _ = _scan(_all_the_same, capsys)
    assert code == 3
    assert "answers REFUSED" in out


def test_a_domain_that_is_not_there_but_bogus_is_no_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nobody has proven that there is none."""

    def speech(query: dns.message.Message) -> bytes:
        if not query.flags & dns.flags.CD:
            return answer(query, rcode=dns.rcode.SERVFAIL)
        return answer(query, rcode=dns.rcode.NXDOMAIN, authority="org. SOA ns. root. 1 2 3 4 5")

    code, out, _ = _scan(speech, capsys)
    assert code == 1
    assert "MT-DNSSEC-VALID  MX of example.org does not validate" in out


def test_hostile_words_do_no_harm_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and texts are whatever somebody put there."""
    hostile = r"\027[2J\226\128\174x"

    def speech(query: dns.message.Message) -> bytes:
        kind = query.question[0].rdtype.name
        name = query.question[0].name.to_text()
        lines = {
            "MX": [f"{name} MX 10 {hostile}.example."],
            "TXT": [f'{name} TXT "v=TLSRPTv1; rua=mailto:{hostile}@x"'],
        }
        return answer(query, *lines.get(kind, []), flags=dns.flags.AD)

    code, out, err = _scan(speech, capsys)
    assert code == 1
    assert all(line.isprintable() for line in (out + err).splitlines())


def test_the_systems_resolvers_are_asked_by_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of resolv.conf."""
    with nameserver(_all_the_same) as at:
        found = SimpleNamespace(nameservers=[at.address], port=at.port)
        monkeypatch.setattr(dns.resolver, "Resolver", lambda: found)
        assert main(["scan", "--domain", "example.org"]) == 3
    assert f"{at} answers REFUSED" in capsys.readouterr().out


def test_a_system_without_a_resolver_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, with what to do."""

    def none() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver, "Resolver", none)
    assert main(["scan", "--domain", "example.org"]) == 3
    assert "name one with --resolver" in capsys.readouterr().err

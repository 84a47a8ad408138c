"""Every parser of untrusted input: the kept corpus, its mutations, and a short look by atheris."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement

from audit.domain import reading
from audit.inspect import parse
from audit.judge import path
from audit.report import tlsrpt_text
from audit.tlsrpt import exim
from audit.traffic import exim_block
from audit.traffic.exim import Event
from audit.wire import answer, dialogue, login, mta_sts, tls_rpt
from audit.wire.reply import ReplyReader
from audit.wire.server_hello import Accepted
from tests.fuzz import answers, clients, fuzz
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import CORPUS, TARGETS, check, inputs

ROOT = Path(__file__).parent.parent.parent
SECONDS = 3
MAIN = (
    "answer",
    "client-hello",
    "reply",
    "dialogue",
    "certificate",
    "bent-certificate",
    "host",
    "log",
    "sts-policy",
    "dns-message",
    "tls-report",
    "tls-sessions",
)
LARGEST_CORPUS = 400_000


def _replay(name: str) -> None:
    for source, data in inputs(name).items():
        try:
            check(name, data)
        except BaseException as error:
            error.add_note(f"input: {source}")
            raise


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_no_invariant(name: str) -> None:
    """What once crashed or reached far does so without harm."""
    _replay(name)


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    """It is read by people too, and no folder outlives its target."""
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST_CORPUS
    assert {path.parent.name for path in files} <= {*TARGETS} == {*SEEDS}
    assert all(path.name == fuzz.name_of(path.read_bytes()) for path in files)


# The target, what it looks at, and a broken twin of that which the target must notice.
TWINS: dict[str, tuple[object, str, object]] = {
    "answer": (answer.Reader, "end", lambda self: self.answer or answer.Closed()),
    "server-hello": (answers, "server_hello", lambda body: Accepted("TLSv1.2", None)),
    "client-hello": (clients, "normal", lambda data: data[:-1]),
    "reply": (ReplyReader, "rest", b""),
    "dialogue": (dialogue, "_CONTINUE", 0),
    "login": (login, "verdict", lambda *_, **__: "refused"),
    "endless": (answer, "_MOST_BYTES", 1 << 19),
    "certificate": (path, "find", lambda _, served: served),
    "bent-certificate": (path, "find", lambda _, served: served),
    "host": (parse._Collector, "take", lambda *_: None),
    "log": (exim_block, "parse", lambda _: Event("other")),
    "sts-policy": (mta_sts.Policy, "covers", lambda *_: False),
    "domain-texts": (tls_rpt, "_PLACE", re.compile(".*")),
    "dns-message": (reading, "_record", lambda _: "two\nlines"),
    "tls-report": (tlsrpt_text, "visible", lambda text, **_: text),
    "tls-sessions": (exim, "_sent", lambda *_, **__: None),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_notices_a_broken_parser(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that never saw anything broken is no target."""
    monkeypatch.setattr(*TWINS[name])
    with pytest.raises(AssertionError):
        _replay(name)


@st.composite
def damaged(draw: st.DrawFn, known: list[bytes]) -> bytes:
    """A known input with pieces changed, cut out, doubled or taken from another one."""
    data = bytearray(draw(st.sampled_from(known)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 16)))
        other = draw(st.sampled_from(known))
        at = draw(st.integers(0, len(other)))
        piece = draw(st.one_of(st.binary(max_size=8), st.just(other[at : at + 64])))
        data[start:end] = piece
    return bytes(data[: fuzz.LARGEST_INPUT])


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_and_random_inputs_break_no_invariant(name: str) -> None:
    """Real words bent by hypothesis, and noise."""
    known = list(inputs(name).values())
    slow = name in ("endless", "bent-certificate", "certificate")

    @settings(
        max_examples=10 if slow else 60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.one_of(damaged(known), st.binary(max_size=200)))
    def holds(data: bytes) -> None:
        check(name, data)

    holds()


def _marker() -> Marker:
    """For which machines atheris is locked."""
    locked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    found = re.search(r"^atheris==\S+ ; (.*) \\$", locked, re.MULTILINE)
    assert found, "atheris is locked without saying for which machines"
    return Marker(found[1])


def test_atheris_is_locked_for_the_machines_it_is_wanted_on() -> None:
    """The lock file says the same as the project."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(line) for line in project["optional-dependencies"]["dev"]]
    assert [one.marker for one in wanted if one.name == "atheris"] == [_marker()]


@pytest.mark.parametrize("name", MAIN)
def test_atheris_finds_nothing_in_a_short_time(name: str, tmp_path: Path) -> None:
    """`make fuzz` looks longer."""
    if importlib.util.find_spec("atheris") is None:
        if not _marker().evaluate():
            pytest.skip(f"atheris is ready-made only where {_marker()}")
        pytest.fail("atheris is not installed: make setup-dev")
    session = fuzz.run(name, SECONDS, tmp_path)
    assert session.crash is None, session.log[-4000:]
    assert session.runs > len(SEEDS[name]), session.log[-4000:]

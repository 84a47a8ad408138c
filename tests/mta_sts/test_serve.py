"""What Exim is answered, and a helper that holds whatever comes."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from audit.mta_sts import __main__, serve
from audit.mta_sts.cache import Cache
from audit.mta_sts.discovery import Discovery
from audit.mta_sts.kept import Kept
from audit.mta_sts.page import Page
from audit.wire.mta_sts import Policy
from tests.servers import serving

GOOD = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 86400\r\n"
PAGE = Page(200, "text/plain", GOOD)
WRONG = [
    (Page(fault="its certificate does not verify"), "its certificate does not verify"),
    (Page(doubt="not done within 60 s"), "not done within 60 s"),
    (Page(301, "text/plain", GOOD), "status 301"),
    (Page(404, "text/plain", GOOD), "status 404"),
    (Page(204, "text/plain"), "status 204"),
    (Page(200, "text/html", GOOD), "text/html, and not text/plain"),
    (Page(200, "", GOOD), "missing, and not text/plain"),
    (Page(200, "text/plain", GOOD, whole=False), "larger than senders read"),
    (Page(200, "text/plain", GOOD.replace(b"STSv1", b"STSv2")), "'STSv2'"),
    (Page(200, "text/plain", GOOD.replace(b"86400", b"99999999")), "'99999999'"),
    (Page(200, "text/plain", GOOD.replace(b"86400", b"1e9")), "'1e9'"),
    (Page(200, "text/plain", GOOD.replace(b"mx.example.org", b"a:b mode=none")), "no pattern"),
]


def test_a_page_has_a_policy() -> None:
    """With lines that end as RFC 8461 has them, or as Unix."""
    expected = Policy("enforce", 86_400, ("mx.example.org",))
    assert serve.policy(PAGE) == expected
    assert serve.policy(Page(200, "text/plain", GOOD.replace(b"\r", b""))) == expected


@pytest.mark.parametrize(("page", "words"), WRONG)
def test_a_page_has_none_for_a_sender(page: Page, words: str) -> None:
    """And says why."""
    with pytest.raises(ValueError, match=words):
        serve.policy(page)


def _discovery(directory: Path, log: list[str] | None = None) -> Discovery:
    def fetch(domain: str) -> Policy:
        if domain.startswith("slow"):
            time.sleep(3)
        return Policy("enforce", 86_400, (f"mx.{domain}", f"*.{domain}"))

    return Discovery(Cache(directory), fetch, time.time, (log if log is not None else []).append)


@pytest.mark.parametrize(
    "question",
    [
        b"",
        b"\n",
        b"localhost\nv=STSv1; id=1",
        b"[192.0.2.1]\nv=STSv1; id=1",
        b"::1\nv=STSv1; id=1",
        b"../../etc/passwd\nv=STSv1; id=1",
        b".new-1\nv=STSv1; id=1",
        b"a..example\nv=STSv1; id=1",
        b"-a.example\nv=STSv1; id=1",
        b"a\0.example\nv=STSv1; id=1",
        b"\xff\xfe.example\nv=STSv1; id=1",
        b"%s.example\nv=STSv1; id=1" % (b"a" * 64),
        b"%s\nv=STSv1; id=1" % b".".join([b"a"] * 200),
        b"example.org",
        b"example.org\nv=STSv1; id=1\nv=STSv1; id=2",
        b"example.org\n\x00\xff" + b"x" * 70_000,
    ],
)
def test_what_is_no_question_has_no_policy(question: bytes, tmp_path: Path) -> None:
    """And leaves no file, there or anywhere."""
    assert serve.answer(question, _discovery(tmp_path)) == "mode=none"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Example.ORG", "example.org.", "example.org\r"])
def test_names_are_taken_as_dns_does(name: str, tmp_path: Path) -> None:
    """In the form that goes over the wire."""
    line = serve.answer(f"{name}\nv=STSv1; id=1".encode(), _discovery(tmp_path))
    assert line.startswith("mode=enforce until=")
    assert line.endswith(" id=1 mx=mx.example.org:*.example.org")
    assert [path.name for path in tmp_path.iterdir()] == ["example.org"]


def test_a_name_in_other_letters_is_its_a_labels(tmp_path: Path) -> None:
    """As its policy host is called."""
    line = serve.answer("bücher.example\nv=STSv1; id=1".encode(), _discovery(tmp_path))
    assert line.endswith("mx=mx.xn--bcher-kva.example:*.xn--bcher-kva.example")


@contextmanager
def _served(directory: Path) -> Iterator[Path]:
    (directory / "cache").mkdir()
    path = directory / "socket"
    with serving(serve.Server(path, _discovery(directory / "cache"))):
        yield path


def _ask(path: Path, question: bytes, *, end: bool = True) -> bytes:
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(10)
        link.connect(str(path))
        link.sendall(question)
        if end:
            link.shutdown(socket.SHUT_WR)
        found = b""
        while part := link.recv(4096):
            found += part
        return found


def test_questions_come_over_a_socket(tmp_path: Path) -> None:
    """One line each; one that waits keeps nobody else waiting."""
    with _served(tmp_path) as path:
        begun = time.monotonic()
        slow = threading.Thread(target=_ask, args=(path, b"slow.example\nv=STSv1; id=1"))
        slow.start()
        assert _ask(path, b"example.org\nv=STSv1; id=1").startswith(b"mode=enforce until=")
        assert _ask(path, b"example.org").endswith(b" mx=mx.example.org:*.example.org\n")
        assert time.monotonic() - begun < 2.5
        slow.join()


def test_who_asks_too_much_or_never_ends_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer, which Exim takes for none, and without a thread that stays."""
    monkeypatch.setattr(serve, "_SECONDS", 0.5)
    with _served(tmp_path) as path:
        threads = threading.active_count()
        assert _ask(path, b"example.org\nv=STSv1; id=1", end=False) == b""
        with suppress(OSError):  # as a broken pipe, or with nothing
            assert _ask(path, b"x" * (4 << 20)) == b""
        assert _ask(path, b"example.org").startswith(b"mode=none")
        end = time.monotonic() + 5
        while threading.active_count() > threads and time.monotonic() < end:
            time.sleep(0.05)
        assert threading.active_count() <= threads


def test_threads_that_are_not_to_be_had_are_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As many questions as there may be at a time are lost; the next one is answered."""
    monkeypatch.setattr(serve, "_AT_A_TIME", 3)
    start = threading.Thread.start

    def none(thread: threading.Thread) -> None:
        if "process_request_thread" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    with _served(tmp_path) as path:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", none)
            for _ in range(4):
                with suppress(OSError):  # it may be gone before we have asked
                    assert _ask(path, b"example.org") == b""
        assert _ask(path, b"example.org").startswith(b"mode=none")
    assert capfd.readouterr().err.count("RuntimeError: can't start new thread") == 4


def test_what_is_kept_is_refreshed_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the disk, or where there are no threads: said, and tried the next time."""
    failures: list[Exception] = [OSError(5, "Input/output error"), RuntimeError("no thread")]
    said: list[str] = []

    class Ended(Exception):
        pass

    class Failing(Discovery):
        def __init__(self) -> None:
            pass

        def refresh(self) -> None:
            raise failures.pop(0) if failures else Ended

    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(Ended):
        serve.keep_fresh(Failing(), said.append, 1)
    assert said == [
        "what is kept cannot be refreshed (Input/output error)",
        "what is kept cannot be refreshed (no thread)",
    ]


def _helper(directory: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "audit.mta_sts", "--socket", str(directory / "socket")]
    command += ["--cache", str(directory / "cache"), *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_second_helper_says_that_there_is_one(tmp_path: Path) -> None:
    """And leaves its socket alone; after a kill the next one begins at once."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/example.org").write_text(
        Kept(Policy("enforce", 86_400, ("mx.example.org",)), "1", int(time.time())).line + "\n"
    )
    for _ in range(2):
        with _helper(tmp_path) as first:
            end = time.monotonic() + 20
            answer = b""
            while not answer and time.monotonic() < end:
                try:
                    answer = _ask(tmp_path / "socket", b"example.org")
                except OSError:
                    time.sleep(0.1)
            assert answer.startswith(b"mode=enforce ")
            with _helper(tmp_path) as second:
                assert second.wait(20) == 2
                assert second.stderr is not None
                assert "another helper has the cache" in second.stderr.read()
            assert _ask(tmp_path / "socket", b"example.org") == answer
            first.kill()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cache", "/nonexistent"), "/nonexistent/.lock: No such file or directory"),
        (("--ca-file", "/nonexistent"), "/nonexistent: cannot be read"),
        (("--ca-file", "/dev/null"), "holds no CA certificate"),
        (("--socket", "/nonexistent/socket"), "No such file or directory"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With the exit code of wrong usage."""
    base = ["--socket", str(tmp_path / "socket"), "--cache", str(tmp_path)]
    assert __main__.main([*base, *words]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_sentence_for_the_log_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever strangers put in it."""
    __main__._log(syslog=False)("a\nb\x1b[31m\u202e \u00fc" + "x" * 1000)
    err = capfd.readouterr().err.splitlines()[-1]
    assert "a?b?[31m? \\xfc" in err
    assert len(err) < 500

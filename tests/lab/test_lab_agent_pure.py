"""Breaking and mending, tried on files of our own."""

import os
from pathlib import Path
from typing import Any

import pytest

from lab import agent


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(agent, "STORE", tmp_path / "store")
    monkeypatch.setattr(agent, "wait_for", lambda *_: None)
    path = tmp_path / "etc" / "imapd.conf"
    path.parent.mkdir()
    path.write_text("tls_ciphers: A:B:C:@SECLEVEL=2\nallowplaintext: no\n", encoding="utf-8")
    path.chmod(0o640)
    os.utime(path, ns=(1_000_000_001, 2_000_000_002))
    os.utime(path.parent, ns=(1_000_000_001, 3_000_000_003))
    return path


def job(fault: str, *changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": "break",
        "fault": fault,
        "changes": changes,
        "service": None,
        "restart": False,
        "closed": [],
        "opened": [],
    }


def look(path: Path) -> tuple[str, int, int, int]:
    status = path.stat()
    return (
        path.read_text(encoding="utf-8"),
        status.st_mode,
        status.st_mtime_ns,
        path.parent.stat().st_mtime_ns,
    )


def test_two_faults_are_mended_together(conf: Path) -> None:
    """Mending undoes all faults, back to before the first, and removes what was new."""
    before = look(conf)
    option = {"op": "option", "path": str(conf), "key": "allowplaintext", "value": "yes"}
    new = {"op": "write", "path": str(conf.parent / "new" / "file"), "content": "x"}
    assert agent.main(job("one", option, new)) == {"faults": ["one"]}
    assert agent.main(job("two", {"op": "chmod", "path": str(conf), "mode": "0644"}))["faults"] == [
        "one",
        "two",
    ]
    assert "allowplaintext: yes" in conf.read_text(encoding="utf-8")
    assert agent.main({"action": "mend"}) == {"faults": []}
    assert look(conf) == before
    assert not (conf.parent / "new").exists()


def test_a_program_that_has_grown_is_another_and_comes_back(conf: Path) -> None:
    """Its mode and owner stay; mending brings the bytes back."""
    before = look(conf)
    agent.main(job("one", {"op": "grow", "path": str(conf)}))
    assert conf.read_bytes() == before[0].encode() + b"\0"
    assert conf.stat().st_mode == before[1]
    agent.main({"action": "mend"})
    assert look(conf) == before


def test_the_same_fault_twice_is_refused(conf: Path) -> None:
    """A host that has a fault cannot be given it again."""
    one = job("one", {"op": "chmod", "path": str(conf), "mode": "0644"})
    agent.main(one)
    assert "already has" in agent.main(one)["error"]


def test_nothing_to_mend_is_said(conf: Path) -> None:
    """Mending a whole host is refused with a sentence."""
    assert conf.exists()
    assert agent.main({"action": "mend"})["error"] == "has nothing to mend"


def test_a_change_that_does_not_fit_leaves_the_host_as_it_was(conf: Path) -> None:
    """When a later change fails, the earlier ones are undone."""
    before = look(conf)
    first = {"op": "option", "path": str(conf), "key": "a", "value": "b"}
    second = {"op": "substitute", "path": str(conf), "pattern": "^nothing", "replacement": ""}
    answer = agent.main(job("one", first, second))
    assert "no line like" in answer["error"]
    assert answer["faults"] == []
    assert look(conf) == before


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ({"reverse": True}, "C:B:A:@SECLEVEL=2"),
        ({"add": ["D"]}, "A:B:C:@SECLEVEL=2:D"),
    ],
)
def test_cipher_lists_are_derived(conf: Path, how: dict[str, Any], value: str) -> None:
    """A service's list is made from the host's own; commands keep their place at the end."""
    change = {"op": "option", "path": str(conf), "key": "x_tls_ciphers", "base": "tls_ciphers"}
    agent.main(job("one", {**change, **how}))
    assert f"x_tls_ciphers: {value}\n" in conf.read_text(encoding="utf-8")

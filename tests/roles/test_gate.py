"""What the gate asks for, and the sentence that it ends with."""

from typing import Any

import pytest

from tests.plugins import loaded, rendered


def _said(serving: bool | None, *otherwise: str) -> str:
    """The sentence about a host that went back."""
    (block,) = loaded("roles/gate/tasks/back.yml")
    task = next(t for t in block["block"] if "ansible.builtin.set_fact" in t)
    facts: dict[str, Any] = {} if serving is None else {"serving": serving}
    variables = {**task["vars"], "mailseal_pending": {"facts": facts}}
    variables["__mailseal_gate_other"] = list(otherwise)
    template = task["ansible.builtin.set_fact"]["mailseal_gate_back"]
    return str(rendered(template, variables))


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        (True, "it serves as before"),
        (None, "it serves as before"),  # its daemon was not touched
        (False, "the audit finds it as before"),
    ],
)
def test_who_did_not_serve_is_not_said_to_serve_again(serving: bool | None, words: str) -> None:
    """The rollout has just said that it does not run, as before."""
    assert _said(serving) == words


@pytest.mark.parametrize(("serving", "verb"), [(True, "serves"), (False, "is")])
def test_what_is_otherwise_is_named(serving: bool, verb: str) -> None:
    """Loudly, whether it serves or not."""
    assert (
        _said(serving, "new: x", "lost: y") == f"it {verb} OTHERWISE than before: new: x; lost: y"
    )


def test_a_host_is_looked_at_as_a_part_of_its_cluster() -> None:
    """So that what others serve for its mail domains does not keep it from passing."""
    tasks = loaded("roles/gate/tasks/look.yml")
    look = next(t for t in tasks if "audit" in str(t.get("ansible.builtin.command")))
    argv = look["ansible.builtin.command"]["argv"]
    assert argv[argv.index("--limit") + 1] == "{{ inventory_hostname }}"


def test_nothing_of_a_killed_run_is_left_when_it_is_looked() -> None:
    """Neither what it saw, which would be taken for this look, nor the password that it used."""
    room, *_ = loaded("roles/gate/tasks/look.yml")
    gone = [one["path"].rpartition("/")[2] for one in room["loop"] if one.get("state") == "absent"]
    assert gone == ["run.json", "account.json"]
    assert "state" in room["ansible.builtin.file"]


def test_a_login_that_could_not_be_tried_says_why() -> None:
    """By the auditor's last sentence, as a look that was not made does."""
    tasks = loaded("roles/gate/tasks/passage.yml")
    task = next(t for t in tasks if t["name"] == "Stop where nobody tried")
    tried = {"rc": 2, "stderr_lines": ["mailseal: there is no host imap9"]}
    said = rendered(task["ansible.builtin.fail"]["msg"], {"__mailseal_gate_passage": tried})
    words = "nobody could be logged in and no mail sent: mailseal: there is no host imap9"
    assert " ".join(said.split()) == words

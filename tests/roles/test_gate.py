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
    """By the auditor's last sentence, and so does a look that was not made."""
    tried = {"rc": 2, "msg": "non-zero return code", "stderr": "...\nmailseal: no host imap9\n"}
    for file, name, words in (
        ("passage", "Stop where nobody tried", "nobody could be logged in and no mail sent"),
        ("look", "Stop where there was no look", "the audit was not made"),
    ):
        (task,) = (t for t in loaded(f"roles/gate/tasks/{file}.yml") if t["name"] == name)
        variables = {f"__mailseal_gate_{file}": tried}
        said = rendered(task["ansible.builtin.fail"]["msg"], variables)
        assert said == f"{words}: mailseal: no host imap9"

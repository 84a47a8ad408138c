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

"""What rollback.yml notes of the state that it leaves, so that it can be gone back to as well."""

from typing import Any

import pytest

from tests.plugins import loaded, rendered

TASKS = loaded("roles/host/tasks/rollback.yml")


def _named(tasks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(task for task in tasks if task["name"] == name)


@pytest.mark.parametrize(("running", "ports"), [([7], [993]), ([], [])])
def test_what_is_noted_is_how_it_serves_now(running: list[int], ports: list[int]) -> None:
    """Not how it served then: it may have been down, or on other ports."""
    then = {"service": "cyrus", "commands": [["x"]], "serving": not running, "ports": [110, 143]}
    block = _named(TASKS, "Go back to it")
    variables = {
        "mailseal_snapshot_note": {"facts": then},
        "mailseal_deploy_serving": bool(running),
        "__mailseal_serving_now": {"running": running, "ports": ports},
    }
    now = rendered(block["vars"]["__mailseal_host_now"], variables)
    assert now == {**then, "serving": bool(running), "ports": ports}


def test_each_way_goes_by_its_own_note() -> None:
    """There by that of then; back by that of now, whatever was noted before it failed."""
    block = _named(TASKS, "Go back to it")
    there = _named(block["block"], "Have the daemon serve on what there was")["vars"]
    assert there["mailseal_deploy_note"] == "{{ mailseal_snapshot_note.facts }}"
    assert there["mailseal_snapshot_facts"] == "{{ __mailseal_host_now }}"
    back = _named(block["rescue"], "Have it as it was")["vars"]
    assert back["mailseal_deploy_note"] == "{{ __mailseal_host_now }}"
    assert "mailseal_deploy_note" not in block["vars"]


@pytest.mark.parametrize("pending", [{}, {"packages": {}}])
def test_where_nothing_could_be_noted_nothing_is_put_back(pending: dict[str, Any]) -> None:
    """It is looked first, and what is there now stays known."""
    block = _named(TASKS, "Go back to it")
    look, back, *_ = block["rescue"]
    assert look["ansible.builtin.include_role"] == {"name": "snapshot"}
    assert look["vars"] == {"mailseal_snapshot": "{{ mailseal_snapshot_note.name }}"}
    packages = {"name": "package_install", "tasks_from": "versions"}
    variables = {"mailseal_pending": pending, "__mailseal_host_packages": packages}
    found = rendered(back["vars"]["mailseal_deploy_before_restore"], variables)
    assert found == (packages if pending else {})

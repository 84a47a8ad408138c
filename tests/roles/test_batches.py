"""Which hosts a rollout begins with once another has failed."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from ansible.executor.playbook_executor import PlaybookExecutor

from tests.commands import BIN, ROOT, run
from tests.plugins import loaded, plugin

HOST = plugin("host/filter_plugins/mailseal_host.py")
HOSTS = [f"h{number}" for number in range(1, 10)]
PLAY = """
- hosts: all
  gather_facts: false
  serial: "{{ mailseal_host_batches }}"
  strategy: ansible.builtin.free
  vars_files: ["{{ role }}/vars/main.yml"]
  tasks:
    - name: Fail
      ansible.builtin.fail:
      when: inventory_hostname in fails

    # As one begins that had to wait for a free process.
    - name: Come later
      ansible.builtin.command: sleep 1

    - name: Say where it stopped
      ansible.builtin.debug:
        msg: "<{{ inventory_hostname }}: {{ __mailseal_host_stopped | join(' ') }}>"
"""


@pytest.mark.parametrize(
    "sizes", [[1, "25%", "100%"], ["100%"], [1], [2, 3], ["30%"], 4, "50%", [], [1, 0]]
)
def test_batches_are_cut_as_ansible_does(sizes: list[int | str] | int | str) -> None:
    """Whatever serial says: numbers, shares, one of them, the last one for the rest."""
    hosts = list(HOSTS)
    inventory = SimpleNamespace(get_hosts=lambda *_hosts, **_words: hosts)
    play = SimpleNamespace(
        hosts="all", order=None, serial=sizes if isinstance(sizes, list) else [sizes]
    )
    before: list[str] = []
    for batch in PlaybookExecutor._get_serialized_batches(
        SimpleNamespace(_inventory=inventory), play
    ):
        for host in batch:
            assert HOST.mailseal_batch(HOSTS, host, sizes) == batch
        before += batch
    assert before == HOSTS


def roll(tmp_path: Path, play: str, **more: object) -> str:
    """What such a play says of four hosts."""
    (tmp_path / "play.yml").write_text(play)
    words = {"fails": ["h1"], "role": str(ROOT / "roles" / "host"), **more}
    python = f"ansible_python_interpreter={BIN / 'python'}"
    return run(
        "env",
        f"ANSIBLE_FILTER_PLUGINS={ROOT}/roles/host/filter_plugins",
        str(BIN / "ansible-playbook"),
        *("-i", "h1,h2,h3,h4,", "-c", "local", "-e", json.dumps(words), "-e", python),
        str(tmp_path / "play.yml"),
    ).stdout


def test_only_a_batch_before_stops(tmp_path: Path) -> None:
    """Hosts of one batch stand each for itself, also those that begin after another has failed."""
    said = roll(tmp_path, PLAY, mailseal_host_batches=["50%"])
    found = dict(re.findall(r"<(h\d): (.*?)>", said))
    assert found == {"h2": "", "h3": "h1", "h4": "h1"}, said


def test_batches_that_ansible_does_not_make_are_none(tmp_path: Path) -> None:
    """Those of an inventory: the play is cut otherwise, and no host is begun."""
    stop, *_ = loaded("roles/host/tasks/main.yml")
    play = PLAY.replace('"{{ mailseal_host_batches }}"', '["50%"]')
    (plays,) = yaml.safe_load(play)
    plays["tasks"].insert(0, stop)
    text = yaml.safe_dump([plays])
    said = roll(tmp_path, text, mailseal_host_batches=["100%"])
    assert " ".join(said.split()).count("mailseal_batches counts only by --extra-vars (-e)") >= 2
    assert not re.findall(r"<(h\d): ", said), said
    said = roll(tmp_path, text, mailseal_host_batches=["50%"])
    assert sorted(re.findall(r"<(h\d): ", said)) == ["h2", "h3", "h4"]

"""Which hosts a rollout begins with once another has failed."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.executor.playbook_executor import PlaybookExecutor

from tests.commands import BIN, ROOT, run
from tests.plugins import plugin

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
            assert HOST.mailseal_earlier(HOSTS, host, sizes) == before
        before += batch
    assert before == HOSTS


def test_only_a_batch_before_stops(tmp_path: Path) -> None:
    """Hosts of one batch stand each for itself, also those that begin after another has failed."""
    (tmp_path / "play.yml").write_text(PLAY)
    more = {
        "mailseal_host_batches": ["50%"],
        "fails": ["h1"],
        "role": str(ROOT / "roles" / "host"),
    }
    done = run(
        "env",
        f"ANSIBLE_FILTER_PLUGINS={ROOT}/roles/host/filter_plugins",
        str(BIN / "ansible-playbook"),
        *(
            "-i",
            "h1,h2,h3,h4,",
            "-c",
            "local",
            "-e",
            f"ansible_python_interpreter={BIN / 'python'}",
            "-e",
            json.dumps(more),
            str(tmp_path / "play.yml"),
        ),
    )
    said = dict(re.findall(r"<(h\d): (.*?)>", done.stdout))
    assert said == {"h2": "", "h3": "h1", "h4": "h1"}, done.stdout

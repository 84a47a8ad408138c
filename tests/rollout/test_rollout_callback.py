"""A real ansible-playbook with the callback: small plays on this machine, no lab."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.report.ended import headline
from audit.rollout.model import Rollout
from audit.rollout.place import load, names
from tests.commands import BIN, ROOT, Done, run

SECRET = "hunter22hunter22"
PLAYBOOK = """
- name: Build
  hosts: builder
  gather_facts: false
  tasks:
    - name: Build it
      ansible.builtin.debug:

- name: Prepare
  hosts: all
  gather_facts: false
  tasks:
    - name: Name the servers
      ansible.builtin.copy:
        content: "nameserver ::1\\npassword: {{ site_password }}\\n"
        dest: "{{ home }}/{{ inventory_hostname }}.resolv"
        mode: "0600"
      diff: true

- name: Harden
  hosts: mail
  gather_facts: false
  strategy: ansible.builtin.free
  serial: "{{ mailseal_host_batches }}"
  any_errors_fatal: false
  vars:
    mailseal_phase: pre-flight
    mailseal_host_batches: [1, 2, "100%"]
  vars_files: [host.yml]
  tasks:
    - name: Harden one host
      ansible.builtin.include_tasks: one.yml
"""
# As the role host does it.
ONE = """
- name: Begin nothing where a batch before did not come to its end
  when: __mailseal_host_stopped | length > 0
  vars:
    mailseal_phase: held
  block:
    - name: Say why
      ansible.builtin.debug:
        msg: the rollout stopped

    - name: Leave it alone
      ansible.builtin.meta: end_host

- name: Look whether anybody else is at work here
  ansible.builtin.include_tasks: alone.yml

- name: Look whether it can be done
  ansible.builtin.fail:
    msg: there is no room; nothing was touched
  when: inventory_hostname == full | default('')

- name: Change it
  vars:
    mailseal_phase: change
  block:
    - name: Note it
      ansible.builtin.set_fact:
        mailseal_pending: {begun: 20261129T000000Z, rollout: x, facts: {}}

    - name: Write what is secret
      ansible.builtin.copy:
        content: "{{ site_password }} never-shown\\n"
        dest: "{{ home }}/{{ inventory_hostname }}.secret"
        mode: "0600"
      no_log: true
      diff: true

    - name: Wait for who kills it
      ansible.builtin.command: sleep 120
      when: inventory_hostname == slow | default('')

    - name: Fail with a secret in the words
      ansible.builtin.fail:
        msg: "{{ site_password }} is wrong"
      when: inventory_hostname == bad | default('')

    - name: Say how it ended
      ansible.builtin.set_fact:
        mailseal_host_state: passed
      vars:
        mailseal_phase: keep
  rescue:
    - name: Leave it as it was
      ansible.builtin.include_tasks: back.yml
      vars:
        mailseal_phase: back
"""
BACK = """
- name: Say how it ended
  ansible.builtin.set_fact:
    mailseal_host_state: back

- name: Say that this host goes no further
  ansible.builtin.fail:
    msg: "{{ inventory_hostname }}: {{ ansible_failed_result.msg }}; it serves as before"
"""
TASK = "    - name: Leave it alone\n      ansible.builtin.meta: end_host\n"
MAIL = ("a1", "a2", "a3", "a4")


class Site:
    """Playbooks, an inventory and a place for records."""

    def __init__(self, home: Path) -> None:
        self.home, self.records = home, home / "rollouts"
        for name, text in {
            "rollout.yml": PLAYBOOK,
            "other.yml": PLAYBOOK,
            "one.yml": ONE,
            "back.yml": BACK,
        }.items():
            (home / name).write_text(text)
        (home / "callback_plugins").symlink_to(ROOT / "callback_plugins")
        for name in ("tasks/alone.yml", "filter_plugins"):
            (home / Path(name).name).symlink_to(ROOT / "roles/host" / name)
        (home / "host.yml").symlink_to(ROOT / "roles/host/vars/main.yml")
        here = {"ansible_connection": "local", "ansible_python_interpreter": str(BIN / "python")}
        known = {"home": str(home), "mailseal_policy": "mailseal-2026", **here}
        known["mailseal_rollout_directory"] = str(self.records)
        hosts: dict[str, object] = {"ns1": {}}
        mail: dict[str, object] = {"hosts": {name: {} for name in MAIL}}
        groups = {"mail": mail, "builder": {}}
        inventory = {"all": {"vars": known, "hosts": hosts, "children": groups}}
        (home / "hosts.yml").write_text(json.dumps(inventory))

    def words(self, *more: str, playbook: str = "rollout.yml") -> tuple[str, ...]:
        program = str(BIN / "ansible-playbook")
        inventory = ("-i", str(self.home / "hosts.yml"), str(self.home / playbook))
        return (program, *inventory, "-e", f"site_password={SECRET}", *more)

    def roll(self, *more: str, playbook: str = "rollout.yml") -> Done:
        return run(*self.words(*more, playbook=playbook), seconds=1200)

    def told(self) -> Rollout:
        return load(self.records, names(self.records)[-1])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def states(rollout: Rollout) -> dict[str, str]:
    return {host.host: host.state for host in rollout.hosts}


def test_a_rollout_of_batches_with_a_failure_is_recorded_and_has_a_page(site: Site) -> None:
    """Found beside the playbooks; a rescue is a way back; no secret is anywhere in it."""
    done = site.roll("-e", "bad=a3")
    assert done.returncode != 0
    found = site.told()
    expected = {"a1": "passed", "a2": "passed", "a3": "back", "a4": "not-begun", "ns1": "done"}
    assert states(found) == expected
    assert headline(found) == ("fail", "a3 did not pass, went back and is as before")
    assert [p.hosts for p in found.parts][:2] == [(), ("ns1", *MAIL)]  # nobody builds
    assert [p.hosts for p in found.parts if p.main][:2] == [("a1",), ("a2", "a3")]
    assert found.variables == ("bad", "site_password")
    (host,) = (h for h in found.hosts if h.host == "a3")
    assert host.why == "a3: (not shown) is wrong; it serves as before"
    assert [s.phase for s in host.spans if s.phase] == ["pre-flight", "change", "back"]
    assert "+password: (not shown)" in host.files[0].lines
    page = site.records / f"{found.id}.html"
    assert f"The rollout on one page: {page}" in done.stdout
    assert page.stat().st_mode & 0o777 == 0o600
    for path in site.records.iterdir():
        text = path.read_text()
        assert SECRET not in text
        assert "never-shown" not in text
        assert "password: (not shown)" in text


def test_what_is_encrypted_within_a_variable_is_not_told(site: Site) -> None:
    """Under whatever name, beside what is not."""
    key, vault = site.home / "key", str(BIN / "ansible-vault")
    key.write_text("correct horse\n")
    encrypted = run(vault, "encrypt_string", SECRET, "--vault-password-file", str(key)).stdout
    lines = "".join(f"        {line}\n" for line in encrypted.splitlines()[1:])
    # Of another vault, whose password nobody has here.
    head, first, rest = lines.split("\n", 2)
    other = f"{head}\n{first[:-8]}{'0' * 8}\n{rest}"
    (site.home / "more.yml").write_text(
        "site_options:\n  words:\n    - plain\n    - !vault |\n"
        + lines
        + "    - !vault |\n"
        + other
        + 'site_password: "{{ site_options.words[1] }}"\n'
    )
    more = ("-e", f"@{site.home / 'more.yml'}", "--vault-password-file", str(key))
    assert site.roll(*more, "-e", "bad=a1", "--limit", "a1").returncode != 0
    (host,) = site.told().hosts
    assert host.why == "a1: (not shown) is wrong; it serves as before"
    assert SECRET not in "".join(path.read_text() for path in site.records.iterdir())


def test_a_host_that_fails_before_anything_is_untouched(site: Site) -> None:
    """And the batches before it are good."""
    assert site.roll("-e", "full=a2", "--limit", "a1,a2").returncode != 0
    found = site.told()
    assert states(found) == {"a1": "passed", "a2": "untouched"}
    assert found.limit == "a1,a2"


@contextmanager
def slow(site: Site) -> Iterator[None]:
    """One at work on a2, and a3 done; killed with all that it started in the end."""
    play = subprocess.Popen(
        site.words("-e", "slow=a2"),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 600
        while time.monotonic() < end and play.poll() is None:
            if names(site.records) and states(site.told()).get("a3") == "passed":
                break
            time.sleep(0.2)
        assert site.told().course == "running"
        yield
    finally:
        os.killpg(play.pid, signal.SIGKILL)
        play.wait()


def test_a_rollout_that_is_killed_is_unfinished_and_can_be_read(site: Site) -> None:
    """kill -9 of all that it started."""
    with slow(site):
        pass
    found = site.told()
    assert found.course == "unfinished"
    assert states(found)["a1"] == "passed"
    assert states(found)["a2"] == "cut-off"
    assert states(found)["a4"] == "not-begun"
    assert headline(found) == ("inconclusive", "It did not come to its end: a2 was cut off")


def test_two_at_once_are_never_at_work_on_one_host(site: Site) -> None:
    """The second touches nothing, and names the first; once that is over it goes on."""
    with slow(site):
        (first,) = names(site.records)
        done = site.roll("-e", "bad=a4")
        assert done.returncode != 0
        words = (
            f"a1: another rollout (mailseal rollout {first}) is at work on it, and nothing was"
            " touched; wait for its end"
        )
        assert words in " ".join(done.stdout.split())
        assert states(site.told())["a1"] == "untouched"
        assert {states(site.told())[name] for name in MAIL[1:]} == {"not-begun"}
        # A look changes nothing, and other hosts are nobody's.
        assert site.roll("--check", "--limit", "a1").returncode == 0
    assert site.roll("--limit", "a1").returncode == 0


def test_an_error_of_ansible_s_own_leaves_a_page_all_the_same(site: Site) -> None:
    """There is no last line, and so it is not told as finished."""
    (site.home / "one.yml").write_text("- name: Be wrong\n  when: ['x'] | list\n  block:\n" + TASK)
    done = site.roll("--limit", "a1")
    assert done.returncode != 0
    found = site.told()
    assert found.course == "unfinished"
    assert headline(found)[0] == "inconclusive"
    assert f"The rollout on one page: {site.records / found.id}.html" in done.stdout


def test_other_playbooks_are_not_recorded(site: Site) -> None:
    """The same plays under another name."""
    assert site.roll("--limit", "a1", playbook="other.yml").returncode == 0
    assert not site.records.exists()


def test_where_no_record_can_be_kept_the_rollout_goes_on(site: Site) -> None:
    """One warning that says why; the exit code is the rollout's."""
    site.records.write_text("a file is in the way")
    done = site.roll("--limit", "a1")
    assert done.returncode == 0, done.stdout
    assert done.stderr.count("this rollout is not recorded any further: Not a directory") == 1
    assert (site.home / "a1.secret").exists()


def test_a_look_records_what_would_change(site: Site) -> None:
    """--check: nothing is in place."""
    assert site.roll("--check", "--limit", "a1").returncode == 0
    found = site.told()
    assert found.check
    (host,) = found.hosts
    assert not host.files[0].replaced
    assert not (site.home / "a1.secret").exists()

"""What the role deploy does where a daemon does not come back: its own tasks, on hosts of files."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands import BIN, ROOT, run

# The service of these hosts serves on port 25 whatever its file says, but for a few words.
STUB = """#!/usr/bin/python3
import json, os
from ansible.module_utils.basic import AnsibleModule

HOME = os.environ["STUB_HOME"]
LIVE, STATE = os.path.join(HOME, "live.conf"), os.path.join(HOME, "state")


def said(path):
    if not os.path.exists(path):
        return ""
    with open(path) as stream:
        return stream.read()


def log(text):
    with open(os.path.join(HOME, "log"), "a") as stream:
        stream.write(text + "\\n")

"""
STUBS = {
    "mailseal_trial": "#!/usr/bin/python3\nprint('{}')\n",
    "stub_service": STUB
    + """
module = AnsibleModule(argument_spec=dict(name={}, state={}, enabled={}))
state, words = module.params["state"], said(LIVE)
log(state + " on " + words.strip() + ", " + said(os.path.join(HOME, "package")))
if state == "started" and "fails" in words:
    module.fail_json(msg="it does not start")
with open(STATE, "w") as stream:
    stream.write("" if state == "stopped" else "deaf" if "deaf" in words else "serves")
module.exit_json(changed=True)
""",
    "mailseal_processes": STUB
    + """
spec = dict(names={}, files={}, libraries={}, ports=dict(type="list"), timeout={})
module = AnsibleModule(argument_spec=spec)
ports = [25] if said(STATE) == "serves" else []
if set(map(int, module.params["ports"] or [])) - set(ports):
    module.fail_json(msg="nothing listens on port 25")
stale = ["x (1) has mapped another"] if "other" in said(LIVE) and module.params["libraries"] else []
module.exit_json(running=[1] if said(STATE) else [], ports=ports, stale=stale)
""",
}
PLAY = """
- hosts: all
  gather_facts: false
  strategy: ansible.builtin.free
  environment: {STUB_HOME: "{{ home }}"}
  tasks:
    - name: Deploy it
      ansible.builtin.include_role:
        name: deploy
"""
PUT_BACK = """
- name: Put the package back
  ansible.builtin.copy: {content: old package, dest: "{{ home }}/package", mode: "0644"}
"""
WRONG = ["sh", "-c", "echo working; echo there is no cache >&2; exit 1"]
HOOK = {"name": "packages", "tasks_from": "put_back"}


@dataclass
class Host:
    """A host of a few files, and what was said of it."""

    home: Path
    files: dict[str, str]
    said: str = ""

    def variables(self) -> dict[str, Any]:
        """What the role is told."""
        self.home.mkdir()
        before = {"live.conf": "old\n", "state": "serves", "package": "new package"}
        for name, text in {**before, **self.files}.items():
            (self.home / name).write_text(text)
        live = self.home / "live.conf"
        mine = {"owner": live.owner(), "group": live.group()}
        return {
            "home": str(self.home),
            "mailseal_deploy_service": "daemon",
            "mailseal_deploy_files": [
                {"path": str(live), "content": f"{self.home.name}\n", **mine},
                {"path": str(self.home / "gone.conf"), "state": "absent"},
                {"path": str(self.home / "new.conf"), "content": "new\n", **mine},
            ],
            "mailseal_deploy_processes": ["daemon"],
            "mailseal_deploy_libraries": ["/opt/x"],
            "mailseal_deploy_trial": {"command": ["daemon"]},
            "mailseal_deploy_handshakes": [{"port": 25}],
            "mailseal_deploy_patience": 1,
            "mailseal_deploy_commands": [WRONG] if "uncounted" in self.home.name else [],
            "mailseal_snapshot_directory": str(self.home / "snapshots"),
            "mailseal_deploy_before_restore": {} if "lasting" in self.home.name else HOOK,
        }

    def text(self, name: str) -> str:
        """What one of its files says."""
        path = self.home / name
        return path.read_text() if path.exists() else ""

    def log(self) -> list[str]:
        """What the service was told, on which file, and with which package."""
        return self.text("log").splitlines()


# What the new file of each says is its name.
HOSTS: dict[str, dict[str, str]] = {
    "good": {},
    "fails": {"gone.conf": "line\n"},
    "deaf": {},
    "other": {},
    "deaf_lasting": {"live.conf": "fails as well\n"},
    "fails_at_first": {"state": ""},
    "uncounted": {},
}


def _role(top: Path) -> None:
    """The role with stand-ins for what a test machine has not."""
    role = top / "roles" / "deploy"
    for part in ("tasks", "defaults", "filter_plugins"):
        shutil.copytree(ROOT / "roles" / "deploy" / part, role / part)
    # The filter that plans handshakes wants the rest of the project, and nothing here needs it.
    (role / "filter_plugins" / "mailseal_trial.py").unlink()
    shutil.copytree(ROOT / "roles" / "snapshot", top / "roles" / "snapshot")
    for path in (role / "tasks").glob("*.yml"):
        path.write_text(path.read_text().replace("ansible.builtin.service:", "stub_service:"))
    library = role / "library"
    library.mkdir()
    shutil.copy(ROOT / "roles" / "deploy" / "library" / "mailseal_files.py", library)
    for name, text in STUBS.items():
        (library / f"{name}.py").write_text(text)
    tasks = top / "roles" / "packages" / "tasks"
    tasks.mkdir(parents=True)
    (tasks / "put_back.yml").write_text(PUT_BACK)


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Host]:
    """All of them, after one run."""
    top = tmp_path_factory.mktemp("deploy")
    _role(top)
    found = {name: Host(top / name, files) for name, files in HOSTS.items()}
    local = {"ansible_connection": "local", "ansible_python_interpreter": str(BIN / "python")}
    inventory = {name: {**local, **host.variables()} for name, host in found.items()}
    (top / "hosts.yml").write_text(json.dumps({"all": {"hosts": inventory}}))
    (top / "play.yml").write_text(PLAY)
    words = ("-i", str(top / "hosts.yml"), str(top / "play.yml"))
    done = run(str(BIN / "ansible-playbook"), *words, seconds=600)
    for name, host in found.items():
        said = re.findall(rf'^fatal: \[{name}\]: .*"msg": "(.*?)"', done.stdout, re.MULTILINE)
        host.said = said[-1] if said else ""
        assert host.log(), done.stdout + done.stderr
    return found


def test_a_good_state_stays(hosts: dict[str, Host]) -> None:
    """Nothing is put back, and the service is stopped and started once."""
    host = hosts["good"]
    assert host.said == ""
    assert host.text("live.conf") == "good\n"
    assert host.log()[:2] == ["stopped on good, new package", "started on good, new package"]
    assert host.text("package") == "new package"
    (kept,) = (host.home / "snapshots").iterdir()
    assert (kept / "files" / str(host.home)[1:] / "live.conf").read_text() == "old\n"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fails", "Start the service: it does not start"),
        ("deaf", "Wait until it serves: nothing listens on port 25"),
        ("other", "Wait until it serves: x (1) has mapped another"),
    ],
)
def test_what_does_not_serve_gives_way_to_what_did(
    hosts: dict[str, Host], name: str, why: str
) -> None:
    """Files first, packages second, and only then the service is started."""
    host = hosts[name]
    assert host.said == f"daemon did not serve on its new state ({why}); the old state is back"
    assert host.text("live.conf") == "old\n"
    assert host.text("state") == "serves"
    assert host.log()[-1] == "started on old, old package"
    assert not list((host.home / "snapshots").iterdir())


def test_a_file_that_was_not_there_goes_again(hosts: dict[str, Host]) -> None:
    """And one that was taken away is there again."""
    assert hosts["fails"].text("gone.conf") == "line\n"
    assert not (hosts["fails"].home / "new.conf").exists()
    assert (hosts["good"].home / "new.conf").exists()


def test_where_no_package_was_replaced_none_is_put_back(hosts: dict[str, Host]) -> None:
    """Without the hook only the files go back."""
    assert hosts["deaf_lasting"].log()[-1] == "started on fails as well, new package"


def test_it_is_said_where_the_old_state_does_not_come_back(hosts: dict[str, Host]) -> None:
    """Both reasons, in one sentence."""
    assert hosts["deaf_lasting"].said == (
        "daemon did not serve on its new state (Wait until it serves: nothing listens on port 25),"
        " and the old state is NOT back (Start the service again: it does not start)"
    )


def test_it_serves_again_though_its_files_may_not_count(hosts: dict[str, Host]) -> None:
    """What makes them count fails both ways: that is said, and it can be gone back to still."""
    host = hosts["uncounted"]
    assert host.said == (
        "daemon did not serve on its new state (Do what makes them count: there is no cache),"
        " and the old state is NOT back (Stop where they may not count: there is no cache)"
    )
    assert host.text("state") == "serves"
    assert host.log()[-1] == "started on old, old package"
    assert [path.name for path in (host.home / "snapshots").iterdir()] == ["pending"]


def test_what_did_not_serve_is_not_started(hosts: dict[str, Host]) -> None:
    """On a host that is brought up for the first time its old file is no configuration of ours."""
    host = hosts["fails_at_first"]
    assert host.said.endswith("; the old files are back, and it does not run, as before")
    assert host.text("live.conf") == "old\n"
    assert [line for line in host.log() if line.startswith("started on old")] == []

#!/usr/bin/python
"""What a rollout replaces on a host, kept until it is known to be good, and afterwards."""

DOCUMENTATION = r"""
module: mailseal_snapshot
short_description: Note what is about to be replaced, put it back, or call the new state good
description:
  - A snapshot is a directory with the files as they were, under their own paths, and a note that
    says which of them were not there, when it was begun, and which of our packages there were.
  - There is one at most that is pending. What is noted first stays, so a run that is ended in
    between, and the next one, change nothing of what there is to go back to.
options:
  state:
    description:
      - C(read) says what is pending and what is kept, and what the note of C(snapshot) says.
      - C(noted) copies the files as they are now, unless they are noted already.
      - C(previous) puts back all that is pending, whatever of it was replaced.
      - C(dropped) says that it is back, and serves.
      - C(kept) says that what is there now is good; what is pending is kept under its own name.
      - C(restored) notes what is there and puts back a snapshot that was kept, and whatever was
        replaced since then.
    choices: [read, noted, previous, dropped, kept, restored]
    default: read
    type: str
  paths:
    description: Files to be noted; a directory stands for the files in it.
    type: list
    elements: path
  directory:
    description: Where the snapshots are.
    type: path
    default: /var/lib/mailseal/snapshots
  rollout:
    description: The run that is about to change something.
    type: str
    default: ""
  facts:
    description: What else has to be known to go back; what is said first of each stays.
    type: dict
    default: {}
  snapshot:
    description: The one to go back to, by its name.
    type: str
  most:
    description: How many are kept.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Note what is about to be replaced
  mailseal_snapshot:
    state: noted
    paths: [/etc/imapd.conf, /etc/mailseal]

- name: Go back
  mailseal_snapshot:
    state: previous
"""

RETURN = r"""
pending:
  description: >-
    The note of the snapshot that is pending, or was until this task: begun, rollout, files, absent,
    packages, facts; empty if there is none.
  returned: success
  type: dict
note:
  description: The note of the snapshot that was named; empty where none was.
  returned: when state is read
  type: dict
kept:
  description: The names of those that are kept, the newest first.
  returned: success
  type: list
"""

import json
import os
import re
import shutil
import stat
import subprocess
import time
from typing import Any, Dict, Iterator, List

from ansible.module_utils.basic import AnsibleModule

Note = Dict[str, Any]

PENDING = "pending"
WRITTEN = ("begun", "rollout", "absent", "packages", "facts")
QUERIES = (
    ("dpkg-query", "-W", "-f", "${db:Status-Status}|${Package}|${Version}\n", "mailseal-*"),
    ("rpm", "-qa", "--qf", "installed|%{NAME}|%{VERSION}-%{RELEASE}\n", "mailseal-*"),
)


class Failed(Exception):
    """A sentence for the user."""


def packages() -> Dict[str, str]:
    """Our packages that are installed: name to version."""
    for query in QUERIES:
        if shutil.which(query[0]):
            done = subprocess.run(query, stdout=subprocess.PIPE, text=True, check=False)
            rows = (line.split("|") for line in done.stdout.splitlines())
            return {name: version for state, name, version in rows if state == "installed"}
    return {}


def copy(source: str, target: str) -> None:
    """Put a copy in place by a rename, with owner, mode and times: nobody ever finds half of it."""
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    temporary = os.path.join(os.path.dirname(target), f".mailseal-{os.getpid()}")
    try:
        shutil.copy2(source, temporary, follow_symlinks=False)
        found = os.lstat(source)
        os.chown(temporary, found.st_uid, found.st_gid, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            os.chmod(temporary, stat.S_IMODE(found.st_mode))
            with open(temporary, "rb") as stream:
                os.fsync(stream.fileno())
        os.rename(temporary, target)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def same(one: str, other: str) -> bool:
    """Whether two files have the same bytes, owner and mode, or two links the same target."""
    a, b = os.lstat(one), os.lstat(other)
    if (a.st_uid, a.st_gid, a.st_mode, a.st_size) != (b.st_uid, b.st_gid, b.st_mode, b.st_size):
        return False
    if stat.S_ISLNK(a.st_mode):
        return os.readlink(one) == os.readlink(other)
    with open(one, "rb") as left, open(other, "rb") as right:
        return left.read() == right.read()


class Snapshot:
    """One directory."""

    def __init__(self, home: str, name: str) -> None:
        """Take its place."""
        self.home = os.path.join(home, name)
        self.path = os.path.join(self.home, "note.json")

    def read(self) -> Note:
        """Its note; empty if there is none, for it is written before anything else."""
        try:
            with open(self.path, encoding="utf-8") as stream:
                note = json.load(stream)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Failed(f"{self.path} cannot be read: {error}") from None
        return {**note, "name": os.path.basename(self.home), "files": sorted(self.files())}

    def write(self, note: Note) -> None:
        """Write the note, whole or not at all."""
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        with open(self.path + ".new", "w", encoding="utf-8") as stream:
            json.dump({key: note[key] for key in WRITTEN}, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(self.path + ".new", self.path)

    def copy_of(self, path: str) -> str:
        """Where the copy of a file is."""
        return os.path.join(self.home, "files", path.lstrip("/"))

    def files(self) -> Iterator[str]:
        """The files that there are copies of."""
        top = os.path.join(self.home, "files")
        for directory, _names, files in os.walk(top):
            for name in files:
                if not name.startswith(".mailseal-"):
                    yield "/" + os.path.relpath(os.path.join(directory, name), top)

    def put_back(self) -> List[str]:
        """Have every file as it was; what fails does not keep the others from it."""
        note = self.read()
        changed: List[str] = []
        problems = [
            self.restore(path, changed, gone=path in note["absent"])
            for path in [*note["files"], *note["absent"]]
        ]
        if any(problems):
            raise Failed("; ".join(filter(None, problems)))
        return changed

    def restore(self, path: str, changed: List[str], *, gone: bool) -> str:
        """Have one file as it was; return what kept it from that."""
        try:
            if self.replaced(path, gone=gone):
                changed.append(path)
        except OSError as error:
            return f"{path} is NOT back: {error}"
        return ""

    def replaced(self, path: str, *, gone: bool) -> bool:
        """Replace a file by its copy; return whether it was otherwise."""
        there = os.path.lexists(path)
        if gone:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif there:
                os.unlink(path)
            return there
        if there and same(self.copy_of(path), path):
            return False
        copy(self.copy_of(path), path)
        return True


class Task:
    """One task, and what it returns for each state."""

    def __init__(self, params: Dict[str, Any], *, check_mode: bool) -> None:
        """Take the task's parameters."""
        self.params = params
        self.check_mode = check_mode
        self.home = params["directory"]
        self.pending = Snapshot(self.home, PENDING)

    def kept_names(self) -> List[str]:
        """Those that are kept, the newest first."""
        names = os.listdir(self.home) if os.path.isdir(self.home) else []
        return sorted((name for name in names if re.match(r"\d{8}T\d{6}Z", name)), reverse=True)

    def answer(self, note: Note, changed: List[str]) -> Dict[str, Any]:
        """What every state returns."""
        return {
            "changed": bool(changed),
            "paths": changed,
            "pending": note,
            "kept": self.kept_names(),
        }

    def read(self) -> Dict[str, Any]:
        """Look, and change nothing."""
        note = self.named().read() if self.params["snapshot"] else {}
        return {**self.answer(self.pending.read(), []), "note": note}

    def named(self) -> Snapshot:
        """The one that was named."""
        name = self.params["snapshot"]
        if name not in self.kept_names():
            there = ", ".join(self.kept_names()) or "none"
            raise Failed(f"there is no snapshot {name!r} in {self.home}; there are {there}")
        return Snapshot(self.home, name)

    def wanted(self) -> List[str]:
        """The files that are meant; those of a directory are what is in it now."""
        found: List[str] = []
        for path in self.params["paths"] or []:
            if os.path.isdir(path):
                found += [os.path.join(d, f) for d, _names, files in os.walk(path) for f in files]
            else:
                found.append(path)
        return found

    def noted(self) -> Dict[str, Any]:
        """Copy what is not noted yet."""
        note = self.pending.read()
        if self.check_mode:
            return self.answer(note, [])
        new = not note
        if new:
            begun = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            note = {"begun": begun, "rollout": self.params["rollout"], "absent": []}
            note.update(packages=packages(), facts={})
            shutil.rmtree(self.pending.home, ignore_errors=True)
            self.pending.write(note)
        known = {*self.pending.files(), *note["absent"]}
        fresh = [path for path in self.wanted() if path not in known]
        for path in fresh:
            if os.path.lexists(path):
                copy(path, self.pending.copy_of(path))
        gone = [path for path in fresh if not os.path.lexists(path)]
        facts = {**self.params["facts"], **note["facts"]}
        if gone or facts != note["facts"]:
            self.pending.write({**note, "absent": note["absent"] + gone, "facts": facts})
        if fresh or new:
            os.sync()  # what is replaced next must not outlive a power cut without this
        return self.answer(self.pending.read(), [])

    def previous(self) -> Dict[str, Any]:
        """Put back what is pending; it stays pending until somebody says that it serves."""
        note = self.pending.read()
        changed = self.pending.put_back() if note and not self.check_mode else []
        return self.answer(note, changed)

    def dropped(self) -> Dict[str, Any]:
        """Have nothing pending any more."""
        note = self.pending.read()
        if not self.check_mode:
            shutil.rmtree(self.pending.home, ignore_errors=True)
        return self.answer(note, [])

    def kept(self) -> Dict[str, Any]:
        """Give what is pending a name of its own, and let the oldest go."""
        note = self.pending.read()
        if note and not self.check_mode:
            name = note["begun"]
            while os.path.exists(os.path.join(self.home, name)):
                name += "+"
            os.rename(self.pending.home, os.path.join(self.home, name))
            for old in self.kept_names()[self.params["most"] :]:
                shutil.rmtree(os.path.join(self.home, old))
        return self.answer(note, [])

    def restored(self) -> Dict[str, Any]:
        """Go back to one that was kept; what is there now is noted first.

        A snapshot has what its own rollout replaced, so those after it are gone back through.
        """
        self.named()
        names = [name for name in self.kept_names() if name >= self.params["snapshot"]]
        every = [Snapshot(self.home, name) for name in names]
        changed: List[str] = []
        if not self.check_mode:
            notes = [one.read() for one in every]
            self.params["paths"] = [p for n in notes for p in (*n["files"], *n["absent"])]
            self.noted()
            changed = [path for one in every for path in one.put_back()]
        return self.answer(self.pending.read(), list(dict.fromkeys(changed)))


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["read", "noted", "previous", "dropped", "kept", "restored"],
                "default": "read",
            },
            "paths": {"type": "list", "elements": "path"},
            "directory": {"type": "path", "default": "/var/lib/mailseal/snapshots"},
            "rollout": {"type": "str", "default": ""},
            "facts": {"type": "dict", "default": {}},
            "snapshot": {"type": "str"},
            "most": {"type": "int", "default": 10},
        },
        required_if=[("state", "noted", ["paths"]), ("state", "restored", ["snapshot"])],
        supports_check_mode=True,
    )
    task = Task(module.params, check_mode=module.check_mode)
    states = {
        "read": task.read,
        "noted": task.noted,
        "previous": task.previous,
        "dropped": task.dropped,
        "kept": task.kept,
        "restored": task.restored,
    }
    try:
        result = states[module.params["state"]]()
    except (Failed, OSError) as error:
        module.fail_json(msg=f"snapshot: {error}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()

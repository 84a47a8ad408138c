#!/usr/bin/python
"""Whole files, several at once: compared, shown, backed up, replaced."""

DOCUMENTATION = r"""
module: mailseal_files
short_description: Put several files in place, all of them or none
description:
  - Compares the files with what they should be. In check mode that is all, and the differences are
    shown; otherwise the old ones are kept in a backup directory and each is replaced by a rename.
    Where one of them cannot be, those before it are put back.
options:
  files:
    description: >-
      path, content, owner, group, mode; secret keeps one out of the differences. With state absent
      there must be no such file.
    type: list
    elements: dict
  backup:
    description: Directory for what is replaced.
    type: path
  restore:
    description: What a task before returned as backups; those files are put back.
    type: dict
"""

EXAMPLES = r"""
- name: Put the configuration in place
  mailseal_files:
    files: [{path: /etc/imapd.conf, content: "...", owner: root, group: mail, mode: "0640"}]
    backup: /var/lib/mailseal/backup
  register: replaced

- name: Go back to the old one
  mailseal_files:
    restore: "{{ replaced.backups }}"
"""

RETURN = r"""
backups:
  description: Where the replaced files are, by path; empty where there was none.
  returned: success
  type: dict
"""

import grp
import os
import pwd
import shutil
import stat
import tempfile
import time
from typing import Any, Dict, List, Optional

from ansible.module_utils.basic import AnsibleModule

File = Dict[str, Any]


def attributes(path: str) -> Dict[str, str]:
    """Owner, group and mode of a file, as people write them."""
    found = os.stat(path)
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = str(found.st_uid)
    try:
        group = grp.getgrgid(found.st_gid).gr_name
    except KeyError:
        group = str(found.st_gid)
    return {"owner": owner, "group": group, "mode": f"{stat.S_IMODE(found.st_mode):04o}"}


def wanted_attributes(one: File) -> Dict[str, str]:
    """What they should be."""
    return {
        "owner": one.get("owner", "root"),
        "group": one.get("group", "root"),
        "mode": "{:04o}".format(int(str(one.get("mode", "0644")), 8)),
    }


def is_to_go(one: File) -> bool:
    """Whether there must be no such file."""
    return bool(one.get("state", "present") == "absent")


def content_of(path: str) -> str:
    """All of a file, whatever its bytes."""
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return stream.read()


def header(path: str, found: Dict[str, str]) -> str:
    """The line above a difference."""
    return "{} ({})".format(path, " ".join(found.values())) if found else path


def compare(one: File) -> Optional[Dict[str, str]]:
    """The difference to show for a file, or None if it is as it should be."""
    path = one["path"]
    gone = is_to_go(one)
    wanted = {} if gone else wanted_attributes(one)
    after = "" if gone else one["content"]
    there = os.path.exists(path)
    found = attributes(path) if there else {}
    before = content_of(path) if there else ""
    if there != gone and found == wanted and before == after:
        return None
    secret = one.get("secret")
    return {
        "before": "(not shown)\n" if secret else before,
        "after": "(not shown)\n" if secret else after,
        "before_header": header(path, found),
        "after_header": header(path, wanted),
    }


def keep(path: str, directory: str) -> str:
    """Copy a file into the backup directory, with owner and mode, and say where."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    name = path.strip("/").replace("/", "_")
    copy = os.path.join(directory, "{}.{}".format(name, time.strftime("%Y%m%dT%H%M%S")))
    shutil.copy2(path, copy)
    found = os.stat(path)
    os.chown(copy, found.st_uid, found.st_gid)
    return copy


def replace(one: File) -> None:
    """Put a file in place by a rename: nobody ever reads half of it, or with a wrong mode."""
    path = one["path"]
    if is_to_go(one):
        os.unlink(path)
        return
    wanted = wanted_attributes(one)
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o755, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".mailseal-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(one["content"])
            stream.flush()
            os.fsync(stream.fileno())
        shutil.chown(temporary, wanted["owner"], wanted["group"])
        os.chmod(temporary, int(wanted["mode"], 8))
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def put_back(path: str, copy: str) -> str:
    """Put back what was there before, or nothing; return what kept it from that."""
    try:
        if copy:
            replace({"path": path, "content": content_of(copy), **attributes(copy)})
        elif os.path.exists(path):
            os.unlink(path)
    except (OSError, LookupError) as error:
        return f"{path} is NOT back: {error}"
    return ""


def restore(backups: Dict[str, str]) -> None:
    """Put back all that can be, before anything is said of the others."""
    problems = [put_back(path, copy) for path, copy in backups.items()]
    if any(problems):
        raise OSError("; ".join(filter(None, problems)))


def put(files: List[File], directory: Optional[str]) -> Dict[str, str]:
    """Put all of these in place, or none; return where those are that were there before."""
    backups = {}
    for one in files if directory else []:
        path = one["path"]
        backups[path] = keep(path, str(directory)) if os.path.exists(path) else ""
    done: Dict[str, str] = {}
    try:
        for one in files:
            replace(one)
            done[one["path"]] = backups.get(one["path"], "")
    except (OSError, LookupError):
        if directory:
            restore(done)
        raise
    return backups


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict"},
            "backup": {"type": "path"},
            "restore": {"type": "dict"},
        },
        required_one_of=[("files", "restore")],
        mutually_exclusive=[("files", "restore")],
        supports_check_mode=True,
    )
    backups: Dict[str, str] = module.params["restore"] or {}
    try:
        compared = [(one, compare(one)) for one in module.params["files"] or []]
        pending = [(one, difference) for one, difference in compared if difference]
        if not module.check_mode:
            restore(backups)
            backups.update(put([one for one, _difference in pending], module.params["backup"]))
    except (OSError, LookupError) as error:
        module.fail_json(msg=f"files cannot be put in place: {error}")
    module.exit_json(
        changed=bool(pending or module.params["restore"]),
        backups=backups,
        diff=[difference for _one, difference in pending],
    )


if __name__ == "__main__":
    main()

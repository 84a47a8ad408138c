#!/usr/bin/python
"""Whole files, several at once: compared, shown, backed up, replaced."""

DOCUMENTATION = r"""
module: mailseal_files
short_description: Put several files in place, all of them or none
description:
  - Compares the files with what they should be. In check mode that is all, and the differences are
    shown; otherwise the old ones are kept in a backup directory and each is replaced by a rename.
options:
  files:
    description: path, content, owner, group, mode; secret keeps one out of the differences.
    type: list
    elements: dict
    required: true
  backup:
    description: Directory for what is replaced.
    type: path
"""

EXAMPLES = r"""
- name: Put the configuration in place
  mailseal_files:
    files: [{path: /etc/imapd.conf, content: "...", owner: root, group: mail, mode: "0640"}]
    backup: /var/lib/mailseal/backup
"""

RETURN = r"""
backups:
  description: Where the replaced files are, by path.
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
from typing import Any, Dict, Optional

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


def content_of(path: str) -> str:
    """All of a file, whatever its bytes."""
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return stream.read()


def header(path: str, found: Dict[str, str]) -> str:
    """The line above a difference."""
    return "{} ({})".format(path, " ".join(found.values())) if found else path


def compare(one: File) -> Optional[Dict[str, str]]:
    """The difference to show for a file, or None if it is as it should be."""
    path, wanted = one["path"], wanted_attributes(one)
    there = os.path.exists(path)
    found = attributes(path) if there else {}
    before = content_of(path) if there else ""
    if there and found == wanted and before == one["content"]:
        return None
    secret = one.get("secret")
    return {
        "before": "(not shown)\n" if secret else before,
        "after": "(not shown)\n" if secret else one["content"],
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
    path, wanted = one["path"], wanted_attributes(one)
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


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "backup": {"type": "path"},
        },
        supports_check_mode=True,
    )
    backups = {}
    try:
        compared = [(one, compare(one)) for one in module.params["files"]]
        pending = [(one, difference) for one, difference in compared if difference]
        if not module.check_mode:
            for one, _difference in pending:
                if module.params["backup"] and os.path.exists(one["path"]):
                    backups[one["path"]] = keep(one["path"], module.params["backup"])
            for one, _difference in pending:
                replace(one)
    except (OSError, LookupError) as error:
        module.fail_json(msg=f"files cannot be put in place: {error}")
    module.exit_json(
        changed=bool(pending), backups=backups, diff=[difference for _one, difference in pending]
    )


if __name__ == "__main__":
    main()

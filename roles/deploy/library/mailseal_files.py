#!/usr/bin/python
"""Whole files, several at once: compared, shown, backed up, replaced."""

DOCUMENTATION = r"""
module: mailseal_files
short_description: Put several files in place, all of them or none
description:
  - Compares the files with what they should be. In check mode that is all, and the differences are
    shown; otherwise each is replaced by a rename. Where one of them cannot be, those before it are
    put back.
options:
  files:
    description: >-
      path, content, owner, group, mode; secret keeps one out of the differences. With state absent
      there must be no such file.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Put the configuration in place
  mailseal_files:
    files: [{path: /etc/imapd.conf, content: "...", owner: root, group: mail, mode: "0640"}]
"""

RETURN = r"""
diff:
  description: What differs, a file each.
  returned: success
  type: list
"""

import grp
import os
import pwd
import shutil
import stat
import tempfile
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


def as_it_is(path: str) -> File:
    """A file as it is now, for replace() to put back."""
    if not os.path.exists(path):
        return {"path": path, "state": "absent"}
    return {"path": path, "content": content_of(path), **attributes(path)}


def put(files: List[File]) -> None:
    """Put all of these in place, or none."""
    done: List[File] = []
    try:
        for one in files:
            before = as_it_is(one["path"])
            replace(one)
            done.append(before)
    except (OSError, LookupError) as failure:
        problems = [put_back(one) for one in done]
        if any(problems):
            raise OSError("; ".join([str(failure), *filter(None, problems)])) from None
        raise


def put_back(one: File) -> str:
    """Have a file as it was; return what kept it from that."""
    try:
        replace(one)
    except (OSError, LookupError) as error:
        return f"{one['path']} is NOT back: {error}"
    return ""


def main() -> None:
    """Do what the task says."""
    # Daemons come through the directories that are made, whatever root's own umask is.
    os.umask(0o022)
    module = AnsibleModule(
        argument_spec={"files": {"type": "list", "elements": "dict", "required": True}},
        supports_check_mode=True,
    )
    try:
        compared = [(one, compare(one)) for one in module.params["files"]]
        pending = [(one, difference) for one, difference in compared if difference]
        if not module.check_mode:
            put([one for one, _difference in pending])
    except (OSError, LookupError) as error:
        module.fail_json(msg=f"files cannot be put in place: {error}")
    module.exit_json(
        changed=bool(pending),
        diff=[difference for _one, difference in pending],
    )


if __name__ == "__main__":
    main()

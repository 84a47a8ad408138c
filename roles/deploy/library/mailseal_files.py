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

from ansible.module_utils.basic import AnsibleModule


def attributes(path):
    """Owner, group and mode of a file, as people write them."""
    found = os.stat(path)
    return {
        "owner": name_of(pwd.getpwuid, found.st_uid),
        "group": name_of(grp.getgrgid, found.st_gid),
        "mode": "%04o" % stat.S_IMODE(found.st_mode),
    }


def name_of(lookup, number):
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def content_of(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as stream:
        return stream.read()


def wanted_attributes(one):
    return {
        "owner": one.get("owner", "root"),
        "group": one.get("group", "root"),
        "mode": "%04o" % int(str(one.get("mode", "0644")), 8),
    }


def header(path, found):
    return "%s (%s)" % (path, " ".join(found[key] for key in sorted(found))) if found else path


def compare(one):
    """The difference to show for a file, or None if it is as it should be."""
    path, wanted = one["path"], wanted_attributes(one)
    there = os.path.exists(path)
    found = attributes(path) if there else {}
    before = content_of(path) if there else ""
    if there and found == wanted and before == one["content"]:
        return None
    if one.get("secret"):
        before = after = "(not shown)\n"
    else:
        after = one["content"]
    return {
        "before": before,
        "after": after,
        "before_header": header(path, found),
        "after_header": header(path, wanted),
    }


def keep(path, directory):
    """Copy a file into the backup directory, with owner and mode, and say where."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%S")
    copy = os.path.join(directory, "%s.%s" % (path.strip("/").replace("/", "_"), stamp))
    shutil.copy2(path, copy)
    found = os.stat(path)
    os.chown(copy, found.st_uid, found.st_gid)
    return copy


def replace(one):
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


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "backup": {"type": "path"},
        },
        supports_check_mode=True,
    )
    backups = {}
    try:
        pending = [(one, compare(one)) for one in module.params["files"]]
        pending = [(one, difference) for one, difference in pending if difference]
        if not module.check_mode:
            if module.params["backup"]:
                for one, _difference in pending:
                    if os.path.exists(one["path"]):
                        backups[one["path"]] = keep(one["path"], module.params["backup"])
            for one, _difference in pending:
                replace(one)
    except (OSError, LookupError) as error:
        module.fail_json(msg="files cannot be put in place: %s" % error)
    module.exit_json(
        changed=bool(pending), backups=backups, diff=[difference for _one, difference in pending]
    )


if __name__ == "__main__":
    main()

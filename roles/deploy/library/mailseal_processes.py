#!/usr/bin/python
"""Which processes serve, and which of them are older than the files they were started from."""

DOCUMENTATION = r"""
module: mailseal_processes
short_description: Find processes that are older than their files
description:
  - A daemon goes on with what it read at its start; so do its children. A process that started
    before one of its files was last changed serves the old content.
options:
  names:
    description: Names of the programs, as in /proc/PID/comm.
    type: list
    elements: str
    required: true
  listening:
    description: Only those that hold a listening TCP socket; the others serve nobody new.
    type: bool
    default: true
  ports:
    description: Wait until these are listened on.
    type: list
    elements: int
    default: []
  timeout:
    description: For how many seconds to wait.
    type: int
    default: 30
  files:
    description: Files that they read at their start; those that are missing are ignored.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Look for processes on an old configuration
  mailseal_processes:
    names: [exim4]
    files: [/etc/exim4/exim4.conf]
"""

RETURN = r"""
running:
  description: Process ids.
  returned: success
  type: list
stale:
  description: A sentence for each process that is older than one of its files.
  returned: success
  type: list
"""

import os
import time

from ansible.module_utils.basic import AnsibleModule

# The clocks of files and processes are read apart; a tick of a process clock is 0.01 s.
SLACK = 0.03
LISTEN = "0A"


def processes(names):
    """(pid, name, start as seconds since the epoch) of our own processes with these names."""
    with open("/proc/uptime", encoding="ascii") as stream:
        booted = time.time() - float(stream.read().split()[0])
    tick = os.sysconf("SC_CLK_TCK")
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % entry, encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError:
            continue  # it has ended meanwhile
        if not ours(entry):
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        if name in names and fields[0] not in "ZX":
            yield int(entry), name, booted + int(fields[19]) / tick


def ours(pid):
    """Whether a process is of this host and not of a container on it."""
    try:
        return os.readlink("/proc/%s/ns/pid" % pid) == os.readlink("/proc/self/ns/pid")
    except OSError:
        return not os.path.exists("/proc/self/ns/pid")  # kernels before 3.8


def listening_sockets():
    """The TCP ports that are listened on, by what /proc/PID/fd calls the sockets."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as stream:
            for line in stream.readlines()[1:]:
                words = line.split()
                if words[3] == LISTEN:
                    found["socket:[%s]" % words[9]] = int(words[1].rsplit(":", 1)[1], 16)
    return found


def holds(pid, sockets):
    """Whether a process has one of these sockets open."""
    directory = "/proc/%d/fd" % pid
    try:
        return any(
            os.readlink(os.path.join(directory, number)) in sockets
            for number in os.listdir(directory)
        )
    except OSError:
        return False  # it has ended meanwhile


def main():
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "files": {"type": "list", "elements": "str", "default": []},
            "listening": {"type": "bool", "default": True},
            "ports": {"type": "list", "elements": "int", "default": []},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    wanted = set(module.params["ports"])
    deadline = time.monotonic() + module.params["timeout"]
    while wanted - set(listening_sockets().values()):
        if time.monotonic() > deadline:
            missing = sorted(wanted - set(listening_sockets().values()))
            module.fail_json(msg="nothing listens on port %s" % ", ".join(map(str, missing)))
        time.sleep(0.1)
    changes = [(os.stat(p).st_ctime, p) for p in module.params["files"] if os.path.exists(p)]
    latest, path = max(changes, default=(0.0, ""))
    found = sorted(processes(set(module.params["names"])))
    if module.params["listening"]:
        sockets = listening_sockets()
        found = [process for process in found if holds(process[0], sockets)]
    stale = [
        "%s (%d) started before %s changed" % (name, pid, path)
        for pid, name, start in found
        if start + SLACK < latest
    ]
    module.exit_json(changed=False, running=[pid for pid, _name, _start in found], stale=stale)


if __name__ == "__main__":
    main()

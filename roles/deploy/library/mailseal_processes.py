#!/usr/bin/python
"""Which processes serve, and which of them are older than the files they were started from."""

DOCUMENTATION = r"""
module: mailseal_processes
short_description: Find processes that are older than their files
description:
  - A daemon goes on with what it read at its start; so do its children. A process that started
    before one of its files was last changed serves the old content. One that has
      mapped another library than it would get now, or whose program was replaced, runs on the old.
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
  libraries:
    description: Libraries that the dynamic linker gives these programs now.
    type: list
    elements: str
    default: []
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
ports:
  description: The TCP ports that they listen on.
  returned: success
  type: list
stale:
  description: A sentence for each process that is older than one of its files or libraries.
  returned: success
  type: list
"""

import contextlib
import os
import time
from typing import Dict, Iterable, Iterator, Set, Tuple

from ansible.module_utils.basic import AnsibleModule

# The clocks of files and processes are read apart; a tick of a process clock is 0.01 s.
SLACK = 0.03
LISTEN = "0A"
GONE = " (deleted)"

Process = Tuple[int, str, float]


def processes(names: Set[str]) -> Iterator[Process]:
    """Each process of this host with one of these names: pid, name, start since the epoch."""
    with open("/proc/uptime", encoding="ascii") as stream:
        booted = time.time() - float(stream.read().split()[0])
    tick = os.sysconf("SC_CLK_TCK")
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or not ours(entry):
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stream:
                text = stream.read()
        except OSError:
            continue  # it has ended meanwhile
        name = text[text.index("(") + 1 : text.rindex(")")]
        fields = text[text.rindex(")") + 2 :].split()
        if name in names and fields[0] not in "ZX":
            yield int(entry), name, booted + int(fields[19]) / tick


def ours(pid: str) -> bool:
    """Whether a process is of this host and not of a container on it."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == os.readlink("/proc/self/ns/pid")
    except OSError:
        return not os.path.exists("/proc/self/ns/pid")  # kernels before 3.8


def listening_sockets() -> Dict[str, int]:
    """The TCP ports that are listened on, by what /proc/PID/fd calls the sockets."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not os.path.exists(table):
            continue
        with open(table, encoding="ascii") as stream:
            for line in stream.readlines()[1:]:
                words = line.split()
                if words[3] == LISTEN:
                    found[f"socket:[{words[9]}]"] = int(words[1].rsplit(":", 1)[1], 16)
    return found


def held(pid: int, sockets: Dict[str, int]) -> Set[int]:
    """The ports of those of these sockets that a process has open."""
    directory = f"/proc/{pid}/fd"
    links = []
    # It may end meanwhile, or close one.
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            with contextlib.suppress(OSError):
                links.append(os.readlink(os.path.join(directory, name)))
    return {sockets[link] for link in links if link in sockets}


def mapped(pid: int) -> Set[str]:
    """The shared libraries that a process has in memory; one that is gone says so."""
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as stream:
            return {line[line.index("/") :].rstrip("\n") for line in stream if ".so" in line}
    except OSError:
        return set()  # it has ended meanwhile


def outdated(pid: int, names: Iterable[str], libraries: Iterable[str]) -> Iterator[str]:
    """What a process runs on that a new one would not."""
    try:
        program = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return  # it has ended meanwhile
    # Gone, or moved aside for another one: /usr/sbin/exim4.distrib.
    if program.endswith(GONE) or os.path.basename(program).startswith(
        tuple(f"{n}." for n in names)
    ):
        yield f"runs on {program}"
    found = mapped(pid)
    for wanted in libraries:
        stem = os.path.basename(wanted).split(".so")[0] + ".so"
        real = os.path.realpath(wanted)
        for path in sorted(found):
            if os.path.basename(path).startswith(stem) and path != real:
                yield f"has mapped {path}, not {real}"


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "required": True},
            "files": {"type": "list", "elements": "str", "default": []},
            "libraries": {"type": "list", "elements": "str", "default": []},
            "listening": {"type": "bool", "default": True},
            "ports": {"type": "list", "elements": "int", "default": []},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    deadline = time.monotonic() + module.params["timeout"]
    while missing := set(module.params["ports"]) - set(listening_sockets().values()):
        if time.monotonic() > deadline:
            ports = ", ".join(map(str, sorted(missing)))
            module.fail_json(msg=f"nothing listens on port {ports}")
        time.sleep(0.1)
    changes = [(os.stat(p).st_ctime, p) for p in module.params["files"] if os.path.exists(p)]
    latest, path = max(changes, default=(0.0, ""))
    found = sorted(processes(set(module.params["names"])))
    sockets = listening_sockets()
    ports = {pid: held(pid, sockets) for pid, _name, _start in found}
    if module.params["listening"]:
        found = [process for process in found if ports[process[0]]]
    stale = [
        f"{name} ({pid}) started before {path} changed"
        for pid, name, start in found
        if start + SLACK < latest
    ]
    names = set(module.params["names"])
    stale += [
        f"{name} ({pid}) {what}"
        for pid, name, _start in found
        for what in outdated(pid, names, module.params["libraries"])
    ]
    module.exit_json(
        changed=False,
        running=[pid for pid, _name, _start in found],
        ports=sorted(set().union(*ports.values())),
        stale=stale,
    )


if __name__ == "__main__":
    main()

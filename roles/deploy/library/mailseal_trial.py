#!/usr/bin/python
"""Start a daemon on files that are not in place yet, shake hands with it, and end it."""

DOCUMENTATION = r"""
module: mailseal_trial
short_description: Try a daemon on candidate files before they become the live ones
description:
  - Starts the daemon in namespaces of its own (mounts, network, processes). In there the candidate
    files lie over the live ones, so every path, port and option is the real one, and loopback is
    the only network. The kernel ends everything in there when the module ends, however it ends.
  - Fails with the reason if a port does not answer or a handshake does not turn out as planned.
options:
  files:
    description: The candidates; path, content, owner, group, mode.
    type: list
    elements: dict
    required: true
  scratch:
    description: Directories of which the trial gets an empty one; path, owner, group, mode.
    type: list
    elements: dict
    default: []
  prepare:
    description: Commands that run before the daemon, in the same place.
    type: list
    elements: list
    default: []
  command:
    description: The daemon in the foreground.
    type: list
    elements: str
    required: true
  environment:
    description: Variables that the daemon gets.
    type: dict
    default: {}
  checks:
    description: Commands that must succeed on the candidates; argv, says.
    type: list
    elements: dict
    default: []
  logs:
    description: Files in which the daemon says why it does not serve.
    type: list
    elements: str
    default: []
  handshakes:
    description: What openssl s_client must see; what, port, starttls, arguments, cipher, group.
    type: list
    elements: dict
    required: true
  timeout:
    description: Seconds until all ports must answer.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Try the new configuration
  mailseal_trial:
    files: [{path: /etc/exim4/exim4.conf, content: "...", owner: root, group: root, mode: "0644"}]
    command: [/usr/sbin/exim4, -bdf]
    handshakes:
      - {what: TLSv1.2, port: 25, starttls: smtp, arguments: [-tls1_2], cipher: "", group: ""}
"""

RETURN = r"""
handshakes:
  description: How many were made.
  returned: success
  type: int
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from typing import Any, Dict, List, Set, Union

from ansible.module_utils.basic import AnsibleModule

Handshake = Dict[str, Any]

SERVED = re.compile(r"^\s*(?:New|Reused), \S+, Cipher is (\S+)", re.MULTILINE)
KEY_LINE = re.compile(r"^(?:Server|Peer) Temp Key: (.*)$", re.MULTILINE)
SYSLOG_HEAD = re.compile(r"^<\d+>(?:\w{3} [ \d]\d [\d:]{8} )?")
# What Cyrus says of every handshake, of one that we failed on purpose, and of empty directories.
ROUTINE = re.compile(r"negotiation failed|starttls: |nothing to do|hard-coded DH parameters")
TELLING = re.compile(r"(?i)tls|ssl|cipher|config|error|cannot|unable|fail|no such|not found|\bdh")
LISTEN = "0A"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Failed(Exception):
    """The trial found something; the text says what."""


class Syslog(threading.Thread):
    """What the trial's daemon tells syslog: it must not reach the host's own log."""

    def __init__(self, path: str) -> None:
        """Listen on a socket of our own."""
        super().__init__(daemon=True)
        self.lines: List[str] = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)  # noqa: S103 - the daemon's user writes to it, as to /dev/log

    def run(self) -> None:
        """Keep every line."""
        with contextlib.suppress(OSError):
            while True:
                text = self.socket.recv(8192).decode("utf-8", "replace").strip("\0\n")
                self.lines.append(SYSLOG_HEAD.sub("", text))


class Trial:
    """One instance of the daemon, in namespaces of its own."""

    def __init__(self, params: Dict[str, Any], work: str) -> None:
        """Take the task's parameters and a directory to work in."""
        self.params = params
        self.work = work
        self.output = self.sub("output")
        self.syslog = Syslog(self.sub("syslog"))
        self.syslog.start()
        self.environment = {"PATH": PATH, "LC_ALL": "C", **params["environment"]}

    def run(self) -> None:
        """Start it, shake hands with it, end it."""
        with self.enter():
            self.lay_over()
            for check in self.params["checks"]:
                done = self.inside(check["argv"])
                if done.returncode:
                    raise Failed(check["says"])
            for command in self.params["prepare"]:
                done = self.inside(command)
                if done.returncode:
                    raise Failed(f"{command[0]}: {last_line(done.stdout)}")
            self.wait_for_ports(self.start())
            self.shake_hands()

    @contextlib.contextmanager
    def enter(self) -> Any:  # noqa: ANN401 - a context manager without a value
        """Make the namespaces; they and all processes in them end with their first process."""
        script = "mount --make-rprivate / && ip link set lo up && echo in && exec cat"
        spaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # It reads from us, and so ends with us, however we end.
        with subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as holder:
            said = holder.stdout.readline() if holder.stdout else b""
            if said != b"in\n":
                raise Failed(f"no namespaces for it: {last_line(said)}")
            self.proc = f"/proc/{holder.pid}"
            yield

    def words(self) -> List[str]:
        """What put before a command makes it run in there."""
        spaces = {"mount": "mnt", "net": "net", "pid": "pid_for_children"}
        return ["nsenter", *(f"--{key}={self.proc}/ns/{name}" for key, name in spaces.items())]

    def inside(self, argv: List[str]) -> "subprocess.CompletedProcess[bytes]":
        """Run a command in there to its end."""
        return subprocess.run(
            [*self.words(), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            timeout=60,
            check=False,
        )

    def shell(self, script: str, *arguments: str) -> None:
        """Run a line of shell in there that has to succeed."""
        done = self.inside(["sh", "-ec", script, "sh", *arguments])
        if done.returncode:
            raise Failed(f"cannot be prepared: {last_line(done.stdout)}")

    def sub(self, name: str) -> str:
        """A path in the directory to work in."""
        return os.path.join(self.work, name)

    def lay_over(self) -> None:
        """Cover the live files and the daemon's directories; only in there."""
        # A tmpfs: what is copied here, keys perhaps, never touches a disk.
        os.mkdir(self.sub("cover"))
        self.shell('mount -t tmpfs -o mode=755 mailseal "$1"', self.sub("cover"))
        for number, one in enumerate(self.params["scratch"]):
            self.shell(
                'install -d -o "$1" -g "$2" -m "$3" "$5"; test -d "$4" ||'
                ' install -d -o "$1" -g "$2" -m "$3" "$4"; mount --bind "$5" "$4"',
                *[str(one[key]) for key in ("owner", "group", "mode", "path")],
                self.sub(f"cover/scratch{number}"),
            )
        new = {os.path.dirname(f["path"]) for f in self.params["files"] if not exists(f)}
        for number, directory in enumerate(sorted(new)):
            # A copy of the directory, so that a file can lie in it that is not there yet.
            self.shell(
                'mkdir -p "$1" && cp -a "$1" "$2" && mount --bind "$2" "$1"',
                directory,
                self.sub(f"cover/directory{number}"),
            )
        for number, one in enumerate(self.params["files"]):
            candidate = self.sub(f"candidate{number}")
            with open(candidate, "w", encoding="utf-8") as stream:
                os.chmod(candidate, int(str(one.get("mode", "0644")), 8))
                stream.write(one["content"])
            shutil.chown(candidate, one.get("owner", "root"), one.get("group", "root"))
            self.shell('test -e "$2" || : >"$2"; mount --bind "$1" "$2"', candidate, one["path"])
        if os.path.exists("/dev/log"):
            self.shell('mount --bind "$1" /dev/log', self.sub("syslog"))

    def start(self) -> "subprocess.Popen[bytes]":
        """Start the daemon in there."""
        with open(self.output, "wb") as output:
            return subprocess.Popen(
                [*self.words(), *self.params["command"]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                start_new_session=True,
            )

    def wait_for_ports(self, daemon: "subprocess.Popen[bytes]") -> None:
        """Wait until it listens on every port that there will be a handshake on."""
        wanted = {step["port"] for step in self.params["handshakes"]}
        deadline = time.monotonic() + self.params["timeout"]
        while missing := wanted - self.listening():
            if daemon.poll() is not None:
                raise Failed("the daemon does not start: " + self.reason())
            if time.monotonic() > deadline:
                ports = ", ".join(map(str, sorted(missing)))
                raise Failed(f"nothing listens on port {ports}: {self.reason()}")
            time.sleep(0.05)

    def listening(self) -> Set[int]:
        """The TCP ports that are listened on in there."""
        ports = set()
        for name in ("tcp", "tcp6"):
            path = f"{self.proc}/net/{name}"
            if not os.path.exists(path):
                continue
            with open(path, encoding="ascii") as table:
                for line in table.readlines()[1:]:
                    words = line.split()
                    if words[3] == LISTEN:
                        ports.add(int(words[1].rsplit(":", 1)[1], 16))
        return ports

    def shake_hands(self) -> None:
        """Do what was planned, in order."""
        for step in self.params["handshakes"]:
            problem = judge(step, self.client(step))
            if problem:
                place = "port {}, {}".format(step["port"], step["what"])
                raise Failed(f"{place}: {problem}: {self.reason()}")

    def client(self, step: Handshake) -> str:
        """What openssl s_client prints."""
        starttls = ["-starttls", step["starttls"]] if step["starttls"] else []
        place = ["-connect", "127.0.0.1:{}".format(step["port"])]
        try:
            done = subprocess.run(
                [*self.words(), "openssl", "s_client", *place, *starttls, *step["arguments"]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # The host's own openssl.cnf must not narrow what the client can offer.
                env={"PATH": PATH, "LC_ALL": "C", "OPENSSL_CONF": "/dev/null"},
                timeout=10,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "no answer in 10 seconds"
        return done.stdout.decode("utf-8", "replace")

    def log_lines(self) -> List[str]:
        """What the daemon wrote to its logs."""
        lines = list(self.syslog.lines)
        for path in self.params["logs"]:
            done = self.inside(["cat", path])
            if not done.returncode:
                lines += done.stdout.decode("utf-8", "replace").splitlines()
        return lines

    def reason(self) -> str:
        """The last of what it said that may explain why it does not serve."""
        time.sleep(0.2)  # it may still be on its way
        with open(self.output, encoding="utf-8", errors="replace") as output:
            said = output.read().splitlines()
        said += [li for li in self.log_lines() if TELLING.search(li) and not ROUTINE.search(li)]
        lines = list(dict.fromkeys(line.strip() for line in said if line.strip()))
        return " | ".join(lines[-3:]) or "the daemon gives no reason"


def judge(step: Handshake, text: str) -> str:
    """What is wrong with the outcome of a handshake; empty if nothing is."""
    served = SERVED.search(text)
    cipher = served[1] if served and served[1] != "(NONE)" else None
    key = KEY_LINE.search(text)
    used = key[1] if key else "no exchange"
    wrong = ""
    if "CONNECTED(" not in text:
        wrong = f"no connection ({last_line(text)})"
    elif "didn't find" in text.lower():
        wrong = "STARTTLS is not offered"
    elif step["cipher"] is None:
        wrong = f"should be refused, but {cipher} was served" if cipher else ""
    elif cipher is None:
        wrong = "no handshake"
    elif step["cipher"] and cipher != step["cipher"]:
        wrong = f"{cipher} was served, not {step['cipher']}"
    elif step["group"] and step["group"] not in used:
        wrong = f"the key exchange used {used}, not {step['group']}"
    return wrong


def exists(one: Dict[str, Any]) -> bool:
    """Whether the live file is there already."""
    return os.path.exists(one["path"])


def last_line(text: Union[bytes, str]) -> str:
    """The last words of a program."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "scratch": {"type": "list", "elements": "dict", "default": []},
            "prepare": {"type": "list", "elements": "list", "default": []},
            "command": {"type": "list", "elements": "str", "required": True},
            "environment": {"type": "dict", "default": {}},
            "checks": {"type": "list", "elements": "dict", "default": []},
            "logs": {"type": "list", "elements": "str", "default": []},
            "handshakes": {"type": "list", "elements": "dict", "required": True},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    parent = "/run" if os.access("/run", os.W_OK) else None
    work = tempfile.mkdtemp(prefix="mailseal-trial-", dir=parent)
    try:
        Trial(module.params, work).run()
    except (Failed, OSError, subprocess.TimeoutExpired) as failure:
        module.fail_json(
            msg=f"the candidate configuration is refused, the live one stays in force: {failure}"
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    module.exit_json(changed=False, handshakes=len(module.params["handshakes"]))


if __name__ == "__main__":
    main()

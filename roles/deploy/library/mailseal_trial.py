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
    description: The candidates; path, content, owner, group, mode. With state absent an empty one.
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
  openssl:
    description: >-
      The openssl program that shakes hands. What a version before 1.1.1 cannot offer is not tried,
      and listed.
    type: str
    default: openssl
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
untried:
  description: Those that this openssl cannot make.
  returned: success
  type: list
"""

import contextlib
import ctypes
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from ansible.module_utils.basic import AnsibleModule

Handshake = Dict[str, Any]

SERVED = re.compile(r"^\s*(?:New|Reused), \S+, Cipher is (\S+)", re.MULTILINE)
VERSION = re.compile(r"^OpenSSL (\d+)\.(\d+)\.(\d+)")
# OpenSSL's names of the groups, and what s_client calls them before 3.0.
NIST = {"prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
KEY_LINE = re.compile(r"^(?:Server|Peer) Temp Key: (.*)$", re.MULTILINE)
SYSLOG_HEAD = re.compile(r"^<\d+>(?:\w{3} [ \d]\d [\d:]{8} )?")
# What Cyrus says of every handshake, of one that we failed on purpose, and of empty directories.
ROUTINE = re.compile(r"negotiation failed|starttls: |nothing to do|hard-coded DH parameters")
TELLING = re.compile(r"(?i)tls|ssl|cipher|config|error|cannot|unable|fail|no such|not found|\bdh")
LISTEN = "0A"
NEW_MOUNTS, NEW_PIDS, NEW_NETWORK = 0x00020000, 0x20000000, 0x40000000
# The number of the system call by processor.
CLONE = {"x86_64": 56, "aarch64": 220}
# The first process of the namespaces: it does what it is told, line by line, and ends with us.
INSIDE = r"""
import ctypes, json, os, signal, subprocess, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
daemon = None
def do(argv, env, timeout):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=env, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"timeout": True}
    except OSError as error:
        return {"code": 127, "said": str(error)}
    return {"code": done.returncode, "said": done.stdout.decode("utf-8", "replace")}
def start(argv, env, output):
    global daemon
    with open(output, "wb") as stream:
        daemon = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                                  env=env, start_new_session=True)
    return {}
def ended():
    return {"ended": daemon.poll() is not None}
known = {"do": do, "start": start, "ended": ended}
for line in sys.stdin:
    words = json.loads(line)
    try:
        answer = known[words.pop("order")](**words)
    except Exception as error:
        answer = {"failed": str(error)}
    print(json.dumps(answer), flush=True)
"""
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


class Outcome(NamedTuple):
    """How a command in there ended, and all that it said."""

    code: int
    said: str


class Trial:
    """One instance of the daemon, in namespaces of its own."""

    def __init__(self, params: Dict[str, Any], work: str) -> None:
        """Take the task's parameters and a directory to work in."""
        self.params = params
        self.work = work
        self.output = self.sub("output")
        self.syslog = Syslog(self.sub("syslog"))
        self.syslog.start()
        self.made = 0
        self.untried: List[str] = []
        self.environment = {"PATH": PATH, "LC_ALL": "C", **params["environment"]}

    def run(self) -> None:
        """Start it, shake hands with it, end it."""
        with self.enter():
            self.lay_over()
            for check in self.params["checks"]:
                done = self.inside(check["argv"])
                if done.code:
                    raise Failed(check["says"])
            for command in self.params["prepare"]:
                done = self.inside(command)
                if done.code:
                    raise Failed(f"{command[0]}: {last_line(done.said)}")
            self.start()
            self.wait_for_ports()
            self.shake_hands()

    @contextlib.contextmanager
    def enter(self) -> Iterator[None]:
        """Make the namespaces; they and all processes in them end with their first process."""
        orders, told = os.pipe()
        heard, answers = os.pipe()
        first = clone(NEW_MOUNTS | NEW_PIDS | NEW_NETWORK)
        if first == 0:
            become_inside(orders, answers)
        os.close(orders)
        os.close(answers)
        self.proc = f"/proc/{first}"
        with open(told, "w", encoding="utf-8") as self.told, open(heard, "rb") as self.heard:
            try:
                script = "mount --make-rprivate / && mount -t proc proc /proc && ip link set lo up"
                done = self.inside(["sh", "-c", script])
                if done.code:
                    raise Failed(f"no namespaces for it: {last_line(done.said)}")
                yield
            finally:
                os.kill(first, signal.SIGKILL)
                os.waitpid(first, 0)

    def order(self, what: str, **words: Any) -> Dict[str, Any]:  # noqa: ANN401 - JSON
        """Have the first process in there do something, and return what it answers."""
        try:
            self.told.write(json.dumps({"order": what, **words}) + "\n")
            self.told.flush()
        except BrokenPipeError:
            raise Failed("its first process has ended") from None
        line = self.heard.readline()
        if not line:
            raise Failed("its first process has ended")
        answer = json.loads(line)
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    def inside(
        self, argv: List[str], env: Optional[Dict[str, str]] = None, timeout: int = 60
    ) -> Outcome:
        """Run a command in there to its end."""
        answer = self.order("do", argv=argv, env=env or self.environment, timeout=timeout)
        if "timeout" in answer:
            raise subprocess.TimeoutExpired(argv, timeout)
        return Outcome(answer["code"], answer["said"])

    def shell(self, script: str, *arguments: str) -> None:
        """Run a line of shell in there that has to succeed."""
        done = self.inside(["sh", "-ec", script, "sh", *arguments])
        if done.code:
            raise Failed(f"cannot be prepared: {last_line(done.said)}")

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
        # One that has to go can be covered, and not taken away.
        files = [f for f in self.params["files"] if exists(f) or f.get("state") != "absent"]
        new = {os.path.dirname(f["path"]) for f in files if not exists(f)}
        for number, directory in enumerate(sorted(new)):
            # A copy of the directory, so that a file can lie in it that is not there yet.
            self.shell(
                'mkdir -p "$1" && cp -a "$1" "$2" && mount --bind "$2" "$1"',
                directory,
                self.sub(f"cover/directory{number}"),
            )
        for number, one in enumerate(files):
            candidate = self.sub(f"candidate{number}")
            with open(candidate, "w", encoding="utf-8") as stream:
                os.chmod(candidate, int(str(one.get("mode", "0644")), 8))
                stream.write(one.get("content", ""))
            shutil.chown(candidate, one.get("owner", "root"), one.get("group", "root"))
            self.shell('test -e "$2" || : >"$2"; mount --bind "$1" "$2"', candidate, one["path"])
        if os.path.exists("/dev/log"):
            self.shell('mount --bind "$1" /dev/log', self.sub("syslog"))

    def start(self) -> None:
        """Start the daemon in there."""
        command, env = self.params["command"], self.environment
        self.order("start", argv=command, env=env, output=self.output)

    def wait_for_ports(self) -> None:
        """Wait until it listens on every port that there will be a handshake on."""
        wanted = {step["port"] for step in self.params["handshakes"]}
        deadline = time.monotonic() + self.params["timeout"]
        while missing := wanted - self.listening():
            if self.order("ended")["ended"]:
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
        said = self.inside([self.params["openssl"], "version"]).said
        found = VERSION.match(said)
        if not found:
            raise Failed("{} does not work: {}".format(self.params["openssl"], last_line(said)))
        version = tuple(map(int, found.groups()))
        for step in self.params["handshakes"]:
            place = "port {}, {}".format(step["port"], step["what"])
            arguments = fit(step["arguments"], version)
            if arguments is None:
                self.untried.append(place)
                continue
            self.made += 1
            problem = judge(step, self.client({**step, "arguments": arguments}))
            if problem:
                raise Failed(f"{place}: {problem}: {self.reason()}")
        if not self.made:
            raise Failed("{} can make no handshake that tells".format(self.params["openssl"]))

    def client(self, step: Handshake) -> str:
        """What openssl s_client prints."""
        starttls = ["-starttls", step["starttls"]] if step["starttls"] else []
        place = ["-connect", "127.0.0.1:{}".format(step["port"])]
        command = [self.params["openssl"], "s_client", *place, *starttls, *step["arguments"]]
        # The host's own openssl.cnf must not narrow what the client can offer.
        env = {"PATH": PATH, "LC_ALL": "C", "OPENSSL_CONF": "/dev/null"}
        try:
            return self.inside(command, env, timeout=10).said
        except subprocess.TimeoutExpired:
            return "no answer in 10 seconds"

    def log_lines(self) -> List[str]:
        """What the daemon wrote to its logs."""
        lines = list(self.syslog.lines)
        for path in self.params["logs"]:
            done = self.inside(["cat", path])
            if not done.code:
                lines += done.said.splitlines()
        return lines

    def reason(self) -> str:
        """The last of what it said that may explain why it does not serve."""
        time.sleep(0.2)  # it may still be on its way
        with open(self.output, encoding="utf-8", errors="replace") as output:
            said = output.read().splitlines()
        said += [li for li in self.log_lines() if TELLING.search(li) and not ROUTINE.search(li)]
        lines = list(dict.fromkeys(line.strip() for line in said if line.strip()))
        return " | ".join(lines[-3:]) or "the daemon gives no reason"


def clone(spaces: int) -> int:
    """Fork into new namespaces; what fork returns.

    The bare system call, because EL6's unshare(1) and unshare(2) know no process namespaces, and
    its kernel no way into those of another process.
    """
    number = CLONE.get(platform.machine())
    if number is None:
        raise Failed(f"no namespaces for it: unknown processor {platform.machine()}")
    # PyDLL: the lock of the interpreter stays ours, so that the child has it.
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = (number, spaces | signal.SIGCHLD, 0, 0, 0, 0)
    pid = int(libc.syscall(*map(ctypes.c_ulong, words)))
    if pid < 0:
        raise Failed(f"no namespaces for it: {os.strerror(ctypes.get_errno())}")
    return pid


def become_inside(orders: int, answers: int) -> None:
    """In the child: go on as the first process of the namespaces; never returns."""
    try:
        os.dup2(orders, 0)
        os.dup2(answers, 1)
        os.execv(sys.executable, [sys.executable, "-I", "-c", INSIDE])  # noqa: S606 - no shell
    finally:
        os._exit(1)


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
    elif step["group"] and step["group"] not in used and NIST.get(step["group"], "-") not in used:
        wrong = f"the key exchange used {used}, not {step['group']}"
    return wrong


def fit(arguments: List[str], version: Tuple[int, ...]) -> Optional[List[str]]:
    """The arguments as s_client of this version takes them; None if it cannot offer that."""
    if version >= (1, 1, 1):
        return arguments
    if "-tls1_3" in arguments:
        return None
    words = [word.replace(":@SECLEVEL=0", "") for word in arguments]
    if version < (1, 1, 0) and "-groups" in words:
        place = words.index("-groups")
        known = [name for name in words[place + 1].split(":") if not name.startswith("X")]
        if not known:
            return None
        words[place : place + 2] = ["-curves", ":".join(known)]
    return words


def exists(one: Dict[str, Any]) -> bool:
    """Whether the live file is there already."""
    return os.path.exists(one["path"])


def last_line(text: str) -> str:
    """The last words of a program."""
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
            "openssl": {"type": "str", "default": "openssl"},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    parent = "/run" if os.access("/run", os.W_OK) else None
    work = tempfile.mkdtemp(prefix="mailseal-trial-", dir=parent)
    try:
        trial = Trial(module.params, work)
        trial.run()
    except (Failed, OSError, subprocess.TimeoutExpired) as failure:
        module.fail_json(
            msg=f"the candidate configuration is refused, the live one stays in force: {failure}"
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    module.exit_json(changed=False, handshakes=trial.made, untried=trial.untried)


if __name__ == "__main__":
    main()

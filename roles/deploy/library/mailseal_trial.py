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
  complaints:
    description: A regular expression; a log line that matches it fails the trial.
    type: str
    default: ""
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

from ansible.module_utils.basic import AnsibleModule

SERVED = re.compile(r"^\s*(?:New|Reused), \S+, Cipher is (\S+)", re.MULTILINE)
KEY_LINE = re.compile(r"^(?:Server|Peer) Temp Key: (.*)$", re.MULTILINE)
LISTEN = "0A"
SYSLOG_ERROR = 3


class Failed(Exception):
    """The trial found something; the text says what."""


class Syslog(threading.Thread):
    """What the trial's daemon tells syslog: it must not reach the host's own log."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                text = self.socket.recv(8192).decode("utf-8", "replace").strip("\0\n")
                self.lines.append(re.sub(r"^<\d+>(?:\w{3} [ \d]\d [\d:]{8} )?", "", text))


class Trial:
    def __init__(self, module, work):
        self.module = module
        self.work = work
        self.params = module.params
        self.syslog = Syslog(os.path.join(work, "syslog"))
        self.syslog.start()
        self.output = os.path.join(work, "output")
        self.holder = None

    def run(self):
        self.enter()
        try:
            self.lay_over()
            for check in self.params["checks"]:
                done = self.inside(check["argv"])
                if done.returncode:
                    raise Failed("%s (%s)" % (check["says"], last_line(done.stdout)))
            for command in self.params["prepare"]:
                done = self.inside(command)
                if done.returncode:
                    raise Failed("%s: %s" % (command[0], last_line(done.stdout)))
            daemon = self.start()
            self.wait_for_ports(daemon)
            self.shake_hands()
        finally:
            # The first process in there reads from us; when it ends, all others do.
            self.holder.stdin.close()
            self.holder.wait()

    def enter(self):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
            + ["sh", "-c", "mount --make-rprivate / && ip link set lo up && echo in && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self.holder.stdout.readline() != b"in\n":
            raise Failed("no namespaces for it: %s" % last_line(self.holder.stderr.read()))

    def words(self):
        space = "/proc/%d/ns/" % self.holder.pid
        return ["nsenter", "--mount=" + space + "mnt", "--net=" + space + "net"] + [
            "--pid=" + space + "pid_for_children"
        ]

    def inside(self, argv, **more):
        return subprocess.run(
            self.words() + argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment(),
            timeout=60,
            **more,
        )

    def environment(self):
        return dict(
            PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C", **self.params["environment"]
        )

    def shell(self, script, *arguments):
        done = self.inside(["sh", "-ec", script, "sh", *arguments])
        if done.returncode:
            raise Failed("cannot be prepared: %s" % last_line(done.stdout))

    def lay_over(self):
        # A tmpfs: what candidates and keys are copied here never touches a disk.
        self.shell('mount -t tmpfs -o mode=755 mailseal "$1"', self.sub("cover"))
        for number, one in enumerate(self.params["scratch"]):
            self.shell(
                'install -d -o "$1" -g "$2" -m "$3" "$5"; test -d "$4" ||'
                ' install -d -o "$1" -g "$2" -m "$3" "$4"; mount --bind "$5" "$4"',
                *[str(one[key]) for key in ("owner", "group", "mode", "path")],
                self.sub("cover/scratch%d" % number),
            )
        for number, one in enumerate(self.params["files"]):
            if not os.path.exists(one["path"]):
                self.cover_directory(os.path.dirname(one["path"]), number)
        for number, one in enumerate(self.params["files"]):
            candidate = self.sub("candidate%d" % number)
            with open(candidate, "w", encoding="utf-8") as stream:
                stream.write(one["content"])
            shutil.chown(candidate, one.get("owner", "root"), one.get("group", "root"))
            os.chmod(candidate, int(str(one.get("mode", "0644")), 8))
            self.shell(
                'test -e "$2" || : >"$2"; mount --bind "$1" "$2"', candidate, one["path"]
            )
        if os.path.exists("/dev/log"):
            self.shell('mount --bind "$1" /dev/log', self.sub("syslog"))

    def cover_directory(self, directory, number):
        """Give the trial a copy of a directory, so that new files can lie in it."""
        self.shell(
            'mkdir -p "$1" && cp -a "$1" "$2" && mount --bind "$2" "$1"',
            directory,
            self.sub("cover/directory%d" % number),
        )

    def sub(self, name):
        path = os.path.join(self.work, name)
        if name == "cover":
            os.mkdir(path)
        return path

    def start(self):
        with open(self.output, "wb") as output:
            return subprocess.Popen(
                self.words() + self.params["command"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment(),
                start_new_session=True,
            )

    def wait_for_ports(self, daemon):
        wanted = {step["port"] for step in self.params["handshakes"]}
        deadline = time.monotonic() + self.params["timeout"]
        while wanted - self.listening():
            if daemon.poll() is not None:
                raise Failed("the daemon does not start: " + self.reason())
            if time.monotonic() > deadline:
                ports = ", ".join(map(str, sorted(wanted - self.listening())))
                raise Failed("nothing listens on port %s: %s" % (ports, self.reason()))
            time.sleep(0.05)

    def listening(self):
        ports = set()
        for name in ("tcp", "tcp6"):
            with contextlib.suppress(FileNotFoundError), open(
                "/proc/%d/net/%s" % (self.holder.pid, name), encoding="ascii"
            ) as table:
                for line in table.readlines()[1:]:
                    words = line.split()
                    if words[3] == LISTEN:
                        ports.add(int(words[1].rsplit(":", 1)[1], 16))
        return ports

    def shake_hands(self):
        for step in self.params["handshakes"]:
            problem = judge(step, self.client(step))
            if problem:
                raise Failed(
                    "port %d, %s: %s: %s" % (step["port"], step["what"], problem, self.reason())
                )
            if step["cipher"] is not None and self.params["complaints"]:
                complaint = re.compile(self.params["complaints"])
                for line in self.log_lines():
                    if complaint.search(line):
                        raise Failed("the daemon complains: " + line)

    def client(self, step):
        argv = ["openssl", "s_client", "-connect", "127.0.0.1:%d" % step["port"]]
        if step["starttls"]:
            argv += ["-starttls", step["starttls"]]
        try:
            return subprocess.run(
                self.words() + argv + step["arguments"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # The host's own openssl.cnf must not narrow what the client can offer.
                env=dict(os.environ, OPENSSL_CONF="/dev/null", LC_ALL="C"),
                timeout=10,
            ).stdout.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            return "connect: no answer in 10 seconds"

    def log_lines(self):
        lines = list(self.syslog.lines)
        for path in self.params["logs"]:
            done = self.inside(["cat", path])
            if not done.returncode:
                lines += done.stdout.decode("utf-8", "replace").splitlines()
        return lines

    def reason(self):
        time.sleep(0.2)  # what it says to its log may still be on its way
        with open(self.output, "rb") as output:
            said = output.read().decode("utf-8", "replace").splitlines() + self.log_lines()
        telling = [line for line in said if re.search(r"(?i)tls|ssl|cipher|config|error|dh", line)]
        lines = list(dict.fromkeys(line.strip() for line in telling or said if line.strip()))
        return " | ".join(lines[-3:]) or "the daemon gives no reason"


def judge(step, text):
    """What is wrong with the outcome of a handshake; empty if nothing is."""
    if "CONNECTED(" not in text:
        return "no connection (%s)" % last_line(text)
    if "didn't find" in text.lower():
        return "STARTTLS is not offered"
    served = SERVED.search(text)
    cipher = served[1] if served and served[1] != "(NONE)" else None
    if step["cipher"] is None:
        return "should be refused, but %s was served" % cipher if cipher else ""
    if cipher is None:
        return "no handshake"
    if step["cipher"] and cipher != step["cipher"]:
        return "%s was served, not %s" % (cipher, step["cipher"])
    key = KEY_LINE.search(text)
    if step["group"] and (not key or step["group"] not in key[1]):
        return "the key exchange used %s, not %s" % (key[1] if key else "none", step["group"])
    return ""


def last_line(text):
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "scratch": {"type": "list", "elements": "dict", "default": []},
            "prepare": {"type": "list", "elements": "list", "default": []},
            "command": {"type": "list", "elements": "str", "required": True},
            "environment": {"type": "dict", "default": {}},
            "checks": {"type": "list", "elements": "dict", "default": []},
            "logs": {"type": "list", "elements": "str", "default": []},
            "complaints": {"type": "str", "default": ""},
            "handshakes": {"type": "list", "elements": "dict", "required": True},
            "timeout": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    parent = "/run" if os.access("/run", os.W_OK) else None
    work = tempfile.mkdtemp(prefix="mailseal-trial-", dir=parent)
    try:
        Trial(module, work).run()
    except Failed as failure:
        module.fail_json(
            msg="the candidate configuration is refused, the live one stays in force: %s" % failure
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    module.exit_json(changed=False, handshakes=len(module.params["handshakes"]))


if __name__ == "__main__":
    main()

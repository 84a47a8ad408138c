#!/usr/bin/python
"""How programs come to use a library of one's own: looked at before and after."""

DOCUMENTATION = r"""
module: mailseal_linkage
short_description: Have the dynamic linker give programs an OpenSSL of one's own, or take it back
description:
  - C(ld.so) is a line for the dynamic linker and so concerns every program of the host. It is
    refused where any of them wants a symbol or a version that the library has not, where another
    directory offers the same soname, and where the programs in question want another soname.
  - C(rpath) needs nothing but the rebuilt programs; the line of C(ld.so) is taken away.
options:
  method:
    description: How; none takes back what the others did.
    choices: [rpath, ld.so, none]
    required: true
    type: str
  prefix:
    description: Where the library is.
    type: path
    required: true
  programs:
    description: The programs that must come to use it.
    type: list
    elements: path
    required: true
  laid_out:
    description: Where the package of the library was laid out, if it is not installed yet.
    type: path
    default: ""
  verify:
    description: Look only; what would be done is somebody else's to do.
    type: bool
    default: false
  conf:
    description: The file with the line for the dynamic linker.
    type: path
    default: /etc/ld.so.conf.d/00-mailseal-openssl.conf
"""

EXAMPLES = r"""
- name: Link Cyrus
  mailseal_linkage:
    method: ld.so
    prefix: /opt/mailseal/openssl-3.0
    programs: [/usr/lib/cyrus/bin/imapd]
"""

RETURN = r"""
libraries:
  description: The libraries of the prefix that the programs get.
  returned: success
  type: list
"""

import glob
import os
import re
import subprocess
from typing import Any, Dict, List, Set

from ansible.module_utils.basic import AnsibleModule

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM = re.compile(r"^(/usr)?/lib(32|64|x32)?/([^/]+-linux-gnu[^/]*/)?[^/]+$")
# Where programs and what they load are.
PLACES = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/bin", "/sbin")
MISSING = re.compile(r"undefined symbol: ([^\s,]+)|version `(\S+)' not found")
CACHED = re.compile(r"^\s*(\S+) .*=> (\S+)$", re.MULTILINE)
GIVEN = re.compile(r"^\s*(\S+) => (\S+) \(", re.MULTILINE)


class Failed(Exception):
    """A sentence for the user."""


def run(*argv: str, **environment: str) -> str:
    """What a program prints, whatever it thinks of it."""
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": PATH, "LC_ALL": "C", **environment},
        check=False,
    )
    return done.stdout


def given(program: str, **environment: str) -> Dict[str, str]:
    """What the dynamic linker gives a program, by soname."""
    return dict(GIVEN.findall(run("ldd", program, **environment)))


def lacks(program: str, **environment: str) -> Set[str]:
    """The symbols and versions that a program does not find."""
    found = MISSING.findall(run("ldd", "-r", program, **environment))
    return {symbol or version for symbol, version in found}


def users(sonames: List[str]) -> List[str]:
    """Every program and library of the system that names one of these."""
    words = [word for soname in sonames for word in ("-e", soname)]
    places = {os.path.realpath(place) for place in PLACES if os.path.isdir(place)}
    named = run("grep", "-rlaF", *words, *sorted(places)).splitlines()
    return [path for path in named if path.startswith("/") and is_elf(path)]


def is_elf(path: str) -> bool:
    """Whether a file is a program or a library."""
    try:
        with open(path, "rb") as stream:
            return stream.read(4) == b"\x7fELF"
    except OSError:
        return False


class Link:
    """One library, and how the host comes to it."""

    def __init__(self, module: AnsibleModule) -> None:
        """Take the task."""
        self.params: Dict[str, Any] = module.params
        self.check_mode = module.check_mode
        self.directory = os.path.join(self.params["prefix"], "lib")
        # Where it is to be looked at now.
        self.here = self.params["laid_out"] + self.directory
        files = glob.glob(os.path.join(self.here, "lib*.so.*"))
        self.sonames = sorted(os.path.basename(path) for path in files)
        self.line = self.directory + "\n"

    def verify(self) -> None:
        """Refuse what would break a program of the host."""
        if not self.sonames:
            raise Failed(f"there is no library in {self.here}")
        for program in self.params["programs"]:
            if not set(given(program)) & set(self.sonames):
                raise Failed(f"{program} wants none of {', '.join(self.sonames)}")
        for soname, path in CACHED.findall(run("ldconfig", "-p")):
            if soname in self.sonames and not SYSTEM.match(path) and not self.ours(path):
                raise Failed(f"{path} is another {soname}: which one programs get would be chance")
        for user in users(self.sonames):
            if self.ours(user) or os.path.basename(user) in self.sonames:
                continue
            missing = lacks(user, LD_LIBRARY_PATH=self.here) - lacks(user)
            if missing:
                raise Failed(f"{user} wants {min(missing)}, which this library has not")

    def ours(self, path: str) -> bool:
        """Whether a file belongs to the library."""
        return path.startswith(self.params["prefix"] + "/")

    def written(self) -> str:
        """The line that is in force."""
        try:
            with open(self.params["conf"], encoding="ascii") as stream:
                return stream.read()
        except FileNotFoundError:
            return ""

    def write(self, line: str) -> None:
        """Put a line in force, or none."""
        if line:
            with open(self.params["conf"], "w", encoding="ascii") as stream:
                stream.write(line)
        elif os.path.exists(self.params["conf"]):
            os.unlink(self.params["conf"])
        run("ldconfig")

    def wrong(self) -> List[str]:
        """The programs that get it from elsewhere."""
        return [
            f"{program} gets {soname} from {path}"
            for program in self.params["programs"]
            for soname, path in given(program).items()
            if soname in self.sonames and not self.ours(path)
        ]

    def do(self) -> bool:
        """Do what the task says; return whether that changed anything."""
        line = self.line if self.params["method"] == "ld.so" else ""
        before = self.written()
        if line and (self.sonames or not self.check_mode):
            self.verify()
        changed = before != line
        if self.params["verify"] or self.check_mode:
            return changed
        if changed:
            self.write(line)
        wrong = self.wrong() if self.params["method"] != "none" else []
        if wrong:
            self.write(before)
            raise Failed("; ".join(wrong))
        return changed


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "method": {"type": "str", "choices": ["rpath", "ld.so", "none"], "required": True},
            "prefix": {"type": "path", "required": True},
            "programs": {"type": "list", "elements": "path", "required": True},
            "laid_out": {"type": "path", "default": ""},
            "verify": {"type": "bool", "default": False},
            "conf": {"type": "path", "default": "/etc/ld.so.conf.d/00-mailseal-openssl.conf"},
        },
        supports_check_mode=True,
    )
    link = Link(module)
    try:
        changed = link.do()
    except (Failed, OSError) as failure:
        words = "stays on the library it had"
        module.fail_json(msg=f"the host {words}: {failure}")
    libraries = [os.path.join(link.directory, soname) for soname in link.sonames]
    module.exit_json(changed=changed, libraries=libraries, line=link.line, conf=link.params["conf"])


if __name__ == "__main__":
    main()

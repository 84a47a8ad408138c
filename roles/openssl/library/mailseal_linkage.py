#!/usr/bin/python
"""How programs come to use a library of one's own: looked at before and after."""

DOCUMENTATION = r"""
module: mailseal_linkage
short_description: Have the dynamic linker give programs an OpenSSL of one's own, or take it back
description:
  - C(ld.so) is a line for the dynamic linker and so concerns every program of the host. It is
    refused where any of them wants a symbol or a version that the library has not, where another
    directory offers the same soname, and where the programs in question want another soname.
  - C(rpath) needs nothing but the rebuilt programs; the line of C(ld.so) is taken away. It is
    refused where one of them would then get another library.
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
link:
  description: >-
    What has to be put in force, and kept so, once a trial has passed; files, commands, and the
    environment in which programs already get what they would get then. Empty if nothing has to.
  returned: success
  type: dict
"""

import glob
import os
import re
import subprocess
from typing import Any, Callable, Dict, List, Set, Tuple

from ansible.module_utils.basic import AnsibleModule

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM = re.compile(r"^(/usr)?/lib(32|64|x32)?/([^/]+-linux-gnu[^/]*/)?[^/]+$")
# Where programs and what they load are.
PLACES = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/bin", "/sbin")
# Where others put theirs, beside much else: what is no program, very large or mounted is left out.
OTHERS = ("/usr/local", "/opt")
LARGEST = "256M"
# What is ours finds its libraries by itself.
OWN = "/opt/mailseal"
MISSING = re.compile(r"undefined symbol: ([^\s,]+)|version `(\S+)' not found")
CACHED = re.compile(r"^\s*(\S+) .*=> (\S+)$", re.MULTILINE)
GIVEN = re.compile(r"^\s*(\S+) => (\S+) \(", re.MULTILINE)
LINKER = re.compile(r"^\s*(/\S*/ld[-\w.]*\.so\S*) \(", re.MULTILINE)


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


def uncached(program: str) -> Dict[str, str]:
    """What a program would be given if no line told the dynamic linker of other directories."""
    linker = LINKER.search(run("ldd", program))
    if not linker:
        raise Failed(f"{program} does not say what it is linked to")
    return dict(GIVEN.findall(run(linker[1], "--inhibit-cache", "--list", program)))


def missing(said: str) -> Set[str]:
    """The symbols and versions that a program does not find, from what ldd -r says."""
    return {symbol or version for symbol, version in MISSING.findall(said)}


def users(sonames: List[str], prefix: str) -> List[str]:
    """Every program and library of the host that names one of these, but for our own."""
    words = [word for soname in sonames for word in ("-e", soname)]
    named = run("grep", "-rlaF", *words, *present(PLACES)).splitlines()
    others = present(OTHERS)
    if others:
        named += run("find", *others, "-xdev", *among(prefix), *words, "{}", "+").splitlines()
    return [path for path in named if path.startswith("/") and is_elf(path)]


def present(places: Tuple[str, ...]) -> List[str]:
    """Those of the directories that there are, each once."""
    return sorted({os.path.realpath(place) for place in places if os.path.isdir(place)})


def among(prefix: str) -> List[str]:
    """The words that have find look into programs and libraries that are not ours."""
    ours = ["(", "-path", OWN, "-o", "-path", prefix, ")", "-prune"]
    programs = ["(", "-perm", "/111", "-o", "-name", "*.so*", ")"]
    return [*ours, "-o", "-type", "f", "-size", f"-{LARGEST}", *programs, "-exec", "grep", "-laF"]


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
        for user in users(self.sonames, self.params["prefix"]):
            if self.ours(user) or os.path.basename(user) in self.sonames:
                continue
            before = run("ldd", "-r", user)
            if self.apart(before):
                continue
            after = run("ldd", "-r", user, LD_LIBRARY_PATH=self.here)
            lost = missing(after) - missing(before)
            if lost:
                raise Failed(f"{user} wants {min(lost)}, which this library has not")

    def apart(self, said: str) -> bool:
        """Whether a program brings its own library along, from what ldd says of it."""
        paths = [path for soname, path in GIVEN.findall(said) if soname in self.sonames]
        return bool(paths) and not any(SYSTEM.match(path) or self.ours(path) for path in paths)

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

    def wrong(self, given_to: Callable[[str], Dict[str, str]] = given) -> List[str]:
        """The programs that get it from elsewhere."""
        return [
            f"{program} gets {soname} from {path}"
            for program in self.params["programs"]
            for soname, path in given_to(program).items()
            if soname in self.sonames and not self.ours(path)
        ]

    def told(self) -> bool:
        """Whether the dynamic linker gives it to programs, or will with the next ldconfig."""
        cached = [path for _soname, path in CACHED.findall(run("ldconfig", "-p"))]
        return bool(self.written()) or any(self.ours(path) for path in cached)

    def without(self) -> Dict[str, str]:
        """The environment in which programs get what they would get without the line."""
        paths = {
            path
            for program in self.params["programs"]
            for soname, path in uncached(program).items()
            if soname in self.sonames
        }
        # Our own path would be one that they find by themselves.
        elsewhere = sorted({os.path.dirname(path) for path in paths if not self.ours(path)})
        return {"LD_LIBRARY_PATH": ":".join(elsewhere)} if elsewhere else {}

    def link(self) -> Dict[str, Any]:
        """What the daemon's own role has to put in force once its trial has passed."""
        conf = self.params["conf"]
        if self.params["method"] == "ld.so":
            return {
                "files": [{"path": conf, "content": self.line}],
                "environment": {"LD_LIBRARY_PATH": self.directory},
                "commands": [["ldconfig"]],
            }
        if not self.told():
            return {}
        return {
            "files": [{"path": conf, "state": "absent"}],
            "environment": self.without() if self.params["method"] == "none" else {},
            "commands": [["ldconfig"]],
        }

    def do(self) -> bool:
        """Do what the task says; return whether that changes anything."""
        return self.give() if self.params["method"] == "ld.so" else self.take()

    def give(self) -> bool:
        """Have the dynamic linker give it to programs."""
        before = self.written()
        if self.sonames or not self.check_mode:
            self.verify()
        changed = before != self.line
        if self.params["verify"] or self.check_mode:
            return changed
        # The line may be there and ldconfig not have run since.
        if changed or self.wrong():
            changed = True
            self.write(self.line)
            self.refuse(self.wrong(), before)
        return changed

    def take(self) -> bool:
        """Have it give programs what it gave them before."""
        before = self.written()
        changed = self.told()
        only = self.params["verify"] or self.check_mode
        if changed and not only:
            self.write("")
        if self.params["method"] == "rpath" and not self.check_mode:
            # Not what the line gives them, where it is still there.
            self.refuse(self.wrong(uncached if changed and only else given), before)
        return changed

    def refuse(self, wrong: List[str], before: str) -> None:
        """Go back where programs get it from elsewhere."""
        if wrong:
            if self.written() != before:
                self.write(before)
            raise Failed("; ".join(wrong))


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
        later = link.link()
    except (Failed, OSError) as failure:
        words = "stays on the library it had"
        module.fail_json(msg=f"the host {words}: {failure}")
    libraries = [os.path.join(link.directory, soname) for soname in link.sonames]
    module.exit_json(changed=changed, libraries=libraries, link=later)


if __name__ == "__main__":
    main()

#!/usr/bin/python
"""One package from our own repository: signature first, room second, then it is put in place."""

DOCUMENTATION = r"""
module: mailseal_package
short_description: Install exactly one version of a package from a signed repository
description:
  - Asks the repository, and no other; an index or a package without a good signature of the given
    key is refused. Looks whether there is room, whether the directory is root's alone, and whether
    another package would go. Only then is anything changed.
  - Keeps what it installed, so that the version before can be put back without any repository.
    Which one that is stands in a note on the host until somebody says that the new one is good, so
    a run that was ended in between loses nothing.
options:
  name:
    description: >-
      Name of the package. Without one, C(previous) and C(kept) are about every package with a note,
      the last one that was installed first.
    type: str
  version:
    description: The version that has to be installed.
    type: str
  state:
    description:
      - C(present) installs it; a version that is there already is installed again where a file of
        it is not as it was packed.
      - C(unpacked) brings a version that is not installed yet, and unpacks it into C(trial) to be
        looked at; nothing else of the host changes.
      - C(absent) removes it; it can be put back as well.
      - C(previous) puts back the version that was there before, or none if none was.
      - C(kept) says that what is installed is good, so there is nothing to put back any more.
    choices: [present, unpacked, absent, previous, kept]
    default: present
    type: str
  format:
    description: deb or rpm.
    choices: [deb, rpm]
    default: deb
    type: str
  url:
    description: Where the repository is, without the last part (deb or rpm).
    type: str
    default: ""
  source:
    description: The file that names the repository to apt; it and its key have to be there.
    type: path
    default: /etc/apt/sources.list.d/mailseal.sources
  key:
    description: The public key that an RPM must be signed with.
    type: path
    default: /etc/pki/rpm-gpg/RPM-GPG-KEY-mailseal
  keep:
    description: Where installed packages are kept.
    type: path
    default: /var/lib/mailseal/packages
  trial:
    description: Where C(unpacked) unpacks it; what was there goes.
    type: path
    default: /var/lib/mailseal/trial
  home:
    description: What of a package lies below it must lie in directories that are root's alone.
    type: path
    default: /opt/mailseal
"""

EXAMPLES = r"""
- name: Install the library
  mailseal_package:
    name: mailseal-openssl-3.0
    version: 3.0.22-1.0123abcd

- name: Put back whatever was there before
  mailseal_package:
    state: previous
"""

RETURN = r"""
before:
  description: The version that was installed before; empty if none was.
  returned: when state is present or unpacked
  type: str
unpacked:
  description: Where it was unpacked; empty where that version is installed already.
  returned: when state is unpacked
  type: str
after:
  description: The version that is installed now.
  returned: when state is present or unpacked
  type: str
packages:
  description: The packages it was about, the last one that was installed first.
  returned: when state is previous or kept
  type: list
"""

import contextlib
import glob
import http.client
import os
import platform
import re
import shutil
import stat
import subprocess
import tempfile
import urllib.error
import urllib.request
from typing import Any, BinaryIO, Callable, Dict, Iterable, List, Optional, Tuple

from ansible.module_utils.basic import AnsibleModule

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
}
SIGNATURE = re.compile(r"NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|REVKEYSIG|NODATA|[Ss]ignature")
# What rpm -K says of a good one: since 4.14, and before. An unsigned package has neither word.
SIGNED = re.compile(r"\b(signatures|pgp)\b.* OK$", re.MULTILINE)
# The lines that say most, in this order: what is missing, before that something is.
TELLING = (
    re.compile(r"\b(Depends|Conflicts|Breaks): .* but | is needed by "),
    re.compile(r"^E:"),
    re.compile(r"^dpkg: error"),
    re.compile(r"^error:"),
    re.compile(r"^W:"),
)
# A line of what dpkg-deb -c lists: the size of a file, and where it goes.
LISTED = re.compile(r"^\S+ \S+ +(\d+) \S+ \S+ \.(/.*?)(?: -> .*| link to .*)?$", re.MULTILINE)
SPARE = 16 * 1024 * 1024
PIECE = 1024 * 1024

Files = List[Tuple[str, int]]


class Failed(Exception):
    """A sentence for the user."""


class Touched(Failed):
    """The same, of what failed once something was changed; it says what is there now."""


def run(*argv: str, cwd: Optional[str] = None) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A server's own words may be in it, in any encoding.
        errors="replace",
        env=ENVIRONMENT,
        cwd=cwd,
        check=False,
    )


def last(text: str) -> str:
    """The line that says most of a failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in TELLING:
        telling = [line for line in lines if mark.search(line)]
        if telling:
            return telling[0][:300]
    return lines[-1][:300] if lines else "no message"


def shown(text: str) -> str:
    """Addresses without who asks and the password."""
    return re.sub(r"(https?://)[^/\s]*@", r"\1", text)


def standing(path: str) -> str:
    """The directory where it is, or would be made."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def room(path: str, size: int) -> None:
    """Refuse what would fill a file system."""
    found = os.statvfs(standing(path))
    free = found.f_bavail * found.f_frsize
    if free < size + SPARE:
        wanted, left = (size + SPARE) >> 20, free >> 20
        raise Failed(f"there is no room: {path} needs {wanted} MB and has {left} MB")


def fits(files: Files) -> None:
    """Refuse a package that would fill one of the file systems that its files go to."""
    wanted: Dict[int, Tuple[str, int]] = {}
    for path, size in files:
        place = standing(os.path.dirname(path))
        device = os.stat(place).st_dev
        first, others = wanted.get(device, (place, 0))
        wanted[device] = first, others + size
    for place, size in wanted.values():
        room(place, size)


def owned(files: Files, home: str, look: Callable[[str], os.stat_result] = os.lstat) -> None:
    """Refuse directories in which somebody else could exchange what is put there."""
    directories = set()
    for path, _size in files:
        directory = os.path.dirname(path) if path.startswith(home + "/") else ""
        while directory and directory not in directories:
            directories.add(directory)
            directory = directory if directory == "/" else os.path.dirname(directory)
    for directory in sorted(directories):
        with contextlib.suppress(FileNotFoundError):
            problem = foreign(look(directory))
            if problem:
                raise Failed(f"{directory} {problem}, so what lies there is not ours alone")


def foreign(found: os.stat_result) -> str:
    """What makes a directory somebody else's as well; empty if nothing does."""
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(found.st_mode):
        return "is no directory"
    if found.st_uid != 0:
        return "does not belong to root"
    others = stat.S_IWGRP | stat.S_IWOTH
    return "can be written by others than root" if found.st_mode & others else ""


def length(said: Optional[str]) -> int:
    """How long a file is that a server is about to send."""
    if said is None or not re.fullmatch(r"[0-9]{1,15}", said):
        raise Failed("the server does not say how long the package is")
    return int(said)


def copy(answer: BinaryIO, file: BinaryIO, size: int) -> None:
    """Take exactly as much as was said."""
    left = size
    while left:
        piece = answer.read(min(PIECE, left))
        if not piece:
            raise Failed(f"what the server sends ends {left} bytes early")
        file.write(piece)
        left -= len(piece)


def signed(code: int, said: str) -> bool:
    """Whether rpm -K has found a good signature; it calls an unsigned package OK as well."""
    return code == 0 and "NOT OK" not in said and SIGNED.search(said) is not None


class Deb:
    """Debian's tools, told of one repository only."""

    suffix = ".deb"

    def __init__(self, params: Dict[str, Any]) -> None:
        """Take the task's parameters."""
        self.params = params
        self.only = [
            *("-o", "Dir::Etc::sourcelist=" + params["source"]),
            *("-o", "Dir::Etc::sourceparts=-"),
            *("-o", "APT::Get::List-Cleanup=0"),
            *("-o", "APT::Sandbox::User=root"),
            *("-o", "Acquire::Retries=1"),
            *("-o", "Acquire::http::Timeout=10"),
            # Somebody's nightly upgrade may be under way.
            *("-o", "DPkg::Lock::Timeout=120"),
        ]

    def installed(self, name: str) -> str:
        """The version that is installed, wholly; empty if none is."""
        done = run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Version}", name)
        state, _, version = done.stdout.strip().partition("|")
        return version if done.returncode == 0 and state.strip() == "ii" else ""

    def damage(self, name: str) -> str:
        """What of an installed package is not as it was packed."""
        return run("dpkg", "-V", name).stdout.strip()

    def get(self, name: str, version: str) -> str:
        """Bring a package into the directory of those that are kept."""
        keep = self.params["keep"]
        done = run("apt-get", *self.only, "--error-on=any", "update")
        if done.returncode:
            what = "is not signed with our key" if SIGNATURE.search(done.stdout) else "is no use"
            raise Failed(f"the repository {self.params['url']} {what}: {last(done.stdout)}")
        shown = run("apt-cache", *self.only, "show", f"{name}={version}").stdout
        size = re.search(r"^Size: (\d+)$", shown, re.MULTILINE)
        if not size:
            raise Failed(f"the repository {self.params['url']} has no {name} {version}")
        room(keep, int(size[1]))
        os.makedirs(keep, mode=0o755, exist_ok=True)
        done = run("apt-get", *self.only, "download", f"{name}={version}", cwd=keep)
        if done.returncode:
            raise Failed(f"{name} {version} cannot be brought here: {last(done.stdout)}")
        return self.kept(name, version)

    def kept(self, name: str, version: str) -> str:
        """The file of a version that is kept here."""
        found = glob.glob(os.path.join(self.params["keep"], f"{name}_{version}_*.deb"))
        if not found:
            raise Failed(f"{name} {version} is not kept in {self.params['keep']}")
        return found[0]

    def files(self, path: str) -> Files:
        """What a package brings: where it goes, and how large it is."""
        done = run("dpkg-deb", "-c", path)
        if done.returncode:
            raise Failed(f"{path} cannot be read: {last(done.stdout)}")
        return [(place, int(size)) for size, place in LISTED.findall(done.stdout)]

    def words(self, path: str) -> List[str]:
        """How apt-get is told to install it, whichever version there is."""
        words = ["--yes", "--no-install-recommends", "--allow-downgrades", "--reinstall"]
        return [*self.only, *words, "install", path]

    def foresee(self, name: str, path: str) -> None:
        """Refuse what could not be installed; no other package may go for it."""
        trial = run("apt-get", "-s", *self.words(path))
        if trial.returncode:
            raise Failed(f"{name} cannot be installed: {last(trial.stdout)}")
        gone = re.findall(r"^Remv (\S+)", trial.stdout, re.MULTILINE)
        if gone:
            raise Failed(f"{name} would remove {', '.join(gone)}")

    def put(self, name: str, path: str) -> None:
        """Install it, or go back to what was."""
        done = run("apt-get", *self.words(path))
        if done.returncode:
            raise Failed(f"{name} cannot be installed: {last(done.stdout)}")

    def unpack(self, path: str, directory: str) -> None:
        """Lay it out without installing it."""
        done = run("dpkg-deb", "-x", path, directory)
        if done.returncode:
            raise Failed(f"{path} cannot be unpacked: {last(done.stdout)}")

    def remove(self, name: str) -> None:
        """Take it away."""
        done = run("dpkg", "--remove", name)
        if done.returncode:
            raise Failed(f"{name} cannot be removed: {last(done.stdout)}")


class Rpm:
    """rpm alone: EL6 has no yum for another Python than its own."""

    suffix = ".rpm"

    def __init__(self, params: Dict[str, Any]) -> None:
        """Take the task's parameters."""
        self.params = params

    def installed(self, name: str) -> str:
        """The version that is installed; empty if none is."""
        done = run("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", name)
        return done.stdout.strip() if done.returncode == 0 else ""

    def damage(self, name: str) -> str:
        """What of an installed package is not as it was packed."""
        return run("rpm", "-V", name).stdout.strip()

    def place(self, name: str, version: str) -> str:
        """Where the file of a version is kept."""
        return os.path.join(self.params["keep"], f"{name}-{version}.{platform.machine()}.rpm")

    def kept(self, name: str, version: str) -> str:
        """The file of a version that is kept here."""
        path = self.place(name, version)
        if not os.path.exists(path):
            raise Failed(f"{name} {version} is not kept in {self.params['keep']}")
        return path

    def get(self, name: str, version: str) -> str:
        """Bring a package into the directory of those that are kept, its signature checked."""
        path = self.place(name, version)
        new = path + ".new"
        address = f"{self.params['url']}/rpm/{os.path.basename(path)}"
        os.makedirs(self.params["keep"], mode=0o755, exist_ok=True)
        try:
            self.download(address, new)
            self.judge(address, new, os.path.basename(path))
            os.rename(new, path)
        finally:
            if os.path.exists(new):
                os.unlink(new)
        return path

    def download(self, address: str, path: str) -> None:
        """Write down what an address answers, if there is room for it."""
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - ours
                size = length(answer.headers.get("Content-Length"))
                room(path, size)
                with open(path, "wb") as file:
                    copy(answer, file, size)
        except (ValueError, http.client.InvalidURL):
            # What they say may quote a password.
            raise Failed(f"{address} is no address that can be asked") from None
        except (OSError, urllib.error.URLError, http.client.HTTPException) as error:
            raise Failed(f"{address} cannot be brought here: {error}") from None

    def judge(self, address: str, path: str, wanted: str) -> None:
        """Refuse a file that is not signed with our key, or is another package."""
        code, said = self.verdict(path)
        if not signed(code, said):
            raise Failed(f"{address} is not signed with our key: {last(said)}")
        asked = ("--nosignature", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm")
        found = run("rpm", "-qp", *asked, path).stdout.strip()
        if found != wanted:
            raise Failed(f"{address} cannot be brought here: it is {last(found)}")

    def verdict(self, path: str) -> Tuple[int, str]:
        """What rpm says of a signature when it knows our key and no other."""
        with tempfile.TemporaryDirectory(prefix="mailseal-") as keys:
            done = run("rpm", "--dbpath", keys, "--import", self.params["key"])
            if done.returncode == 0:
                done = run("rpm", "--dbpath", keys, "-K", path)
            return done.returncode, done.stdout

    def files(self, path: str) -> Files:
        """What a package brings: where it goes, and how large it is."""
        asked = ("--nosignature", "--qf", "[%{FILESIZES} %{FILENAMES}\n]")
        done = run("rpm", "-qp", *asked, path)
        if done.returncode:
            raise Failed(f"{path} cannot be read: {last(done.stdout)}")
        found = re.findall(r"^(\d+) (/.*)$", done.stdout, re.MULTILINE)
        return [(place, int(size)) for size, place in found]

    def words(self, path: str) -> List[str]:
        """How rpm is told to install it, whichever version there is."""
        return ["-U", "--oldpackage", "--replacepkgs", path]

    def foresee(self, name: str, path: str) -> None:
        """Refuse what could not be installed."""
        done = run("rpm", "--test", *self.words(path))
        if done.returncode:
            raise Failed(f"{name} cannot be installed: {last(done.stdout)}")

    def put(self, name: str, path: str) -> None:
        """Install it, or go back to what was."""
        done = run("rpm", *self.words(path))
        if done.returncode:
            raise Failed(f"{name} cannot be installed: {last(done.stdout)}")

    def unpack(self, path: str, directory: str) -> None:
        """Lay it out without installing it."""
        script = 'cd "$2" && rpm2cpio "$1" | cpio --quiet -idm'
        done = run("sh", "-c", script, "sh", path, directory)
        if done.returncode:
            raise Failed(f"{path} cannot be unpacked: {last(done.stdout)}")

    def remove(self, name: str) -> None:
        """Take it away."""
        if not self.installed(name):
            return
        done = run("rpm", "-e", name)
        if done.returncode:
            raise Failed(f"{name} cannot be removed: {last(done.stdout)}")


class Notes:
    """Which version there was before, of each package that is not known to be good yet.

    A file for each, on the host: a run that is ended in between, and the next one, change nothing
    of what there is to go back to.
    """

    suffix = ".previous"

    def __init__(self, keep: str) -> None:
        """Take the directory."""
        self.keep = keep

    def path(self, name: str) -> str:
        """The file of a package."""
        return os.path.join(self.keep, name + self.suffix)

    def names(self) -> List[str]:
        """The packages with a note, the last installed first: it may need what came before it."""
        paths = glob.glob(self.path("*"))
        paths.sort(key=lambda path: os.stat(path).st_mtime_ns, reverse=True)
        return [os.path.basename(path)[: -len(self.suffix)] for path in paths]

    def version(self, name: str) -> Optional[str]:
        """The version that there was, empty if there was none; None without a note."""
        try:
            with open(self.path(name), encoding="ascii") as stream:
                return stream.read().strip()
        except FileNotFoundError:
            return None

    def write(self, name: str, version: str) -> bool:
        """Say what there was, once; return whether nothing was said before."""
        path = self.path(name)
        if os.path.exists(path):
            # What is installed now is no version to go back to, but it is the last installed.
            os.utime(path)
            return False
        # An empty note means something, so nobody may find half of one.
        with open(path + ".new", "w", encoding="ascii") as stream:
            stream.write(version + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(path + ".new", path)
        return True

    def forget(self, name: str) -> None:
        """Leave nothing to go back to."""
        os.unlink(self.path(name))


def lay_out(tools: Any, path: str, directory: str) -> None:  # noqa: ANN401 - either of two
    """Unpack a package where nothing uses it; nothing is left of one that cannot be unpacked."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory, mode=0o755)
    try:
        tools.unpack(path, directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def prune(keep: str, name: str, suffix: str, versions: Iterable[Optional[str]]) -> None:
    """Keep the files of these versions and no others."""
    for path in glob.glob(os.path.join(keep, name + "[_-]*" + suffix)):
        if not any(version and version in os.path.basename(path) for version in versions):
            os.unlink(path)


class Task:
    """One task, and what it returns for each state."""

    def __init__(self, params: Dict[str, Any], tools: Any, *, check_mode: bool) -> None:  # noqa: ANN401
        """Take the task's parameters and the tools of the host, either of two."""
        self.params = params
        self.tools = tools
        self.check_mode = check_mode
        self.notes = Notes(params["keep"])

    def bring(self, name: str, version: str) -> Tuple[str, Files]:
        """Have the file here, and know that there is a good place for what is in it."""
        path = self.tools.get(name, version)
        files = self.tools.files(path)
        fits(files)
        owned(files, self.params["home"])
        return path, files

    def present(self) -> Dict[str, Any]:
        """Install it, unless it is there and whole."""
        name, version = self.params["name"], self.params["version"]
        before = self.tools.installed(name)
        changed = version != before or bool(self.tools.damage(name))
        if changed and not self.check_mode:
            path, _files = self.bring(name, version)
            self.tools.foresee(name, path)
            self.install(name, version, before, path)
            prune(
                self.params["keep"],
                name,
                self.tools.suffix,
                [version, before, self.notes.version(name)],
            )
        return {"changed": changed, "before": before, "after": version}

    def install(self, name: str, version: str, before: str, path: str) -> None:
        """Put it in place; where that fails put back what was there, and say what there is."""
        again = version == before
        fresh = not again and self.notes.write(name, before)
        try:
            self.tools.put(name, path)
            self.whole(name)
        except (Failed, OSError) as failure:
            if again:
                raise Touched(f"{failure}; it is NOT whole") from None
            try:
                self.go_back(name, before)
            except (Failed, OSError) as second:
                was = f"{before or 'what was there before'} is NOT back"
                raise Touched(f"{failure}; {was}: {second}") from None
            if fresh:
                self.notes.forget(name)
            was = f"{before} is back" if before else "it is gone again"
            raise Touched(f"{failure}; {was}") from None

    def whole(self, name: str) -> None:
        """Refuse a package whose files are not those that it brought."""
        damage = self.tools.damage(name)
        if damage:
            raise Failed(f"{name} is not as it was packed: {last(damage)}")

    def go_back(self, name: str, version: str) -> None:
        """Have a version that was there before, from what is kept here; or none."""
        if not version:
            self.tools.remove(name)
            return
        path = self.tools.kept(name, version)
        self.tools.foresee(name, path)
        self.tools.put(name, path)
        self.whole(name)

    def unpacked(self) -> Dict[str, Any]:
        """Lay it out to be looked at, unless it is there already."""
        name, version = self.params["name"], self.params["version"]
        before = self.tools.installed(name)
        directory = ""
        if version != before and not self.check_mode:
            directory = self.params["trial"]
            path, files = self.bring(name, version)
            room(directory, sum(size for _place, size in files))
            lay_out(self.tools, path, directory)
        return {"changed": False, "before": before, "after": before, "unpacked": directory}

    def absent(self) -> Dict[str, Any]:
        """Remove it, and note which version there was."""
        name = self.params["name"]
        before = self.tools.installed(name)
        if before and not self.check_mode:
            self.notes.write(name, before)
            self.tools.remove(name)
        return {"changed": bool(before), "before": before, "after": ""}

    def noted(self) -> List[str]:
        """The packages with a note that the task is about."""
        names = self.notes.names()
        wanted = self.params["name"]
        return [name for name in names if not wanted or name == wanted]

    def previous(self) -> Dict[str, Any]:
        """Put back what there is a note of; what fails does not keep the others from it."""
        names, problems = self.noted(), []
        for name in [] if self.check_mode else names:
            version = self.notes.version(name) or ""
            try:
                # Ended half way, an installation leaves the old version on the books of rpm.
                if version != self.tools.installed(name) or (version and self.tools.damage(name)):
                    self.go_back(name, version)
                self.notes.forget(name)
            except (Failed, OSError) as failure:
                problems.append(f"{name} {version or 'as it was'} is NOT back: {failure}")
        if problems:
            raise Touched("; ".join(problems))
        return {"changed": bool(names), "packages": names}

    def kept(self) -> Dict[str, Any]:
        """What is installed is good: forget what was before."""
        names = self.noted()
        for name in [] if self.check_mode else names:
            self.notes.forget(name)
        return {"changed": bool(names), "packages": names}


def main() -> None:
    """Do what the task says."""
    needed = ["name", "version"]
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "version": {"type": "str"},
            "state": {
                "type": "str",
                "choices": ["present", "unpacked", "absent", "previous", "kept"],
                "default": "present",
            },
            "format": {"type": "str", "choices": ["deb", "rpm"], "default": "deb"},
            "url": {"type": "str", "default": ""},
            "source": {"type": "path", "default": "/etc/apt/sources.list.d/mailseal.sources"},
            "key": {"type": "path", "default": "/etc/pki/rpm-gpg/RPM-GPG-KEY-mailseal"},
            "keep": {"type": "path", "default": "/var/lib/mailseal/packages"},
            "trial": {"type": "path", "default": "/var/lib/mailseal/trial"},
            "home": {"type": "path", "default": "/opt/mailseal"},
        },
        required_if=[
            ("state", "present", needed),
            ("state", "unpacked", needed),
            ("state", "absent", ["name"]),
        ],
        supports_check_mode=True,
    )
    params = module.params
    tools = Deb(params) if params["format"] == "deb" else Rpm(params)
    task = Task(params, tools, check_mode=module.check_mode)
    states: Dict[str, Callable[[], Dict[str, Any]]] = {
        "present": task.present,
        "unpacked": task.unpacked,
        "absent": task.absent,
        "previous": task.previous,
        "kept": task.kept,
    }
    try:
        result = states[params["state"]]()
    except Touched as failure:
        module.fail_json(msg=shown(str(failure)))
    except (Failed, OSError) as failure:
        words = f"{params['name']}: {failure}" if params["name"] else str(failure)
        module.fail_json(msg=shown(f"{words}; nothing that serves was touched"))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

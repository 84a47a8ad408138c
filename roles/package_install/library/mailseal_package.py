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
    Which one that is stands in the note of the snapshot that is pending (mailseal_snapshot).
options:
  name:
    description: Name of the package.
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
      - C(exactly) has all of C(packages), in one step, and then none of ours beside them. What is
        not kept here comes from the repository.
    choices: [present, unpacked, exactly]
    default: present
    type: str
  packages:
    description: >-
      Our packages as they were or shall be again, name to version; C(present) goes on keeping the
      files of these.
    type: dict
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

- name: Put back what was there before, which was this and nothing else of ours
  mailseal_package:
    state: exactly
    packages: {mailseal-openssl-3.0: 3.0.21-1.89abcdef}
"""

RETURN = r"""
packages:
  description: >-
    What was replaced or would be; name, before and after, the versions, empty where it is not
    there.
  returned: when state is present or exactly
  type: list
unpacked:
  description: Where it was unpacked; empty where that version is installed already.
  returned: when state is unpacked
  type: str
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
from typing import Any, BinaryIO, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

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
# How ours are called; the Python that EL6 gets is no part of what serves, and runs this module.
OURS, NOT_SERVING = "mailseal-", ("mailseal-python",)
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
        done = run("dpkg-query", "-W", "-f", "${db:Status-Status}|${Version}", name)
        state, _, version = done.stdout.strip().partition("|")
        return version if done.returncode == 0 and state == "installed" else ""

    def states(self) -> Dict[str, str]:
        """Our packages of which anything is here, be it half of one, and what dpkg says of it."""
        done = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", OURS + "*")
        rows = dict(line.split() for line in done.stdout.splitlines() if line.startswith(OURS))
        return {n: s for n, s in rows.items() if s not in ("not-installed", "config-files")}

    def ours(self) -> List[str]:
        """Our packages of which anything is here, be it half of one."""
        return [*self.states()]

    def mend(self) -> None:
        """Have a dpkg that was ended in its work take orders again: apt does nothing before."""
        for name, state in self.states().items():
            if state == "half-installed":
                run("dpkg", "--remove", "--force-remove-reinstreq", "--force-depends", name)
        # Where there is nothing to do it does nothing; what it cannot do apt names.
        run("dpkg", "--configure", "-a")

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

    def words(self, paths: Sequence[str], gone: Sequence[str]) -> List[str]:
        """How apt-get is told what to install, whichever versions there are, and what to remove."""
        words = [
            "--yes",
            "--fix-broken",
            "--no-install-recommends",
            "--allow-downgrades",
            "--reinstall",
        ]
        return [*self.only, *words, "install", *paths, *(name + "-" for name in gone)]

    def foresee(self, what: str, paths: Sequence[str], gone: Sequence[str] = ()) -> None:
        """Refuse what could not be done; no other package may go for it."""
        trial = run("apt-get", "-s", *self.words(paths, gone))
        if trial.returncode:
            raise Failed(f"{what} cannot be installed: {last(trial.stdout)}")
        others = {*re.findall(r"^Remv (\S+)", trial.stdout, re.MULTILINE)} - {*gone}
        if others:
            raise Failed(f"{what} would remove {', '.join(sorted(others))}")

    def put(self, what: str, paths: Sequence[str], gone: Sequence[str] = ()) -> None:
        """Install and remove them, all in one step."""
        done = run("apt-get", *self.words(paths, gone))
        if done.returncode:
            raise Failed(f"{what} cannot be installed: {last(done.stdout)}")

    def unpack(self, path: str, directory: str) -> None:
        """Lay it out without installing it."""
        done = run("dpkg-deb", "-x", path, directory)
        if done.returncode:
            raise Failed(f"{path} cannot be unpacked: {last(done.stdout)}")


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

    def ours(self) -> List[str]:
        """Our packages that are installed."""
        names = run("rpm", "-qa", "--qf", "%{NAME}\n", OURS + "*").stdout.split()
        return sorted({name for name in names if name.startswith(OURS)})

    def mend(self) -> None:
        """What rpm has begun it does again."""

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

    def words(self, paths: Sequence[str]) -> List[str]:
        """How rpm is told to install them, whichever versions there are."""
        return ["-U", "--oldpackage", "--replacepkgs", *paths]

    def foresee(self, what: str, paths: Sequence[str], _gone: Sequence[str] = ()) -> None:
        """Refuse what could not be installed."""
        done = run("rpm", "--test", *self.words(paths)) if paths else None
        if done and done.returncode:
            raise Failed(f"{what} cannot be installed: {last(done.stdout)}")

    def put(self, what: str, paths: Sequence[str], gone: Sequence[str] = ()) -> None:
        """Install them in one step, then take the others away: until then they may be needed."""
        for step in (
            self.words(paths) if paths else [],
            ["-e", "--allmatches", *gone] if gone else [],
        ):
            done = run("rpm", *step) if step else None
            if done and done.returncode:
                raise Failed(f"{what} cannot be installed: {last(done.stdout)}")

    def unpack(self, path: str, directory: str) -> None:
        """Lay it out without installing it."""
        script = 'cd "$2" && rpm2cpio "$1" | cpio --quiet -idm'
        done = run("sh", "-c", script, "sh", path, directory)
        if done.returncode:
            raise Failed(f"{path} cannot be unpacked: {last(done.stdout)}")


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

    def bring(self, name: str, version: str) -> Tuple[str, Files]:
        """Have the file here, and know that there is a good place for what is in it."""
        path = self.tools.get(name, version)
        files = self.tools.files(path)
        fits(files)
        owned(files, self.params["home"])
        return path, files

    def file(self, name: str, version: str) -> str:
        """The file of a version that there was: kept here, or else brought again."""
        try:
            return str(self.tools.kept(name, version))
        except Failed as missing:
            try:
                return self.bring(name, version)[0]
            except Failed as failure:
                raise Failed(f"{missing}, and {failure}") from None

    def present(self) -> Dict[str, Any]:
        """Install it, unless it is there and whole."""
        name, version = self.params["name"], self.params["version"]
        before = self.tools.installed(name)
        changed = self.differs(name, version)
        if changed and not self.check_mode:
            path, _files = self.bring(name, version)
            self.tools.foresee(name, [path])
            self.install(name, version, before, path)
            versions = [version, before, (self.params["packages"] or {}).get(name)]
            prune(self.params["keep"], name, self.tools.suffix, versions)
        return self.answer({name: (before, version)} if changed else {})

    def answer(self, replaced: Dict[str, Tuple[str, str]]) -> Dict[str, Any]:
        """What is returned: which versions there were, and are."""
        rows = [{"name": n, "before": b, "after": a} for n, (b, a) in replaced.items()]
        return {"changed": bool(rows), "packages": rows}

    def differs(self, name: str, version: str) -> bool:
        """Whether it is not there, whole and in this version."""
        return version != self.tools.installed(name) or bool(self.tools.damage(name))

    def install(self, name: str, version: str, before: str, path: str) -> None:
        """Put it in place; where that fails put back what was there, and say what there is."""
        try:
            self.tools.put(name, [path])
            self.whole(name)
        except (Failed, OSError) as failure:
            if version == before:
                raise Touched(f"{failure}; it is NOT whole") from None
            try:
                self.have({name: before} if before else {}, [] if before else [name])
            except (Failed, OSError) as second:
                was = f"{before or 'what was there before'} is NOT back"
                raise Touched(f"{failure}; {was}: {second}") from None
            was = f"{before} is back" if before else "it is gone again"
            raise Touched(f"{failure}; {was}") from None

    def whole(self, name: str) -> None:
        """Refuse a package whose files are not those that it brought."""
        damage = self.tools.damage(name)
        if damage:
            raise Failed(f"{name} is not as it was packed: {last(damage)}")

    def have(self, wanted: Dict[str, str], gone: Sequence[str]) -> None:
        """Have these versions, and none of the others."""
        what = ", ".join([*wanted, *(f"no {name}" for name in gone)])
        paths = [self.file(name, version) for name, version in wanted.items()]
        self.tools.mend()
        left = [name for name in gone if name in self.tools.ours()]
        if paths or left:
            self.tools.foresee(what, paths, left)
            self.tools.put(what, paths, left)
        for name in wanted:
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
        return {"changed": False, "unpacked": directory}

    def exactly(self) -> Dict[str, Any]:
        """Have these packages and none of ours beside them."""
        every = {n: v for n, v in self.params["packages"].items() if n not in NOT_SERVING}
        # Ended half way, an installation leaves the old version on the books of rpm.
        wanted = {name: version for name, version in every.items() if self.differs(name, version)}
        gone = sorted({*self.tools.ours()} - {*every, *NOT_SERVING})
        replaced = {
            name: (self.tools.installed(name), wanted.get(name, "")) for name in [*wanted, *gone]
        }
        if replaced and not self.check_mode:
            try:
                self.have(wanted, gone)
            except (Failed, OSError) as failure:
                asked = [*(" ".join(one) for one in wanted.items()), *(f"no {n}" for n in gone)]
                words = f"the packages are NOT as they should be ({', '.join(asked)})"
                raise Touched(f"{words}: {failure}") from None
        return self.answer(replaced)


def main() -> None:
    """Do what the task says."""
    needed = ["name", "version"]
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "version": {"type": "str"},
            "state": {
                "type": "str",
                "choices": ["present", "unpacked", "exactly"],
                "default": "present",
            },
            "packages": {"type": "dict"},
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
            ("state", "exactly", ["packages"]),
        ],
        supports_check_mode=True,
    )
    params = module.params
    tools = Deb(params) if params["format"] == "deb" else Rpm(params)
    task = Task(params, tools, check_mode=module.check_mode)
    states: Dict[str, Callable[[], Dict[str, Any]]] = {
        "present": task.present,
        "unpacked": task.unpacked,
        "exactly": task.exactly,
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

#!/usr/bin/python
"""One package from our own repository: signature first, room second, then it is put in place."""

DOCUMENTATION = r"""
module: mailseal_package
short_description: Install exactly one version of a package from a signed repository
description:
  - Asks the repository, and no other; an index or a package without a good signature of the given
    key is refused. Looks whether there is room and whether another package would go. Only then is
    anything changed.
  - Keeps what it installed, so that the version before can be put back without any repository.
options:
  name:
    description: Name of the package.
    type: str
    required: true
  version:
    description: The version that has to be installed; empty for the one kept before.
    type: str
    default: ""
  state:
    description:
      - C(unpacked) brings a version that is not installed yet, and unpacks it into C(trial) to be
        looked at; nothing else of the host changes.
      - C(previous) puts back the version that was there before, or none if none was.
    choices: [present, unpacked, previous]
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
  keep:
    description: Where installed packages are kept.
    type: path
    default: /var/lib/mailseal/packages
  trial:
    description: Where C(unpacked) unpacks it; what was there goes.
    type: path
    default: /var/lib/mailseal/trial
  home:
    description: Where most of the package will be; looked at for room.
    type: path
    default: /opt/mailseal
"""

EXAMPLES = r"""
- name: Install the library
  mailseal_package:
    name: mailseal-openssl-3.0
    version: 3.0.22-1.0123abcd
"""

RETURN = r"""
before:
  description: The version that was installed before; empty if none was.
  returned: success
  type: str
unpacked:
  description: Where it was unpacked; empty where that version is installed already.
  returned: when state is unpacked
  type: str
after:
  description: The version that is installed now.
  returned: success
  type: str
"""

import glob
import os
import platform
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Any, Dict, List, Optional

from ansible.module_utils.basic import AnsibleModule

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
}
SIGNATURE = re.compile(r"NO_PUBKEY|not signed|BADSIG|EXPKEYSIG|REVKEYSIG|NODATA|[Ss]ignature")
# What rpm -K says of a good one: since 4.14, and before. An unsigned package has neither word.
SIGNED = re.compile(r"\b(signatures|pgp)\b.* OK$", re.MULTILINE)
STATES = ["present", "unpacked", "previous"]
SPARE = 16 * 1024 * 1024


class Failed(Exception):
    """A sentence for the user."""


def run(*argv: str, cwd: Optional[str] = None) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
        cwd=cwd,
        check=False,
    )


def last(text: str) -> str:
    """The line that says most of a failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("E:", "dpkg: error", "error:", "W:"):
        telling = [line for line in lines if line.startswith(mark)]
        if telling:
            return telling[0][:300]
    return lines[-1][:300] if lines else "no message"


def room(path: str, size: int) -> None:
    """Refuse what would fill a file system."""
    there = path
    while not os.path.exists(there):
        there = os.path.dirname(there)
    found = os.statvfs(there)
    free = found.f_bavail * found.f_frsize
    if free < size + SPARE:
        wanted, left = (size + SPARE) >> 20, free >> 20
        raise Failed(f"there is no room: {path} needs {wanted} MB and has {left} MB")


def whole(name: str, *argv: str) -> None:
    """Refuse a package whose files are not those that it brought; the command names them."""
    changed = run(*argv, name).stdout.strip()
    if changed:
        raise Failed(f"{name} is not as it was packed: {last(changed)}")


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
        ]

    def installed(self, name: str) -> str:
        """The version that is installed, wholly; empty if none is."""
        done = run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}|${Version}", name)
        state, _, version = done.stdout.strip().partition("|")
        return version if done.returncode == 0 and state.strip() == "ii" else ""

    def get(self, name: str, version: str) -> str:
        """Bring a package into the directory of those that are kept."""
        keep = self.params["keep"]
        done = run("apt-get", *self.only, "--error-on=any", "update")
        if done.returncode:
            what = "is not signed with our key" if SIGNATURE.search(done.stdout) else "is no use"
            raise Failed(f"the repository {self.params['url']} {what}: {last(done.stdout)}")
        shown = run("apt-cache", *self.only, "show", f"{name}={version}").stdout
        sizes = {
            key: int(value)
            for key, value in re.findall(r"^(Size|Installed-Size): (\d+)$", shown, re.MULTILINE)
        }
        if "Size" not in sizes:
            raise Failed(f"the repository {self.params['url']} has no {name} {version}")
        room(self.params["home"], sizes.get("Installed-Size", 0) * 1024)
        room(keep, sizes["Size"])
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

    def put(self, name: str, path: str) -> None:
        """Install it, or go back to what was; no other package may go for it."""
        words = [*self.only, "--yes", "--no-install-recommends", "--allow-downgrades", "install"]
        trial = run("apt-get", "-s", *words, path)
        if trial.returncode:
            raise Failed(f"{name} cannot be installed: {last(trial.stdout)}")
        gone = re.findall(r"^Remv (\S+)", trial.stdout, re.MULTILINE)
        if gone:
            raise Failed(f"{name} would remove {', '.join(gone)}")
        done = run("apt-get", *words, path)
        if done.returncode:
            raise Failed(f"{name} cannot be installed: {last(done.stdout)}")
        whole(name, "dpkg", "-V")

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

    def kept(self, name: str, version: str) -> str:
        """The file of a version that is kept here."""
        return os.path.join(self.params["keep"], f"{name}-{version}.{platform.machine()}.rpm")

    def get(self, name: str, version: str) -> str:
        """Bring a package into the directory of those that are kept, its signature checked."""
        path = self.kept(name, version)
        address = f"{self.params['url']}/rpm/{os.path.basename(path)}"
        os.makedirs(self.params["keep"], mode=0o755, exist_ok=True)
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - ours
                size = int(answer.headers.get("Content-Length", 0))
                room(self.params["keep"], size)
                with open(path + ".new", "wb") as file:
                    shutil.copyfileobj(answer, file)
        except (OSError, urllib.error.URLError) as error:
            raise Failed(f"{address} cannot be brought here: {error}") from None
        said = run("rpm", "-K", path + ".new").stdout
        if not SIGNED.search(said):
            os.unlink(path + ".new")
            raise Failed(f"{address} is not signed with our key: {last(said)}")
        os.rename(path + ".new", path)
        unpacked = run("rpm", "-qp", "--qf", "%{SIZE}", path).stdout.strip()
        room(self.params["home"], int(unpacked) if unpacked.isdigit() else 0)
        return path

    def put(self, name: str, path: str) -> None:
        """Install it, whichever version there is."""
        for words in (["--test"], []):
            done = run("rpm", "-U", "--oldpackage", "--replacepkgs", *words, path)
            if done.returncode:
                raise Failed(f"{name} cannot be installed: {last(done.stdout)}")
        whole(name, "rpm", "-V")

    def unpack(self, path: str, directory: str) -> None:
        """Lay it out without installing it."""
        script = 'cd "$2" && rpm2cpio "$1" | cpio --quiet -idm'
        done = run("sh", "-c", script, "sh", path, directory)
        if done.returncode:
            raise Failed(f"{path} cannot be unpacked: {last(done.stdout)}")

    def remove(self, name: str) -> None:
        """Take it away."""
        done = run("rpm", "-e", name)
        if done.returncode:
            raise Failed(f"{name} cannot be removed: {last(done.stdout)}")


def previous(keep: str, name: str) -> str:
    """The file that says which version was there before."""
    return os.path.join(keep, name + ".previous")


def lay_out(tools: Any, path: str, directory: str) -> None:  # noqa: ANN401 - either of two
    """Unpack a package where nothing uses it."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory, mode=0o755)
    tools.unpack(path, directory)


def prune(keep: str, name: str, suffix: str, versions: List[str]) -> None:
    """Keep the files of these versions and no others."""
    for path in glob.glob(os.path.join(keep, name + "[_-]*" + suffix)):
        if not any(version and version in os.path.basename(path) for version in versions):
            os.unlink(path)


def main() -> None:
    """Do what the task says."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "version": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": STATES, "default": "present"},
            "format": {"type": "str", "choices": ["deb", "rpm"], "default": "deb"},
            "url": {"type": "str", "default": ""},
            "source": {"type": "path", "default": "/etc/apt/sources.list.d/mailseal.sources"},
            "keep": {"type": "path", "default": "/var/lib/mailseal/packages"},
            "trial": {"type": "path", "default": "/var/lib/mailseal/trial"},
            "home": {"type": "path", "default": "/opt/mailseal"},
        },
        supports_check_mode=True,
    )
    params = module.params
    tools = Deb(params) if params["format"] == "deb" else Rpm(params)
    name, version, keep = params["name"], params["version"], params["keep"]
    before = tools.installed(name)
    try:
        note = previous(keep, name)
        if params["state"] == "previous":
            if not os.path.exists(note):
                module.exit_json(changed=False, before=before, after=before)
            with open(note, encoding="ascii") as stream:
                version = stream.read().strip()
        changed = version != before
        if params["state"] == "unpacked":
            if changed and not module.check_mode:
                lay_out(tools, tools.get(name, version), params["trial"])
            unpacked = params["trial"] if changed and not module.check_mode else ""
            module.exit_json(changed=False, before=before, after=before, unpacked=unpacked)
        if changed and not module.check_mode:
            if params["state"] == "previous":
                tools.put(name, tools.kept(name, version)) if version else tools.remove(name)
                os.unlink(note)
            else:
                path = tools.get(name, version)
                with open(note, "w", encoding="ascii") as stream:
                    stream.write(before + "\n")
                tools.put(name, path)
                prune(keep, name, tools.suffix, [version, before])
    except (Failed, OSError) as failure:
        module.fail_json(msg=f"{name}: {failure}; nothing that serves was touched", before=before)
    module.exit_json(changed=changed, before=before, after=version)


if __name__ == "__main__":
    main()

"""What publishes packages, with real tools: whatever an earlier run left, the next one mends it."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import ROOT, Done

PUBLISH = ROOT / "roles" / "repository" / "files" / "publish.sh"
CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: nobody <nobody@localhost>
Description: nothing
"""
SPEC = """%global _binary_payload w9.gzdio
Name: {name}
Version: {version}
Release: 1
Summary: nothing
License: none
BuildArch: noarch
%description
Nothing.
%files
"""
# Stands before a tool: the process group ends with the Nth of them that is called.
ENDING = """#!/bin/sh
echo "$0" >>"$CALLED"
test "$(wc -l <"$CALLED")" != "$ENDED_AT" || kill -s KILL 0
PATH=${PATH#*:} exec "${0##*/}" "$@"
"""
STEPS = ("cp", "createrepo_c", "gpg", "gzip", "mv", "rpmsign", "sync")


def _missing(*tools: str) -> pytest.MarkDecorator:
    absent = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(absent), reason=f"{', '.join(absent)} is not installed")


pytestmark = _missing("gpg", "gpgconf", "flock", "dpkg-deb", "dpkg-scanpackages")
rpms = _missing("rpm", "rpmbuild", "rpmkeys", "rpmsign", "createrepo_c")


@dataclass(frozen=True)
class Place:
    """A build host's directories."""

    home: Path

    @property
    def deb(self) -> Path:
        return self.home / "repository" / "deb"

    @property
    def rpm(self) -> Path:
        return self.home / "repository" / "rpm"

    @property
    def signing(self) -> Path:
        return self.home / "signing"

    def publish(self, ended_at: int = 0) -> Done:
        """Run it; *ended_at* is the step that it does not survive."""
        called = self.home / "called"
        called.write_text("", encoding="utf-8")
        words = {"CALLED": str(called), "ENDED_AT": str(ended_at)}
        path = f"{self.home / 'tools'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["sh", str(PUBLISH), str(self.home / "repository"), str(self.signing)],
            env={**os.environ, **words, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            start_new_session=True,
        )

    def gpg(self, *words: str) -> Done:
        command = ["gpg", "--homedir", str(self.signing), "--batch", "--quiet", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def add_deb(self, name: str, version: str = "1") -> Path:
        tree = self.home / "tree" / "DEBIAN"
        tree.mkdir(parents=True, exist_ok=True)
        text = CONTROL.format(name=name, version=version)
        (tree / "control").write_text(text, encoding="utf-8")
        made = self.deb / f"{name}_{version}_all.deb"
        words = ["dpkg-deb", "--root-owner-group", "--build", str(tree.parent), str(made)]
        subprocess.run(words, check=True, capture_output=True)
        return made

    def add_rpm(self, name: str, version: str = "1") -> Path:
        spec = self.home / "x.spec"
        spec.write_text(SPEC.format(name=name, version=version), encoding="utf-8")
        top = self.home / "top"
        words = ["rpmbuild", "-bb", "--define", f"_topdir {top}", str(spec)]
        subprocess.run(words, check=True, capture_output=True)
        file = f"{name}-{version}-1.noarch.rpm"
        shutil.copy(top / "RPMS" / "noarch" / file, self.signing / "incoming")
        return self.rpm / file

    def content(self) -> dict[str, bytes]:
        """All that is served."""
        files = (p for p in (self.home / "repository").rglob("*") if p.is_file())
        return {str(p): p.read_bytes() for p in files}

    def check_debs(self) -> None:
        """What apt would: the signature, the index, every package."""
        said = self.gpg("--decrypt", str(self.deb / "InRelease"))
        assert said.returncode == 0, said.stderr
        listed = re.findall(r"^ ([0-9a-f]{64}) \d+ (\S+)$", said.stdout, re.MULTILINE)
        assert {name for _, name in listed} == {"Packages", "Packages.gz"}
        for digest, name in listed:
            assert _digest(self.deb / name) == digest
        text = (self.deb / "Packages").read_text(encoding="utf-8")
        names = re.findall(r"^Filename: \./(\S+)$", text, re.MULTILINE)
        sums = re.findall(r"^SHA256: (\S+)$", text, re.MULTILINE)
        assert dict(zip(names, sums, strict=True)) == _digests(self.deb, "mailseal-*.deb")

    def check_rpms(self) -> None:
        """What yum would: both signatures of every package, that of the index, and the index."""
        for package in self.rpm.glob("*.rpm"):
            known = ["--dbpath", str(self.signing / "rpmdb")]
            said = _said("rpmkeys", *known, "--checksig", str(package))
            assert said.strip().endswith(": digests signatures OK")
            query = ("-qp", "--qf", "%{SIGPGP:pgpsig}", str(package))
            assert _said("rpm", *known, *query) != "(none)"
        home = self.rpm / "repodata"
        signature = (str(home / "repomd.xml.asc"), str(home / "repomd.xml"))
        assert self.gpg("--verify", *signature).returncode == 0
        text = (home / "repomd.xml").read_text(encoding="utf-8")
        parts = re.findall(r'<checksum type="sha256">(\w+)<.*?href="([^"]+)"', text, re.DOTALL)
        assert {self.rpm / name for _, name in parts} == set(home.glob("*.gz"))
        for digest, name in parts:
            assert _digest(self.rpm / name) == digest
        (primary,) = home.glob("*-primary.xml.gz")
        listed = _said("gzip", "-dc", str(primary))
        found = re.findall(r'pkgid="YES">(\w+)<.*?<location href="([^"]+)"', listed, re.DOTALL)
        assert {name: digest for digest, name in found} == _digests(self.rpm, "*.rpm")


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digests(home: Path, pattern: str) -> dict[str, str]:
    return {path.name: _digest(path) for path in home.glob(pattern)}


@pytest.fixture
def place() -> Iterator[Place]:
    """With a key, in a directory whose name is short enough for the agent's socket."""
    with tempfile.TemporaryDirectory(prefix="ms-") as directory:
        made = Place(Path(directory))
        for path in (made.deb, made.rpm, made.signing / "incoming", made.home / "tools"):
            path.mkdir(parents=True)
        made.signing.chmod(0o700)
        for name in STEPS:
            if shutil.which(name):
                (made.home / "tools" / name).write_text(ENDING, encoding="utf-8")
                (made.home / "tools" / name).chmod(0o755)
        done = made.gpg("--passphrase", "", "--quick-gen-key", "nobody", "rsa1024", "sign", "0")
        assert done.returncode == 0, done.stderr
        yield made
        subprocess.run(["gpgconf", "--homedir", str(made.signing), "--kill", "all"], check=True)


def test_packages_are_indexed_and_a_second_run_changes_nothing(place: Place) -> None:
    """Not a byte, and it says so by saying nothing."""
    place.add_deb("mailseal-a")
    first = place.publish()
    assert (first.returncode, first.stdout) == (0, "deb: written\n")
    place.check_debs()
    before = place.content()
    second = place.publish()
    assert (second.returncode, second.stdout) == (0, "")
    assert place.content() == before


def test_a_run_that_ends_anywhere_is_mended_by_the_next(place: Place) -> None:
    """Before each of its steps."""
    ends = 0
    while True:
        made = place.add_deb("mailseal-a", str(ends + 1))
        done = place.publish(ended_at=ends + 1)
        if done.returncode == 0:
            break
        assert done.returncode == -9
        ends += 1
        mended = place.publish()
        assert (mended.returncode, mended.stdout) == (0, "deb: written\n")
        place.check_debs()
        assert place.publish().stdout == ""
        made.unlink()
    # gzip, gpg, sync and three renames at least.
    assert ends >= 6


# What a run left that was ended, or a disk that lost something, by the file that is not as it was.
@pytest.mark.parametrize("name", ["Packages", "Packages.gz", "InRelease"])
@pytest.mark.parametrize("left", ["old", "half", "nothing"])
def test_an_index_that_nobody_vouches_for_is_written_again(
    place: Place, name: str, left: str
) -> None:
    """Of the packages that lie here nothing changed: only the content shows it."""
    place.add_deb("mailseal-a")
    place.publish()
    old = (place.deb / name).read_bytes()
    place.add_deb("mailseal-b")
    place.publish()
    new = (place.deb / name).read_bytes()
    if left == "nothing":
        (place.deb / name).unlink()
    else:
        (place.deb / name).write_bytes(old if left == "old" else new[: len(new) // 2])
    done = place.publish()
    assert (done.returncode, done.stdout) == (0, "deb: written\n")
    place.check_debs()


def test_a_damaged_package_is_named_and_nothing_is_written(place: Place) -> None:
    """Cut off in what it installs, and in what it says of itself."""
    place.add_deb("mailseal-a")
    place.publish()
    before = place.content()
    bad = place.add_deb("mailseal-b")
    whole = bad.read_bytes()
    for size in (len(whole) - 70, 100):
        bad.write_bytes(whole[:size])
        done = place.publish()
        assert done.returncode != 0
        assert done.stderr.splitlines()[-1].startswith(f"{bad} is damaged")
        bad.unlink()
        after = {path: text for path, text in place.content().items() if ".new" not in path}
        assert after == before
    assert place.publish().stdout == ""


def test_what_is_not_ours_is_not_published(place: Place) -> None:
    """A copy that was ended half way has another name."""
    place.add_deb("mailseal-a")
    (place.deb / ".ansible_tmpx_mailseal-b_1_all.deb").write_bytes(b"half")
    place.add_deb("other")
    done = place.publish()
    assert done.returncode == 0, done.stderr
    place.check_debs()


def test_two_runs_at_once_wait_for_each_other(place: Place) -> None:
    """The second begins when the first has ended."""
    place.add_deb("mailseal-a")
    with (place.signing / "lock").open("w") as lock:
        subprocess.run(["flock", str(lock.fileno())], pass_fds=[lock.fileno()], check=True)
        words = ["sh", str(PUBLISH), str(place.home / "repository"), str(place.signing)]
        waiting = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(1)
        assert waiting.poll() is None
        assert list(place.deb.glob("Packages*")) == []
    assert waiting.communicate(timeout=60)[0] == b"deb: written\n"


def test_a_key_that_is_no_more_stops_it(place: Place) -> None:
    """The words of gpg are not thrown away."""
    place.add_deb("mailseal-a")
    shutil.rmtree(place.signing / "private-keys-v1.d")
    subprocess.run(["gpgconf", "--homedir", str(place.signing), "--kill", "all"], check=True)
    done = place.publish()
    assert done.returncode != 0
    assert "gpg: " in done.stderr.splitlines()[-1]
    assert not (place.deb / "InRelease").exists()


@rpms
def test_rpms_are_signed_in_both_ways(place: Place) -> None:
    """Also over header and payload, for the rpm of EL6; and a second run changes nothing."""
    place.add_rpm("mailseal-a")
    first = place.publish()
    assert (first.returncode, first.stdout) == (0, "deb: written\nrpm: written\n"), first.stderr
    place.check_rpms()
    before = place.content()
    second = place.publish()
    assert (second.returncode, second.stdout) == (0, "")
    assert place.content() == before


@rpms
def test_rpms_that_were_half_published_are_mended(place: Place) -> None:
    """Before each of its steps."""
    place.publish()
    ends = 0
    while True:
        made = place.add_rpm("mailseal-a", str(ends + 1))
        done = place.publish(ended_at=ends + 1)
        if done.returncode == 0:
            break
        assert done.returncode == -9
        ends += 1
        mended = place.publish()
        assert mended.returncode == 0, mended.stderr
        place.check_rpms()
        assert place.publish().stdout == ""
        made.unlink()
        (place.signing / "incoming" / made.name).unlink()
    assert ends >= 10


@rpms
@pytest.mark.parametrize("left", ["half", "unsigned", "another", "signed once"])
def test_a_published_rpm_that_is_no_use_is_signed_again(place: Place, left: str) -> None:
    """Cut off, never signed, of other content under the name, or signed as newer ones are."""
    file = place.add_rpm("mailseal-a")
    other = place.add_rpm("mailseal-b")
    place.publish()
    incoming = place.signing / "incoming" / file.name
    if left == "half":
        file.write_bytes(file.read_bytes()[:2000])
    elif left == "another":
        file.write_bytes(other.read_bytes())
    else:
        file.write_bytes(incoming.read_bytes())
    if left == "signed once":
        keys = place.gpg("--list-keys", "--with-colons").stdout
        key = re.search(r"^fpr:+(\w+):", keys, re.MULTILINE)
        assert key
        defined = (f"_gpg_name {key[1]}", f"_gpg_path {place.signing}", "__gpg /usr/bin/gpg")
        words = [word for one in defined for word in ("--define", one)]
        _said("rpmsign", *words, "--addsign", str(file))
    done = place.publish()
    assert (done.returncode, done.stdout) == (0, "rpm: written\n"), done.stderr
    place.check_rpms()


@rpms
def test_a_damaged_rpm_is_named(place: Place) -> None:
    """As it came in, and as it was published where nothing came in."""
    file = place.add_rpm("mailseal-a")
    incoming = place.signing / "incoming" / file.name
    whole = incoming.read_bytes()
    incoming.write_bytes(whole[:2000])
    done = place.publish()
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"{incoming} is damaged")
    assert not file.exists()
    incoming.write_bytes(whole)
    assert place.publish().returncode == 0
    incoming.unlink()
    assert (place.publish().returncode, place.publish().stdout) == (0, "")
    file.write_bytes(file.read_bytes()[:-1])
    done = place.publish()
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"{file} is damaged")

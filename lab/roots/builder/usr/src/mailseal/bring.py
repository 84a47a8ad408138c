"""Brings sources into the root of the lab's build host: what is pinned, and the newest of the rest.

It runs once, while the root is built, and leaves sources.json beside what it brought. Everything is
checked against apt's signed index. An archive may list a file that it does not have, and have the
same file at the address of another version.
"""

import functools
import json
import re
import subprocess
from pathlib import Path

HERE = Path("/usr/src/mailseal")
HELPER = "/usr/lib/apt/apt-helper"
URI = re.compile(r"^'(\S+)' (\S+) \d+ SHA256:([0-9a-f]{64})", re.MULTILINE)
TARBALLS = r"\.(orig|debian)\.tar\.[a-z0-9]+$"

# What packages/el6.py and inventory/el6 pin.
PINNED = (
    ("openssl", ("openssl_1.1.1w.orig.tar.gz",)),
    ("libffi", ("libffi_3.3.orig.tar.gz",)),
    ("pcre3", ("pcre3_8.39.orig.tar.bz2",)),
    ("gdbm", ("gdbm_1.23.orig.tar.gz",)),
    ("python3.9", ("python3.9_3.9.2.orig.tar.xz", "python3.9_3.9.2-1+deb11u7.debian.tar.xz")),
    ("zlib", ("zlib_1.2.11.dfsg.orig.tar.gz", "zlib_1.2.11.dfsg-2+deb11u2.debian.tar.xz")),
    ("exim4", ("exim4_4.94.2.orig.tar.xz", "exim4_4.94.2-7+deb11u3.debian.tar.xz")),
    ("icu", ("icu_72.1.orig.tar.gz",)),
    ("jansson", ("jansson_2.14.orig.tar.gz",)),
    ("cyrus-sasl2", ("cyrus-sasl2_2.1.28+dfsg.orig.tar.xz",)),
    ("util-linux", ("util-linux_2.38.1.orig.tar.xz",)),
    ("sqlite3", ("sqlite3_3.40.1.orig.tar.xz",)),
    (
        "cyrus-imapd",
        ("cyrus-imapd_3.6.1.orig.tar.gz", "cyrus-imapd_3.6.1-4+deb12u5.debian.tar.xz"),
    ),
)
# What is rebuilt on the libraries of this release: the source package, its versions, its files.
DAEMONS = {
    "exim": ("exim4", r"4\.96-", ""),
    "cyrus": ("cyrus-imapd", r"3\.6\.1-", TARBALLS),
}


def said(*argv: str) -> str:
    """What a command prints. In another directory: apt says nothing of files that it sees."""
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, cwd="/")
    return done.stdout


@functools.cache
def versions(package: str) -> list[str]:
    """Every version that the index has, the newest first."""

    def order(a: str, b: str) -> int:
        newer = subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False)
        return 1 if newer.returncode else -1

    text = said("apt-cache", "showsrc", "--only-source", package)
    found = set(re.findall(r"^Version: (\S+)", text, re.MULTILINE))
    return sorted(found, key=functools.cmp_to_key(order))


@functools.cache
def listed(package: str, version: str) -> list[tuple[str, str, str]]:
    """Address, name and SHA-256 of each file of one source package."""
    words = ["apt-get", "-q", "source", "--print-uris", f"{package}={version}"]
    return URI.findall(said(*words))


def brought(package: str, name: str, digest: str) -> bool:
    """Whether a file is here, from wherever the archive has it."""
    every = [row for version in versions(package) for row in listed(package, version)]
    for uri in dict.fromkeys(uri for uri, _, found in every if found == digest):
        words = [HELPER, "download-file", uri, str(HERE / name), f"SHA256:{digest}"]
        if (HERE / name).exists() or subprocess.run(words, check=False).returncode == 0:
            return True
    print(f"the archive lacks {name}")
    return False


def bring(package: str, version: str, wanted: str) -> list[dict[str, str]]:
    """All files of one source package that are wanted, or nothing."""
    files = []
    for _, name, digest in listed(package, version):
        if re.search(wanted, name):
            if not brought(package, name, digest):
                return []
            path = str(HERE / name)
            files.append({"file": name, "source": path, "sha256": digest, "on": "builder"})
    return files


def newest(package: str, upstream: str, wanted: str) -> tuple[str, list[dict[str, str]]]:
    """Upstream's version and the files of the newest source that is there whole."""
    for version in versions(package):
        files = bring(package, version, wanted) if re.match(upstream, version) else []
        if files:
            return version.partition("-")[0], files
    raise SystemExit(f"E: the archive has no source of {package}")


def pinned(package: str, names: tuple[str, ...]) -> None:
    """These very files, of whichever version has them all; a newer one has other checksums."""
    wanted = "|".join(f"^{re.escape(name)}$" for name in names)
    if not any(len(bring(package, version, wanted)) == len(names) for version in versions(package)):
        words = f"the archive lacks {' and '.join(names)}: what is built of it for EL6 cannot be"
        print(words)


def main() -> None:
    """Bring everything, and say what the newest is."""
    for package, names in PINNED:
        pinned(package, names)
    version, (tarball,) = newest("openssl", r"3\.5\.", r"\.orig\.tar\.gz$")
    del tarball["file"]
    daemons = {}
    for daemon, source in DAEMONS.items():
        upstream, files = newest(*source)
        daemons[daemon] = {"version": upstream, "files": files}
    found = {"openssl": {"version": version, **tarball}, "daemons": daemons}
    (HERE / "sources.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

#!/bin/sh
# Makes a fresh Debian root fit to build packages in the lab. mmdebstrap runs it with the root as $1.
set -eu
root=$1

# The sources, for a host without a network, and what they are: what apt's signed index says,
# checksums and all. OpenSSL is the next release's: nobody maintains bookworm's series any more. What is
# built for EL6 is of the release before.
for release in bookworm trixie bullseye; do
    find "$root/etc/apt" -name '*.list' -exec sed -n "s/^deb \(.*\)bookworm/deb-src \1$release/p" {} +
done >"$root/etc/source.list"
mv "$root/etc/source.list" "$root/etc/apt/sources.list.d/"
mkdir -p "$root/usr/src/mailseal"
cat >"$root/usr/src/mailseal/bring" <<'PYTHON'
"""Brings what is pinned, and the newest of the rest that is really there (sources.json)."""

import functools
import json
import re
import subprocess
from pathlib import Path

HERE = Path("/usr/src/mailseal")
URI = re.compile(r"^'(\S+)' (\S+) \d+ SHA256:([0-9a-f]{64})", re.MULTILINE)


def said(*argv):
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def newest_first(package, upstream):
    def order(a, b):
        return 1 if subprocess.run(["dpkg", "--compare-versions", a, "gt", b]).returncode else -1

    text = said("apt-cache", "showsrc", "--only-source", package)
    found = {v for v in re.findall(r"^Version: (\S+)", text, re.MULTILINE) if re.match(upstream, v)}
    return sorted(found, key=functools.cmp_to_key(order))


def bring(package, version, wanted):
    """All files of one source package that are wanted, or nothing."""
    listed = said("apt-get", "-q", "source", "--print-uris", f"{package}={version}")
    files = []
    for uri, name, digest in URI.findall(listed):
        if re.search(wanted, name):
            helper = ["/usr/lib/apt/apt-helper", "download-file", uri, name, f"SHA256:{digest}"]
            if not (HERE / name).exists() and subprocess.run(helper).returncode:
                print(f"the archive lacks {name}")
                return []
            path = f"{HERE}/{name}"
            files.append({"file": name, "source": path, "sha256": digest, "on": "builder"})
    return files


def newest(package, upstream, wanted):
    """Upstream's version and the files of the newest source that is there whole."""
    for version in newest_first(package, upstream):
        files = bring(package, version, wanted)
        if files:
            return version.partition("-")[0], files
    raise SystemExit(f"E: the archive has no source of {package}")


def pinned(package, *names):
    """These very files, of whichever version has them all; a newer one has other checksums."""
    wanted = "|".join(f"^{re.escape(name)}$" for name in names)
    if not any(len(bring(package, v, wanted)) == len(names) for v in newest_first(package, "")):
        print(f"the archive lacks {' and '.join(names)}: what is built of it for EL6 cannot be")


# What packages/el6.py and inventory/el6 pin.
pinned("openssl", "openssl_1.1.1w.orig.tar.gz")
pinned("libffi", "libffi_3.3.orig.tar.gz")
pinned("pcre3", "pcre3_8.39.orig.tar.bz2")
pinned("gdbm", "gdbm_1.23.orig.tar.gz")
pinned("python3.9", "python3.9_3.9.2.orig.tar.xz", "python3.9_3.9.2-1+deb11u7.debian.tar.xz")
pinned("zlib", "zlib_1.2.11.dfsg.orig.tar.gz", "zlib_1.2.11.dfsg-2+deb11u2.debian.tar.xz")
pinned("exim4", "exim4_4.94.2.orig.tar.xz", "exim4_4.94.2-7+deb11u3.debian.tar.xz")

fixed = r"\.(orig|debian)\.tar\.[a-z0-9]+$"
version, (tarball,) = newest("openssl", r"3\.5\.", r"\.orig\.tar\.gz$")
del tarball["file"]
found = {"openssl": {"version": version, **tarball}, "daemons": {}}
# On the libraries of this release.
for daemon, source, upstream, wanted in (
    ("exim", "exim4", r"4\.96-", ""),
    ("cyrus", "cyrus-imapd", r"3\.6\.1-", fixed),
):
    version, files = newest(source, upstream, wanted)
    found["daemons"][daemon] = {"version": version, "files": files}
(HERE / "sources.json").write_text(json.dumps(found, indent=1) + "\n")
PYTHON
# shellcheck disable=SC2016 # the inner shell expands it
chroot "$root" sh -euc 'cd /usr/src/mailseal; apt-get -q update; python3 bring'
rm -rf "$root/etc/apt/sources.list.d/source.list" "$root/usr/src/mailseal/bring" "$root"/var/lib/apt/lists/*

chroot "$root" update-rc.d -f lighttpd remove >/dev/null

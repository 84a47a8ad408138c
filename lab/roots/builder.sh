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
"""Brings the newest sources that the archive really has, and writes sources.json about them."""

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


# What packages/el6.py and inventory/el6 pin.
plain, fixed = r"\.orig\.tar\.[a-z0-9]+$", r"\.(orig|debian)\.tar\.[a-z0-9]+$"
newest("openssl", r"1\.1\.1w-", plain)
newest("libffi", r"3\.3-", plain)
newest("pcre3", "", plain)
newest("gdbm", r"1\.23-", plain)
newest("python3.9", "", fixed)
newest("zlib", r"1:1\.2\.11", fixed)
newest("exim4", r"4\.94\.2-", fixed)
newest("icu", r"72\.1-", plain)
newest("jansson", r"2\.14-", plain)
newest("cyrus-sasl2", r"2\.1\.28\+dfsg-", plain)
newest("util-linux", r"2\.38\.1-", plain)
newest("sqlite3", r"3\.40\.1-", plain)
newest("cyrus-imapd", r"3\.6\.1-", fixed)

version, (tarball,) = newest("openssl", r"3\.5\.", r"\.orig\.tar\.gz$")
del tarball["file"]
found = {"openssl": {"version": version, **tarball}}
# On the libraries of this release.
version, files = newest("exim4", r"4\.96-", "")
found["exim"] = {"version": version, "files": files}
(HERE / "sources.json").write_text(json.dumps(found, indent=1) + "\n")
PYTHON
# shellcheck disable=SC2016 # the inner shell expands it
chroot "$root" sh -euc 'cd /usr/src/mailseal; apt-get -q update; python3 bring'
rm -rf "$root/etc/apt/sources.list.d/source.list" "$root/usr/src/mailseal/bring" "$root"/var/lib/apt/lists/*

chroot "$root" update-rc.d -f lighttpd remove >/dev/null

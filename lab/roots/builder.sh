#!/bin/sh
# Makes a fresh Debian root fit to build packages in the lab. mmdebstrap runs it with the root as $1; $2 are
# the files that are laid over it.
set -eu
root=$1 files=$2

# The sources, for a host without a network. OpenSSL is the next release's: nobody maintains bookworm's series
# any more. What is built for EL6 is of the release before.
for release in bookworm trixie bullseye; do
    find "$root/etc/apt" -name '*.list' -exec sed -n "s/^deb \(.*\)bookworm/deb-src \1$release/p" {} +
done >"$root/etc/source.list"
mv "$root/etc/source.list" "$root/etc/apt/sources.list.d/"
tar -C "$files" -c . | tar -C "$root" -x --keep-directory-symlink --no-same-owner
chroot "$root" sh -euc 'apt-get -q update; cd /usr/src/mailseal; python3 bring.py'
rm -rf "$root/etc/apt/sources.list.d/source.list" "$root/usr/src/mailseal/bring.py" "$root"/var/lib/apt/lists/*

chroot "$root" update-rc.d -f lighttpd remove >/dev/null

#!/bin/sh
# Makes a fresh Debian root fit to build packages in the lab. mmdebstrap runs it with the root as $1.
set -eu
root=$1

# The sources, for a host without a network: what apt's signed index says, checksums and all. An
# archive that lacks a file of its newest source has an older one of the same suite.
find "$root/etc/apt" -name '*.list' -exec sed -n 's/^deb /deb-src /p' {} + >"$root/etc/source.list"
mv "$root/etc/source.list" "$root/etc/apt/sources.list.d/"
mkdir -p "$root/usr/src/mailseal"
# shellcheck disable=SC2016 # the inner shell expands it
chroot "$root" sh -euc '
    cd /usr/src/mailseal
    apt-get -q update
    for source in openssl openssl/bookworm exim4 exim4/bookworm; do
        apt-get -q source --print-uris "$source" | sed -n "s/^.\(http[^ ]*\). \([^ ]*\) [0-9]* SHA256:/\1 \2 SHA256:/p" |
            while read -r uri file hash; do
                test -e "$file" || /usr/lib/apt/apt-helper download-file "$uri" "$file" "$hash" ||
                    echo "the archive lacks $file"
            done
    done
    ls openssl_*.orig.tar.gz exim4_*.dsc
'
rm -rf "$root/etc/apt/sources.list.d/source.list" "$root"/var/lib/apt/lists/*

chroot "$root" update-rc.d -f lighttpd remove >/dev/null

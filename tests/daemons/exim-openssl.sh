#!/bin/sh
# Builds Exim on OpenSSL from Debian's own source package, in place of the package's binary.
# mmdebstrap runs it with the root as $1.
set -eu
root=$1

find "$root/etc/apt" -name '*.list' -exec sed -n 's/^deb /deb-src /p' {} + >"$root/etc/source.list"
mv "$root/etc/source.list" "$root/etc/apt/sources.list.d/"
# shellcheck disable=SC2016 # the inner shell expands it
chroot "$root" sh -euc '
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
    apt-get update
    apt-get --yes install --no-install-recommends libssl-dev
    apt-get --yes build-dep exim4
    mkdir /build
    cd /build
    # A mirror may know of a security update and not have its source yet: then the one before.
    for version in $(apt-cache showsrc --only-source exim4 | sed -n "s/^Version: //p" | sort -urV); do
        apt-get source --only-source "exim4=$version" && break
    done
    cd exim4-*/
    debian/rules unpack-configs
    patch EDITME.exim4-light debian/EDITME.openssl.exim4-light.diff
    mkdir -p Local
    sed "s/^EXIM_MONITOR=/# &/" EDITME.exim4-light >Local/Makefile
    make -j"$(nproc)"
    install -m 4755 build-Linux-*/exim /usr/sbin/exim4
    /usr/sbin/exim4 -bV | grep OpenSSL
'
rm -rf "$root/build" "$root/etc/apt/sources.list.d/source.list"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/hostname"

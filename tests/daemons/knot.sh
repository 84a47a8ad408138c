#!/bin/sh
# Makes a fresh Debian root fit to run Knot DNS. mmdebstrap runs it with the root as $1.
set -eu
root=$1

rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/hostname"

#!/bin/sh
# Makes a fresh Debian root fit to run Dovecot or Postfix. mmdebstrap runs it with the root as $1.
set -eu
root=$1

# Postfix is configured where it runs; what the package's set-up left must not be mixed with it.
rm -f "$root/etc/postfix/main.cf"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/hostname"

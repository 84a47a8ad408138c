#!/bin/sh
# Makes a fresh Debian root fit to be a build host of the lab. mmdebstrap runs it with the root as $1.
set -eu
root=$1
rm -f "$root"/etc/rcS.d/S* "$root"/etc/rc[06].d/[SK]*
cat >"$root/etc/inittab" <<'INITTAB'
id:2:initdefault:
si::sysinit:/etc/init.d/lab-sysinit
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
INITTAB
cat >"$root/etc/init.d/lab-sysinit" <<'SYSINIT'
#!/bin/sh
mkdir -p /run/sshd /run/lock
chmod 1777 /run/lock
: >/run/utmp
test -e /etc/ssh/ssh_host_ed25519_key ||
    ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
SYSINIT
chmod 755 "$root/etc/init.d/lab-sysinit"
rm -f "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id"
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"

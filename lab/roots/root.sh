#!/bin/sh
# Makes a fresh Debian root fit to be a host of the lab. mmdebstrap runs it with the root as $1.
set -eu
root=$1

# On a fresh machine no mail or name daemon runs; Ansible enables them. "remove", not "disable":
# K links left behind make Ansible's "enabled: true" report a change on every run.
for service in cyrus-imapd exim4 knot unbound saslauthd; do
    chroot "$root" update-rc.d -f "$service" remove >/dev/null
done

# A namespace has no disks to check and no clock to set: boot is one script, then runlevel 2.
rm -f "$root"/etc/rcS.d/S* "$root"/etc/rc[06].d/[SK]*
cat >"$root/etc/inittab" <<'INITTAB'
id:2:initdefault:
si::sysinit:/etc/init.d/lab-sysinit
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
l6:6:wait:/etc/init.d/rc 6
INITTAB
# The headers keep insserv from warning at every update-rc.d.
cat >"$root/etc/init.d/lab-sysinit" <<'SYSINIT'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          lab-sysinit
# Required-Start:
# Required-Stop:
# Default-Start:     S
# Default-Stop:
# Short-Description: prepare a host of the lab
### END INIT INFO
mkdir -p /run/sshd /run/lock
chmod 1777 /run/lock
: >/run/utmp
test -e /etc/ssh/ssh_host_ed25519_key ||
    ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
if test -x /usr/local/sbin/lab-first; then /usr/local/sbin/lab-first; fi
SYSINIT
chmod 755 "$root/etc/init.d/lab-sysinit"

# Each host makes its own host key; the lab has one client key per machine.
rm -f "$root"/etc/ssh/ssh_host_*
# A host has no kernel log of its own.
sed -i 's/^module(load="imklog")/#&/' "$root/etc/rsyslog.conf"
rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id" "$root/etc/resolv.conf" "$root/etc/hostname"

#!/bin/bash
# Becomes the first process of a host. Runs in the host's fresh mount, pid, uts and ipc namespaces.
# $1 the shared root, $2 the host's directory (upper, work, root), $3 the host's name,
# then the program that the first process becomes; without one, init
set -eu
base=$1 home=$2
test $# -gt 3 || set -- "$@" /sbin/init
hostname "$3"
mount --make-rprivate /
# No host outlives the real machine, so nobody has to wait for its disk: volatile (Linux 5.10).
# What says that such a layer must not be mounted again is about a crash of that machine.
rm -rf "$home/work/work/incompat"
layers="lowerdir=$base,upperdir=$home/upper,workdir=$home/work"
mount -t overlay lab -o "$layers,volatile" "$home/root" 2>/dev/null ||
    mount -t overlay lab -o "$layers" "$home/root"
cd "$home/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
# The kernel's switches are the real machine's: a host may read them.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
if test -e proc/sysrq-trigger; then
    mount --bind proc/sysrq-trigger proc/sysrq-trigger
    mount -o remount,bind,ro proc/sysrq-trigger
fi
mount -t tmpfs -o mode=755 tmpfs dev
mount -t tmpfs -o mode=755 tmpfs run
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
ln -s pts/ptmx dev/ptmx
mkfifo -m 600 dev/initctl
mkdir -p .old
pivot_root . .old
umount -l /.old
rmdir /.old
# The clock and the kernel's modules are the real machine's as well.
exec chroot / /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=lab TERM=linux \
    setpriv --bounding-set -sys_time,-sys_module,-sys_rawio "${@:4}"

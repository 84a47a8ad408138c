#!/bin/sh
# Dresses a fresh Debian as CentOS 6.10, a stand-in. mmdebstrap runs it with the root as $1; $2 are the files
# of el6/, which are laid over it.
set -eu
root=$1 files=$2

# SysV scripts lie where EL6 has them; none of Debian's is kept.
rm -rf "$root"/etc/init.d "$root"/etc/rc?.d
mkdir -p "$root/etc/rc.d/init.d" "$root/etc/sysconfig" "$root/var/lock/subsys"
ln -s rc.d/init.d "$root/etc/init.d"
for level in 0 1 2 3 4 5 6; do
    mkdir "$root/etc/rc.d/rc$level.d"
    ln -s "rc.d/rc$level.d" "$root/etc/rc$level.d"
done
tar -C "$files" -c . | tar -C "$root" -x --keep-directory-symlink --no-same-owner

# It says what it stands in for, and nothing of what it is.
rm -f "$root/etc/os-release" "$root/usr/lib/os-release" "$root/etc/debian_version" "$root/etc/lsb-release"
ln -s redhat-release "$root/etc/centos-release"
ln -s redhat-release "$root/etc/system-release"
# Where EL6 keeps keys and the roots that clients trust.
mkdir -p "$root/etc/pki/rpm-gpg" "$root/etc/pki/tls/certs"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/etc/pki/tls/certs/ca-bundle.crt"
# EL6's sh is bash.
ln -sf bash "$root/bin/sh"

# The RPM that stands for the whole system, so that real dependencies can be resolved. `find-provides`
# would skip libraries without the x bit, which Debian's have not.
chroot "$root" sh -ec '
    cd /usr/share/standin
    find /lib /lib64 /usr/lib -name "*.so*" -type f | /usr/lib/rpm/elfdeps --provides |
        sort -u | sed "s/^/Provides: /" >libraries
    rpmbuild -bb --quiet --define "_topdir /tmp/rpmbuild" standin.spec
    rpm -U /tmp/rpmbuild/RPMS/noarch/*.rpm 2>/dev/null
    rm -rf /tmp/rpmbuild
    chkconfig --add sshd
    chkconfig --add rsyslog
'
rpm=$(chroot "$root" rpm -qa)
test "$rpm" = centos-standin-6.10-1.noarch

# Ansible prefers these to chkconfig, and nothing is to be installed with them.
for tool in update-rc.d invoke-rc.d insserv dpkg dpkg-query dpkg-deb apt apt-get apt-cache; do
    rm -f "$root/usr/sbin/$tool" "$root/sbin/$tool" "$root/usr/bin/$tool"
done

# No Python came with any of it.
found=$(find "$root/usr/bin" "$root/usr/local/bin" "$root/opt" -name 'python*' ! -path "$root/usr/bin/python")
test -z "$found"

rm -f "$root"/etc/ssh/ssh_host_* "$root/usr/sbin/policy-rc.d" "$root/etc/machine-id"
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"

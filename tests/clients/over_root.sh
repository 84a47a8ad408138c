#!/bin/sh
# Runs a client over Debian roots that stay as they are, on this machine's own network.
# $1 the roots, uppermost first, $2 a directory with "upper" in it, then the command
set -eu
roots=$1 folder=$2
shift 2
mkdir -p "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$roots,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
mount -t proc proc "$folder/root/proc"
mount --bind /dev "$folder/root/dev"
exec chroot "$folder/root" "$@"

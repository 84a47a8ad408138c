#!/bin/bash
# A daemon's namespaces: one for the clients, one for the server, and a cable between them.
# $1 the stage, $2 the script that becomes the server's first process, then its arguments
set -eu
stage=$1
shift
case $stage in
clients)
    # unshare stays behind as the parent: it holds this namespace, and its end is everybody's end.
    exec unshare --mount --pid --uts --ipc --fork --kill-child bash "$0" server "$@"
    ;;
server)
    exec 9</proc/self/ns/net
    exec unshare --net bash "$0" cable "$@"
    ;;
cable)
    # Both families have to be up, and no address may wait for duplicates to show themselves.
    ip link add eth0 type veth peer name eth0 netns /proc/self/fd/9
    for end in "" "nsenter --net=/proc/self/fd/9"; do
        $end ip link set lo up
        $end ip link set eth0 up
    done
    ip address add 192.0.2.1/24 dev eth0
    nsenter --net=/proc/self/fd/9 ip address add 192.0.2.2/24 dev eth0
    exec 9<&-
    exec bash "$@"
    ;;
esac

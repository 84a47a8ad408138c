"""The network: a namespace per host, the hub with its bridge, and nothing on the real machine."""

import contextlib
import ipaddress

from lab import paths
from lab.errors import LabError
from lab.shell import run
from lab.topology import Host

HUB_IPV4 = "10.80.0.1/24"
HUB_IPV6 = "fd00:80::1/64"
# Without this an address stays "tentative" for a second and the first connections fail.
_NO_DAD = "for all in all default; do echo 0 >/proc/sys/net/ipv6/conf/$all/accept_dad; done"


def namespace(name: str) -> str:
    """Return the name of a host's network namespace."""
    return paths.PREFIX + name


def make_hub() -> None:
    """Make the hub: a bridge with an address in each family, where the controller lives."""
    run(["ip", "netns", "add", paths.HUB])
    commands = [
        "link set lo up",
        "link add br0 type bridge forward_delay 0 stp_state 0",
        "link set br0 up",
        f"addr add {HUB_IPV4} dev br0",
        f"addr add {HUB_IPV6} dev br0 nodad",
    ]
    _inside(paths.HUB, commands)


def make_host(host: Host) -> None:
    """Make a host's namespace, its cable to the hub's bridge and its addresses."""
    space = namespace(host.name)
    plug = f"p-{host.name}"
    run(["ip", "netns", "add", space])
    # The same after a reboot, or its neighbours would go on talking to the old one for a while.
    mac = "02:00:" + ipaddress.IPv4Address(host.ipv4).packed.hex(":")
    cable = (
        f"link add eth0 address {mac} netns {space} type veth peer name {plug} netns {paths.HUB}"
    )
    run(["ip", *cable.split()])
    commands = [
        "link set lo up",
        "link set eth0 up",
        f"addr add {host.ipv4}/24 dev eth0",
        f"addr add {host.ipv6}/64 dev eth0 nodad",
    ]
    _inside(space, commands)
    _inside(paths.HUB, [f"link set {plug} master br0 up"])


def at_hub() -> list[str]:
    """Return the words that, put before a command, run it where the lab's names resolve."""
    return ["ip", "netns", "exec", paths.HUB]


def remove(space: str) -> None:
    """Remove a namespace and with it its cables, whatever state a killed `up` left it in."""
    try:
        run(["ip", "netns", "delete", space])
    except LabError:
        # "ip netns add" was killed between making the file and mounting the namespace on it.
        (paths.NETNS / space).unlink(missing_ok=True)


def unplug(host: Host) -> None:
    """Pull a host's cable out of the hub now; with its namespace it would go some time later."""
    plug = ["link", "delete", f"p-{host.name}"]
    with contextlib.suppress(LabError):
        run(["ip", "-n", paths.HUB, *plug])


def spaces() -> list[str]:
    """Return the lab's namespaces that exist on this machine, the hub last."""
    found = sorted(path.name for path in paths.NETNS.glob(paths.PREFIX + "*"))
    return sorted(found, key=lambda name: name == paths.HUB)


def _inside(space: str, commands: list[str]) -> None:
    script = f"{_NO_DAD}; exec ip -batch -"
    argv = ["nsenter", f"--net={paths.NETNS / space}", "sh", "-c", script]
    run(argv, stdin="\n".join(commands) + "\n", what=f"setting up the network of {space}")

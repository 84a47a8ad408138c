"""Where the lab keeps things on the real machine, and the names it uses there."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INVENTORIES = {
    "small": PACKAGE.parent / "inventory" / "lab",
    "cluster": PACKAGE.parent / "inventory" / "cluster",
    "el6": PACKAGE.parent / "inventory" / "el6",
    "selfbuilt": PACKAGE.parent / "inventory" / "selfbuilt",
}

# Names are the machine's, not the user's: there is one lab per machine.
PREFIX = "ms-"
HUB = PREFIX + "hub"
NETNS = Path("/run/netns")
NETNS_ETC = Path("/etc/netns") / HUB
LOCK = Path("/run/mailseal-lab.lock")


def state() -> Path:
    """Return the directory of everything that a running lab needs, and of its keys and its CA."""
    return Path(os.environ.get("MAILSEAL_LAB_STATE") or "/var/lib/mailseal-lab")


def cache() -> Path:
    """Return the directory of the Debian roots, which outlive the lab."""
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else Path("/var/cache")) / "mailseal"


def host(name: str) -> Path:
    """Return the directory of one host: its layer over the root, its console."""
    return state() / "hosts" / name


def running() -> Path:
    """Return the file that says which size is up; it exists only once `up` came to its end."""
    return state() / "running.json"


def sources() -> Path:
    """Return what the sources are that the lab's build host has: JSON, for inventories to read."""
    return state() / "sources.json"


def ssh_key() -> Path:
    """Return the private key that opens every host of the lab."""
    return state() / "ssh" / "id_ed25519"


def dns() -> Path:
    """Return the directory of the keys of the lab's zones and of what resolvers trust."""
    return state() / "dns"


def anchor() -> Path:
    """Return the file with the trust anchor of the lab's zones, a DNSKEY line."""
    return dns() / "anchor"


def tsig() -> Path:
    """Return the key of dynamic updates of lab.test, as BIND's tools read it; a secret."""
    return dns() / "tsig.key"


def world() -> Path:
    """Return the directory of the authority of the world outside the cluster."""
    return state() / "world"


def world_ca() -> Path:
    """Return the certificate of that authority, which every host of the lab trusts."""
    return world() / "ca.crt"


def ca() -> Path:
    """Return the directory of the lab's certificate authority, which the roles create."""
    return state() / "ca"

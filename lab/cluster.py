"""The whole lab: up, down and what is there now."""

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import base, dns, host, machine, net, outside, paths, processes, topology, trust
from lab.errors import USAGE, LabError
from lab.lock import locked
from lab.progress import say
from lab.shell import run
from lab.topology import Host, Topology

_SSH_LIMIT = 60.0
# More workers than cores: each of them mostly waits for the kernel.
_WORKERS = 8


@dataclass(frozen=True)
class HostStatus:
    """What one host of a lab that is up looks like now."""

    host: Host
    running: bool
    ssh: bool
    ports: tuple[int, ...]


def up(size: str) -> Topology:
    """Bring the lab up in a size, or bring back what is missing of it.

    Twice is harmless. What a killed `up` left is cleared away first. Raises LabError when the
    machine cannot run the lab, or when it is up in another size.
    """
    wanted = topology.load(size)
    machine.require_root()
    recipes = [base.recipe(kind) for kind in sorted({one.root for one in wanted.hosts})]
    machine.require(paths.state(), build=any(base.cached(made) is None for made in recipes))
    with locked(paths.LOCK):
        current = running_size()
        if current and current != size:
            raise LabError(
                f"the lab is up in size {current}; `mailseal lab down` ends it first", USAGE
            )
        if current is None:
            _clear()
        roots = _roots_in_use() if current else {made.kind: base.ensure(made) for made in recipes}
        missing = _missing(wanted)
        if missing:
            _boot(wanted, missing, roots)
        else:
            say(f"the lab is already up, {len(wanted.hosts)} hosts")
    return wanted


def down() -> bool:
    """End the lab and everything in it; returns whether there was anything to end."""
    machine.require_root()
    with locked(paths.LOCK):
        return _clear()


def running_size() -> str | None:
    """Return the size that is up, or None; a lab whose `up` was killed is not up."""
    if paths.HUB not in net.spaces():
        return None
    try:
        size = json.loads(paths.running().read_text(encoding="utf-8"))["size"]
    except (FileNotFoundError, ValueError, KeyError):
        return None
    return str(size)


def current() -> Topology:
    """Return the topology that is up; raises LabError when none is."""
    machine.require_root()
    size = running_size()
    if size is None:
        raise LabError("the lab is not up; `mailseal lab up` brings it up")
    return topology.load(size)


def status(up_now: Topology) -> tuple[HostStatus, ...]:
    """Return what each host looks like now."""
    alive = processes.inits()
    found = []
    for one in up_now.hosts:
        pid = alive.get(one.name)
        ports = processes.listening(pid) if pid else set()
        ssh = host.answers(pid) if pid else False
        numbers = tuple(sorted({port for _, port in ports}))
        found.append(HostStatus(one, running=pid is not None, ssh=ssh, ports=numbers))
    return tuple(found)


def _roots_in_use() -> dict[str, Path]:
    """Return the roots that the running hosts stand on: a newer recipe waits for the next `up`."""
    roots = json.loads(paths.running().read_text(encoding="utf-8"))["roots"]
    return {kind: Path(root) for kind, root in roots.items()}


def _missing(wanted: Topology) -> tuple[Host, ...]:
    alive = processes.inits()
    return tuple(one for one in wanted.hosts if one.name not in alive)


def _boot(wanted: Topology, missing: tuple[Host, ...], roots: Mapping[str, Path]) -> None:
    say(f"starting {len(missing)} hosts")
    paths.state().mkdir(parents=True, exist_ok=True)
    key = host.make_key()
    for pinned in (root / "usr/src/mailseal/sources.json" for root in roots.values()):
        if pinned.exists():
            shutil.copy(pinned, paths.sources())
    if paths.HUB not in net.spaces():
        net.make_hub()
    paths.NETNS_ETC.mkdir(parents=True, exist_ok=True)
    (paths.NETNS_ETC / "resolv.conf").write_text(dns.resolv_conf(wanted), encoding="utf-8")
    fresh = [one for one in missing if not (paths.host(one.name) / "upper").is_dir()]
    own = outside.files(wanted) if fresh else {}
    trusted = {kind: trust.files(root, paths.world_ca()) for kind, root in roots.items()}
    for one in fresh:
        host.prepare(one, wanted, key, own.get(one.name, {}) | trusted[one.root])
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(lambda one: _start(one, roots[one.root]), missing))
    host.wait_for_ssh(missing, _SSH_LIMIT)
    # Last of all: its presence says that everything before it happened.
    temporary = paths.running().with_suffix(".new")
    state = {"size": wanted.size, "roots": {kind: str(root) for kind, root in roots.items()}}
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.rename(paths.running())
    say(f"the lab is up, {len(wanted.hosts)} hosts answer SSH")


def _start(one: Host, root: Path) -> None:
    space = net.namespace(one.name)
    if space in net.spaces():
        # The host died under a running lab: it comes back with its disk, as a rebooted one does.
        processes.kill([p for p in processes.everyone() if p.space == space])
        net.unplug(one)
        net.remove(space)
    net.make_host(one)
    host.start(one, root)


def _clear() -> bool:
    """Remove every trace of a lab, whole or partial; only its keys and its CA stay."""
    spaces = net.spaces()
    homes = paths.state() / "hosts"
    there = bool(spaces or homes.exists() or paths.running().exists())
    paths.running().unlink(missing_ok=True)
    # A host can start processes while we list them; the last round finds nobody.
    while victims := processes.everyone():
        processes.kill(victims)
    with ThreadPoolExecutor(_WORKERS) as pool:
        while spaces:
            list(pool.map(net.remove, spaces))
            # The last child of a killed `up` may have made one more meanwhile.
            spaces = net.spaces()
        if homes.is_dir():
            list(pool.map(host.forget, (home.name for home in homes.iterdir())))
    shutil.rmtree(homes, ignore_errors=True)
    shutil.rmtree(paths.NETNS_ETC, ignore_errors=True)
    _remove_if_empty(paths.NETNS_ETC.parent)
    if paths.NETNS.is_dir() and not any(paths.NETNS.iterdir()) and _is_mount(paths.NETNS):
        # The first "ip netns add" of a machine mounts this directory on itself.
        run(["umount", str(paths.NETNS)])
    return there


def _is_mount(directory: Path) -> bool:
    """Whether something is mounted there; Path.is_mount misses a directory mounted on itself."""
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    return any(line.split()[4] == str(directory) for line in table.splitlines())


def _remove_if_empty(directory: Path) -> None:
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()

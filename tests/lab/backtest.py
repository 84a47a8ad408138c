"""A change of policy, tried out: clients meet hosts, their logs are read, and they come again.

Nothing of the run goes into a forecast but what the hosts logged at the time of the visits, and
where it is said a capture of them.
"""

import json
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import paths, processes
from lab.capture import captured
from lab.shell import run as shell
from tests.clients.bridge import bridge
from tests.clients.driver import MissingError
from tests.clients.pipes import PIPES
from tests.clients.relay import Opening
from tests.clients.talk import Step, TalkError, carried, hand_in, log_in
from tests.commands import Lab, mailseal, playbook
from tests.daemons import roots
from tests.whatif.truth import Key

PASSWORD = "lab-only"  # as everywhere in the lab
_FIRST = 100  # the last byte of the first client's address; the lab's hosts are below
_AT_ONCE = 3
# Of the password, as in the inventory.
_HASH = (
    "$6$mailsealLab$gQHijPCMHCJfe0FRyojKaB5Mzr7eJjk/97Ay/PBa1UX.xjRltpCqByp2p61qwlvr3Sf"
    "/tPhLhUyiGBrYi2jIO0"
)


@dataclass(frozen=True)
class Place:
    """Where mail is taken or read.

    Attributes:
        use: the kind of traffic.
        host, address, port, opening: where, and what is spoken there before TLS.
    """

    use: str
    host: str
    address: str
    port: int
    opening: Opening

    def steps(self, user: str) -> list[Step]:
        """What is to be said there."""
        if self.use == "access":
            return log_in(user, PASSWORD)
        name = user if self.use == "submission" else ""
        greeted = self.opening == "tls"
        sender, to = f"{user}@client.example", f"mail@{self.host}.lab.test"
        return hand_in(sender, to, name, PASSWORD, greeted=greeted)


@dataclass(frozen=True)
class Site:
    """Hosts that are changed together.

    Attributes:
        before, after: the policies that they begin and end with.
        library: whose habits their servers have.
        places: by turns, if there are several for one kind of traffic.
    """

    before: str
    after: str
    library: str
    places: tuple[Place, ...]

    @property
    def states(self) -> dict[str, tuple[str, str]]:
        """What is rolled out one after the other: the policy and its tail."""
        shadow = (self.after, self.before)
        return {"before": (self.before, ""), "shadow": shadow, "after": (self.after, "")}

    @property
    def hosts(self) -> list[str]:
        """The names of its hosts."""
        return list(dict.fromkeys(place.host for place in self.places))


@dataclass
class Met:
    """What came of the visits to one state.

    Attributes:
        came: who got through TLS, by kind of traffic and address.
        logs: what the hosts wrote meanwhile.
        hellos: a capture of the visits.
    """

    came: dict[Key, bool]
    logs: list[Path]
    hellos: Path


def address(name: str) -> str:
    """A client's own."""
    return f"10.80.0.{_FIRST + list(PIPES).index(name)}"


def user(name: str) -> str:
    """A client's own login."""
    return f"u{list(PIPES).index(name)}"


def settle() -> None:
    """Give every client its address, on the bridge of the lab's hub."""
    for name in PIPES:
        words = ("addr", "replace", f"{address(name)}/24", "dev", "br0")
        shell(["ip", "-n", paths.HUB, *words], what="an address for a client")


def exim_on_openssl(lab: Lab, host: str) -> None:
    """Put Debian's source of Exim, built on its OpenSSL, in the place of Debian's program.

    Debian's is on GnuTLS, which can express no policy with DHE.
    """
    built = roots.root("exim-openssl") / "usr/sbin/exim4"
    # It is found by its program when it is to be stopped, so first that, and then the other.
    assert lab("ssh", host, "/etc/init.d/exim4 stop >/dev/null 2>&1; true").returncode == 0
    place = Path(f"/proc/{processes.inits()[host]}/root/usr/sbin")
    shutil.copyfile(built, place / "exim4.new")
    (place / "exim4.new").chmod(0o4755)
    (place / "exim4.new").replace(place / "exim4")


def roll_out(sites: Iterable[Site], state: str) -> None:
    """Bring all sites to a state at once."""
    there = {host: site.states[state] for site in sites for host in site.hosts}
    more: dict[str, object] = {
        "mailseal_policy": _by_host({host: policy for host, (policy, _) in there.items()}),
        "mailseal_batches": ["100%"],
        "mailseal_exim_users": {user(name): _HASH for name in PIPES},
    }
    if state == "shadow":
        more["mailseal_enforcement"] = "shadow"
        more["mailseal_shadow_tail"] = _by_host({host: tail for host, (_, tail) in there.items()})
    done = playbook("--limit", ",".join(there), "-e", json.dumps(more))
    assert done.returncode == 0, done.stdout[-3000:]


def let_in(lab: Lab, host: str) -> None:
    """Give every client its login at a Cyrus that is rolled out; one by one Ansible takes long."""
    make = f"printf %s {PASSWORD} | saslpasswd2 -p -c -u {host}"
    done = lab("ssh", host, f"for name in {' '.join(map(user, PIPES))}; do {make} $name; done")
    assert done.returncode == 0, done.stderr


def _by_host(values: dict[str, str]) -> str:
    """One value for each host, as Ansible is told that."""
    return f"{{{{ {json.dumps(values)}[inventory_hostname] }}}}"


def meet(lab: Lab, site: Site, folder: Path, missing: dict[str, str]) -> Met:
    """Every client at every kind of place, and the lines that the hosts wrote of it.

    Raises:
        ExceptionGroup: of somebody it cannot be told what came of the visit.
    """
    folder.mkdir()
    begun = {host: _lines(lab, host) for host in site.hosts}
    errands = [(name, place) for n, name in enumerate(PIPES) for place in _places(site, n)]
    found = Met({}, [folder / f"{host}.log" for host in site.hosts], folder / "hellos.pcap")
    unclear: list[TalkError] = []
    with captured(found.hellos), ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [(errand, pool.submit(_visit, *errand, folder)) for errand in errands]
        for (name, place), visit in running:
            try:
                found.came[place.use, address(name)] = visit.result()
            except MissingError as error:
                missing[name] = str(error)
            except TalkError as error:
                unclear.append(TalkError(f"{name} at {place}: {error}"))
    if unclear:
        raise ExceptionGroup("what came of these cannot be told", unclear)
    time.sleep(2)  # syslog writes when it has time
    for (host, first), path in zip(begun.items(), found.logs, strict=True):
        done = lab("ssh", host, f"tail -n +{first + 1} {_log(host)}")
        path.write_text(done.stdout, encoding="utf-8")
    return found


def forecast(logs: Iterable[Path], site: Site, state: str, *more: str) -> dict[str, Any]:
    """What `mailseal whatif` says of these logs, if the hosts were in that state."""
    policy, tail = site.states[state]
    order = f"policy:{policy}+{tail}" if tail else f"policy:{policy}"
    words = ["--policy", site.after, "--server-order", order, "--library", site.library, "--json"]
    done = mailseal("whatif", *words, *more, *map(str, logs))
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _places(site: Site, turn: int) -> list[Place]:
    """One for each kind of traffic."""
    by_use: dict[str, list[Place]] = {}
    for place in site.places:
        by_use.setdefault(place.use, []).append(place)
    return [places[turn % len(places)] for places in by_use.values()]


def _visit(name: str, place: Place, folder: Path) -> bool:
    own = folder / f"{name}-{place.use}"
    own.mkdir()
    steps = place.steps(user(name))
    roots_of_lab = paths.ca() / "ca.crt"
    where = (paths.HUB, place.address, place.port, place.opening, address(name))
    with bridge(*where) as led:
        outcome = carried(PIPES[name], led.port, own, roots_of_lab, steps)
    assert led.led == 1, f"{name} was led to {place} {led.led} times"
    return outcome == "taken"


def _log(host: str) -> str:
    return "/var/log/mail.log" if host.startswith("imap") else "/var/log/exim4/mainlog"


def _lines(lab: Lab, host: str) -> int:
    return int(lab("ssh", host, f"touch {_log(host)}; wc -l < {_log(host)}").stdout)

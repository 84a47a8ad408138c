"""What `openssl s_client` is told by a server, asked one suite and one version at a time.

It shares nothing with the prober: other hellos, complete handshakes, other names. Debian's OpenSSL
speaks TLS 1.0 to 1.3; of SSLv2 and SSLv3 it can say nothing.
"""

import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from audit.facts import Endpoint, Preference
from audit.iana import Version
from tests.daemons.names import Described, described
from tests.daemons.settings import ALL

T = TypeVar("T")
U = TypeVar("U")

_AT_ONCE = 4
_SECONDS = 20.0
_VERSION: dict[Version, str] = {
    "TLSv1.0": "-tls1",
    "TLSv1.1": "-tls1_1",
    "TLSv1.2": "-tls1_2",
    "TLSv1.3": "-tls1_3",
}
_CURVES: tuple[str, ...] = ("X25519", "P-256", "X448", "P-521", "P-384")
_FIELDS: tuple[str, ...] = ("ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192")
_SIGNERS = {"ecdsa": "ECDSA+SHA256", "rsa": "rsa_pss_rsae_sha256"}


@dataclass
class Witness:
    """What it saw of one endpoint; by version that is on.

    Attributes:
        suites: those accepted alone; where the server decides, in the order it picks them.
        preference: whose order decides; "unknown" where there is nothing to choose.
        groups: those accepted alone; up to TLS 1.2 with RSA, the only ones where it is telling.
        dh_bits: the size of the Diffie-Hellman prime.
        keys: the kinds of certificate.
    """

    suites: dict[Version, tuple[str, ...]] = field(default_factory=dict)
    preference: dict[Version, Preference] = field(default_factory=dict)
    groups: dict[Version, set[str]] = field(default_factory=dict)
    dh_bits: int | None = None
    keys: set[str] = field(default_factory=set)


def ask(endpoint: Endpoint) -> Witness:
    """Ask one endpoint everything; about a hundred handshakes."""
    client = _Client(endpoint)
    seen = Witness()
    for version in ALL:
        usable = [s for s in described().values() if s.usable_in(version)]
        # A server that fails over one kind of exchange would hide the others behind it.
        kinds = {s.exchange for s in usable}
        if any(client.shake(version, [s for s in usable if s.exchange == k]) for k in kinds):
            _ask_version(client, version, usable, seen)
    return seen


def _ask_version(
    client: "_Client", version: Version, usable: Sequence[Described], seen: Witness
) -> None:
    taken = client.each(usable, lambda one: client.shake(version, [one]))
    seen.preference[version] = client.preference(version, taken)
    order = client.picks(version, taken) if seen.preference[version] == "server" else taken
    seen.suites[version] = tuple(s.iana for s in order)
    if version == "TLSv1.3":
        able, offered = taken, (*_CURVES, *_FIELDS)
        signers = [k for k, s in _SIGNERS.items() if client.shake(version, taken, "-sigalgs", s)]
    else:
        able, offered = [s for s in taken if (s.exchange, s.signer) == ("ECDH", "RSA")], _CURVES
        signers = [s.signer.lower() for s in taken if s.signer != "None"]
    seen.keys |= set(signers)
    if able:
        found = client.each(offered, lambda group: client.shake(version, able, "-groups", group))
        seen.groups[version] = set(found)
    fields = [s for s in taken if s.exchange == "DH"]
    if fields:
        bits = re.search(r"Server Temp Key: DH, (\d+) bits", client.shake(version, fields))
        seen.dh_bits = int(bits[1]) if bits else None


@dataclass
class _Client:
    """One s_client after the other, or a few of them at once."""

    endpoint: Endpoint

    def shake(self, version: Version, offered: Iterable[Described], *options: str) -> str:
        """What s_client says of a handshake; empty if there was none."""
        names = ":".join(s.openssl for s in offered)
        kind = ["-ciphersuites", names] if version == "TLSv1.3" else []
        old = "DEFAULT" if version == "TLSv1.3" else names
        command = ["openssl", "s_client", "-brief", "-servername", self.endpoint.name]
        command += ["-connect", f"{self.endpoint.address}:{self.endpoint.port}"]
        if self.endpoint.mode == "starttls":
            command += ["-starttls", self.endpoint.service]
        said = _run([*command, _VERSION[version], "-cipher", f"{old}:@SECLEVEL=0", *kind, *options])
        return said if "CONNECTION ESTABLISHED" in said else ""

    def each(self, asked: Iterable[T], question: Callable[[T], U]) -> list[T]:
        """Those for which the question is answered."""
        every = list(asked)
        with ThreadPoolExecutor(_AT_ONCE) as jobs:
            return [one for one, said in zip(every, jobs.map(question, every), strict=True) if said]

    def picks(self, version: Version, taken: Sequence[Described]) -> list[Described]:
        """The accepted suites in the order the server picks them, offered by name."""
        left = sorted(taken, key=lambda s: s.openssl)
        picked = []
        while left:
            picked.append(self._chosen(version, left))
            left.remove(picked[-1])
        return picked

    def preference(self, version: Version, taken: Sequence[Described]) -> Preference:
        """Whether the server picks the same suite whichever way round they are offered."""
        if len(taken) == 1:
            return "unknown"
        backwards = taken[::-1]
        same = self._chosen(version, taken) == self._chosen(version, backwards)
        return "server" if same else "client"

    def _chosen(self, version: Version, offered: Sequence[Described]) -> Described:
        said = re.search(r"Ciphersuite: (\S+)", self.shake(version, offered))
        if not said:
            raise RuntimeError(f"{self.endpoint}: {version} was accepted before, and now is not")
        return described()[said[1]]


def _run(command: list[str]) -> str:
    """What a command says; it is ended at its first error, after which it may wait for nothing."""
    said = []
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as running:
        alarm = threading.Timer(_SECONDS, running.kill)
        alarm.start()
        for line in running.stdout or ():
            said.append(line)
            if ":error:" in line:
                running.kill()
        alarm.cancel()
    return "".join(said)

"""The playbooks of a roll-over: they change hosts, as everything that changes hosts does."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import UNDETERMINED, MailsealError

_TOP = Path(__file__).resolve().parents[2]
_LONGEST = 6 * 3600.0  # seconds; a host takes a minute or two, and a gate may hold it
_TELLING = ("fatal:", "ERROR!", "[ERROR]", "failed:")
_SHOWN = 300  # characters of what Ansible says


class Plays:
    """Runs them on an inventory."""

    def __init__(self, inventory: str, directory: Path, lock: int) -> None:
        """Take the inventory, where logs and the next certificates go, and the lock.

        The lock goes to Ansible as well: it is free only when a run that was killed has nothing
        at work any more.
        """
        self._inventory, self._directory, self._lock = inventory, directory, lock

    def prepare(self, hosts: Sequence[str]) -> Mapping[str, Sequence[Sequence[bytes]]]:
        """Have the next keys and certificates; the chains by host, leaf first, in DER.

        Raises:
            MailsealError: it did not come to that.
        """
        place = self._directory / "next"
        self._play("rollover.yml", hosts, {"mailseal_rollover_directory": str(place.resolve())})
        return {host: _chains(place / host) for host in hosts}

    def switch(self, hosts: Sequence[str]) -> None:
        """Have the next certificates in force on these hosts, by a rollout with its gate.

        Raises:
            MailsealError: it did not come to that.
        """
        self._play("rollout.yml", hosts, {"mailseal_certificate_switch": True}, "--tags", "tls")

    def _play(
        self, name: str, hosts: Sequence[str], variables: Mapping[str, object], *more: str
    ) -> None:
        program = Path(sys.executable).parent / "ansible-playbook"
        for path in (_TOP / name, program):
            if not path.exists():
                why = "a roll-over runs from a checkout of mailseal"
                raise MailsealError(f"{path} is missing: {why}", UNDETERMINED)
        words = [str(program), "-i", self._inventory, str(_TOP / name), "--limit", ":".join(hosts)]
        words += [*more, "-e", json.dumps(variables)]
        log = self._directory / f"{name}.log"
        own = {"ANSIBLE_CONFIG": str(_TOP / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            code = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**own, **os.environ},
                pass_fds=(self._lock,),
                timeout=_LONGEST,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise MailsealError(
                f"{name} did not come to its end; see {log}", UNDETERMINED
            ) from None
        finally:
            os.close(out)
        if code:
            raise MailsealError(f"{name}: {_reason(log)} (all of it: {log})", UNDETERMINED)


def _chains(place: Path) -> list[list[bytes]]:
    """The certificate chains of a host: a file each.

    Raises:
        MailsealError: there is none, or one cannot be read.
    """
    files = sorted(place.glob("*.crt"))
    if not files:
        raise MailsealError(f"{place}: has no certificate; a host of the roll-over was left out")
    found = []
    for path in files:
        try:
            chain = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError) as error:
            raise MailsealError(f"{path}: cannot be read as certificates ({error})") from None
        found.append([one.public_bytes(Encoding.DER) for one in chain])
    return found


def _reason(log: Path) -> str:
    lines = [one.strip() for one in log.read_text("utf-8", "replace").splitlines() if one.strip()]
    telling = [one for one in lines if one.startswith(_TELLING)] or lines or ["it said nothing"]
    return telling[-1][:_SHOWN]

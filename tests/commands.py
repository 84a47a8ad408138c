"""The commands of the project as the tests type them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
INVENTORY = "inventory/lab"

Done = subprocess.CompletedProcess[str]
Lab = Callable[..., Done]


def run(*words: str, seconds: float = 600) -> Done:
    """Run a program of the environment that the tests run in, from the top of the project."""
    return subprocess.run(
        words,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def mailseal(*words: str) -> Done:
    """Run mailseal."""
    return run(str(BIN / "mailseal"), *words)


def lab(*words: str) -> Done:
    """Run a command of the lab."""
    return mailseal("lab", *words)


def playbook(*words: str, gate: bool = False) -> Done:
    """Run rollout.yml on the lab; without the gate unless it is what the test is about."""
    play = [str(BIN / "ansible-playbook"), "-i", INVENTORY, "rollout.yml"]
    return run(*play, "-e", json.dumps({"mailseal_gate": gate}), *words, seconds=1200)


@dataclass(frozen=True)
class Audited:
    """What an audit said.

    Attributes:
        code: exit code.
        failed: (host, check, port, family) of each failure; None for what concerns the host.
        inconclusive: likewise.
        document: all of it.
    """

    code: int
    failed: frozenset[tuple[str, str, int | None, str | None]]
    inconclusive: frozenset[tuple[str, str, int | None, str | None]]
    document: dict[str, Any]


def audit(limit: str, *words: str) -> Audited:
    """Audit hosts of the lab."""
    done = mailseal("audit", "-i", INVENTORY, "--limit", limit, "--json", *words)
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)

    def having(verdict: str) -> frozenset[tuple[str, str, int | None, str | None]]:
        return frozenset(
            (f["host"], f["check"], f["port"] or None, _family(f["address"]))
            for f in document["findings"]
            if f["verdict"] == verdict
        )

    return Audited(done.returncode, having("fail"), having("inconclusive"), document)


def passes(limit: str) -> None:
    """Hosts of the lab pass their audit; where one does not, what was found is told."""
    audited = audit(limit)
    wrong = [
        {key: f[key] for key in ("verdict", "host", "port", "address", "check", "observed")}
        for f in audited.document["findings"]
        if f["verdict"] in ("fail", "inconclusive")
    ]
    assert (audited.code, wrong) == (0, [])


def _family(address: str) -> str | None:
    if not address:
        return None
    return "ipv6" if ":" in address else "ipv4"

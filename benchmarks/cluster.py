"""The lab in size cluster, rolled out: what the benchmarks of many hosts run on."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.page import ROOT

BIN = Path(sys.executable).parent
INVENTORY = "inventory/cluster"
HUB = Path("/run/netns/ms-hub")


def must(*words: str) -> str:
    """What a command of ours says; it must succeed."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def up() -> None:
    """Bring the lab up and roll out; a lab of that size that is up already is taken as it is."""
    if json.loads(must("mailseal", "lab", "status", "--json"))["size"] not in (None, "cluster"):
        must("mailseal", "lab", "down")
    must("mailseal", "lab", "up", "--size", "cluster")
    print("rolling out to 25 hosts", flush=True)
    must("ansible-playbook", "-i", INVENTORY, "rollout.yml")


def opened() -> int:
    """TCP connections opened so far in the hub's namespace (RFC 4022, tcpActiveOpens)."""
    lines = must("nsenter", f"--net={HUB}", "cat", "/proc/net/snmp").splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Tcp:"))
    return int(dict(zip(names, values, strict=True))["ActiveOpens"])

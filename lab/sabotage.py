"""Break and mend hosts of the running lab."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lab import certificates, cluster, host, net, paths, processes
from lab.errors import USAGE, LabError
from lab.faults import FAMILIES, Fault, Standin, get
from lab.lock import locked
from lab.topology import Host

_STORE = "var/lib/mailseal-lab-fault/manifest.json"
_JOB_LIMIT = 180.0
_STANDIN_LIMIT = 10.0
_CERTIFICATES = ("rsa", "ecdsa")
_TLS = "/etc/mailseal/tls"
_SERVICE = {"imap": "cyrus", "mx": "exim", "msa": "exim"}


def break_host(name: str, fault_name: str) -> None:
    """Give a host a fault and wait until it shows.

    Raises LabError when there is no such host or fault, the fault is not for that kind of host,
    the host has it already, or it could not be brought about (the host is then as before).
    """
    fault = get(fault_name)
    one = cluster.current().host(name)
    if not fault.applies_to(one):
        kinds = " or ".join(fault.groups)
        raise LabError(f"the fault {fault.name} is for {kinds} hosts; {name} is not one", USAGE)
    with locked(paths.LOCK):
        pid = host.require_running(name)
        if fault.standin and fault.standin.port in _standins(name):
            raise LabError(
                f"{name} already has a stand-in on port {fault.standin.port}; mend it first", USAGE
            )
        changes = [*fault.changes, *(_bad_certificates(one, fault.certificate))]
        job = {
            "action": "break",
            "fault": fault.name,
            "changes": changes,
            "service": _service(one, fault),
            "restart": fault.restart,
            "closed": fault.closed,
            "opened": fault.opened,
        }
        _agent(name, job)
        if fault.standin:
            _start_standin(name, pid, fault.standin)


def mend_host(name: str) -> None:
    """Undo every fault of a host; raises LabError when it has none or cannot be mended."""
    cluster.current().host(name)
    with locked(paths.LOCK):
        host.require_running(name)
        _stop_standins(name)
        _agent(name, {"action": "mend"})


def broken(pid: int) -> tuple[str, ...]:
    """Return the faults of a host, read from its disk without entering it."""
    try:
        text = (Path(f"/proc/{pid}/root") / _STORE).read_text(encoding="utf-8")
    except OSError:
        return ()
    return tuple(json.loads(text)["faults"])


def _service(one: Host, fault: Fault) -> str | None:
    if fault.certificate is None:
        return fault.service
    return next(_SERVICE[group] for group in fault.groups if group in one.groups)


def _agent(name: str, job: dict[str, Any]) -> None:
    source = (paths.PACKAGE / "agent.py").read_text(encoding="utf-8")
    # A change can carry private keys: they go through the pipe, where no process list shows them.
    source += f"\n\nprint(json.dumps(main(json.loads({json.dumps(job)!r}))))\n"
    answer = json.loads(host.execute(name, ["python3", "-"], stdin=source, timeout=_JOB_LIMIT))
    if "error" in answer:
        raise LabError(f"{name} {answer['error']}", USAGE)


def _bad_certificates(one: Host, kind: str | None) -> list[dict[str, str]]:
    if kind is None:
        return []
    signer = certificates.authority(paths.ca())
    changes = []
    for name in _CERTIFICATES:
        files = [f"{_TLS}/{name}.crt", f"{_TLS}/{name}.key"]
        good = certificates.Pair(*(host.execute(one.name, ["cat", f]).encode() for f in files))
        bad = certificates.spoil(kind, good, signer)
        both = zip(files, (good.certificate, good.key), (bad.certificate, bad.key), strict=True)
        changes += [
            {"op": "write", "path": path, "content": new.decode()}
            for path, old, new in both
            if new != old
        ]
    return changes


def _standins(name: str) -> dict[int, processes.Process]:
    """Return port → process of the stand-ins in a host's network namespace."""
    found = {}
    for process in processes.everyone():
        if process.space != net.namespace(name) or process.inner:
            continue
        try:
            words = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "lab.standin" in words:
            found[int(words[words.index("--port") + 1])] = process
    return found


def _start_standin(name: str, pid: int, standin: Standin) -> None:
    home = paths.host(name)
    words = ["--port", str(standin.port), "--behind", str(standin.behind)]
    if standin.behind:
        pem = home / "standin.pem"
        pem.write_text(host.execute(name, ["cat", f"{_TLS}/rsa.crt"]), encoding="ascii")
        words += ["--certificate", str(pem)]
    space = f"--net={paths.NETNS / net.namespace(name)}"
    with (home / "standin.log").open("ab") as log:
        subprocess.run(
            [
                *("setsid", "--fork", "nsenter", space),
                *(sys.executable, "-m", "lab.standin", standin.mode, *words),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)},
            check=True,
        )
    wanted = {(family, standin.port) for family in FAMILIES}
    deadline = time.monotonic() + _STANDIN_LIMIT
    while not wanted <= processes.listening(pid):
        if time.monotonic() > deadline:
            raise LabError(
                f"the stand-in on {name} does not listen on port {standin.port}; "
                f"its words: {home / 'standin.log'}"
            )
        time.sleep(0.05)


def _stop_standins(name: str) -> None:
    processes.kill(list(_standins(name).values()))

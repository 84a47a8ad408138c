"""The nightly run as the role installs it, on the lab: a fault is told once, and its mending."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import BIN, INVENTORY, ROOT, Done, Lab, run
from tests.notify.notify_factories import Hook, hooking
from tests.servers import Pki

pytestmark = pytest.mark.lab


@pytest.fixture
def hook(pki: Pki) -> Iterator[Hook]:
    """A web server on the loopback of this machine, not of the lab."""
    with hooking(pki) as made:
        yield made


@pytest.fixture
def nightly(hardened: Lab, tmp_path: Path) -> Path:
    """What the role installs for cron to start."""
    told = tmp_path / "told.json"
    root = tmp_path / "root"
    for place in ("etc/cron.d", "etc/logrotate.d", "var/log"):
        (root / place).mkdir(parents=True)
    more = {
        "mailseal_nightly_root": str(root),
        "mailseal_nightly_scheduler": "cron",
        "mailseal_nightly_command": str(BIN / "mailseal"),
        "mailseal_nightly_reports": str(tmp_path / "reports"),
        "mailseal_nightly_history": str(tmp_path / "h.db"),
        "mailseal_nightly_limit": "imap",
        "mailseal_nightly_within": 10,
    }
    told.write_text(json.dumps(more))
    done = run(str(BIN / "ansible-playbook"), "-i", INVENTORY, "nightly.yml", "-e", f"@{told}")
    assert done.returncode == 0, done.stdout[-3000:]
    (tmp_path / "reports").mkdir()  # the role has made it below its other root
    return root / "etc/mailseal/nightly"


def night(program: Path, hook: Hook, pki: Pki) -> Done:
    """One, from a place that is not the checkout."""
    return subprocess.run(
        [str(program), "--notify", hook.target.url],
        cwd="/",
        env={"PATH": os.environ["PATH"], "SSL_CERT_FILE": str(pki.root), "HOME": "/root"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_fault_is_told_once_and_so_is_its_mending(
    hardened: Lab, nightly: Path, hook: Hook, pki: Pki, tmp_path: Path
) -> None:
    """Not a word on a good night, nor on the second bad one."""
    first = night(nightly, hook, pki)
    assert (first.returncode, first.stderr) == (0, ""), first.stdout
    assert hook.requests == []
    assert (
        str(ROOT / INVENTORY)
        in run(str(BIN / "mailseal"), "history", "--history", str(tmp_path / "h.db")).stdout
    )
    assert hardened("break", "imap1", "plaintext-login-imap").returncode == 0
    try:
        bad = [night(nightly, hook, pki).returncode for _ in range(2)]
    finally:
        hardened("mend", "imap1")
    assert bad == [1, 1]
    told, *more = hook.documents
    assert more == []
    assert "changes" in told["reasons"]
    # Its endpoints, and the name that they share with others that do otherwise.
    new = {c["after"]["host"] for c in told["changes"] if c["kind"] == "new"}
    assert new == {"imap1", "imap.lab.test"}
    assert "imap1" in told["text"]
    assert night(nightly, hook, pki).returncode == 0
    assert "fixed" in {c["kind"] for c in hook.documents[-1]["changes"]}
    assert len(hook.documents) == 2
    assert (tmp_path / "reports" / "report.html").stat().st_size > 0

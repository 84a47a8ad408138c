"""How each tool is called: the same questions for all, nothing more than those."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page import ROOT
from benchmarks.peers.field import POLICY, Place
from benchmarks.peers.install import Peers
from benchmarks.peers.read import READERS, Facts
from benchmarks.peers.run import Ran, run

BIN = Path(sys.executable).parent
OURS = ("mailseal --quick", "mailseal --quick --expect", "mailseal")
QUICK, EXPECT, _FULL = OURS
NMAP = ("-n", "-Pn", "--script", "ssl-enum-ciphers,sslv2,ssl-cert")
SSLYZE = (
    *("--mozilla_config", "disable", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2"),
    *("--tlsv1_3", "--compression", "--reneg", "--certinfo"),
)
SSLSCAN = ("--no-colour", "--xml=-")
TESTSSL = (
    *("--quiet", "--color", "0", "--warnings", "off", "-n", "none"),
    *("-p", "-P", "-C", "-R", "-S"),
)


@dataclass(frozen=True)
class Tool:
    """One way to ask.

    Attributes:
        name: as the page calls it.
        words: the command for a place.
        reads: whose output it is.
        file: where it writes, instead of to us.
    """

    name: str
    words: Callable[[Place], list[str]]
    reads: str
    file: Path | None = None

    @property
    def ours(self) -> bool:
        """Whether it is mailseal."""
        return self.name in OURS

    def measure(self, place: Place, limit: float) -> tuple[Ran, Facts]:
        """Run it once. What it says is empty if it failed."""
        if self.file:
            self.file.unlink(missing_ok=True)
        where = {"environment": ENVIRONMENT, "cwd": ROOT} if self.ours else {}
        ran = run(self.words(place), place.netns, limit=limit, count=place.accepted, **where)  # type: ignore[arg-type]
        text = ran.output
        if self.file:
            text = self.file.read_text(encoding="utf-8") if self.file.exists() else ""
        try:
            return ran, READERS[self.reads](text)
        except (ValueError, LookupError, SyntaxError) as error:
            print(f"{self.name} {place.title}: {error!r}; {ran.errors[-300:]}", flush=True)
            return ran, {}


ENVIRONMENT = {
    "PATH": f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
}


def tools(peers: Peers) -> list[Tool]:
    """All of them, ours first."""
    written = peers.tmp / "testssl.json"
    testssl = ("testssl", *TESTSSL, "--jsonfile", f"/tmp/{written.name}")  # noqa: S108 - the root's
    return [
        Tool(QUICK, lambda p: ours(p, "--quick"), "mailseal"),
        Tool(
            EXPECT,
            lambda p: ours(
                p, "--quick", "--expect", "--policy", str(POLICY), "--profile", "access"
            ),
            "mailseal",
        ),
        Tool(_FULL, ours, "mailseal"),
        Tool("nmap", lambda p: peers.inside("nmap", *nmap(p)), "nmap"),
        Tool(
            "sslscan",
            lambda p: peers.inside("sslscan", *SSLSCAN, *_starttls(p, "--starttls-{}"), _at(p)),
            "sslscan",
        ),
        Tool(
            "sslyze",
            lambda p: [
                peers.sslyze,
                *SSLYZE,
                *_starttls(p, "--starttls", "{}"),
                "--json_out=-",
                _at(p),
            ],
            "sslyze",
        ),
        Tool(
            "testssl.sh",
            lambda p: peers.inside(*testssl, *_starttls(p, "-t", "{}"), _at(p)),
            "testssl.sh",
            written,
        ),
    ]


def ours(place: Place, *options: str) -> list[str]:
    """Our command for a place."""
    known = ["--name", "localhost", "--ca", str(place.roots), "--json"]
    return [str(BIN / "mailseal"), "scan", _at(place), *known, *options]


def nmap(place: Place) -> list[str]:
    """What nmap is told of a place."""
    return [*NMAP, "-p", str(place.port), "-oX", "-", place.address]


def check_ours() -> None:
    """The installed command must be this tree's."""
    code = "import audit; print(audit.__file__)"
    words = [str(BIN / "python"), "-c", code]
    told = subprocess.run(
        words, capture_output=True, text=True, env=ENVIRONMENT, cwd="/", check=False
    )
    if not told.stdout.startswith(f"{ROOT}/"):
        sys.exit(f"{BIN}/mailseal is another tree's: {told.stdout.strip()}; set PYTHONPATH")


def _at(place: Place) -> str:
    return f"{place.address}:{place.port}"


def _starttls(place: Place, *words: str) -> list[str]:
    return [w.format(place.service) for w in words] if place.mode == "starttls" else []

"""Which Debian archive the machine uses: read from its apt configuration, never written here."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

_APT = Path("/etc/apt")
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)")


@dataclass(frozen=True)
class Source:
    """One archive of an apt configuration: where it is, one suite of it, the key that signs it."""

    uri: str
    suite: str
    signed_by: str = ""

    def line(self) -> str:
        """Return it in the one-line format that mmdebstrap reads."""
        option = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {option}{self.uri} {self.suite} main"


def sources(suite: str, apt: Path = _APT) -> tuple[Source, ...]:
    """Return the archives to build `suite` from: the release, its updates, its security fixes.

    MAILSEAL_MIRROR (and MAILSEAL_MIRROR_SECURITY) replace what the machine has configured.
    Raises LabError when neither names a Debian archive.
    """
    given = os.environ.get("MAILSEAL_MIRROR")
    if given:
        found = [Source(given, suite), Source(given, f"{suite}-updates")]
        security = os.environ.get("MAILSEAL_MIRROR_SECURITY")
        if security:
            found.append(Source(security, f"{suite}-security"))
        return tuple(found)
    configured = list(_configured(apt))
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    chosen = [next((s for s in configured if s.suite == name), None) for name in wanted]
    if chosen[0] is None:
        # A machine of another Debian release still names an archive that has ours.
        release = next((s for s in configured if s.uri.rstrip("/").endswith("/debian")), None)
        if release is None:
            raise LabError(
                "no Debian archive found in the machine's apt configuration; "
                "set MAILSEAL_MIRROR to the address of one"
            )
        chosen[0] = Source(release.uri, suite, release.signed_by)
    return tuple(source for source in chosen if source)


def proxies() -> tuple[str, ...]:
    """Return the machine's apt proxy settings as `NAME "VALUE"` options."""
    dump = subprocess.run(
        ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False
    ).stdout
    return tuple(
        line.rstrip(";")
        for line in dump.splitlines()
        if re.match(r"Acquire::https?::Proxy(::\S+)? ", line)
    )


def _configured(apt: Path) -> Iterator[Source]:
    """Yield every enabled binary archive that carries the section main, in apt's order."""
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".list":
            yield from one_line(text)
        elif path.suffix == ".sources":
            yield from deb822(text)


def one_line(text: str) -> Iterator[Source]:
    """Yield the archives of a file in the one-line format."""
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        match = _ONE_LINE.match(line)
        if match and "main" in line[match.end() :].split():
            options = dict(
                word.split("=", 1) for word in shlex.split(match["options"] or "") if "=" in word
            )
            yield Source(match["uri"], match["suite"], options.get("signed-by", ""))


def deb822(text: str) -> Iterator[Source]:
    """Yield the archives of a file in the deb822 format."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza.splitlines())
        enabled = fields.get("enabled", "yes").lower() not in {"no", "false", "0"}
        words = {key: fields.get(key, "").split() for key in ("types", "components")}
        if not enabled or "deb" not in words["types"] or "main" not in words["components"]:
            continue
        signed = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                # A key given inline cannot travel in the one-line format.
                yield Source(uri, suite, signed if signed.startswith("/") else "")


def _fields(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for line in lines:
        if line.startswith("#"):
            continue
        if line[:1].isspace() and last:
            found[last] += "\n" + line.strip()
        elif ":" in line:
            last, value = line.split(":", 1)
            last = last.strip().lower()
            found[last] = value.strip()
    return found

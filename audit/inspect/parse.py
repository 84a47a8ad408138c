"""What `collect.sh` printed, as facts. Pure; the host may be hostile or half broken."""

import math
import re
from collections import defaultdict
from datetime import datetime

from audit.facts import File, HostFacts, Package, Process

# Passwords that stand in a configuration: from here on nobody has them.
_SECRET = re.compile("passw|secret|_pw$")
_NOT_KEPT = "(not kept)"
_STAT_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d+))? ([+-]\d{4})")
_FEWEST_FIELDS = {
    "process": 5,
    "library": 4,
    "digest": 4,
    "listens": 3,
    "file": 6,
    "option": 4,
    "cnf": 3,
    "report": 3,
    "system": 3,
    "service": 3,
    "version": 3,
    "owner": 3,
    "package": 3,
    "altered": 4,
}


def parse(host: str, output: str) -> HostFacts:
    """The facts; lines that make no sense are kept as errors."""
    # Not splitlines(): a form feed or U+2028 in a path must not begin a line of its own.
    told = (line.rstrip("\r") for line in output.split("\n"))
    lines = [line.split("\t") for line in told if line]
    try:
        boot, ticks = _clock(lines)
    except (ValueError, StopIteration):
        return HostFacts(host, reached=False, errors=("the host's script did not run to its end",))
    facts = _Collector(host, boot, ticks)
    for fields in lines:
        facts.take(fields)
    return facts.result()


def _clock(lines: list[list[str]]) -> tuple[float, int]:
    """When the machine booted, by its own clock, and its clock ticks a second."""
    _, now, uptime, ticks = next(fields for fields in lines if fields[0] == "clock")
    boot, hertz = float(now) - float(uptime), int(ticks)
    if not math.isfinite(boot) or hertz <= 0:
        raise ValueError(now)
    return boot, hertz


class _Collector:
    """Sorts the lines into facts."""

    def __init__(self, host: str, boot: float, ticks: int) -> None:
        self.host, self.boot, self.ticks = host, boot, ticks
        self.processes: dict[int, tuple[str, str, float, str]] = {}
        self.libraries: dict[int, dict[str, bool]] = defaultdict(dict)
        self.digests: dict[int, dict[str, str]] = defaultdict(dict)
        self.ports: dict[int, set[int]] = defaultdict(set)
        self.files: list[File] = []
        self.options: dict[str, dict[str, str]] = defaultdict(dict)
        self.cnf: dict[str, list[str]] = defaultdict(list)
        self.reports: dict[str, list[str]] = defaultdict(list)
        self.system = ""
        self.services: dict[str, int] = {}
        self.versions: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.packages: dict[str, bool] = {}
        self.altered: dict[str, list[str]] = defaultdict(list)
        self.errors: list[str] = []

    def take(self, fields: list[str]) -> None:
        kind = fields[0]
        if kind == "clock":
            return
        if len(fields) < _FEWEST_FIELDS.get(kind, 1 << 30):
            self.errors.append(f"unreadable line: {fields[0][:40]!r}")
            return
        try:
            getattr(self, f"_{kind}")(*fields[1:])
        except (TypeError, ValueError, ArithmeticError):
            self.errors.append(f"unreadable {kind} line")

    def _process(self, pid: str, daemon: str, name: str, start: str, program: str = "") -> None:
        started = self.boot + int(start) / self.ticks
        self.processes[int(pid)] = (daemon, name, started, program)

    def _library(self, pid: str, gone: str, path: str) -> None:
        self.libraries[int(pid)][path] = gone == "yes"

    def _digest(self, pid: str, sha256: str, path: str) -> None:
        self.digests[int(pid)][path] = sha256

    def _listens(self, pid: str, port: str) -> None:
        self.ports[int(pid)].add(int(port))

    def _file(self, mode: str, owner: str, group: str, time: str, path: str) -> None:
        self.files.append(File(path, int(mode, 8), owner, group, _seconds(time)))

    def _option(self, daemon: str, name: str, *value: str) -> None:
        told = "\t".join(value).strip()
        self.options[daemon][name] = _NOT_KEPT if _SECRET.search(name) else told

    def _cnf(self, daemon: str, *line: str) -> None:
        self.cnf[daemon].append("\t".join(line))

    def _report(self, daemon: str, *line: str) -> None:
        self.reports[daemon].append("\t".join(line))

    def _system(self, distribution: str, version: str) -> None:
        self.system = f"{distribution} {version}".strip().lower()

    def _service(self, name: str, port: str) -> None:
        self.services[name] = int(port)

    def _version(self, words: str, path: str) -> None:
        self.versions[path] = words

    def _owner(self, package: str, path: str) -> None:
        self.owners[path] = package

    def _package(self, name: str, verified: str) -> None:
        self.packages[name] = verified == "yes"

    def _altered(self, package: str, how: str, path: str) -> None:
        self.altered[package].append(
            f"{path} is missing" if how == "missing" else f"{path} was changed ({how})"
        )

    def result(self) -> HostFacts:
        return HostFacts(
            host=self.host,
            reached=True,
            processes=tuple(
                Process(
                    pid,
                    daemon,
                    name,
                    started,
                    libraries=dict(self.libraries.get(pid, {})),
                    program=program,
                    digests=dict(self.digests.get(pid, {})),
                    ports=tuple(sorted(self.ports.get(pid, ()))),
                )
                for pid, (daemon, name, started, program) in self.processes.items()
            ),
            files=tuple(self.files),
            options={daemon: dict(options) for daemon, options in self.options.items()},
            library_settings={daemon: "\n".join(lines) for daemon, lines in self.cnf.items()},
            reports={daemon: "\n".join(lines) for daemon, lines in self.reports.items()},
            system=self.system,
            services=self.services,
            versions=self.versions,
            owners=self.owners,
            packages=tuple(
                # A file that was changed tells enough, whatever became of the rest.
                Package(name, self.packages.get(name, False), tuple(self.altered.get(name, ())))
                for name in dict.fromkeys([*self.packages, *self.altered])
            ),
            errors=tuple(dict.fromkeys(self.errors)),
        )


def _seconds(text: str) -> float:
    """The time that stat(1) prints with %y, in seconds since the epoch."""
    match = _STAT_TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    whole = datetime.strptime(f"{match[1]} {match[3]}", "%Y-%m-%d %H:%M:%S %z").timestamp()
    return whole + float(f"0.{match[2] or 0}")

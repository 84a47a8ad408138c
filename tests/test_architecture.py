"""The shape of the house: which module may import which."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each part of `audit` may import of the others; a part is a module or package below it.
ALLOWED = {
    "errors": set(),
    "options": set(),
    "state": set(),
    "written": {"errors"},
    "iana": set(),
    "facts": {"iana"},
    "findings": {"facts"},
    "changes": {"findings"},
    "drift": {"drift_domain", "facts", "findings", "iana"},
    "drift_domain": {"facts"},
    "past": {"changes", "drift", "findings"},
    "history": {"changes", "drift", "errors", "facts", "findings", "past", "state"},
    "prospect": {
        *("changes", "clients", "errors", "facts", "findings", "forecast", "iana", "policy"),
        *("rollout", "wire"),
    },
    "waivers": {"errors", "findings"},
    "policy": {"errors", "iana", "options"},
    "wire": {"facts", "iana", "names"},
    "clients": {"errors", "iana", "wire"},
    "forecast": {"clients", "errors", "facts", "iana", "measures", "options", "policy", "wire"},
    "judge": {"facts", "findings", "iana", "manifest", "names", "policy", "wire"},
    "manifest": {"errors"},
    "probe": {"errors", "facts", "iana", "wire"},
    "inspect": {"facts"},
    "ahead": set(),
    "bounded": set(),
    "ports": {"facts"},
    "account": set(),
    "own_domains": set(),
    "inventory": {
        *("account", "errors", "facts", "findings", "own_domains", "names", "policy", "ports"),
    },
    "publish": {
        *("control", "domain", "errors", "facts", "findings", "inventory", "names"),
        *("own_domains", "probe", "targets", "wire", "written"),
    },
    "control": {"errors", "inventory", "manifest", "namespace", "roots"},
    "names": {"errors"},
    "roots": {"errors"},
    "namespace": {"errors"},
    "progress": set(),
    "late": {"facts"},
    "report": {
        *("changes", "drift", "errors", "facts", "findings", "forecast", "history", "iana"),
        *("judge", "past", "policy", "ports", "prospect", "rollout", "tlsrpt", "traffic"),
        *("waivers", "whatif", "wire", "written"),
    },
    "rollout": {"changes", "errors", "findings"},
    "domain": {"bounded", "connect", "errors", "facts", "mta_sts", "names", "web", "wire"},
    "mta_sts": {"bounded", "connect", "errors", "names", "roots", "web", "wire"},
    "connect": {"bounded", "roots"},
    "web": {"bounded", "connect"},
    "notify": {"account", "bounded", "connect", "errors", "report", "web"},
    "traffic": {"errors", "iana", "written"},
    "tlsrpt": {
        *("domain", "errors", "facts", "findings", "mta_sts", "names", "traffic", "wire"),
        "written",
    },
    "whatif": {
        *("clients", "errors", "facts", "findings", "forecast", "history", "iana"),
        *("policy", "traffic", "wire"),
    },
    "measures": {"errors", "findings", "policy"},
    "passage": {
        *("account", "bounded", "control", "errors", "facts", "findings", "inventory", "names"),
        *("policy", "progress", "report", "wire"),
    },
}
# What does no I/O imports none of this.
PURE = {
    *("account", "changes", "drift", "iana", "facts", "findings", "forecast", "judge", "manifest"),
    *("drift_domain", "late", "own_domains", "past", "ports", "prospect", "waivers", "wire"),
}
# Parts of a package that does I/O elsewhere.
PURE_MODULES = {
    "domain/reading.py",
    *(f"publish/{name}.py" for name in ("model", "tlsa", "texts", "snippet", "rollover")),
    *("passage/outcome.py", "passage/plan.py", "passage/report.py"),
    *(f"rollout/{name}.py" for name in ("events", "discreet", "differences", "watch", "reason")),
    *(f"traffic/{name}.py" for name in ("errors", "exim", "own", "session", "tables", "tally")),
    *(f"traffic/{name}.py" for name in ("cyrus", "dovecot", "exim_syslog", "mixed", "postfix")),
    *(f"traffic/{name}.py" for name in ("postfix_talk", "seams", "silence", "stretch", "syslog")),
    "traffic/shares.py",
    *(f"rollout/{name}.py" for name in ("words", "model", "ending", "tell", "shapes")),
    *(f"tlsrpt/{name}.py" for name in ("report", "results", "unwrap", "document", "merge")),
    *(f"tlsrpt/{name}.py" for name in ("beside", "clock", "exim", "sessions", "compose")),
    *("tlsrpt/applied.py", "tlsrpt/counts.py", "tlsrpt/helper.py", "tlsrpt/letter.py"),
    *(f"whatif/{name}.py" for name in ("needs", "known", "side", "verdict", "reason", "ja3")),
    *(f"whatif/{name}.py" for name in ("outgoing", "premises", "weigh", "ledger", "reassemble")),
    "whatif/document.py",
}
IO = {"socket", "subprocess", "os.path", "pathlib", "threading", "requests", "testinfra", "ssl"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _part(path: Path) -> str:
    return path.relative_to(ROOT / "audit").parts[0].removesuffix(".py")


def _sources(top: str) -> list[Path]:
    return sorted((ROOT / top).rglob("*.py"))


@pytest.mark.parametrize("path", _sources("audit"), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_downward(path: Path) -> None:
    """A part of the auditor imports only what lies below it."""
    part = _part(path)
    if part not in ALLOWED:  # the shell: scan, session, runner, checks, cli
        return
    used = {name.split(".")[1] for name in _imports(path) if name.startswith("audit.")}
    assert used - {part} <= ALLOWED[part] | {"__version__"}


def _arrows() -> dict[str, set[str]]:
    """Which parts each part imports."""
    found: dict[str, set[str]] = {}
    for path in _sources("audit"):
        used = {name.split(".")[1] for name in _imports(path) if name.startswith("audit.")}
        found.setdefault(_part(path), set()).update(used - {_part(path)})
    return found


def test_no_two_parts_import_each_other() -> None:
    """Not even by way of others, be they of the shell or not; and one arrow back would show."""
    arrows = _arrows()
    TopologicalSorter(arrows).prepare()
    with pytest.raises(CycleError):
        TopologicalSorter(arrows | {"traffic": {"report"}}).prepare()


def test_only_the_command_line_knows_the_commands() -> None:
    """By name, when one is called."""
    assert not any("commands" in used for used in _arrows().values())
    assert "audit.commands." in (ROOT / "audit/cli.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in _sources("audit")
        if _part(p) in PURE or str(p.relative_to(ROOT / "audit")) in PURE_MODULES
    ],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_pure_parts_do_no_io(path: Path) -> None:
    """Facts, judges and the wire's bytes touch no socket, file, process or thread."""
    tops = {name.split(".")[0] for name in _imports(path)}
    assert not tops & IO


def test_a_scan_does_not_wait_for_a_database() -> None:
    """Only what opens a history loads SQLAlchemy: none of it is known to what a scan loads."""
    loads = "import sys, audit.cli, audit.scan, audit.report.terminal, audit.report.json"
    code = f"{loads}; sys.exit('sqlalchemy' in sys.modules or 'alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_lab_and_audit_do_not_know_each_other() -> None:
    """Only the command line knows both."""
    for path in _sources("lab"):
        assert not any(name.split(".")[0] == "audit" for name in _imports(path)), path
    for path in _sources("audit"):
        if path.name != "cli.py":
            assert not any(name.split(".")[0] == "lab" for name in _imports(path)), path


@pytest.mark.parametrize(
    "path",
    # What lies beside the spec files is carried to a build host, as they are.
    [p for p in _sources("packages") if p.parent.name != "specs"],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_what_is_built_is_planned_and_judged_without_io(path: Path) -> None:
    """Plans, options and judgements are data in and data out, and know neither auditor nor lab."""
    tops = {name.split(".")[0] for name in _imports(path)}
    assert not tops & (IO | {"os", "audit", "lab"})


def test_no_group_is_possessive() -> None:
    """Python before 3.11.5, as Debian 12 has it, loses its place in those (gh-106052); atomic
    groups, `(?>...|)`, are right everywhere."""
    possessive = re.compile(r"\)[?*+]\+")
    for path in _sources("audit") + _sources("lab") + _sources("packages"):
        assert not possessive.search(path.read_text(encoding="utf-8")), path


def test_what_needs_the_lab_is_in_one_place() -> None:
    """There is one, and the tests in that directory are run one after the other."""
    tests = ROOT / "tests"
    mark = "pytest.mark." + "lab"
    users = {p.parent for p in tests.rglob("*.py") if mark in p.read_text(encoding="utf-8")}
    assert users == {tests / "lab"}


def test_modules_stay_small() -> None:
    """A module does one job; data tables may be long, and so may what travels as one file."""
    tables = {"suites.py", "agent.py"}
    for path in _sources("audit") + _sources("lab") + _sources("packages"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert path.name in tables or lines <= 260, f"{path} has {lines} lines"

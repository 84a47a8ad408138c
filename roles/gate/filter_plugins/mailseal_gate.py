"""What the gate has to know, as Jinja filters: whom to audit, and what came of it."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import fields

# A checkout needs no installation: the auditor lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.changes import compare
from audit.findings import Finding, Run
from audit.inventory import Host
from audit.report.documents import OutcomeDocument, PassageDocument
from audit.rollout.seen import findings_run

_ACCOUNT = "mailseal_test_account"
# What the auditor reads. Everything else may be secret, and what the gate saw is kept.
_READ = {found.encode_name for found in fields(Host)} - {_ACCOUNT}
# How Ansible reaches the host.
_REACHED = re.compile(r"ansible_(host|port|user|connection|ssh_|become|private_key)(?!.*pass)")
_MOST = 5


def mailseal_gate_inventory(
    hosts: Mapping[str, Mapping[str, Any]], host: str, *, account: bool = False
) -> dict[str, Any]:
    """An inventory of this host, with the variables that it has in this run.

    Args:
        hosts: the variables of all hosts.
        host: its name.
        account: whether the account that logs in is taken along, and the host on which its mail is
            looked for.
    """
    found = {host: _open(hosts[host])}
    if account and (tester := hosts[host].get(_ACCOUNT)):
        found[host][_ACCOUNT] = tester
        mailbox = tester.get("mailbox", host)
        if mailbox in hosts:
            found.setdefault(mailbox, _open(hosts[mailbox]))
    return {"all": {"hosts": found}}


def _open(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are no secret."""
    return {n: variables[n] for n in variables if n in _READ or _REACHED.match(n)}


def mailseal_gate_wrong(document: str) -> list[str]:
    """What keeps a host from passing, the worst first; a sentence each, and not too many."""
    bad = [f for f in _run(document).findings if f.verdict in {"fail", "inconclusive"}]
    bad.sort(key=lambda f: f.verdict != "fail")
    return _few([_said(f) for f in bad])


def mailseal_gate_refused(document: str) -> list[str]:
    """Where a user could not log in or send, a sentence each."""
    found = msgspec.json.decode(document.encode(), type=PassageDocument).outcomes
    return _few([_refused(one) for one in found if one.verdict != "pass"])


def mailseal_gate_differences(before: str, after: str) -> list[str]:
    """What is otherwise than it was."""
    changes = compare(_run(before), _run(after))
    return _few([f"{change.kind}: {_said(change.finding)}" for change in changes])


def _run(document: str) -> Run:
    return findings_run(document.encode())  # a string with Ansible's tags is no string to msgspec


def _few(sentences: list[str]) -> list[str]:
    more = len(sentences) - _MOST
    return [*sentences[:_MOST], f"and {more} more"] if more > 0 else sentences


def _said(finding: Finding) -> str:
    place = f" on port {finding.port} of {finding.address}" if finding.port else ""
    return f"{finding.check}{place}: {finding.observed} ({finding.verdict})"


def _refused(one: OutcomeDocument) -> str:
    place = f"{one.service} on port {one.port} of {one.address}"
    return f"{place}: {one.step} ({one.verdict}): {one.message or one.words}"


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_gate_inventory": mailseal_gate_inventory,
            "mailseal_gate_wrong": mailseal_gate_wrong,
            "mailseal_gate_differences": mailseal_gate_differences,
            "mailseal_gate_refused": mailseal_gate_refused,
        }

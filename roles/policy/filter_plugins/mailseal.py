"""The compiler as Jinja filters: what a host reports in, its settings out."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

# A checkout needs no installation: the compiler lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.errors import MailsealError
from audit.policy.compile import Target, compile_policy, numbers
from audit.policy.load import load

_CYRUS = re.compile(r"^cyrus-imapd (\d[\d.]*)", re.MULTILINE)
_EXIM = re.compile(r"^Exim version (\d[\d.]*)", re.MULTILINE)
_OPENSSL = re.compile(r"^OpenSSL (\d\S*)", re.MULTILINE)
_EXIM_LIBRARY = re.compile(
    r"^Library version: (GnuTLS|OpenSSL): Compile: [^\n]*\n\s*Runtime: (?:OpenSSL )?(\d\S*)",
    re.MULTILINE,
)


def mailseal_reported(text: str, daemon: str) -> dict[str, str]:
    """What the daemon of a host is and which TLS library it runs on, from its own words."""
    version = (_CYRUS if daemon == "cyrus" else _EXIM).search(text)
    library = (_OPENSSL if daemon == "cyrus" else _EXIM_LIBRARY).search(text)
    if not version or not library:
        said = " ".join(text.split())[:200] or "nothing"
        missing = "its TLS library" if version else "a version"
        raise AnsibleFilterError(f"{daemon} does not report {missing}; it says: {said}")
    kind = daemon if daemon == "cyrus" else f"exim-{library[1].lower()}"
    return {"kind": kind, "version": version[1], "library": library[library.lastindex or 1]}


def mailseal_compile(
    policy: str,
    reported: Mapping[str, str],
    endpoints: Sequence[Mapping[str, Any]],
    day: str | None = None,
) -> dict[str, Any]:
    """The settings with which a host's daemon does what *policy* says on *day*, by default today."""
    try:
        target = Target(
            kind=reported["kind"],  # type: ignore[arg-type]
            version=numbers(reported["version"]),
            library=numbers(reported["library"]),
            ports={int(e["port"]): e["profile"] for e in endpoints},
        )
        when = date.fromisoformat(day) if day else datetime.now(tz=UTC).date()
        compiled = compile_policy(load(policy), target, when)
    except MailsealError as error:
        raise AnsibleFilterError(str(error)) from None
    return {
        "target": str(target),
        "options": dict(compiled.options),
        "openssl_cnf": compiled.openssl_cnf,
        "required_ports": list(compiled.required_ports),
        "dh_group": compiled.dh_group,
        "left_out": list(compiled.left_out),
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {"mailseal_reported": mailseal_reported, "mailseal_compile": mailseal_compile}

"""What came of a deployment, host by host: read from the record of the rollout. Pure."""

from msgspec import Struct

from audit.rollout.model import Host, Rollout
from audit.rollout.words import MEANING

_LONGEST = 4000  # characters of one reason


class Replaced(Struct, frozen=True):
    """One file that was replaced, or would be.

    Attributes:
        host: inventory name.
        path: of the file.
        lines: the difference, as `diff -u` has it from its first hunk on; of secrets only that
            they differ.
        more: how many lines were left out because there are too many.
    """

    host: str
    path: str
    lines: tuple[str, ...]
    more: int = 0


class Trouble(Struct, frozen=True):
    """Why a host is not as it should be.

    Attributes:
        host: inventory name; empty for the whole.
        reason: in the words of whoever stopped.
        reached: False if it was not reached, so that nothing is known of it.
    """

    host: str
    reason: str
    reached: bool = True


class Deployment(Struct, frozen=True, kw_only=True):
    """A deployment, or what one would do.

    Attributes:
        hosts: those that took part.
        changed: those where something was changed, or would be.
        troubles: those that failed or were not reached, with the reason.
        files: what was replaced.
    """

    hosts: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    files: tuple[Replaced, ...] = ()


def deployment(rollout: Rollout | None, code: int, words: str) -> Deployment:
    """What the record says.

    Args:
        rollout: how it went; None if it ended before there was a record.
        code: how ansible-playbook ended.
        words: its own, for an end that no host explains.
    """
    hosts = rollout.hosts if rollout else ()
    troubles = [_trouble(host) for host in hosts if _failed(host)]
    if code and not troubles:
        troubles.append(Trouble("", _short(_last(words)) or f"ansible-playbook ended with {code}"))
    asked = rollout is not None and rollout.check
    return Deployment(
        hosts=tuple(host.host for host in hosts),
        changed=tuple(host.host for host in hosts if host.tasks),
        troubles=tuple(troubles),
        files=tuple(
            Replaced(host.host, file.path, file.lines, file.more)
            for host in hosts
            for file in host.files
            if file.replaced or asked
        ),
    )


def _failed(host: Host) -> bool:
    """Whether it has not what it should have; what no gate has looked at, the audit looks at."""
    return MEANING[host.state][2] == "fail" or host.state == "unjudged"


def _trouble(host: Host) -> Trouble:
    reason = _short(host.why) or MEANING[host.state][3]
    return Trouble(host.host, reason, reached=host.state != "unreachable")


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def _last(words: str) -> str:
    """The last error that Ansible told of outside of any task."""
    telling = [line for line in words.splitlines() if "ERROR" in line]
    return telling[-1].partition("ERROR")[2].strip("]:! ") if telling else ""

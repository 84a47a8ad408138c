"""Records every rollout while it runs, and writes its page when it ends.

Ansible finds this beside the playbooks and needs no word in its configuration. Whatever goes wrong
here is one warning, and the rollout goes on.
"""

import atexit
import functools
import getpass
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleError
from ansible.playbook.play import Play
from ansible.playbook.task import Task as AnsibleTask
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version
from ansible.template import Templar

# A checkout needs no installation: the auditor lies beside the playbooks.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from audit import __version__
from audit.rollout.discreet import plain, secrets
from audit.rollout.events import Batch, Closed, Event, Opened
from audit.rollout.place import SECRETS, USUAL
from audit.rollout.record import Record, forget
from audit.rollout.watch import PHASE, Task, Watch

DOCUMENTATION = """
    name: mailseal_record
    type: notification
    short_description: Records rollouts, and writes a page of each
    description:
      - Acts for the playbooks that change mail hosts, and for no other.
      - Records go to C(mailseal_rollout_directory), of which the newest C(mailseal_rollouts) stay.
"""

_PLAYBOOKS = ("rollout.yml", "rollback.yml", "openssl.yml")
_KEPT = 50  # as in defaults/main.yml of the role gate
# What Ansible adds to every host's variables.
_MAGIC = ("ansible_facts", "environment", "groups", "hostvars", "vars")
_ENCRYPTED = "EncryptedString"


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _harmless(method: Callable[..., None]) -> Callable[..., None]:
    """Have whatever goes wrong be one warning."""

    @functools.wraps(method)
    def guarded(self: "CallbackModule", *args: Any, **more: Any) -> None:
        try:
            method(self, *args, **more)
        except Exception as error:  # noqa: BLE001 - no rollout fails because of its record
            self.disabled = True
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            self._display.warning(f"this rollout is not recorded any further: {words}")

    return guarded


class CallbackModule(CallbackBase):
    """What Ansible looks for."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "mailseal_record"

    def __init__(self, *args: Any, **more: Any) -> None:
        """Record nothing yet."""
        super().__init__(*args, **more)
        self._watch = Watch()
        self._record: Record | None = None
        self._playbook = ""
        self._phase = ""
        self._phases: dict[str, str] = {}
        self._process = os.getpid()

    @_harmless
    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Look whether it is one of ours."""
        self._playbook = Path(playbook._file_name).name
        if self._playbook not in _PLAYBOOKS:
            self.disabled = True

    @_harmless
    def v2_playbook_on_play_start(self, play: Play) -> None:
        """Begin the record, and each batch."""
        manager = play.get_variable_manager()
        hosts = manager.get_vars(play=play, include_hostvars=False)
        everyone, batch = (hosts.get(f"ansible_play_{name}", ()) for name in ("hosts_all", "batch"))
        variables = {
            name: manager.get_vars(
                play=play, host=manager._inventory.get_host(name), include_hostvars=False
            )
            for name in batch
        }
        for found in (hosts, *variables.values()):
            self._watch.discreet.learn(_secrets(found))
        if kept := os.environ.get(SECRETS):
            Path(kept).write_text("\n".join(self._watch.discreet.known), encoding="utf-8")
        if self._record is None:
            some = next(iter(variables.values()), hosts)
            self._open(Templar(loader=play.get_loader(), variables=some), manager.extra_vars)
        self._phase = plain(play.vars.get(PHASE, ""))
        batch_ = Batch(
            at=_now(),
            play=play.get_name(),
            number=1,
            main=PHASE in play.vars,
            # Of a play that has no hosts Ansible says that its batch were all of the inventory.
            hosts=tuple(plain(name) for name in batch if name in everyone),
            everyone=tuple(map(plain, everyone)),
            policies={plain(name): _policy(found) for name, found in variables.items()},
        )
        self._write(self._watch.batch(play._uuid, batch_.at, batch_))

    @_harmless
    def v2_runner_on_start(self, host: Any, task: AnsibleTask) -> None:
        """Another part of the work may begin."""
        self._write(self._watch.started(plain(host.get_name()), self._task(task), _now()))

    @_harmless
    def v2_runner_on_ok(self, result: Any) -> None:
        """Take what changed."""
        task = self._task(result.task, result.task_fields)
        self._write(self._watch.done(plain(result.host.get_name()), task, result.result, _now()))

    @_harmless
    def v2_runner_on_skipped(self, result: Any) -> None:
        """It has begun nothing."""
        self._watch.skipped(plain(result.host.get_name()), _now())

    @_harmless
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002
        """Take why."""
        if not ignore_errors:
            task = self._task(result.task, result.task_fields)
            self._write(
                self._watch.failed(plain(result.host.get_name()), task, result.result, _now())
            )

    @_harmless
    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Take why."""
        self._write(self._watch.lost(plain(result.host.get_name()), result.result, _now()))

    @_harmless
    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End the record and write the page."""
        if self._record is None:
            return
        at = _now()
        failed = tuple(map(plain, stats.failures))
        self._write([*self._watch.over(at), Closed(at=at, failed=failed)])
        self._tell()

    @_harmless
    def _tell(self) -> None:
        """Write the page; after an error of Ansible's own, or Ctrl-C, that is all that is done."""
        record, self._record = self._record, None
        if record is None or self.disabled or os.getpid() != self._process:
            return
        record.close()
        from audit.rollouts import write_page

        page = write_page(record.path.parent, record.id)
        self._display.display(f"The rollout on one page: {page} (mailseal rollout {record.id})")

    def _open(self, templar: Templar, extra: Mapping[str, Any]) -> None:
        """Begin the record where the inventory wants it."""
        asked = templar.available_variables
        where = templar.template(asked.get("mailseal_rollout_directory", str(USUAL)))
        most = int(templar.template(asked.get("mailseal_rollouts", _KEPT)))
        forget(Path(where), max(1, most - 1))
        now = _now()
        self._record = Record(Path(where), now)
        text, options = self._watch.discreet.text, context.CLIARGS
        opened = Opened(
            at=now,
            id=self._record.id,
            playbook=self._playbook,
            user=text(os.environ.get("SUDO_USER") or getpass.getuser()),
            control=text(socket.gethostname()),
            process=self._process,
            inventory=tuple(map(text, options.get("inventory") or ())),
            limit=text(options.get("subset") or ""),
            tags=tuple(text(t) for t in options.get("tags") or () if t != "all"),
            skipped=tuple(map(text, options.get("skip_tags") or ())),
            variables=tuple(sorted(text(name) for name in extra)),
            check=bool(options.get("check")),
            version=__version__,
            ansible=ansible_version,
        )
        atexit.register(self._tell)
        self._write([opened])

    def _write(self, events: Iterable[Event]) -> None:
        if self._record:
            self._record.write(events)

    def _task(self, task: AnsibleTask, fields: Mapping[str, Any] | None = None) -> Task:
        phase = self._phases.get(task._uuid)
        if phase is None:
            phase = self._phases[task._uuid] = plain(task.get_vars().get(PHASE, self._phase))
        return Task(
            name=task.get_name(),
            phase=phase,
            action=plain(task.action),
            args=(fields or {}).get("args") or {},
            check=bool(task.check_mode),
            conditional=bool(task.when),
        )


def _secrets(variables: Mapping[str, Any]) -> list[str]:
    """What no record may say: what stands under names that sound secret, or was encrypted."""
    own = {name: value for name, value in variables.items() if name not in _MAGIC}
    return [*secrets(own), *_encrypted(own)]


def _encrypted(value: object) -> Iterator[str]:
    """What stood in a vault, however deep."""
    if type(value).__name__ == _ENCRYPTED:
        with suppress(AnsibleError):  # what nobody can decrypt is in nothing that is told
            yield plain(value)
    elif isinstance(value, (Mapping, list, tuple)):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _encrypted(one)


def _policy(variables: Mapping[str, Any]) -> str:
    """As `--policy` names it: A+B is A in shadow of B."""
    policy = str(variables.get("mailseal_policy", ""))
    tail = str(variables.get("mailseal_shadow_tail", ""))
    shadow = variables.get("mailseal_enforcement") == "shadow" and tail
    return f"{policy}+{tail}" if policy and shadow else policy

"""rollout.yml on a cluster, and what came of it on each host."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from audit import progress
from audit.errors import UNDETERMINED, MailsealError
from audit.prospect.deployment import Deployment, deployment
from audit.rollout.discreet import Discreet, without_keys
from audit.rollout.place import SECRETS
from audit.staging.follow import Follower
from audit.staging.lock import VARIABLE
from audit.staging.sides import Side
from audit.written import put

_TOP = Path(__file__).resolve().parents[2]
_ROLLOUT = _TOP / "rollout.yml"
_LONGEST = 6 * 3600.0  # seconds; 25 hosts take minutes, and a library that is built half an hour
_TURN = 0.5  # seconds between two looks at the record
_GRACE = 30.0  # seconds in which an interrupted Ansible tidies up

# Nothing is changed, and in one batch every host says what it would get, whatever others do.
_TRYING = ("--check", "-e", '{"mailseal_batches": ["100%"]}')


def roll_out(
    side: Side, step: Callable[[str], None], log: Path | None, *, check: bool = False
) -> Deployment:
    """Deploy a state, or with *check* only ask what that would replace.

    Args:
        side: the state.
        step: called with each host and what is done there.
        log: where Ansible's own words go; the record is kept beside it, in `rollouts`, with its
            page and what the gate saw. None to keep nothing.
        check: change nothing.

    Raises:
        MailsealError: there is no rollout.yml or no Ansible, it did not end, or nobody knows what
            came of it.
    """
    program = Path(sys.executable).parent / "ansible-playbook"
    for path, why in ((_ROLLOUT, "staging runs from a checkout of mailseal"), (program, "")):
        if not path.exists():
            raise MailsealError(f"{path} is missing{': ' if why else ''}{why}", UNDETERMINED)
    with tempfile.TemporaryDirectory(prefix="mailseal-") as folder:
        # A place of its own: these are no rollouts of the cluster that somebody looks for later.
        records = (log.parent if log else Path(folder)).resolve() / "rollouts"
        said, secrets = Path(folder) / "log", Path(folder) / "secrets"
        own = json.dumps({"mailseal_rollout_directory": str(records)})
        options = [*side.options, "-e", own, *(_TRYING if check else ()), "--diff"]
        follower = Follower(records)
        try:
            environment = {SECRETS: str(secrets)}
            code = _run([str(program), *options, str(_ROLLOUT)], environment, follower, said, step)
        finally:
            if log:
                _keep(_harmless(said, secrets), log)
        rollout, words = follower.rollout(), said.read_text("utf-8", "replace")
        if not code and (rollout is None or rollout.course != "finished"):
            lost = "the deployment ended well, and its record does not say so: nothing is known"
            raise MailsealError(lost, UNDETERMINED)
        return deployment(rollout, code, words)


def _run(
    words: Sequence[str],
    more: Mapping[str, str],
    follower: Follower,
    said: Path,
    step: Callable[[str], None],
) -> int:
    environment = {
        "ANSIBLE_CONFIG": str(_TOP / "ansible.cfg"),
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        VARIABLE: str(os.getpid()),
        **more,
    }
    end = time.monotonic() + _LONGEST
    try:
        with said.open("wb") as out, _ended(words, environment, out) as process:
            while process.poll() is None:
                if time.monotonic() > end:
                    raise MailsealError("the deployment did not come to its end", UNDETERMINED)
                for one in follower.steps():
                    step(one)
                time.sleep(_TURN)
            return process.returncode
    except OSError as error:
        raise MailsealError(f"{words[0]}: {error.strerror or error}") from None


@contextmanager
def _ended(
    words: Sequence[str], environment: dict[str, str], out: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process in a session of its own: it is told once that it is to end, and by us."""
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        env=environment,
        start_new_session=True,
        close_fds=False,  # what is to be inherited are the locks of the hosts
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)


def _keep(words: bytes, log: Path) -> None:
    """What came of the deployment does not depend on whether its log can be kept."""
    try:
        put(words, log)
    except MailsealError as error:
        progress.say(f"mailseal: {error}")


def _harmless(said: Path, secrets: Path) -> bytes:
    """Ansible shows whole differences; the log is kept by whoever keeps what a job leaves."""
    words, known = (p.read_text("utf-8", "replace") if p.exists() else "" for p in (said, secrets))
    lines = without_keys(words).splitlines()
    discreet = Discreet()
    discreet.learn(known.splitlines())
    return "".join(f"{discreet.setting(line)}\n" for line in lines).encode()

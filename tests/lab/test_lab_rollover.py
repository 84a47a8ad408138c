"""A roll-over of both MX hosts of the lab under a stream of mails from a sender that does DANE."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import BIN, INVENTORY, ROOT, Done, Lab, mailseal, playbook, run
from tests.lab.kills import said, words

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("published")]

HOSTS = ("mx1", "mx2")
LIMIT = "mx"
_LOG = "/var/log/exim4/mainlog"
_STOP = "/run/no-more-mails"
# A mail a second; each is delivered at once or deferred, and says so in the log.
_STREAM = (
    f"rm -f {_STOP}; while ! test -e {_STOP}; do"
    " printf 'Subject: stream\\n\\nA mail.\\n' | exim4 -odb -f mail@msa1.lab.test mail@lab.test;"
    " sleep 1; done"
)
# What Exim remembers of servers that it could not reach: it would not try again at once.
_FORGET = "rm -f /var/spool/exim4/db/retry* /var/spool/exim4/db/wait-*"
_REMOVE = "exim4 -bp | awk '/</ {print $3}' | xargs -r exim4 -Mrm >/dev/null"
_SECONDS = 1500.0


@pytest.fixture(scope="module")
def published(hardened: Lab) -> None:
    """The records of both are published, and there is nothing else."""
    done = mailseal("dane", "publish", "-i", INVENTORY, "--limit", LIMIT, "--prune", "--force")
    assert done.returncode == 0, done.stderr
    time.sleep(25)  # a resolver may have what was there before, for as long as it lives


@dataclass
class Stream:
    """What became of the mails, by the sender's log.

    Attributes:
        delivered: lines of deliveries by SMTP.
        others: lines of deferrals and failures.
    """

    delivered: list[str]
    others: list[str]

    @property
    def verified(self) -> list[str]:
        """Deliveries under DANE."""
        return [line for line in self.delivered if " CV=dane " in line]


@contextmanager
def stream() -> Iterator[Stream]:
    """Mails from msa1 for as long as the block runs; afterwards what became of them."""
    said("msa1", f"{_FORGET}; exim4 -bpc")
    began = int(said("msa1", f"wc -l < {_LOG}"))
    made = Stream([], [])
    command = [str(BIN / "mailseal"), "lab", "ssh", "msa1", _STREAM]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL) as mails:
        try:
            yield made
        finally:
            said("msa1", f"touch {_STOP}")
            mails.wait(60)
    time.sleep(5)
    lines = said("msa1", f"tail -n +{began + 1} {_LOG}").splitlines()
    made.delivered += [one for one in lines if " => " in one and "T=remote_smtp" in one]
    made.others += [one for one in lines if re.search(r" (==|\*\*) ", one)]


def command(state: Path, *more: str) -> list[str]:
    """The roll-over, as a postmaster types it."""
    begin = [str(BIN / "mailseal"), "dane", "rollover", "-i", INVENTORY, "--limit", LIMIT]
    return [*begin, "--state", str(state), "--margin", "5", *more]


def killed(state: Path, at: str) -> bool:
    """Run it, and kill all of it where it says that; whether it came to that."""
    with subprocess.Popen(
        command(state),
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as begun:
        met = False
        for line in begun.stderr or ():
            if met := line.startswith(at):
                time.sleep(3 if at == "switch" else 0.2)  # in the middle of it
                break
        with suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)
    return met


def keys(host: str) -> set[str]:
    """The keys that are in force on a host, as its files have them."""
    digest = "openssl x509 -noout -pubkey -in $one | openssl pkey -pubin -outform DER | sha256sum"
    told = said(host, f"for one in /etc/mailseal/tls/*.crt; do {digest}; done")
    return {line.split()[0] for line in told.splitlines()}


def records(host: str) -> set[str]:
    """The keys that its records name, by the primary."""
    name = f"_25._tcp.{host}.lab.test"
    told = said("ns1", f"dig +short -p 5300 @10.80.0.2 {name} TLSA")
    return {"".join(line.split()[3:]).lower() for line in told.splitlines()}


def settled(host: str) -> None:
    """The records are those of the keys in force but the authority's, and no others."""
    assert len(records(host)) == 2
    assert records(host) < keys(host)


@pytest.mark.long("changes the keys of both MX hosts, and waits for every record to be forgotten")
def test_no_mail_is_deferred_while_keys_change(tmp_path: Path) -> None:
    """From the first step to the last, every mail is delivered under DANE."""
    before = {host: records(host) for host in HOSTS}
    with stream() as mails:
        done = run(*command(tmp_path), seconds=_SECONDS)
    assert done.returncode == 0, done.stderr
    assert mails.others == []
    assert mails.verified == mails.delivered
    assert len(mails.delivered) > 30
    for host in HOSTS:
        assert not before[host] & records(host)
        settled(host)
    assert _agreed().returncode == 0


@pytest.mark.long("changes the keys of two hosts again, and is killed six times")
def test_killed_at_each_step_it_goes_on(tmp_path: Path) -> None:
    """With all that it started; the same command brings it to its end, and no mail is deferred."""
    before = {host: records(host) for host in HOSTS}
    with stream() as mails:
        for step in ("prepare", "publish", "note", "wait", "switch", "retire"):
            assert killed(tmp_path, step), step
        done = run(*command(tmp_path), seconds=_SECONDS)
    assert done.returncode == 0, done.stderr
    assert mails.others == []
    assert mails.verified == mails.delivered
    for host in HOSTS:
        assert not before[host] & records(host)
        settled(host)
    assert not (tmp_path / "rollover.json").exists()


def test_a_switch_without_records_is_seen_by_the_sender(tmp_path: Path) -> None:
    """The tests above can fail: who switches first has mail deferred, and is told so."""
    limited = ("--limit", LIMIT)
    place = words(mailseal_rollover_directory=str(tmp_path / "next"))
    play = [str(BIN / "ansible-playbook"), "-i", INVENTORY, "rollover.yml", *limited, *place]
    assert run(*play, seconds=600).returncode == 0
    try:
        assert playbook(*limited, *words(mailseal_certificate_switch=True)).returncode == 0
        with stream() as mails:
            time.sleep(10)
            done = run(*command(tmp_path / "state"), seconds=_SECONDS)
        assert mails.others != []
        assert mails.delivered == []
        assert done.returncode == 1
        assert "serves a key that no record of _25._tcp.mx1.lab.test vouches for" in done.stderr
    finally:
        publish = ("dane", "publish", "-i", INVENTORY, *limited, "--prune")
        mended = mailseal(*publish)
        said("msa1", f"{_FORGET}; {_REMOVE}")
    assert mended.returncode == 0, mended.stderr
    for host in HOSTS:
        settled(host)


def _agreed() -> Done:
    """Whether what is published is what is served."""
    return mailseal("dane", "publish", "-i", INVENTORY, "--limit", LIMIT, "--dry-run", "--prune")


def test_the_records_are_printed_for_a_zone_file() -> None:
    """Each line is one that the primary has."""
    done = mailseal("dane", "records", "-i", INVENTORY, "--limit", LIMIT)
    assert done.returncode == 0, done.stderr
    tlsa = [line.split() for line in done.stdout.splitlines() if " TLSA " in line]
    assert {line[0] for line in tlsa} == {f"_25._tcp.{host}.lab.test." for host in HOSTS}
    for host in HOSTS:
        mine = {line[-1] for line in tlsa if host in line[0]}
        assert mine == records(host)
    assert "_smtp._tls.lab.test. 20 IN TXT" in done.stdout
    secret = json.dumps(Path("/var/lib/mailseal-lab/dns/tsig.key").read_text()).split('\\"')[3]
    assert secret not in done.stdout + done.stderr

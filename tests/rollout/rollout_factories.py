"""Rollouts to tell of: the lines of their records, as a rollout of the lab writes them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from audit.findings import Finding, Run
from audit.rollout import events as ev
from audit.rollout.model import Moment, Rollout
from audit.rollout.tell import rollout
from tests.report.report_factories import make_finding, make_run

STARTED = datetime(2026, 11, 28, 2, 30, 4, tzinfo=UTC)
MAIL = ("mx1", "mx2", "msa1", "imap1", "imap2")
EVERYONE = ("ns1", *MAIL)
BATCHES = (("mx1",), ("mx2", "msa1"), ("imap1", "imap2"))
BEGUN = "20261128T023045Z"
WHY = (
    "msa1: it does not pass: MT-AUTH-BEFORE-TLS on port 587 of 10.98.0.7: AUTH PLAIN LOGIN is"
    " offered before STARTTLS (fail); it serves as before"
)
EXIM = (
    "@@ -14,5 +14,5 @@",
    " log_selector = +tls_cipher +tls_peerdn +tls_sni +incoming_port",
    " message_size_limit = 50M",
    "-smtp_accept_max = 100",
    "+smtp_accept_max = 400",
    " timeout_frozen_after = 7d",
    "@@ -22,7 +22,7 @@",
    " # TLS: exim-gnutls 4.96, from the policy mailseal-2026",
    " tls_advertise_hosts = *",
    "-tls_require_ciphers = NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+AES-256-GCM:+AES-256-CBC",
    "+tls_require_ciphers = NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-RSA:+ECDHE-ECDSA:+AES-256-GCM",
)
# What each part of the work takes, in seconds.
PARTS = (
    ("pre-flight", 4),
    ("change", 9),
    ("look-before", 6),
    ("change", 14),
    ("look-after", 6),
    ("passage", 5),
    ("keep", 2),
)


class Script:
    """Writes lines, the clock in hand."""

    def __init__(self, playbook: str = "rollout.yml", *, check: bool = False) -> None:
        self.now = STARTED
        self.lines: list[ev.Event] = [
            ev.Opened(
                at=self.now,
                id="20261128T023004Z",
                playbook=playbook,
                user="postmaster",
                control="control",
                inventory=("inventory/production",),
                variables=("mailseal_exim_accept_max",),
                check=check,
                version="0.1.0",
                ansible="2.19.14",
            )
        ]

    def at(self, after: float) -> datetime:
        return self.now + timedelta(seconds=after)

    def prepare(self) -> None:
        """The play before the batches."""
        self.lines.append(
            ev.Batch(
                at=self.now,
                play="Have every host ask a validating resolver",
                number=1,
                main=False,
                hosts=EVERYONE,
                everyone=EVERYONE,
            )
        )
        self.lines += [ev.Phase(at=self.at(0.1), host=h, phase="") for h in EVERYONE]
        self.over(dict.fromkeys(EVERYONE, 5.0))

    def batch(self, number: int, hosts: tuple[str, ...]) -> None:
        self.lines.append(
            ev.Batch(
                at=self.now,
                play="Harden the mail daemons",
                number=number,
                main=True,
                hosts=hosts,
                everyone=MAIL,
                policies=dict.fromkeys(hosts, "mailseal-2026"),
            )
        )

    def over(self, took: dict[str, float]) -> None:
        """A batch is over; the next begins."""
        last = max(took.values())
        hosts = {host: self.at(seconds) for host, seconds in took.items()}
        self.lines.append(ev.Seen(at=self.at(last), hosts=hosts))
        self.now = self.at(last)

    def passes(self, host: str, parts: tuple[tuple[str, float], ...] = PARTS) -> float:
        """A host that is changed and passes; how long that took."""
        after = 0.0
        for phase, seconds in parts:
            self.lines.append(ev.Phase(at=self.at(after), host=host, phase=phase))
            if phase == "change" and after > 5:
                self.changes(host, after)
            after += seconds
        self.lines.append(ev.Told(at=self.at(after), host=host, state="passed"))
        return after

    def changes(self, host: str, after: float) -> None:
        task = "deploy : Put the files in place"
        path = "/etc/imapd.conf" if host.startswith("imap") else "/etc/exim4/exim4.conf"
        self.lines += [
            ev.Noted(at=self.at(after), host=host, begun=BEGUN),
            ev.Changed(at=self.at(after), host=host, task=task),
            ev.Diff(at=self.at(after), host=host, path=path, lines=EXIM),
        ]

    def unchanged(self, host: str) -> float:
        self.lines.append(ev.Phase(at=self.at(0), host=host, phase="pre-flight"))
        self.lines.append(ev.Phase(at=self.at(3), host=host, phase="change"))
        self.lines.append(ev.Phase(at=self.at(8), host=host, phase="keep"))
        self.lines.append(ev.Told(at=self.at(8.4), host=host, state="unchanged"))
        return 8.4

    def goes_back(self, host: str, state: str = "back") -> float:
        """A host that does not pass."""
        after = self.passes(host, (*PARTS[:5], ("back", 12), ("look-back", 6)))
        self.lines.pop()
        self.lines.append(ev.Failed(at=self.at(after - 18.1), host=host, task="gate", why="no"))
        self.lines.append(ev.Told(at=self.at(after), host=host, state=state))
        self.lines.append(ev.Failed(at=self.at(after + 0.2), host=host, task="host", why=WHY))
        return after + 0.2

    def close(self, *failed: str) -> "Script":
        self.lines.append(ev.Closed(at=self.at(0.2), failed=failed))
        return self


def good() -> list[ev.Event]:
    """Every host is changed and passes, but for one that has nothing to change."""
    script = Script()
    script.prepare()
    for number, hosts in enumerate(BATCHES, 1):
        script.batch(number, hosts)
        took = {h: script.unchanged(h) if h == "imap2" else script.passes(h) for h in hosts}
        script.over(took)
    return script.close().lines


def stopped(state: str = "back") -> list[ev.Event]:
    """The third host goes back, and the rollout stops."""
    script = Script()
    script.prepare()
    script.batch(1, BATCHES[0])
    script.over({"mx1": script.passes("mx1")})
    script.batch(2, BATCHES[1])
    script.over({"mx2": script.passes("mx2"), "msa1": script.goes_back("msa1", state)})
    return script.close("msa1").lines


def killed() -> list[ev.Event]:
    """kill -9 while the second batch is in work."""
    script = Script()
    script.prepare()
    script.batch(1, BATCHES[0])
    script.over({"mx1": script.passes("mx1")})
    script.batch(2, BATCHES[1])
    script.passes("mx2", PARTS[:4])
    script.lines.pop()
    script.lines.append(ev.Phase(at=script.at(31), host="msa1", phase="change"))
    return script.lines


def unchanged() -> list[ev.Event]:
    """Nothing had to be changed."""
    script = Script()
    for number, hosts in enumerate(BATCHES, 1):
        script.batch(number, hosts)
        script.over({h: script.unchanged(h) for h in hosts})
    return script.close().lines


def looked() -> list[ev.Event]:
    """--check: one host would change."""
    script = Script(check=True)
    script.batch(1, MAIL)
    for host in MAIL:
        script.unchanged(host)
        script.lines.pop()
        script.lines.append(ev.Told(at=script.at(8.4), host=host, state="looked"))
    changed = ev.Changed(at=script.at(7), host="mx1", task="deploy : Compare", check=True)
    diff = ev.Diff(at=script.at(7), host="mx1", path="/etc/x", lines=EXIM, check=True)
    script.lines[-1:-1] = [changed, diff]
    script.over(dict.fromkeys(MAIL, 9))
    return script.close().lines


def by_hand() -> list[ev.Event]:
    """rollback.yml on one host."""
    script = Script("rollback.yml")
    script.batch(1, ("imap1",))
    script.lines[-1] = ev.Batch(
        at=STARTED, play="Go back", number=1, main=True, hosts=("imap1",), everyone=("imap1",)
    )
    script.lines.append(ev.Phase(at=script.at(0), host="imap1", phase="pre-flight"))
    script.lines.append(ev.Phase(at=script.at(3), host="imap1", phase="back"))
    script.lines.append(ev.Told(at=script.at(15), host="imap1", state="restored"))
    script.over({"imap1": 15})
    return script.close().lines


def looks(hosts: tuple[str, ...] = MAIL) -> dict[tuple[str, str, Moment], Run]:
    """What the gate saw: msa1 fails after the change what it passed before; mx2 is mended."""
    found: dict[tuple[str, str, Moment], Run] = {}
    for host in hosts:
        for moment in _moments(host):
            found[host, BEGUN, moment] = make_run(*_findings(host, moment))
    return found


def _moments(host: str) -> tuple[Moment, ...]:
    return ("before", "after", "back") if host == "msa1" else ("before", "after")


def _findings(host: str, moment: Moment) -> Iterator[Finding]:
    for check in ("MT-SSL3", "MT-TLS10", "MT-CIPHER-SET", "MT-CIPHER-ORDER", "MT-CURVES"):
        bad = check == "MT-CIPHER-SET" and host == "mx2" and moment == "before"
        words = "TLS_RSA_WITH_AES_256_CBC_SHA is served" if bad else "as the policy says"
        yield make_finding(
            check=check, host=host, verdict="fail" if bad else "pass", observed=words
        )
    if host == "msa1":
        bad = moment == "after"
        yield make_finding(
            check="MT-AUTH-BEFORE-TLS",
            host=host,
            port=587,
            verdict="fail" if bad else "pass",
            severity="critical",
            observed="AUTH PLAIN LOGIN is offered before STARTTLS" if bad else "not offered",
            expected="no AUTH before TLS",
        )


def told(events: list[ev.Event], *, running: bool = False) -> Rollout:
    """The rollout that these lines are about, with what the gate saw."""
    return rollout(events, looks(), running=running)

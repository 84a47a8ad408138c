"""The role that installs the nightly run, played into a directory."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands import BIN, ROOT, Done, run
from tests.plugins import loaded, rendered

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the role gives what it writes to root")

SERVICE, TIMER, CRON, ROTATE = (
    "etc/systemd/system/mailseal-nightly.service",
    "etc/systemd/system/mailseal-nightly.timer",
    "etc/cron.d/mailseal-nightly",
    "etc/logrotate.d/mailseal-nightly",
)
NOTIFY, SECRET, RUN = (
    "etc/mailseal/nightly.notify",
    "etc/mailseal/nightly.secret",
    "etc/mailseal/nightly",
)
REPORTS, HOME = "var/lib/mailseal/reports", "var/lib/mailseal"
HOOK = "https://hooks.example.org/hunter2"
KEY = "QUJD" * 8


class Site:
    """A control host in a directory."""

    def __init__(self, home: Path) -> None:
        self.home, self.root = home, home / "root"
        for place in ("etc/systemd/system", "etc/cron.d", "etc/logrotate.d", "var/log", "usr/bin"):
            (self.root / place).mkdir(parents=True)
        self.inventory = home / "mail servers" / "inventory"
        self.inventory.mkdir(parents=True)
        self.told: dict[str, Any] = {
            "mailseal_nightly_root": str(self.root),
            "mailseal_nightly_inventory": str(self.inventory),
            "mailseal_nightly_scheduler": "systemd",
            "mailseal_nightly_notify": ["mailto:post@example.org", HOOK],
            "mailseal_nightly_webhook_secret": KEY,
            "mailseal_nightly_limit": "imap:!imap9",
        }

    def play(self, *words: str, **more: object) -> Done:
        """The playbook, as it is played."""
        told = self.home / "told.json"
        told.write_text(json.dumps({**self.told, **more}), encoding="utf-8")
        book = str(ROOT / "nightly.yml")
        return run(
            str(BIN / "ansible-playbook"), "-i", "localhost,", book, "-e", f"@{told}", *words
        )

    def files(self) -> set[str]:
        """All that is there."""
        return {str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()}


def changed(done: Done) -> int:
    """How many tasks changed something."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    found = re.search(r"changed=(\d+)", done.stdout)
    assert found
    return int(found[1])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Nothing is installed in it."""
    return Site(tmp_path)


def test_with_systemd_there_are_a_service_and_a_timer_and_a_second_run_changes_nothing(
    site: Site,
) -> None:
    """What is told stands in files that only the user reads, and in no output."""
    first = site.play("--diff")
    assert changed(first) > 0
    assert site.files() == {SERVICE, TIMER, NOTIFY, SECRET, RUN}
    assert "hunter2" not in first.stdout + first.stderr
    assert KEY not in first.stdout + first.stderr
    for name in (NOTIFY, SECRET):
        assert stat.S_IMODE((site.root / name).stat().st_mode) == 0o600
    # Others have their places beside the reports.
    modes = {name: (site.root / name).stat().st_mode & 0o777 for name in (REPORTS, HOME)}
    assert modes == {REPORTS: 0o750, HOME: 0o755}
    assert (site.root / NOTIFY).read_text() == f"mailto:post@example.org\n{HOOK}\n"
    for name in (SERVICE, TIMER, RUN):
        assert "hunter2" not in (site.root / name).read_text()
    service = (site.root / SERVICE).read_text()
    assert "TimeoutStartSec=90min" in service
    assert "NoNewPrivileges=yes" in service
    assert "OnCalendar=*-*-* 03:07:00" in (site.root / TIMER).read_text()
    assert changed(site.play()) == 0
    assert changed(site.play("--check", "--diff")) == 0


def test_check_mode_writes_nothing(site: Site) -> None:
    """And says what it would."""
    done = site.play("--check", "--diff")
    assert changed(done) > 0
    assert site.files() == set()
    assert "+OnCalendar=" in done.stdout


def test_what_is_started_says_what_was_asked_for(site: Site) -> None:
    """Word by word, whatever blanks are in them."""
    program = site.home / "audit program"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    changed(site.play(mailseal_nightly_command=str(program)))
    done = subprocess.run([site.root / RUN, "--json"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        *("audit", "-i", str(site.inventory), "--out", "/var/lib/mailseal/reports"),
        *("--within", "60", "--keep", "400", "--limit", "imap:!imap9"),
        *("--notify", "@/etc/mailseal/nightly.notify", "--mail-relay", "smtp://localhost"),
        *("--webhook-secret", "/etc/mailseal/nightly.secret", "--json"),
    ]


def test_mailseal_itself_understands_what_is_started(site: Site) -> None:
    """Every option is one that it has: an inventory that is missing is all that is wrong."""
    more = {
        "mailseal_nightly_policies": ["mailseal-2026"],
        "mailseal_nightly_history": str(site.home / "h.db"),
        "mailseal_nightly_prometheus": str(site.home / "m.prom"),
        "mailseal_nightly_reports": str(site.home / "reports"),
        "mailseal_nightly_mail_from": "audit@example.org",
        "mailseal_nightly_notify": [],
        "mailseal_nightly_webhook_secret": "",
        "mailseal_nightly_command": str(BIN / "mailseal"),
    }
    played = site.play(**more)
    changed(played)
    assert "nobody is told of what a night finds: set mailseal_nightly_notify" in played.stdout
    site.inventory.rmdir()
    done = run(str(site.root / RUN))
    assert done.returncode == 2
    assert re.match(r"mailseal: there is no inventory .*/mail servers/inventory", done.stderr)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"mailseal_nightly_inventory": "/nonexistent"}, "there is no inventory /nonexistent"),
        ({"mailseal_nightly_policies": ["nope"]}, "there is no policy 'nope'"),
    ],
)
def test_a_night_that_could_not_begin_is_not_installed(
    site: Site, more: dict[str, object], sentence: str
) -> None:
    """As the audit itself would say every night, and perhaps nobody hear."""
    done = site.play(**more)
    assert done.returncode != 0
    assert sentence in " ".join(done.stdout.split())
    assert site.files() == set()


def test_without_systemd_there_are_a_line_for_cron_and_a_log_that_is_turned_over(
    site: Site,
) -> None:
    """The other way's files go, and a second run changes nothing."""
    changed(site.play())
    more = {"mailseal_nightly_scheduler": "cron", "mailseal_nightly_webhook_secret": ""}
    assert changed(site.play(**more)) > 0
    log = "var/log/mailseal-nightly.log"
    assert site.files() == {CRON, ROTATE, NOTIFY, RUN, log}
    assert changed(site.play(**more)) == 0
    [line] = [x for x in (site.root / CRON).read_text().splitlines() if re.match("[0-9]", x)]
    # Five fields, the user, and a command without the percent sign that cron takes for itself.
    assert re.fullmatch(r"7 3 \* \* \* root [^%]+", line)
    assert line.endswith(
        "timeout -s KILL 5400 /etc/mailseal/nightly >>/var/log/mailseal-nightly.log 2>&1"
    )
    assert stat.S_IMODE((site.root / CRON).stat().st_mode) == 0o644  # cron ignores others


def test_it_can_be_taken_away_again(site: Site) -> None:
    """All that it has put there; what was found stays."""
    changed(site.play())
    reports = site.root / "var/lib/mailseal/reports"
    (reports / "report.html").touch()
    assert changed(site.play(mailseal_nightly_state="absent")) > 0
    assert site.files() == {"var/lib/mailseal/reports/report.html"}
    assert changed(site.play(mailseal_nightly_state="absent")) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"mailseal_nightly_hour": 24},
        {"mailseal_nightly_minute": -1},
        {"mailseal_nightly_within": 0},
        {"mailseal_nightly_inventory": "inventory/lab"},
        {"mailseal_nightly_inventory": "/i\nExecStart=/bin/evil"},
        {"mailseal_nightly_calendar": "daily\nOnBootSec=1"},
        {"mailseal_nightly_log": "/var/log/a b"},
        {"mailseal_nightly_notify": ["root"]},
        {"mailseal_nightly_scheduler": "at"},
        {"mailseal_nightly_keep": 0},
    ],
    ids=lambda more: "-".join(map(str, *more.items())),
)
def test_what_could_not_run_is_refused(site: Site, more: dict[str, object]) -> None:
    """Before anything is written."""
    done = site.play(**more)
    assert done.returncode != 0
    assert site.files() == set()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"mail_relay": "smtp://root:hunter2@localhost"}, "--mail-relay: must be smtp://HOST"),
        ({"mail_from": "x"}, "--mail-from: 'x' is no mail address in ASCII"),
        ({"history": "mysql://root:hunter2@db/x"}, "a history is a file, a URL that begins with"),
        ({"history": "none"}, "--notify needs a history"),
        ({"history": "none", "notify": []}, ""),
        ({"keep": 36501}, "argument --keep: '36501' is no number of days"),
        ({"within": 1441}, "argument --within: '1441' is no number of minutes from 1 to 1440"),
        ({"limit": "-imap1"}, "argument --limit: expected one argument"),
        ({"notify": ["https://h:x/hunter2"]}, "--notify: the URL cannot be read"),
        ({"notify": [f"{HOOK}{n}" for n in range(21)]}, "--notify: 21 are to be told"),
        ({"webhook_secret": "hunter2"}, "mailseal_nightly_webhook_secret: must be 24 to 64 bytes"),
        ({"webhook_secret": "", "mail_relay": "smtps://[fd00::1]:465", "keep": 36500}, ""),
    ],
)
def test_what_the_audit_would_refuse_is_refused_with_its_sentence(
    more: dict[str, Any], sentence: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No secret is in it, and the environment of who plays it is not that of the night."""
    monkeypatch.setenv("MAILSEAL_HISTORY", "mysql://db/x")
    monkeypatch.setenv("MAILSEAL_WEBHOOK_SECRET", "x")
    told = {f"mailseal_nightly_{name}": value for name, value in more.items()}
    usual, own = (loaded(f"roles/nightly/{part}/main.yml") for part in ("defaults", "vars"))
    variables = {**usual, **own, "role_path": str(ROOT / "roles/nightly"), **site.told, **told}
    said = rendered("{{ __mailseal_nightly_refusal }}", variables)
    assert said.startswith(sentence)
    assert bool(said) == bool(sentence)
    assert "hunter2" not in said


def test_the_sentence_of_the_audit_is_told_and_nothing_is_written(site: Site) -> None:
    """Also where somebody is to be told, whose URL is a secret."""
    done = site.play(mailseal_nightly_mail_from="x")
    assert done.returncode != 0
    words = "the audit of every night would end at once: --mail-from: 'x' is no mail address"
    assert words in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    assert site.files() == set()


def test_a_limit_of_the_play_is_refused(site: Site) -> None:
    """It would leave nothing to install, and that would look like a success."""
    done = site.play("-i", "imap1,", "--limit", "imap1")
    assert done.returncode != 0
    assert "say -e mailseal_nightly_limit=HOSTS" in done.stdout + done.stderr
    assert site.files() == set()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(site: Site) -> None:
    """And does not take them with a word that it does not know."""
    changed(site.play())
    program = site.root / RUN

    def verified() -> Done:
        text = (site.root / SERVICE).read_text()
        text = text.replace("ExecStart=/etc/mailseal/nightly", f"ExecStart={program}")
        (site.root / SERVICE).write_text(text)
        return run(
            "systemd-analyze",
            "verify",
            "--man=no",
            str(site.root / SERVICE),
            str(site.root / TIMER),
        )

    good = verified()
    assert "mailseal-nightly" not in good.stdout + good.stderr, good.stderr
    assert good.returncode == 0, good.stderr
    (site.root / SERVICE).write_text((site.root / SERVICE).read_text() + "NoNewPrivilege=yes\n")
    assert "NoNewPrivilege" in verified().stderr
    when = run("systemd-analyze", "calendar", "*-*-* 03:07:00")
    assert when.returncode == 0


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not installed")
def test_logrotate_takes_the_file(site: Site) -> None:
    """As it will be read; and not a broken one."""
    changed(site.play(mailseal_nightly_scheduler="cron"))
    path = site.root / ROTATE
    good = run("logrotate", "-d", "-s", str(site.home / "state"), str(path))
    assert good.returncode == 0, good.stderr
    assert "error" not in good.stderr
    assert "considering log /var/log/mailseal-nightly.log" in good.stderr
    path.write_text(path.read_text().replace("weekly", "sometimes"))
    assert "error" in run("logrotate", "-d", "-s", str(site.home / "state"), str(path)).stderr

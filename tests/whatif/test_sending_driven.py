"""A real Exim's log says whom a rule would hurt, and then the rule is in force."""

import re
import smtplib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pytest

from audit.traffic.tally import Tally
from audit.traffic.work import Wanted, finish, tally
from audit.whatif.document import Rule, SendingDocument
from audit.whatif.sending import sending
from tests.daemons.cell import inside
from tests.daemons.exim import More, exim_gnutls
from tests.daemons.settings import Tls
from tests.servers import Pki
from tests.tlsrpt import signed
from tests.tlsrpt.receivers import ADDRESS, PORTS, Fault, identities, receivers
from tests.tlsrpt.test_tlsrpt_driven import quiet

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
Outcome = Literal["delivered", "returned", "deferred"]
_SECONDS = 60.0
_SETTINGS = {
    "acl_smtp_rcpt": "accept",
    "qualify_domain": "here.example",
    "queue_run_max": "0",
    "delay_warning": "",
    "timezone": "UTC",
    "dns_dnssec_ok": "1",
}
_SECTIONS = """
begin routers
out:
  driver = dnslookup
  domains = *.test : *.unsigned
  dnssec_request_domains = *
  self = send
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
  port = ${{extract{{$domain}}{{{ports}}}{{$value}}{{2600}}}}
  dnssec_request_domains = *
  tls_try_verify_hosts = *
  tls_verify_certificates = /etc/tls/receivers.crt
  {rule}
begin retry
* * F,1d,15m
"""
_TRY = "hosts_try_dane = *"
_RULES: Mapping[Rule, str] = {
    "dane": "hosts_require_dane = *",
    "verified": f"{_TRY}\n  hosts_require_tls = *\n  tls_verify_hosts = *",
}
# Domains below test, each with what its server has wrong, and its record.
_NONE = ""
_GOOD, _PLAIN, _UNTRUSTED, _EXPIRED = (PORTS[f] for f in ("good", "plain", "untrusted", "expired"))
# An MX record each; the first host has DANE, the second has not.
_SEVERAL = """
first MX 10 mx.good
first MX 20 mx.without
later MX 10 mx.without
later MX 20 mx.good
"""
# A resolver that validates says of this that it is not signed.
_UNSIGNED = f"""
server:
    local-zone: "unsigned." transparent
    local-data: "bare.unsigned. MX 10 mx.bare.unsigned."
    local-data: "mx.bare.unsigned. A {ADDRESS}"
"""


def _sent(pki: Pki, folder: Path, rule: str, *selector: str) -> bytes:
    """One mail to each domain, and what Exim logged."""
    folder.mkdir()
    names: dict[Fault, tuple[str, ...]] = {fault: (f"mx.{fault}.test",) for fault in PORTS}
    names["good"] = ("mx.good.test", "mx.without.test", "mx.bare.unsigned")
    who = identities(folder, names)
    records: dict[str, tuple[int, str]] = {
        "good": (_GOOD, signed.key(who.leaves["good"])),
        "expired": (_EXPIRED, signed.key(who.leaves["expired"])),
        "wrong": (_GOOD, signed.WRONG),
        "without": (_GOOD, _NONE),
        "untrusted": (_UNTRUSTED, _NONE),
        "plain": (_PLAIN, _NONE),
    }
    ports = " ".join(f"{domain}.test={port}" for domain, (port, _) in records.items())
    files = signed.files(records, _SEVERAL)
    files["zone/unbound.conf"] = f"{files['zone/unbound.conf']!s}{_UNSIGNED}"
    files["etc/tls/receivers.crt"] = who.root
    settings = {**_SETTINGS, "log_selector": " ".join(("+tls_cipher", *selector))}
    sections = _SECTIONS.format(ports=ports, rule=rule)
    more = More(settings, sections, files, signed.START)
    domains = [*(f"{name}.test" for name in (*records, "first", "later")), "bare.unsigned"]
    with (
        exim_gnutls(pki, folder / "cell", Tls(), more=more) as exim,
        inside(exim.netns),
        receivers(who),
    ):
        for domain in domains:
            with smtplib.SMTP(exim.address, 25, "x", _SECONDS) as client:
                client.sendmail("a@here.example", [f"u@{domain}"], b"Subject: x\r\n\r\nx\r\n")
        log = exim.logs / "exim4/mainlog"
        quiet(log)
        return log.read_bytes()


def _counted(log: bytes, folder: Path) -> Tally:
    path = folder / "mainlog"
    path.write_bytes(log)
    wanted = Wanted(("127.0.0.0/8",), "", "")
    found = tally([path], wanted, jobs=1)
    finish(found, wanted)
    return found


def _outcomes(log: bytes) -> dict[str, Outcome]:
    """What became of the mail to each domain."""
    marks: dict[str, Outcome] = {"=>": "delivered", "**": "returned", "==": "deferred"}
    found = re.findall(r" (=>|\*\*|==) u@(\S+) ", log.decode())
    return {domain: marks[mark] for mark, domain in found}


def _verdicts(found: SendingDocument) -> dict[str, str]:
    return {row.domain: row.verdict for row in found.rows}


@pytest.mark.parametrize("selector", [("+dnssec",), ()], ids=["DNSSEC logged", "not logged"])
def test_what_requiring_dane_would_stop_is_stopped(
    selector: tuple[str, ...], pki: Pki, tmp_path: Path
) -> None:
    """Every keep goes on, and every break comes back at once, as this Exim has no role's rule."""
    before = _sent(pki, tmp_path / "before", _TRY, *selector)
    found = sending(_counted(before, tmp_path), "dane", ("*",))
    assert _outcomes(before)["wrong.test"] == "deferred"
    assert _verdicts(found) == {
        "good.test": "keep",
        "expired.test": "keep",
        "first.test": "keep",
        "later.test": "break",  # no mail went to its second host, which has DANE
        "without.test": "break",
        "untrusted.test": "break",
        "plain.test": "break",
        "bare.unsigned": "break",
    }
    assert [(one.domain, one.reason) for one in found.already] == [
        ("wrong.test", "certificate not verified")
    ]
    truth = _outcomes(_sent(pki, tmp_path / "after", _RULES["dane"], *selector))
    _came_true(found, truth, "returned")
    assert truth["wrong.test"] == "deferred"


def test_what_requiring_a_certificate_would_stop_is_stopped(pki: Pki, tmp_path: Path) -> None:
    """The same; of what went in clear it is not known, and it stops."""
    before = _sent(pki, tmp_path / "before", _TRY)
    found = sending(_counted(before, tmp_path), "verified", ("*",))
    assert _verdicts(found) == {
        "good.test": "keep",
        "expired.test": "keep",
        "first.test": "keep",
        "later.test": "keep",
        "without.test": "keep",
        "bare.unsigned": "keep",
        "untrusted.test": "break",
        "plain.test": "unknown",
    }
    truth = _outcomes(_sent(pki, tmp_path / "after", _RULES["verified"]))
    _came_true(found, truth, "deferred")
    assert truth["plain.test"] == "deferred"


def test_where_dane_was_never_tried_nothing_is_foretold(pki: Pki, tmp_path: Path) -> None:
    """The same servers, and an Exim that does not look for records: no break, and no keep."""
    before = _sent(pki, tmp_path / "before", "hosts_try_dane =")
    found = sending(_counted(before, tmp_path), "dane", ("*",))
    assert set(_verdicts(found).values()) == {"unknown"}
    assert (found.lower, found.upper) == (0, len(found.rows))


def _came_true(found: SendingDocument, truth: Mapping[str, Outcome], stops: Outcome) -> None:
    for row in found.rows:
        if row.verdict == "keep":
            assert truth[row.domain] == "delivered", row
        elif row.verdict == "break":
            assert truth[row.domain] == stops, row
            assert stops in row.effect
    stopped = sum(truth[row.domain] != "delivered" for row in found.rows)
    assert found.lower <= stopped <= found.upper

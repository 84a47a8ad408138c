"""A real Exim that sends to servers with one thing wrong: each session is told as what it was."""

import smtplib
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC
from pathlib import Path

import pytest

from audit.tlsrpt.clock import clock
from audit.tlsrpt.counts import Counts
from audit.tlsrpt.logs import read
from audit.tlsrpt.sessions import Sessions
from tests.daemons.cell import Server, inside
from tests.daemons.exim import More, exim_gnutls, exim_openssl
from tests.daemons.settings import Tls
from tests.servers import Pki
from tests.tlsrpt import signed
from tests.tlsrpt.receivers import ADDRESS, PORTS, Fault, identities, receivers

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
Daemon = Callable[..., AbstractContextManager[Server]]
_SECONDS = 60.0
# must: TLS with a certificate that can be verified. may: whatever there is.
_WAYS = ("must", "may")
_NAMES: dict[Fault, tuple[str, ...]] = {
    fault: tuple(f"mx.{fault}-{way}.test" for way in _WAYS) for fault in PORTS
}
_ALL = [(fault, way) for fault in PORTS for way in _WAYS]
_PORTS = " ".join(f"{fault}-{way}.test={PORTS[fault]}" for fault, way in _ALL)
_SETTINGS = {
    "acl_smtp_rcpt": "accept",
    "qualify_domain": "here.example",
    "queue_run_max": "0",
    "delay_warning": "",
    "timezone": "UTC",
}
_SECTIONS = f"""
begin routers
out:
  driver = manualroute
  domains = *.test
  route_data = mx.$domain byname
  host_find_failed = fail
  self = send
  transport = ${{if match{{$domain}}{{-must}}{{must}}{{may}}}}
begin transports
must:
  driver = smtp
  port = ${{extract{{$domain}}{{{_PORTS}}}}}
  hosts_try_dane =
  hosts_require_tls = *
  tls_verify_hosts = *
  tls_verify_certificates = /etc/tls/receivers.crt
may:
  driver = smtp
  port = ${{extract{{$domain}}{{{_PORTS}}}}}
  hosts_try_dane =
  tls_try_verify_hosts = *
  tls_verify_certificates = /etc/tls/receivers.crt
begin retry
* * F,1d,15m
"""
_HOSTS = "".join(f"{ADDRESS} {name}\n" for names in _NAMES.values() for name in names)
# What is right, and what Exim's library says of what is wrong.
_WRONG: dict[str, dict[Fault, str]] = {
    "gnutls": {
        "expired": "validation-failure",
        "untrusted": "validation-failure",
        "misnamed": "certificate-host-mismatch",
    },
    "openssl": {
        "expired": "certificate-expired",
        "untrusted": "certificate-not-trusted",
        "misnamed": "certificate-host-mismatch",
    },
}
Told = dict[str, tuple[int, dict[str, int], int]]  # sessions by domain: ok, failed, in clear


def _told(log: Path) -> Told:
    """What is counted of a log."""
    found = Sessions(clock(UTC))
    read([log], found, lambda _: None)
    counted = found.finish()
    assert not found.unclear
    assert not found.homeless
    return {day.domain.decode(): _numbers(counts) for day, counts in counted.items()}


def _numbers(counts: Counts) -> tuple[int, dict[str, int], int]:
    failed: Counter[str] = Counter()
    for why, count in counts.failed.items():
        failed[why.result] += count
    return counts.ok.total(), dict(failed), counts.clear


def quiet(log: Path) -> None:
    """Wait until nothing more is logged."""
    before, end = b"", time.monotonic() + _SECONDS
    while time.monotonic() < end:
        time.sleep(2)
        if (now := log.read_bytes()) == before:
            return
        before = now
    raise AssertionError("Exim does not come to rest")


def _send(server: Server, *recipients: str) -> None:
    with smtplib.SMTP(server.address, 25, "x", _SECONDS) as client:
        client.sendmail("a@here.example", list(recipients), b"Subject: x\r\n\r\nx\r\n")


@pytest.mark.parametrize(
    ("daemon", "library"), [(exim_gnutls, "gnutls"), (exim_openssl, "openssl")]
)
def test_each_session_is_told_as_what_it_was(
    daemon: Daemon, library: str, pki: Pki, tmp_path: Path
) -> None:
    """One mail to each; and one to two domains, of which one fails."""
    who = identities(tmp_path, _NAMES)
    more = More(
        _SETTINGS,
        _SECTIONS,
        {"etc/hosts": _HOSTS + "127.0.0.1 localhost\n", "etc/tls/receivers.crt": who.root},
    )
    with (
        daemon(pki, tmp_path / "cell", Tls(), more=more) as exim,
        inside(exim.netns),
        receivers(who),
    ):
        _send(exim, "u@good-must.test", "v@expired-must.test", "w@expired-must.test")
        for fault, way in _ALL:  # the one that has just failed is not tried so soon again
            _send(exim, f"u@{fault}-{way}.test")
        log = exim.logs / "exim4/mainlog"
        quiet(log)
    wrong = _WRONG[library]
    expected: Told = {
        "good-must.test": (2, {}, 0),
        "expired-must.test": (0, {wrong["expired"]: 1}, 0),
        "untrusted-must.test": (0, {wrong["untrusted"]: 1}, 0),
        "misnamed-must.test": (0, {wrong["misnamed"]: 1}, 0),
        "plain-must.test": (0, {"starttls-not-supported": 1}, 0),
        "refusing-must.test": (0, {"validation-failure": 1}, 0),
        "broken-must.test": (0, {"validation-failure": 1}, 0),
        # Without a policy TLS is a session whatever the certificate; clear text is no failure.
        "good-may.test": (1, {}, 0),
        "expired-may.test": (1, {}, 0),
        "untrusted-may.test": (1, {}, 0),
        "misnamed-may.test": (1, {}, 0),
        "plain-may.test": (0, {}, 1),
        "refusing-may.test": (0, {}, 1),
        "broken-may.test": (0, {"validation-failure": 1}, 0),
    }
    assert _told(log) == expected


_DANE = """
begin routers
out:
  driver = dnslookup
  domains = *.test
  dnssec_request_domains = *
  self = send
  transport = dane
begin transports
dane:
  driver = smtp
  port = ${{extract{{$domain}}{{{ports}}}}}
  dnssec_request_domains = *
  hosts_try_dane = *
  hosts_require_dane = mx.without.test
begin retry
* * F,1d,15m
"""


def test_dane_is_told_as_what_it_was(pki: Pki, tmp_path: Path) -> None:
    """By policy, result and whether a host is named: a signed zone, a resolver that validates."""
    names: dict[Fault, tuple[str, ...]] = {fault: (f"mx.{fault}.test",) for fault in PORTS}
    who = identities(tmp_path, names)
    records: dict[str, tuple[int, str]] = {
        fault: (PORTS[fault], signed.key(who.leaves[fault])) for fault in PORTS
    }
    records["untrusted"] = (PORTS["untrusted"], signed.WRONG)
    records["misnamed"] = (PORTS["misnamed"], signed.OF_A_CA)
    records["without"] = (PORTS["good"], "")
    records["bogus"] = (PORTS["good"], signed.BOGUS)
    ports = " ".join(f"{domain}.test={port}" for domain, (port, _) in records.items())
    settings = {**_SETTINGS, "dns_dnssec_ok": "1"}
    sections = _DANE.format(ports=ports)
    more = More(settings, sections, signed.files(records), signed.START)
    with (
        exim_gnutls(pki, tmp_path / "cell", Tls(), more=more) as exim,
        inside(exim.netns),
        receivers(who),
    ):
        for domain in records:
            _send(exim, f"u@{domain}.test")
        log = exim.logs / "exim4/mainlog"
        quiet(log)
    found = Sessions(clock(UTC))
    read([log], found, lambda _: None)
    told = {
        day.domain.decode().removesuffix(".test"): (
            dict(counts.ok),
            [(why.policy, why.result, why.host != b"") for why in counts.failed.elements()],
        )
        for day, counts in found.finish().items()
    }
    assert told == {
        "good": ({"tlsa": 1}, []),
        "expired": ({"tlsa": 1}, []),  # of a key that is named, dates do not matter
        "untrusted": ({}, [("tlsa", "validation-failure", True)]),
        "misnamed": ({}, [("tlsa", "tlsa-invalid", True)]),
        # Exim says that TLS was required, and not why: there is no other session with that host.
        "plain": ({}, [("no-policy-found", "starttls-not-supported", True)]),
        "refusing": ({}, [("no-policy-found", "validation-failure", True)]),
        "broken": ({}, [("tlsa", "validation-failure", True)]),
        "without": ({}, [("tlsa", "dane-required", False)]),
        "bogus": ({}, [("tlsa", "dnssec-invalid", True)]),
    }
    assert not found.unclear
    assert not found.homeless

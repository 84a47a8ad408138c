"""Which checks are made, who judges each, and the finding that comes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from audit.findings import UNTESTED, Finding
from audit.iana import Version
from audit.judge import certificate, host, protocol, transport
from audit.judge.case import EndpointCase, HostCase, Judgement, PlannedEndpoint, PlannedHost
from audit.judge.catalogue import CATALOGUE, Check
from audit.policy.model import Profile

if TYPE_CHECKING:
    from audit.facts import Endpoint

EndpointJudge = Callable[[EndpointCase], Judgement]
HostJudge = Callable[[HostCase], Judgement]

_VERSION_CHECKS: dict[str, Version] = {
    "MT-SSL2": "SSLv2",
    "MT-SSL3": "SSLv3",
    "MT-TLS10": "TLSv1.0",
    "MT-TLS11": "TLSv1.1",
    "MT-TLS12": "TLSv1.2",
    "MT-TLS13": "TLSv1.3",
}

ENDPOINT_JUDGES: dict[str, EndpointJudge] = {
    "MT-PORT-EXPECT": transport.port_expect,
    "MT-STARTTLS-ADV": transport.starttls_advertised,
    "MT-AUTH-BEFORE-TLS": transport.auth_before_tls,
    "MT-LOGIN-REFUSED": transport.login_refused,
    "MT-MAIL-BEFORE-TLS": transport.mail_before_tls,
    "MT-GREETING-PREAUTH": transport.greeting_preauth,
    **{check: partial(protocol.version, name=name) for check, name in _VERSION_CHECKS.items()},
    "MT-CIPHER-SET": protocol.cipher_set,
    "MT-CIPHER-ORDER": protocol.cipher_order,
    "MT-CURVES": protocol.curves,
    "MT-DH-SIZE": protocol.dh_size,
    "MT-HANDSHAKE": protocol.handshake,
    "MT-COMPRESS": protocol.compression,
    "MT-CERT-CHAIN": certificate.chain,
    "MT-CERT-NAME": certificate.name,
    "MT-CERT-TIME": certificate.time,
    "MT-CERT-KEY": certificate.key,
    "MT-CERT-SIG": certificate.signature,
    "MT-CERT-SANS": certificate.alternative_names,
}

HOST_JUDGES: dict[str, HostJudge] = {
    "MT-LIB-MAPPED": host.library_mapped,
    "MT-LIB-STALE": host.library_stale,
    "MT-RESTART-PENDING": host.restart_pending,
    "MT-CONF-EFFECTIVE": host.settings_effective,
    "MT-KEY-PERM": host.key_permissions,
    "MT-LOG-ENABLED": host.log_enabled,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One check on one endpoint or host: what must have a finding when the run is over."""

    check: Check
    target: PlannedEndpoint | PlannedHost

    def __str__(self) -> str:
        """The name of the test: imap1-10.80.0.31-993-MT-SSL3."""
        if isinstance(self.target, PlannedHost):
            return f"{self.target.host}-{self.check.id}"
        at = self.target.endpoint
        return f"{at.host}-{at.address}-{at.port}-{self.check.id}"


def plan_endpoint(target: PlannedEndpoint, profile: Profile | None) -> Iterator[Planned]:
    """The checks that make sense on this endpoint, in the catalogue's order."""
    for check in CATALOGUE.values():
        if check.scope == "endpoint" and _applies(check, target, profile):
            yield Planned(check, target)


def plan_host(target: PlannedHost) -> Iterator[Planned]:
    """The checks that are made inside this host."""
    yield from (Planned(c, target) for c in CATALOGUE.values() if c.scope == "host")


def _applies(check: Check, target: PlannedEndpoint, profile: Profile | None) -> bool:
    at: Endpoint = target.endpoint
    if profile is None:
        return check.id == "MT-PORT-EXPECT"
    return (
        (not check.before_tls or at.mode == "starttls")
        and (not check.required_only or profile.tls == "required")
        and (not check.services or at.service in check.services)
        and (not check.dhe_only or profile.dh_bits is not None)
    )


def judge(planned: Planned, case: EndpointCase | HostCase) -> Finding:
    """The finding of one planned check."""
    check = planned.check
    if isinstance(case, HostCase):
        judgement = HOST_JUDGES[check.id](case)
        place = {"host": case.planned.host, "address": "", "port": 0, "service": ""}
    else:
        judgement = _judge_endpoint(check, case)
        at = case.planned.endpoint
        place = {"host": at.host, "address": at.address, "port": at.port, "service": at.service}
    return Finding(
        check=check.id,
        verdict=judgement.verdict,
        severity=check.severity,
        observed=judgement.observed,
        expected=judgement.expected,
        evidence=judgement.evidence,
        item=judgement.item,
        **place,  # type: ignore[arg-type]
    )


def _judge_endpoint(check: Check, case: EndpointCase) -> Judgement:
    if case.facts.reach != "open" and check.id != "MT-PORT-EXPECT":
        why = "; ".join(case.facts.errors)
        return Judgement("inconclusive", UNTESTED, "an endpoint that answers", why)
    return ENDPOINT_JUDGES[check.id](case)

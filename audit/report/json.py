"""JSON for programs: the documents of docs/schema/."""

from audit.facts import Certificate, Chain, EndpointFacts, Plaintext
from audit.findings import Finding, PolicyId, Run, Waiver
from audit.iana import VERSIONS
from audit.iana.primes import prime_name
from audit.past import NO_PAST, Past
from audit.report.documents import (
    BehaviourDocument,
    CertificateDocument,
    EndpointDocument,
    FindingDocument,
    PlaintextDocument,
    PolicyDocument,
    ProtocolsDocument,
    RunDocument,
    ScanDocument,
    WaiverDocument,
)
from audit.report.domains import domain_document
from audit.report.encode import pretty, text
from audit.report.summary import utc


def scan_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The run as "mailseal/scan/1": endpoints with all their facts, and the findings."""
    return pretty(
        ScanDocument(
            schema="mailseal/scan/1",
            endpoints=[_endpoint(facts) for facts in run.endpoints],
            findings=[finding_document(finding) for finding in run.findings],
            domains=[domain_document(facts) for facts in run.domains],
        )
    )


def run_document(run: Run, _past: Past = NO_PAST) -> bytes:
    """The run as "mailseal/run/1": what was planned, what was made, and the findings."""
    return pretty(
        RunDocument(
            schema="mailseal/run/1",
            run=text(run.run),
            started=text(run.started),
            finished=text(run.finished),
            policy=policy_document(run.policy),
            policies=[policy_document(one) for one in run.policies or (run.policy,)],
            planned=run.planned,
            executed=run.executed,
            findings=[finding_document(finding) for finding in run.findings],
            notices=[text(notice) for notice in run.notices],
        )
    )


def finding_document(finding: Finding) -> FindingDocument:
    """One check, and what came of it."""
    return FindingDocument(
        check=text(finding.check),
        host=text(finding.host),
        address=text(finding.address),
        port=finding.port,
        service=text(finding.service),
        verdict=finding.verdict,
        severity=finding.severity,
        observed=text(finding.observed),
        expected=text(finding.expected),
        evidence=text(finding.evidence),
        item=text(finding.item),
        policy=text(finding.policy),
        level=finding.level,
        waiver=_waiver(finding.waiver) if finding.waiver else None,
    )


def _waiver(waiver: Waiver) -> WaiverDocument:
    return WaiverDocument(
        reason=text(waiver.reason),
        owner=text(waiver.owner),
        expires=waiver.expires,
        ticket=text(waiver.ticket),
    )


def policy_document(policy: PolicyId) -> PolicyDocument:
    """A policy and its edition, which its file may name as it likes."""
    return PolicyDocument(id=text(policy.id), version=text(policy.version))


def _endpoint(facts: EndpointFacts) -> EndpointDocument:
    where = facts.endpoint
    seen = [facts.protocols[v].seen if v in facts.protocols else "inconclusive" for v in VERSIONS]
    certificates = [_certificate(chain) for chain in facts.chains if chain]
    return EndpointDocument(
        host=text(where.host),
        address=text(where.address),
        family=where.family,
        port=where.port,
        service=where.service,
        mode=where.mode,
        protocols=ProtocolsDocument(*seen),
        suites={version: list(names) for version, names in facts.suites.items()},
        preference=dict(facts.preference),
        groups={version: list(names) for version, names in facts.groups.items()},
        dh_bits=facts.dh_bits,
        dh_primes=_primes(facts),
        compression=facts.compression.seen,
        secure_renegotiation=facts.secure_renegotiation,
        certificate=certificates[0] if certificates else None,
        certificates=certificates,
        plaintext=_plaintext(facts.plaintext) if facts.plaintext else None,
        behaviours={
            name: BehaviourDocument(seen=o.seen, evidence=text(o.evidence))
            for name, o in facts.behaviours.items()
        },
        connections=facts.connections,
        seconds=round(facts.seconds, 3),
        errors=[text(error) for error in facts.errors],
    )


def _primes(facts: EndpointFacts) -> list[str] | None:
    if facts.dh_primes is None:
        return None
    return [prime_name(p) or f"{p.bit_length()} bits" for p in facts.dh_primes]


def _certificate(chain: Chain) -> CertificateDocument:
    leaf: Certificate = chain[0]
    return CertificateDocument(
        subject=text(leaf.subject),
        issuer=text(leaf.issuer),
        names=[text(name) for name in leaf.names],
        not_before=utc(leaf.not_before),
        not_after=utc(leaf.not_after),
        key_type=leaf.key_type,
        key_bits=leaf.key_bits,
        curve=leaf.curve,
        signature_hash=leaf.signature_hash,
        fingerprint=leaf.fingerprint,
        chain_length=len(chain),
    )


def _plaintext(plaintext: Plaintext) -> PlaintextDocument:
    return PlaintextDocument(
        auth_offered=bool(plaintext.auth_offered),
        login="not-tested" if plaintext.login == "inconclusive" else plaintext.login,
        reply=text(plaintext.login_reply),
    )

"""MTA-STS and TLS reports of a domain (RFC 8461, RFC 8460)."""

from collections.abc import Iterator

from audit.facts import DomainFacts, Fetched
from audit.judge.case import Judgement
from audit.judge.domain_case import DomainCase, DomainJudge, MxCase
from audit.wire import mta_sts, tls_rpt

_DAY = 86400
_NONE = "no MTA-STS"


def policy_of(facts: DomainFacts) -> mta_sts.Policy | None:
    """The policy that senders follow; None if there is none, or none that they would."""
    if len(mta_sts.announced(facts.sts.records if facts.sts else ())) != 1:
        return None
    if facts.policy is None or _fault(facts.policy) or facts.policy.doubt:
        return None
    try:
        return mta_sts.policy(facts.policy.body)
    except ValueError:
        return None


def sound(case: DomainCase) -> Judgement:
    """What is announced is there, and senders can follow it."""
    expected, facts = "one record, and a policy that senders can fetch and follow", case.facts
    if facts.sts is None or facts.sts.outcome == "failed":
        why = f"{facts.sts}: {facts.sts.why}" if facts.sts else "it was not asked"
        return Judgement("inconclusive", why, expected)
    records = mta_sts.announced(facts.sts.records)
    evidence = "; ".join(records)
    if not records:
        return Judgement("not-applicable", f"{_NONE}: no record at {facts.sts.name}", expected)
    if len(records) > 1:
        words = f"{len(records)} records, which are as good as none"
        return Judgement("fail", words, expected, evidence)
    try:
        mta_sts.identity(records[0])
    except ValueError as error:
        return Judgement("fail", f"{facts.sts}: {error}", expected, evidence)
    return _fetched(facts.policy, expected, evidence)


def _fetched(policy: Fetched | None, expected: str, evidence: str) -> Judgement:
    if policy is None or policy.doubt:
        why = f"{policy.url}: {policy.doubt}" if policy else "the policy was not asked for"
        return Judgement("inconclusive", why, expected, evidence)
    if fault := _fault(policy):
        return Judgement("fail", f"{policy.url}: {fault}", expected, evidence)
    evidence = f"{evidence}; {policy.body.decode('utf-8', 'backslashreplace')}"
    try:
        found = mta_sts.policy(policy.body)
    except ValueError as error:
        return Judgement("fail", f"{policy.url}: {error}", expected, evidence)
    return Judgement("pass", described(found), expected, evidence)


def described(policy: mta_sts.Policy) -> str:
    """A policy in a line."""
    kept = f"kept for {policy.max_age / _DAY:.3g} days"
    return f"mode {policy.mode}, {kept}, mx {', '.join(policy.mx) or 'none'}"


def _fault(policy: Fetched) -> str:
    if policy.fault or not policy.status:
        return policy.fault
    return mta_sts.refused(policy.status, policy.media, whole=policy.whole)


def covers(case: DomainCase) -> Judgement:
    """The patterns of the policy are for every server."""
    expected = "a pattern of the policy for every server"
    policy = _followed(case, expected)
    if isinstance(policy, Judgement):
        return policy
    left = [host.facts.host for host in case.hosts if not policy.covers(host.facts.host)]
    patterns = f"mx {', '.join(policy.mx)}"
    if left:
        words = f"no pattern is for {', '.join(left)}{_tested(policy)}"
        return Judgement("fail", words, expected, patterns)
    return Judgement("pass", patterns, expected)


def certified(case: DomainCase) -> Judgement:
    """Every server proves its name by a certificate that authorities vouch for."""
    expected = "certificates of trusted authorities for the servers' names, whatever their address"
    policy = _followed(case, expected)
    if isinstance(policy, Judgement):
        return policy
    faults = [words for host in case.hosts for words in _uncertified(host)]
    if faults:
        return Judgement("fail", "; ".join(faults) + _tested(policy), expected)
    unseen = [str(e.endpoint) for host in case.hosts for e in host.endpoints if not e.chains]
    unseen += [host.facts.host for host in case.hosts if not host.endpoints]
    if unseen:
        words = f"no certificate was seen on {', '.join(unseen)}"
        return Judgement("inconclusive", words, expected)
    return Judgement("pass", expected, expected)


def _uncertified(host: MxCase) -> Iterator[str]:
    from audit.judge import trust

    for seen in host.endpoints:
        if seen.plaintext and seen.plaintext.starttls == "refused":
            yield f"{seen.endpoint} has no STARTTLS"
        for chain in filter(None, seen.chains):
            if words := trust.doubt(chain, host.roots, [(host.facts.host,)], host.now):
                yield f"{seen.endpoint}, {chain[0].key_type}: {words}"


def _followed(case: DomainCase, expected: str) -> mta_sts.Policy | Judgement:
    """The policy, where servers have to meet one."""
    facts = case.facts
    if facts.sts is None or facts.sts.outcome == "failed":
        return Judgement("inconclusive", "whether there is a policy could not be told", expected)
    if facts.policy is None:
        return Judgement("not-applicable", _NONE, expected)
    if facts.policy.doubt:
        return Judgement("inconclusive", f"{facts.policy.url}: {facts.policy.doubt}", expected)
    policy = policy_of(facts)
    if policy is None:
        return Judgement("not-applicable", "no policy that a sender would follow", expected)
    if policy.mode == "none":
        return Judgement("not-applicable", "the policy is withdrawn (mode none)", expected)
    return policy


def _tested(policy: mta_sts.Policy) -> str:
    return " (only reported as yet: mode testing)" if policy.mode == "testing" else ""


def reported(case: DomainCase) -> Judgement:
    """It says where failures are to be reported."""
    expected, answer = "one record that says where reports go", case.facts.tlsrpt
    if answer is None or answer.outcome == "failed":
        why = f"{answer}: {answer.why}" if answer else "it was not asked"
        return Judgement("inconclusive", why, expected)
    records = tls_rpt.announced(answer.records)
    evidence = "; ".join(records)
    if len(records) != 1:
        words = f"{len(records)} records, which are as good as none" if records else "no record"
        return Judgement("fail", f"{words} at {answer.name}", expected, evidence)
    try:
        places = tls_rpt.places(records[0])
    except ValueError as error:
        return Judgement("fail", f"{answer}: {error}", expected, evidence)
    return Judgement("pass", f"reports go to {', '.join(places)}", expected, evidence)


JUDGES: dict[str, DomainJudge] = {"MT-MTA-STS": sound, "MT-TLSRPT": reported}
HOSTS_JUDGES: dict[str, DomainJudge] = {"MT-MTA-STS-MX": covers, "MT-MTA-STS-CERT": certified}

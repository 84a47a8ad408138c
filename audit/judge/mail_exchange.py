"""The servers that take a domain's mail: their names, and how far senders can verify them."""

from ipaddress import ip_address

from audit.facts import Answer
from audit.findings import UNTESTED
from audit.judge import dane
from audit.judge.case import Judgement
from audit.judge.domain_case import DomainCase, DomainJudge, MxCase, MxJudge
from audit.judge.mta_sts import policy_of


def servers(case: DomainCase) -> Judgement:
    """The domain has servers for its mail, or says that it takes none."""
    facts, expected = case.facts, "servers that take its mail, or the word that there are none"
    if facts.mx.outcome == "failed":
        return Judgement("inconclusive", f"{facts.mx}: {facts.mx.why}", expected)
    if facts.null:
        return Judgement("pass", "takes no mail, and says so (null MX)", expected)
    told = ", ".join(f"{host.preference} {host.host}" for host in facts.hosts)
    if facts.unseen:
        words = f"more servers than are looked at: {facts.unseen} beside {told}"
        return Judgement("inconclusive", words, expected)
    if not facts.hosts:
        if facts.mx.security == "bogus":
            return Judgement("inconclusive", f"{facts.mx} does not validate", expected)
        return Judgement("fail", "neither an MX record nor an address: no mail arrives", expected)
    own = "no MX record: mail goes to the address of the domain itself"
    return Judgement("pass", own if facts.own else told, expected)


def verified(case: DomainCase) -> Judgement:
    """Senders can tell every server from an attacker's: by DANE, or by an enforced MTA-STS."""
    expected = "TLSA records for every server, or an MTA-STS policy that is enforced"
    policy, facts = policy_of(case.facts), case.facts
    if policy and policy.mode == "enforce":
        return Judgement("pass", "by MTA-STS", expected)
    reasons = {host.facts.host: dane.in_force(host.facts) for host in case.hosts}
    if not facts.own and facts.mx.security == "untold":
        reasons[str(facts.mx)] = "inconclusive", facts.mx.why
    elif not facts.own and facts.mx.security != "secure":
        reasons = {str(facts.mx): ("not-applicable", "no sender can verify it")}
    if not any(reasons.values()):
        return Judgement("pass", "by DANE", expected)
    without = [f"{name}: {why[1]}" for name, why in reasons.items() if why]
    sts = f"MTA-STS: {'mode ' + policy.mode if policy else 'none'}"
    untold = facts.sts is None or facts.sts.outcome == "failed"
    untold = untold or bool(facts.policy and facts.policy.doubt)
    untold = untold or any(why and why[0] == "inconclusive" for why in reasons.values())
    words = "; ".join([*without, sts])
    return Judgement("inconclusive" if untold else "fail", words, expected)


def name(case: MxCase) -> Judgement:
    """The name is a host's own, and has an address."""
    mx, expected = case.facts, "the name of a host, no alias, with an address"
    if mx.fault:
        return Judgement("fail", mx.fault, expected, mx.host)
    if alias := next((answer.alias for answer in mx.addresses if answer.alias), ()):
        return Judgement("fail", f"is an alias (CNAME) of {alias[-1]}", expected)
    found = [record for answer in mx.addresses for record in answer.records]
    failed = [answer for answer in mx.addresses if answer.outcome == "failed"]
    if failed:
        return Judgement("inconclusive", f"{failed[0]}: {failed[0].why}", expected)
    if not found:
        return Judgement("fail", "has no address", expected)
    if mx.unseen:
        words = f"more addresses than are looked at: {mx.unseen} beside {', '.join(mx.reverse)}"
        return Judgement("inconclusive", words, expected)
    return Judgement("pass", ", ".join(found), expected)


def reverse(case: MxCase) -> Judgement:
    """The address has a name that leads back to it."""
    expected, address = "a name (PTR) that leads back to the address", case.planned.address
    found = case.facts.reverse[address]
    if found.pointers.outcome == "failed":
        return Judgement("inconclusive", f"{found.pointers}: {found.pointers.why}", expected)
    if not found.pointers.records:
        return Judgement("fail", "has no name (PTR)", expected)
    names = ", ".join(found.pointers.records)
    if any(_same(address, answer) for answer in found.back):
        return Judgement("pass", names, expected)
    if failed := [answer for answer in found.back if answer.outcome == "failed"]:
        return Judgement("inconclusive", f"{failed[0]}: {failed[0].why}", expected)
    return Judgement("fail", f"{names}, which does not lead back", expected)


def _same(address: str, answer: Answer) -> bool:
    return any(ip_address(record) == ip_address(address) for record in answer.records)


def greeting(case: MxCase) -> Judgement:
    """The server calls itself by a name that there is."""
    expected = "a greeting with a name that has an address"
    (seen,) = case.endpoints or (None,)
    if seen is None or seen.reach != "open" or seen.plaintext is None:
        words = "; ".join(seen.errors) if seen else "it was not asked"
        return Judgement("inconclusive", UNTESTED, expected, words)
    found = case.facts.greeted.get(case.planned.address)
    words = seen.plaintext.greeting
    if found is None:
        return Judgement("inconclusive", "its name was not looked up", expected, words)
    if found.name.startswith("["):  # RFC 5321, section 4.2: an address in place of a name
        return Judgement("pass", found.name, expected, words)
    if any(answer.records for answer in found.answers):
        return Judgement("pass", found.name, expected, words)
    if failed := [answer for answer in found.answers if answer.outcome == "failed"]:
        return Judgement("inconclusive", f"{failed[0]}: {failed[0].why}", expected, words)
    what = "which has no address" if found.answers else "which is no name of a host"
    return Judgement("fail", f"calls itself {found.name or 'nothing'}, {what}", expected, words)


JUDGES: dict[str, DomainJudge] = {"MT-MX": servers}
HOSTS_JUDGES: dict[str, DomainJudge] = {"MT-MX-VERIFIED": verified}
MX_JUDGES: dict[str, MxJudge] = {"MT-MX-NAME": name}
ADDRESS_JUDGES: dict[str, MxJudge] = {"MT-PTR": reverse, "MT-BANNER": greeting}

"""The records that should be there, for what is served and what the inventory says."""

from collections.abc import Iterable, Mapping, Sequence

from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.names import to_ascii
from audit.publish import texts
from audit.publish.look import Seen
from audit.publish.model import Place, Records
from audit.publish.site import Site
from audit.publish.tlsa import record
from audit.targets import mail_domain
from audit.wire import mta_sts, tls_rpt


def tlsa(chosen: Site, seen: Seen) -> dict[Place, Records]:
    """The TLSA records for what is served.

    Raises:
        MailsealError: a chain has no authority for `2 1 1`.
    """
    return {
        Place(owner, "TLSA"): Records(
            chosen.settings.tlsa_ttl,
            records(chosen, owner, [[c.der for c in ch] for f in all_ for ch in f.chains if ch]),
        )
        for owner, all_ in seen.items()
    }


def records(chosen: Site, owner: str, chains: Iterable[Sequence[bytes]]) -> frozenset[str]:
    """The TLSA records of one name for these chains.

    Raises:
        MailsealError: one has no authority for `2 1 1`.
    """
    try:
        return frozenset(record(u, chain) for chain in chains for u in chosen.settings.dane_usages)
    except ValueError as error:
        raise MailsealError(f"{owner}: {error}") from None


def domains(chosen: Site) -> list[str]:
    """The mail domains, as A-labels, each once.

    Raises:
        MailsealError: one is none.
    """
    said = chosen.settings.domains
    return list(dict.fromkeys(mail_domain(one, "mailseal_domains") for one in said))


def policies(chosen: Site, resolver: Resolver) -> dict[str, bytes]:
    """The MTA-STS policy of each domain; its mx lines are the MX records.

    Raises:
        MailsealError: these cannot be looked up, are bogus, or none that a policy may name.
    """
    mode, age = chosen.settings.mta_sts_mode, chosen.settings.mta_sts_max_age
    if not mode:
        return {}
    found = {}
    for domain in domains(chosen):
        resolver.begin()
        said = resolver.ask(domain, "MX")
        if said.outcome == "failed" or said.security == "bogus":
            raise MailsealError(f"{said}: {said.why}", UNDETERMINED)
        hosts = [one.partition(" ")[2] for one in said.records]
        if not hosts or hosts == ["."]:
            raise MailsealError(f"{domain}: has no MX record, so no policy can name its servers")
        found[domain] = texts.policy(mode, hosts, age)
        try:
            mta_sts.policy(found[domain])
        except ValueError as error:
            raise MailsealError(f"{domain}: its MX records make no policy: {error}") from None
    return found


def announced(chosen: Site, policies_: Mapping[str, bytes]) -> dict[Place, Records]:
    """The TXT records of MTA-STS and of TLS reports.

    Raises:
        MailsealError: a domain is none, or too long for them; reports would go to no address.
    """
    said = {_text("_mta-sts", d): texts.sts(body) for d, body in policies_.items()}
    if rua := chosen.settings.tlsrpt_rua:
        text = _reports(rua)
        said |= {_text("_smtp._tls", d): text for d in domains(chosen)}
    ttl = chosen.settings.tlsa_ttl
    return {place: Records(ttl, frozenset({text})) for place, text in said.items()}


def _text(below: str, domain: str) -> Place:
    return Place(to_ascii(f"{below}.{domain}", "mailseal_domains"), "TXT")


def _reports(rua: Sequence[str]) -> str:
    """What senders read in it has to be what was meant."""
    text = texts.tlsrpt(rua)
    try:
        if tls_rpt.places(text) == tuple(rua):
            return text
        why = "an address has a semicolon, a comma or a blank in it"
    except ValueError as error:
        why = str(error)
    raise MailsealError(f"mailseal_tlsrpt_rua: {why}")

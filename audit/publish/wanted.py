"""The records that should be there, for what is served and what the inventory says."""

from collections.abc import Iterable, Mapping, Sequence

from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.publish import texts
from audit.publish.look import Seen
from audit.publish.model import Place, Records
from audit.publish.site import Site
from audit.publish.tlsa import record
from audit.targets import mail_domain
from audit.wire import tls_rpt


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
    """The mail domains, as A-labels.

    Raises:
        MailsealError: one is no mail domain.
    """
    return [mail_domain(one, "mailseal_domains") for one in chosen.settings.domains]


def policies(chosen: Site, resolver: Resolver) -> dict[str, bytes]:
    """The MTA-STS policy of each domain; its mx lines are the MX records.

    Raises:
        MailsealError: these cannot be looked up, or there are none.
    """
    mode, age = chosen.settings.mta_sts_mode, chosen.settings.mta_sts_max_age
    if not mode:
        return {}
    found = {}
    for domain in domains(chosen):
        resolver.begin()
        said = resolver.ask(domain, "MX")
        if said.outcome == "failed":
            raise MailsealError(f"{said}: {said.why}", UNDETERMINED)
        hosts = [one.partition(" ")[2] for one in said.records]
        if not hosts or hosts == ["."]:
            raise MailsealError(f"{domain}: has no MX record, so no policy can name its servers")
        found[domain] = texts.policy(mode, hosts, age)
    return found


def announced(chosen: Site, policies_: Mapping[str, bytes]) -> dict[Place, Records]:
    """The TXT records of MTA-STS and of TLS reports.

    Raises:
        MailsealError: a domain is none, or reports could not be sent where they are to go.
    """
    said = {Place(f"_mta-sts.{d}", "TXT"): texts.sts(body) for d, body in policies_.items()}
    if rua := chosen.settings.tlsrpt_rua:
        text = texts.tlsrpt(rua)
        try:
            tls_rpt.places(text)
        except ValueError as error:
            raise MailsealError(f"mailseal_tlsrpt_rua: {error}") from None
        said |= {Place(f"_smtp._tls.{d}", "TXT"): text for d in domains(chosen)}
    ttl = chosen.settings.tlsa_ttl
    return {place: Records(ttl, frozenset({text})) for place, text in said.items()}

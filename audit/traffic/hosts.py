"""Figures about other hosts: whose they are, their certificates, and who has no TLS. Pure."""

import re
from collections import Counter
from functools import cache

from publicsuffixlist import PublicSuffixList

from audit.traffic.figures import Hosts, Pairs
from audit.traffic.session import session
from audit.traffic.tally import UNLOGGED, UNNAMED, Tally, secure, text

# Whose mail hosts have names under several domains.
_SAME = {
    "googlemail.com": "google.com",
    "hotmail.com": "outlook.com",
    "live.com": "outlook.com",
    "gmx.com": "gmx.net",
    "gmx.de": "gmx.net",
    "yahoo.com": "yahoodns.net",
    "aol.com": "yahoodns.net",
}
_DOMAIN_VALIDATED = re.compile(rb"OU\s*=\s*Domain Control Validated")
_VERIFIED = {b"yes": "yes", b"no": "no", b"dane": "dane"}


@cache
def _suffixes() -> PublicSuffixList:
    """The list that comes with the library, without the names of private registries."""
    return PublicSuffixList(only_icann=True)


def _name(words: bytes) -> str:
    return text(words).lower().rstrip(".")


def validated_by_domain(dn: bytes) -> bool:
    """Whether a subject says that nothing but the domain was checked."""
    return bool(_DOMAIN_VALIDATED.search(dn))


def providers(tally: Tally) -> dict[str, int]:
    """Mails with TLS by the registrable domain of the host, those of one provider together."""
    mails: Counter[bytes] = Counter()
    for (_, _, words, _, x, _, _), gone in tally.ways.items():
        if secure(x) and gone.mails:
            mails[words] += gone.mails
    found: Counter[str] = Counter()
    for words, count in mails.items():
        name = _name(words)
        domain = _suffixes().privatesuffix(name) or name
        found[_SAME.get(domain, domain)] += count
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def hosts(tally: Tally) -> Hosts:
    """Hosts by name, and which of them never have TLS."""
    tls = {name for _, _, name, _, x, _, _ in tally.ways if secure(x)}
    plain = {name for _, _, name, _, x, _, _ in tally.ways if not x}
    silent = {name for _, _, name, _, x, _, _ in tally.ways if x == UNLOGGED}
    never = plain - tls - silent
    by_tld = Counter(_suffixes().publicsuffix(_name(name)) or "" for name in never)
    return Hosts(
        total=len(tls | plain | silent),
        never_tls=len(never),
        sometimes_tls=len(plain & tls),
        not_logged=len(silent - tls - plain),
        by_tld=dict(sorted(by_tld.items(), key=lambda item: (-item[1], item[0]))),
    )


def pairs(tally: Tally) -> Pairs | None:
    """Pairs of cipher and subject; None where no subject is in the log."""
    found: dict[tuple[bytes, bytes], bytes | None] = {}  # CV=; None: several
    exchanges: dict[bytes, str] = {}
    for *_, x, cv, dn in tally.ways:
        if x and dn:
            cipher = x.partition(b":")[2]
            pair = cipher, dn
            found[pair] = cv if found.get(pair, cv) == cv else None
            if x != UNNAMED and cipher not in exchanges:
                exchanges[cipher] = session(x.decode("ascii", "replace")).key_exchange
    if not found:
        return None
    exchanged = Counter(exchanges.get(cipher, "unknown") for cipher, _ in found)
    verified = Counter(_VERIFIED.get(cv or b"", "mixed") for cv in found.values())
    return Pairs(
        total=len(found),
        ecdhe=exchanged["ecdhe"],
        dhe=exchanged["dhe"],
        either=exchanged["either"],
        none=exchanged["none"],
        unknown=exchanged["unknown"],
        verified={name: verified[name] for name in ("yes", "no", "dane", "mixed")},
        domain_validated=sum(
            cv == b"no" and validated_by_domain(dn) for (_, dn), cv in found.items()
        ),
    )

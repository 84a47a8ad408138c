"""A mail domain that passes every check, to be broken one fact at a time."""

import hashlib
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from msgspec.structs import replace

from audit.facts import (
    Answer,
    Chain,
    DomainFacts,
    EndpointFacts,
    Fetched,
    Greeted,
    Kind,
    MxFacts,
    Outcome,
    Reverse,
    Signed,
    Tlsa,
)
from audit.findings import Finding
from audit.judge.bench import Planned
from audit.judge.catalogue import CATALOGUE
from audit.judge.domain import judge
from audit.judge.domain_case import DomainCase, MxCase, PlannedDomain, PlannedMx
from audit.wire.certificate import parse, public_key
from lab.issuing import certify
from tests.judge.factories import EC_KEY, NOW, ROOT, ROOT_KEY, RSA_KEY, changed, good_endpoint

DOMAIN, HOST, ADDRESS = "example.org", "mx.example.org", "192.0.2.25"
SIGNED = Signed("example.org", NOW - timedelta(days=4), NOW + timedelta(days=10))
ROOT_DER = ROOT.public_bytes(serialization.Encoding.DER)
POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 604800\r\n"


def served(key: Any = EC_KEY, *, with_root: bool = True, **options: Any) -> Chain:
    """A leaf for the server, and the authority behind it."""
    options = {"names": (HOST,), "issuer": "root", "issuer_key": ROOT_KEY, **options}
    leaf = certify(HOST, key, **options).public_bytes(serialization.Encoding.DER)
    return (parse(leaf), *((parse(ROOT_DER),) if with_root else ()))


CHAINS = (served(EC_KEY), served(RSA_KEY))


def tlsa(chain: Chain = CHAINS[0], usage: int = 3, selector: int = 1, matching: int = 1) -> Tlsa:
    """A record that is right for a chain."""
    certificate = chain[0] if usage == 3 else chain[-1]
    data = public_key(certificate.der) if selector else certificate.der
    digests = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
    return Tlsa(usage, selector, matching, digests[matching])


RECORDS = (tlsa(CHAINS[0]), tlsa(CHAINS[1]))


def answer(kind: Kind, *records: str, name: str = HOST, **changes: Any) -> Answer:
    """A secure one; without records the name has none of that kind."""
    outcome: Outcome = "found" if records else "none"
    made = Answer(name, kind, outcome, "secure", records, signed=SIGNED if records else None)
    return replace(made, **changes)


FAILED = Answer(HOST, "MX", "failed", why="192.0.2.53 does not answer in time")


def published(*records: Tlsa, **changes: Any) -> dict[str, Any]:
    """TLSA facts of a server."""
    words = [f"{r.usage} {r.selector} {r.matching} {r.data.hex()}" for r in records]
    found = answer("TLSA", *words, name=f"_25._tcp.{HOST}", **changes)
    return {"tlsa": found, "records": records}


MX = MxFacts(
    host=HOST,
    preference=10,
    addresses=(answer("A", ADDRESS), answer("AAAA")),
    base=HOST,
    **published(*RECORDS),
    reverse={
        ADDRESS: Reverse(
            answer("PTR", HOST, name="25.2.0.192.in-addr.arpa"), (answer("A", ADDRESS),)
        )
    },
    greeted={ADDRESS: Greeted(HOST, (answer("A", ADDRESS), answer("AAAA")))},
)
FACTS = DomainFacts(
    domain=DOMAIN,
    mx=answer("MX", f"10 {HOST}", name=DOMAIN),
    hosts=(MX,),
    sts=answer("TXT", "v=STSv1; id=20261129", name=f"_mta-sts.{DOMAIN}"),
    policy=Fetched("https://mta-sts.example.org/x", 200, "text/plain", POLICY),
    tlsrpt=answer("TXT", "v=TLSRPTv1; rua=mailto:tls@example.org", name=f"_smtp._tls.{DOMAIN}"),
)
_ENDPOINT = good_endpoint("smtp", 25, "starttls", "mx")


def endpoint(**facts: Any) -> EndpointFacts:
    """Port 25 of the server, with other facts."""
    case = changed(_ENDPOINT, **{"chains": CHAINS, **facts})
    return replace(case.facts, endpoint=replace(case.facts.endpoint, host=HOST, address=ADDRESS))


def mx_case(facts: MxFacts = MX, address: str = "", **seen: Any) -> MxCase:
    """The server before the judge; with an address, that one."""
    return MxCase(PlannedMx(HOST, address, (DOMAIN,)), facts, (endpoint(**seen),), NOW, (ROOT_DER,))


def domain_case(facts: DomainFacts = FACTS, **seen: Any) -> DomainCase:
    """The domain before the judge."""
    hosts = tuple(mx_case(host, **seen) for host in facts.hosts)
    return DomainCase(PlannedDomain(DOMAIN), facts, hosts, NOW, (ROOT_DER,))


def finding(check: str, case: DomainCase | MxCase) -> Finding:
    """What comes of one check."""
    return judge(Planned(CATALOGUE[check], case.planned, "p"), case)


def with_mx(**changes: Any) -> DomainFacts:
    """The domain, its server changed."""
    return replace(FACTS, hosts=(replace(MX, **changes),))

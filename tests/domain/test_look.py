"""Which questions are asked about a domain, and what is made of odd answers to them."""

import time
from collections.abc import Mapping, Sequence

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from audit.domain import policy_host
from audit.domain.look import Look, greeting_name
from audit.domain.resolver import Resolver
from audit.facts import DomainFacts, Fetched
from tests.domain.hostile import Speech, answer, by_tcp, nameserver

Records = Mapping[str, Sequence[str]]
_SOA = "example.org. SOA ns. root. 1 2 3 4 5"


def _zone(records: Records, asked: list[str] | None = None) -> Speech:
    """Answers from a table of "name kind"; what is not in it has no such record."""

    def speech(query: dns.message.Message) -> bytes:
        question = query.question[0]
        key = f"{question.name.to_text(omit_final_dot=True)} {question.rdtype.name}"
        if asked is not None:
            asked.append(key)
        found = records.get(key, ())
        return answer(query, *found, authority="" if found else _SOA, flags=dns.flags.AD)

    return speech


def _look(records: Records, asked: list[str] | None = None) -> DomainFacts:
    speech = _zone(records, asked)

    def short(query: dns.message.Message) -> bytes:
        wire = speech(query)
        assert isinstance(wire, bytes)
        return wire if len(wire) < 1232 else answer(query, flags=dns.flags.TC)

    with nameserver(short, by_tcp(speech)) as at:
        return Look(Resolver([at]), tuple).at("example.org")


def _mx(*names: str) -> Records:
    lines = [f"example.org. MX {n} {name}" for n, name in enumerate(names, 1)]
    return {"example.org MX": lines}


def _a(name: str, *addresses: str) -> Records:
    return {f"{name} A": [f"{name}. A {address}" for address in addresses]}


def test_null_mx_ends_the_questions() -> None:
    """There is nothing to look at."""
    asked: list[str] = []
    found = _look({"example.org MX": ["example.org. MX 0 ."]}, asked)
    assert found.null
    assert found.hosts == ()
    assert {key.split()[1] for key in asked} == {"MX", "TXT"}


def test_without_mx_the_domain_itself_takes_mail() -> None:
    """If it has an address (RFC 5321, section 5.1)."""
    found = _look(_a("example.org", "192.0.2.1"))
    assert (found.own, [host.host for host in found.hosts]) == (True, ["example.org"])
    assert _look({}).hosts == ()


def test_servers_come_by_preference_and_only_so_many_are_looked_at() -> None:
    """A thousand of them take no longer than sixteen."""
    started = time.monotonic()
    found = _look(_mx(*(f"mx{n}.example.org." for n in range(1000))))
    assert time.monotonic() - started < 10
    assert [host.preference for host in found.hosts] == list(range(1, 17))
    assert found.unseen == 1000 - 16


def test_addresses_beyond_so_many_are_told() -> None:
    """And not looked at."""
    many = [f"192.0.2.{n}" for n in range(1, 101)]
    found = _look({**_mx("mx.example.org."), **_a("mx.example.org", *many)})
    (host,) = found.hosts
    assert len(host.reverse) == 8
    assert host.unseen == 92


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("192.0.2.1.", "is an address"),
        (".", "says that there is no mail here"),
        ("a\\032b.example.", "is no name of a host"),
        ("\\[192\\.0\\.2\\.1\\].", "is no name of a host"),
        ("\\027\\091\\255.example.", "is no name of a host"),
        ("-a.example.", "is no name of a host"),
    ],
)
def test_what_is_no_name_is_asked_for_nothing(name: str, fault: str) -> None:
    """It would end up in SNI, or anywhere."""
    asked: list[str] = []
    found = _look(_mx("mx.example.org.", name), asked)
    assert fault in found.hosts[1].fault
    assert found.hosts[1].addresses == ()
    assert found.hosts[1].host.isprintable()
    assert not any(key.endswith((" A", " TLSA")) and "mx.example.org" not in key for key in asked)


def test_records_of_an_alias_are_looked_for_where_it_leads_first() -> None:
    """RFC 7672, section 2.2.2; then at the name itself."""
    alias = {
        **_mx("mx.example.org."),
        "mx.example.org A": ["mx.example.org. CNAME host.example.", "host.example. A 192.0.2.1"],
    }
    data = "3 1 1 " + "ab" * 32
    there = {"_25._tcp.host.example TLSA": [f"_25._tcp.host.example. TLSA {data}"]}
    here = {"_25._tcp.mx.example.org TLSA": [f"_25._tcp.mx.example.org. TLSA {data}"]}
    for more, base in ((there, "host.example"), (here, "mx.example.org"), ({}, "mx.example.org")):
        (host,) = _look({**alias, **more}).hosts
        assert (host.base, len(host.records)) == (base, len(more))


_STS = {"_mta-sts.example.org TXT": ['_mta-sts.example.org. TXT "v=STSv1; id=1"']}


def test_a_policy_is_asked_for_only_where_it_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other TXT records there, of a wildcard perhaps, announce none."""
    fetched: list[tuple[str, tuple[str, ...]]] = []

    def fetch(host: str, addresses: tuple[str, ...], trusted: object) -> Fetched:
        fetched.append((host, addresses))
        return Fetched("u", 200)

    monkeypatch.setattr(policy_host, "fetch", fetch)
    base = {**_mx("mx.example.org."), **_a("mta-sts.example.org", "192.0.2.7")}
    spf = {"_mta-sts.example.org TXT": ['_mta-sts.example.org. TXT "v=spf1 -all"']}
    assert _look({**base, **spf}).policy is None
    assert _look({**base, **_STS}).policy == Fetched("u", 200)
    assert fetched == [("mta-sts.example.org", ("192.0.2.7",))]


def test_a_policy_host_without_an_address_is_a_fault() -> None:
    """And one that cannot be looked up a doubt."""
    found = _look({**_mx("mx.example.org."), **_STS}).policy
    assert found is not None
    assert found.fault == "mta-sts.example.org has no address"

    zone = _zone({**_mx("mx.example.org."), **_STS})

    def failing(query: dns.message.Message) -> bytes | list[bytes]:
        if query.question[0].name.to_text().startswith("mta-sts."):
            return answer(query, rcode=dns.rcode.SERVFAIL)
        return zone(query)

    with nameserver(failing) as at:
        found = Look(Resolver([at]), tuple).at("example.org").policy
    assert found is not None
    assert "A of mta-sts.example.org: 127.0.0.1:" in found.doubt


@pytest.mark.parametrize(
    ("greeting", "name"),
    [
        ("220 mx.Example.org ESMTP Exim", "mx.example.org"),
        ("220-mx.example.org.", "mx.example.org"),
        ("220 ", ""),
        ("220", ""),
        ("", ""),
        ("220 [192.0.2.1] hello", "[192.0.2.1]"),
    ],
)
def test_the_name_in_a_greeting_is_its_first_word(greeting: str, name: str) -> None:
    """RFC 5321, section 4.2."""
    assert greeting_name(greeting) == name

"""What is made of a resolver's answers, and that no server can keep us or fool us."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from audit.domain import resolver
from audit.domain.nameserver import Nameserver
from audit.domain.resolver import Resolver
from audit.facts import Answer, Kind
from tests.domain.hostile import RRSIG, Link, Speech, answer, by_tcp, nameserver

Query = dns.message.Message
_SOA = "example.org. SOA ns. root. 1 2 3 4 5"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowded machine is no silent resolver."""
    monkeypatch.setattr(resolver, "_SECONDS", 30.0)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, _patient: None) -> None:
    """Where silence is what is waited for."""
    monkeypatch.setattr(resolver, "_SECONDS", 0.4)


def _ask(
    speech: Speech, name: str = "example.org", kind: Kind = "MX", tcp: Link | None = None
) -> Answer:
    with nameserver(speech, tcp) as at:
        asked = Resolver([at])
        asked.begin()
        started = time.monotonic()
        found = asked.ask(name, kind)
        assert time.monotonic() - started < 20
    return found


def _secure(*records: str) -> Speech:
    return lambda query: answer(query, *records, flags=dns.flags.AD)


_MX = "example.org. MX 10 mx.example.org."


def test_what_the_resolver_has_validated_is_secure() -> None:
    """By the AD bit; that is asked for."""
    found = _ask(_secure(_MX, "example.org. MX 5 a.example.org."))
    assert (found.outcome, found.security) == ("found", "secure")
    assert found.records == ("5 a.example.org", "10 mx.example.org")


def test_the_question_asks_for_signatures_and_validation() -> None:
    """DO, AD and RD; CD only where the first answer was SERVFAIL."""
    seen: list[Query] = []

    def speech(query: Query) -> bytes:
        seen.append(query)
        return answer(query, rcode=dns.rcode.SERVFAIL)

    _ask(speech)
    assert [bool(q.flags & dns.flags.CD) for q in seen] == [False, True]
    assert all(q.flags & dns.flags.AD and q.flags & dns.flags.RD for q in seen)
    assert all(q.ednsflags & dns.flags.DO for q in seen)


def _unless_checked(query: Query) -> bytes:
    if query.flags & dns.flags.CD:
        return answer(query, _MX)
    return answer(query, rcode=dns.rcode.SERVFAIL)


def test_what_is_there_only_without_validation_is_bogus() -> None:
    """And what it would be is kept."""
    found = _ask(_unless_checked)
    assert (found.outcome, found.security) == ("found", "bogus")
    assert found.records == ("10 mx.example.org",)


def test_a_moment_of_weakness_is_not_bogus() -> None:
    """SERVFAIL once, and afterwards an answer."""
    said = iter([dns.rcode.SERVFAIL])

    def speech(query: Query) -> bytes:
        code = next(said, dns.rcode.NOERROR)
        return answer(query, *([] if code else [_MX]), rcode=code, flags=dns.flags.AD)

    assert _ask(speech).security == "secure"


@pytest.mark.parametrize("unchecked", [dns.rcode.SERVFAIL, dns.rcode.NOERROR])
def test_servfail_both_ways_says_nothing(unchecked: dns.rcode.Rcode) -> None:
    """The zone is lame, not bogus; of such a one unbound may say nothing, and that with success."""

    def speech(query: Query) -> bytes:
        checked = not query.flags & dns.flags.CD
        return answer(query, rcode=dns.rcode.SERVFAIL if checked else unchecked)

    found = _ask(speech)
    assert (found.outcome, found.security) == ("failed", "untold")
    assert "also without validation" in found.why


def _root_is(flags: int) -> Speech:
    def speech(query: Query) -> bytes:
        if query.question[0].rdtype == dns.rdatatype.DNSKEY:
            at_root = query.question[0].name.to_text() == "."
            return answer(query, authority=_SOA, flags=flags if at_root else 0)
        return answer(query, _MX)

    return speech


def test_unsigned_is_believed_only_of_who_validates() -> None:
    """It has shown so of the root."""
    assert _ask(_root_is(dns.flags.AD)).security == "unsigned"
    found = _ask(_root_is(0))
    assert found.security == "untold"
    assert "--resolver" in found.why


def _signed(*, ds: bool) -> Speech:
    def speech(query: Query) -> bytes:
        match dns.rdatatype.to_text(query.question[0].rdtype):
            case "MX":
                return answer(query, _MX, f"example.org. RRSIG {RRSIG}")
            case "DS" if ds:
                signed = RRSIG.replace("MX 13 2", "DS 13 2").replace("example.org.", ".")
                data = "1 13 2 " + "ab" * 32
                return answer(query, f"example.org. DS {data}", f"example.org. RRSIG {signed}")
            case _:
                return answer(query, authority=_SOA)

    return speech


def test_signatures_without_ad_are_an_island_or_the_resolvers_fault() -> None:
    """By the DS records on the way up."""
    found = _ask(_signed(ds=False))
    assert found.security == "no-chain"
    assert "no DS" in found.why
    found = _ask(_signed(ds=True))
    assert found.security == "untold"
    assert "does not validate example.org" in found.why


def _shut(query: Query, link: socket.socket) -> None:
    link.close()


def _drip(query: Query, link: socket.socket) -> None:
    link.sendall(b"\xff\xff")
    while True:
        link.sendall(b"\0")
        time.sleep(0.05)


def _garbage(query: Query, link: socket.socket) -> None:
    link.sendall(b"\0\x20" + b"\xee" * 32)


def _truncated(query: Query) -> bytes:
    return answer(query, flags=dns.flags.TC)


def _other_id(query: Query) -> bytes:
    query.id ^= 1
    return answer(query, _MX, flags=dns.flags.AD)


def _other_question(query: Query) -> bytes:
    other = dns.message.make_query("other.example", "MX", id=query.id)
    return answer(other, "other.example. MX 10 evil.example.", flags=dns.flags.AD)


def _bare(query: Query, flags: int) -> bytes:
    wire = bytearray(answer(query))
    wire[3] &= 0x7F  # RA
    return bytes(wire)


@dataclass(frozen=True)
class Hostile:
    """One that gives no answer, and the words for it."""

    speech: Speech
    words: str
    tcp: Link | None = None


HOSTILE: dict[str, Hostile] = {
    "silent": Hostile(lambda query: [], "does not answer in time"),
    "garbage": Hostile(lambda query: b"\xee" * 40, "does not answer in time"),
    "empty": Hostile(lambda query: b"", "does not answer in time"),
    "another id": Hostile(_other_id, "does not answer in time"),
    "another question": Hostile(_other_question, "does not answer in time"),
    "a flood": Hostile(lambda query: [b"\xee" * 1000] * 50, "does not answer in time"),
    "truncated, then shut": Hostile(_truncated, "is no answer to what was asked", _shut),
    "truncated, then drips": Hostile(_truncated, "does not answer in time", _drip),
    "truncated, then garbage": Hostile(_truncated, "is no answer to what was asked", _garbage),
    "refused": Hostile(lambda query: answer(query, rcode=dns.rcode.REFUSED), "answers REFUSED"),
    "no recursion": Hostile(lambda query: _bare(query, 0), "does not resolve for others"),
    "a referral": Hostile(
        lambda query: answer(query, authority="org. NS ns.example."), "refers to other servers"
    ),
    "a circle": Hostile(
        _secure("example.org. CNAME a.example.", "a.example. CNAME example.org."), "in a circle"
    ),
    "a long way": Hostile(
        _secure(
            "example.org. CNAME n0.example.",
            *(f"n{n}.example. CNAME n{n + 1}.example." for n in range(40)),
        ),
        "in a circle of aliases, or through too many",
    ),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_answer_is_told_as_such_and_in_time(name: str) -> None:
    """Nothing is concluded from it, and it keeps nobody."""
    one = HOSTILE[name]
    found = _ask(one.speech, tcp=one.tcp)
    assert (found.outcome, found.security, found.records) == ("failed", "untold", ())
    assert one.words in found.why
    assert found.why.isprintable()


def test_the_right_answer_is_found_among_wrong_ones() -> None:
    """Who guesses wrong does not even delay it."""
    found = _ask(
        lambda query: [
            b"",
            b"\xee" * 30,
            _other_question(query),
            answer(query, _MX, flags=dns.flags.AD),
        ]
    )
    assert found.records == ("10 mx.example.org",)


def test_nobody_listens() -> None:
    """A closed port is told as one."""
    with nameserver(lambda query: b"") as at:
        gone = at
    asked = Resolver([gone])
    asked.begin()
    assert "Connection refused" in asked.ask("example.org", "MX").why


@pytest.mark.usefixtures("hurried")
def test_a_second_resolver_is_asked_where_the_first_is_silent() -> None:
    """And the order is kept."""
    with nameserver(lambda query: []) as deaf, nameserver(_secure(_MX)) as good:
        asked = Resolver([deaf, good])
        asked.begin()
        assert asked.ask("example.org", "MX").security == "secure"


def _large(kind: str, count: int, data: Callable[[int], str]) -> Speech:
    lines = [f"example.org. {kind} {data(number)}" for number in range(count)]

    def speech(query: Query) -> bytes:
        return answer(query, *lines, flags=dns.flags.AD)

    return speech


@pytest.mark.parametrize(
    ("kind", "count", "data"),
    [
        ("MX", 1000, lambda number: f"{number} mx{number}.example.org."),
        ("TLSA", 1000, lambda number: f"3 1 1 {number:064x}"),
        ("TXT", 240, lambda number: f'"{number:03}{"x" * 252}"'),
    ],
)
def test_what_is_large_comes_by_tcp_and_is_read_whole(
    kind: Kind, count: int, data: Callable[[int], str]
) -> None:
    """A message has 64 KiB at most, and that is not too much."""
    speech = _large(kind, count, data)
    started = time.process_time()
    found = _ask(_truncated, kind=kind, tcp=by_tcp(speech))
    assert time.process_time() - started < 3
    assert len(found.records) == count
    assert found.security == "secure"


def test_a_text_is_its_strings_joined() -> None:
    """As senders read it; what is not UTF-8 harms nobody."""
    found = _ask(_secure('example.org. TXT "v=STSv1; " "id=1" "\\255\\027"'), kind="TXT")
    assert found.records == ("v=STSv1; id=1\\xff\x1b",)


def _malformed(*extra: str) -> Speech:
    def speech(query: Query) -> bytes:
        wire = bytearray(answer(query, *extra, flags=dns.flags.AD))
        wire[7] += 1  # one record more in the answer: a name, TLSA, IN, a TTL, five octets
        end = len(wire) - 11  # before the OPT record
        record = b"\xc0\x0c" + b"\0\x34\0\1\0\0\0\x3c\0\5" + b"\3\1\1ab"
        return bytes(wire[:end] + record + wire[end:])

    return speech


def test_a_malformed_tlsa_record_is_told_beside_the_good_ones() -> None:
    """Senders pass over it; alone it is no answer."""
    good = "example.org. TLSA 3 1 1 " + "ab" * 32
    found = _ask(_malformed(good), kind="TLSA")
    assert found.records == ("3 1 1 " + "ab" * 32,)
    assert len(found.unread) == 1
    alone = _ask(_malformed(), kind="TLSA")
    assert alone.outcome == "failed"
    assert "cannot be read" in alone.why


def test_a_name_that_cannot_be_asked_for_is_told() -> None:
    """A name from DNS may be as long as there can be one, and gets two labels more."""
    found = _ask(
        _secure(_MX), name="_25._tcp." + ".".join(["a" * 60] * 4 + ["bcdefgh"]), kind="TLSA"
    )
    assert found.outcome == "failed"
    assert "cannot be asked for" in found.why


@pytest.mark.usefixtures("hurried")
def test_all_of_it_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many questions there are, and however silent the resolver."""
    monkeypatch.setattr(resolver, "_BUDGET", 1.0)
    with nameserver(lambda query: []) as at:
        asked = Resolver([at])
        asked.begin()
        started = time.monotonic()
        found = [asked.ask(f"n{number}.example", "A") for number in range(50)]
        assert time.monotonic() - started < 3
    assert "all the time that there is" in found[-1].why


@pytest.mark.usefixtures("hurried")
def test_who_never_answers_is_not_waited_for_again_and_again() -> None:
    """Hundreds of domains would take hours; who has answered once is asked on."""
    with nameserver(lambda query: []) as deaf, nameserver(_secure(_MX)) as good:
        asked = Resolver([deaf, good])
        started = time.monotonic()
        for number in range(300):
            asked.begin()
            assert asked.ask(f"n{number}.example", "MX").outcome != "failed"
        assert time.monotonic() - started < 15
        alone = Resolver([deaf])
        alone.begin()
        why = [alone.ask(f"n{number}.example", "MX").why for number in range(6)]
    assert [one.endswith("4 questions before got no answer in time") for one in why] == [
        *[False] * 4,
        *[True] * 2,
    ]

    mute = iter([False, *[True] * 20, False])

    def moody(query: Query) -> bytes | list[bytes]:
        return [] if next(mute) else answer(query, _MX, flags=dns.flags.AD)

    with nameserver(moody) as at:
        asked = Resolver([at])
        found = []
        for number in range(12):
            asked.begin()
            found.append(asked.ask(f"n{number}.example", "MX").outcome)
    assert found[0] == found[-1] != "failed"
    assert found[1:-1] == ["failed"] * 10


def test_a_question_is_asked_once() -> None:
    """Two domains with one server cost no more than one."""
    seen: list[Query] = []

    def speech(query: Query) -> bytes:
        seen.append(query)
        return answer(query, _MX, flags=dns.flags.AD)

    with nameserver(speech) as at:
        asked = Resolver([at])
        asked.begin()
        assert asked.ask("example.org", "MX") == asked.ask("Example.ORG.", "MX")
    assert len(seen) == 1


def test_addresses_are_written_as_they_are_read() -> None:
    """In sentences, the port only where it says something."""
    assert str(Nameserver("192.0.2.53")) == "192.0.2.53"
    assert str(Nameserver("2001:db8::53", 5353)) == "[2001:db8::53]:5353"

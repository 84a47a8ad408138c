"""Records and their texts, key files, and what is refused; without a network."""

import json
import os
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.look import Look
from audit.domain.resolver import Resolver
from audit.errors import UNDETERMINED, MailsealError
from audit.facts import Fetched
from audit.inventory import EndpointRow, Host
from audit.publish import publish, texts, tlsa, tsig, wanted
from audit.publish.journal import alone, end, keep, load
from audit.publish.model import Change, Place, Records, Served, changes, gaps
from audit.publish.rollover import Journal
from audit.publish.site import _addresses, site
from audit.publish.snippet import snippet
from audit.wire import mta_sts, tls_rpt
from tests.domain.hostile import answer, nameserver
from tests.domain.world import Authority
from tests.publish.knot import key_file

OWNER = "_25._tcp.mx.example.org"
PLACE = Place(OWNER, "TLSA")
TEXT = Place("_mta-sts.example.org", "TXT")
ONE, TWO = (f"3 1 1 {digit * 64}" for digit in "ab")


def chain(tmp_path: Path) -> tuple[list[bytes], str, str]:
    """A chain in DER, and the SHA-256 of the keys of its leaf and its authority."""
    from audit.publish.play import _chains

    keys = Authority(tmp_path).keys("mx.example.org")
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "rsa.crt").write_bytes(keys.pki.rsa[0].read_bytes())
    return _chains(tmp_path / "one")[0], keys.rsa, keys.authority


def test_records_name_the_key_of_the_leaf_or_of_the_authority(tmp_path: Path) -> None:
    """As openssl would have it: SHA-256 of the SubjectPublicKeyInfo."""
    ders, leaf, above = chain(tmp_path)
    assert tlsa.record("3 1 1", ders) == f"3 1 1 {leaf}"
    assert tlsa.record("2 1 1", ders) == f"2 1 1 {above}"
    assert {f"3 1 1 {leaf}", f"2 1 1 {above}"} < tlsa.vouching(ders)
    assert f"3 1 1 {above}" not in tlsa.vouching(ders)


def test_an_authority_that_is_not_served_cannot_be_named(tmp_path: Path) -> None:
    """No sender could find it."""
    ders, _, _ = chain(tmp_path)
    with pytest.raises(ValueError, match="authority's certificate in the chain that is served"):
        tlsa.record("2 1 1", ders[:1])


@given(
    st.sampled_from(["enforce", "testing", "none"]),
    st.lists(st.from_regex(r"mx[0-9]{1,3}\.example\.org", fullmatch=True), min_size=1),
    st.integers(0, 31_557_600),
)
def test_policies_are_what_senders_read(mode: mta_sts.Mode, mx: list[str], age: int) -> None:
    """Our own reader of others' policies reads them, and finds the id in the record."""
    body = texts.policy(mode, mx, age)
    read = mta_sts.policy(body)
    assert (read.mode, read.max_age, set(read.mx)) == (mode, age, set(mx))
    announced = texts.sts(body)
    assert mta_sts.announced([announced]) == [announced]
    assert f"id={mta_sts.identity(announced)};" in announced


def test_the_id_is_another_exactly_where_the_policy_is() -> None:
    """The order of MX records is no change."""
    one = texts.policy("enforce", ["a.example", "b.example"], 60)
    assert texts.sts(one) == texts.sts(texts.policy("enforce", ["b.example", "a.example"], 60))
    others = [
        texts.policy("testing", ["a.example", "b.example"], 60),
        texts.policy("enforce", ["a.example"], 60),
        texts.policy("enforce", ["a.example", "b.example"], 61),
    ]
    assert len({texts.sts(body) for body in (one, *others)}) == 4


def test_places_for_reports_are_what_senders_read() -> None:
    """Both kinds."""
    rua = ("mailto:tls@example.org", "https://reports.example.org/v1")
    assert tls_rpt.places(texts.tlsrpt(rua)) == rua


def test_a_snippet_is_a_zone_file() -> None:
    """dnspython reads the same records back; what is long in a text becomes several strings."""
    long = 'v=TLSRPTv1; rua=mailto:"\\' + "x" * 300
    zone = {
        PLACE: Records(60, frozenset({"3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32})),
        TEXT: Records(60, frozenset({long})),
    }
    head = "@ 60 SOA ns root 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
    read = dns.zone.from_text(head + snippet(zone), "example.org.", relativize=False)
    tlsas = read.get_rrset(f"{OWNER}.", dns.rdatatype.TLSA)
    text = read.get_rrset("_mta-sts.example.org.", dns.rdatatype.TXT)
    assert tlsas
    assert text
    assert (tlsas.ttl, {one.to_text() for one in tlsas}) == (60, set(zone[PLACE].data))
    assert b"".join(text[0].strings).decode() == long


def test_other_records_of_the_same_name_stay_unless_pruned() -> None:
    """They may be those of the next keys; of a text there is one right value."""
    there = {
        PLACE: Records(60, frozenset({"old"})),
        TEXT: Records(60, frozenset({"v=STSv1; id=1;", "spf"})),
    }
    wanted = {
        PLACE: Records(60, frozenset({"new"})),
        TEXT: Records(60, frozenset({"v=STSv1; id=2;"})),
    }
    kept = {one.place: one.after for one in changes(there, wanted)}
    assert kept == {
        PLACE: Records(60, frozenset({"old", "new"})),
        TEXT: Records(60, frozenset({"v=STSv1; id=2;", "spf"})),
    }
    pruned = {one.place: one.after for one in changes(there, wanted, prune=True)}
    assert pruned == {**kept, PLACE: wanted[PLACE]}
    (tlsas,) = changes({**there, TEXT: wanted[TEXT]}, wanted, prune=True)
    assert tlsas.after == wanted[PLACE]
    assert str(tlsas) == f"- {OWNER} TLSA old\n+ {OWNER} TLSA new"


def test_a_removal_that_senders_would_notice_is_refused(tmp_path: Path) -> None:
    """What vouches for what is served, and what is there for the next key; not what is idle."""
    what = publish.Wanted({}, {}, {OWNER: (Served("mx", "mx", (frozenset({ONE}),)),)})
    keep(tmp_path, Journal(0, next={OWNER: frozenset({TWO})}))
    for one, words in ((ONE, "vouches for what is served"), (TWO, "next key")):
        change = Change(PLACE, Records(1, frozenset({one, "x"})), Records(1, frozenset({"x"})))
        with pytest.raises(publish.Refused, match=words) as refused:
            publish.harmless([change], what, tmp_path)
        assert refused.value.exit_code == 1
    idle = Change(PLACE, Records(1, frozenset({"idle", "x"})), Records(1, frozenset({"x"})))
    publish.harmless([idle], what, tmp_path)


STS = texts.policy("enforce", ["mx.example.org"], 60)
URL = "https://mta-sts.example.org/.well-known/mta-sts.txt"


class PolicyHost(Look):
    """A policy host that says always the same."""

    def __init__(self, said: Fetched) -> None:
        self._said = said

    def policy(self, domain: str) -> Fetched:
        """It."""
        assert domain == "example.org"
        return self._said


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Fetched(URL, fault="has no address"), "has no address"),
        (Fetched(URL, doubt="no answer in time"), "no answer in time"),
        (Fetched(URL, 404), "HTTP status 404"),
        (Fetched(URL, 301), "a redirect, which senders do not follow"),
        (Fetched(URL, 200, "text/html", STS), "its media type is text/html"),
        (Fetched(URL, 200, "text/plain", STS, whole=False), "larger than senders read"),
        (Fetched(URL, 200, "text/plain", b"<html>"), "is no policy"),
        (Fetched(URL, 200, "text/plain", STS.replace(b"60", b"61")), "is another policy"),
    ],
)
def test_a_policy_that_is_not_there_is_not_announced(said: Fetched, words: str) -> None:
    """Senders would ask for it and take none; one with other line ends is the same."""
    what = publish.Wanted({}, {"example.org": STS}, {})
    change = Change(TEXT, None, Records(1, frozenset({texts.sts(STS)})))
    with pytest.raises(publish.Refused, match=words):
        publish.fetched([change], what, PolicyHost(said))
    publish.fetched([], what, PolicyHost(said))
    right = Fetched(URL, 200, "text/plain", STS.replace(b"\r\n", b"\n"))
    publish.fetched([change], what, PolicyHost(right))


def test_a_gap_is_a_key_without_a_record_where_there_are_any() -> None:
    """Without records nobody enforces anything."""
    served = {OWNER: (Served("mx", "mx [192.0.2.1]:25", (frozenset({"a"}), frozenset({"b"}))),)}
    assert gaps({PLACE: None}, served) == []
    assert gaps({PLACE: Records(1, frozenset({"a", "b"}))}, served) == []
    (gap,) = gaps({PLACE: Records(1, frozenset({"a"}))}, served)
    assert gap == f"mx [192.0.2.1]:25 serves a key that no record of {OWNER} vouches for"


def host(name: str, **more: object) -> Host:
    """A host with an MX endpoint."""
    rows = (
        EndpointRow(25, "smtp", "starttls", "mx"),
        EndpointRow(993, "imap", "implicit", "access"),
    )
    given_ = {"addresses": ("192.0.2.1",), "server_name": f"{name}.example.org", "endpoints": rows}
    return Host(**{**given_, "name": name, **more})  # type: ignore[arg-type]


def test_every_name_of_every_smtp_endpoint_has_records() -> None:
    """Hosts that share a name share them; IMAP has none."""
    found = site(
        [
            host("a", certificate_names=("mx.example.org",)),
            host("b", certificate_names=("mx.example.org",)),
        ]
    )
    hosts = {owner: [one.host for one in places] for owner, places in found.owners.items()}
    assert hosts == {
        "_25._tcp.a.example.org": ["a"],
        "_25._tcp.b.example.org": ["b"],
        "_25._tcp.mx.example.org": ["a", "b"],
    }


def test_a_variable_that_differs_is_refused_and_domains_are_joined() -> None:
    """There is one primary; who takes mail for what may differ."""
    found = site([host("a", domains=("a.example",)), host("b", domains=("b.example",))])
    assert found.settings.domains == ("a.example", "b.example")
    with pytest.raises(MailsealError, match="mailseal_dns_server differs between the hosts"):
        site([host("a", dns_server="192.0.2.1"), host("b")])


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"addresses": ()}, "host mx: has no mailseal_addresses"),
        ({"certificate_names": ("",)}, "host mx: a name of it: '' is no host name"),
        ({"certificate_names": ("a:b",)}, "host mx: a name of it: 'a:b' is no host name"),
        ({"server_name": ".".join(["a" * 61] * 4)}, "host mx: a name of it: '_25._tcp.aaa"),
    ],
)
def test_a_host_that_no_record_can_be_about_is_told(
    variables: dict[str, object], words: str
) -> None:
    """Without an address nothing is seen, and nothing would speak for the records there are."""
    with pytest.raises(MailsealError, match=words):
        site([host("mx", **variables)])


@pytest.mark.parametrize(
    "name", ["", ".", "a:b/../../x", "192.0.2.1", "*.example.org", ".".join(["a" * 60] * 4)]
)
def test_what_is_no_mail_domain_gets_no_records(name: str) -> None:
    """As an audit says it; a domain that is named twice is one."""
    chosen = site([host("mx", domains=(name,), tlsrpt_rua=("mailto:a@example.org",))])
    with pytest.raises(MailsealError, match="mailseal_domains: ") as raised:
        wanted.announced(chosen, {})
    assert str(raised.value).endswith(("is no mail domain such as example.org", "is no host name"))
    twice = site([host("mx", domains=("b\u00fccher.example", "xn--bcher-kva.example"))])
    assert wanted.domains(twice) == ["xn--bcher-kva.example"]


def _bogus(query: dns.message.Message) -> bytes:
    if query.flags & dns.flags.CD:
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        data = {"MX": "10 mx.thief.example.", "A": "192.0.2.66", "AAAA": "2001:db8::66"}[kind]
        return answer(query, f"{name} {kind} {data}")
    return answer(query, rcode=dns.rcode.SERVFAIL)


def test_what_is_bogus_is_published_nowhere() -> None:
    """A validating resolver has told that somebody forges it; nor are servers asked by it."""
    chosen = site([host("mx", domains=("example.org",), mta_sts_mode="enforce")])
    with nameserver(_bogus) as at:
        resolver = Resolver([at])
        with pytest.raises(MailsealError, match=r"MX of example.org: .*SERVFAIL") as raised:
            wanted.policies(chosen, resolver)
        assert raised.value.exit_code == UNDETERMINED
        with pytest.raises(MailsealError, match=r"no address of it is known: .*SERVFAIL"):
            _addresses("ns.example.org", at, resolver)


def test_a_policy_that_no_sender_would_follow_is_not_made() -> None:
    """MX records can have names that a policy cannot."""
    chosen = site([host("mx", domains=("example.org",), mta_sts_mode="enforce")])

    def odd(query: dns.message.Message) -> bytes:
        return answer(query, "example.org. MX 10 m_x.example.org.", flags=dns.flags.AD)

    with (
        nameserver(odd) as at,
        pytest.raises(MailsealError, match=r"example.org: its MX records make no policy: 'm_x"),
    ):
        wanted.policies(chosen, Resolver([at]))


@pytest.mark.parametrize("place", ["", "ftp://a", "mailto:a@b; v=x", "mailto:a@b,mailto:c@d", "x;"])
def test_where_reports_cannot_go_is_told(place: str) -> None:
    """Senders would read something else, or nothing."""
    chosen = site([host("mx", domains=("example.org",), tlsrpt_rua=(place,))])
    with pytest.raises(MailsealError, match="mailseal_tlsrpt_rua: "):
        wanted.announced(chosen, {})


SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cw=="


def test_a_key_file_is_read_and_its_secret_not_shown(tmp_path: Path) -> None:
    """As tsig-keygen writes it."""
    found = tsig.read(key_file(tmp_path / "key", "mailseal", SECRET))
    assert found.name.to_text() == "mailseal."
    assert found.secret == b"secret of the tests"
    assert SECRET not in repr(found)
    assert "secret of the tests" not in repr(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has 0 keys, and not one"),
        ('key "a" { secret "YQ=="; }; key "b" { secret "YQ=="; };', "has 2 keys, and not one"),
        (f'key "a" {{ algorithm rot13; secret "{SECRET}"; }};', "name or algorithm"),
        ('key "a" { algorithm hmac-sha256; secret "not-base64!"; };', "is no Base64"),
        ('key "a" { algorithm hmac-sha256; };', "has no secret"),
        ('# key "a" { algorithm hmac-sha256; secret "YQ=="; };', "has 0 keys"),
        (f'key "{"a" * 80}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};', "name or algorithm"),
        (f'key "a" {{ algorithm gss-tsig; secret "{SECRET}"; }};', "name or algorithm"),
        ("\ud8ff", "is no key file"),
    ],
)
def test_a_file_that_is_none_is_told_without_the_secret(
    tmp_path: Path, text: str, words: str
) -> None:
    """One sentence that names the file."""
    path = tmp_path / "key"
    path.write_bytes(
        text.encode("utf-16-le", "surrogatepass") if "\ud8ff" in text else text.encode()
    )
    path.chmod(0o600)
    with pytest.raises(MailsealError, match=words) as raised:
        tsig.read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert SECRET not in str(raised.value)


def test_a_secret_may_have_the_sign_of_a_comment_in_it(tmp_path: Path) -> None:
    """// is Base64 as well; comments beside it are none of the key."""
    path = tmp_path / "key"
    path.write_text(
        '// key "x" { };\nkey "mailseal" { # " of ours\n'
        ' algorithm hmac-sha256; /* "\n */ secret "////eHh4"; // }\n};\n'
    )
    path.chmod(0o600)
    assert tsig.read(path).secret == b"\xff\xff\xffxxx"


def test_what_is_no_file_is_no_key_file(tmp_path: Path) -> None:
    """A pipe would be waited for without end."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(MailsealError, match="is no key file"):
            tsig.read(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """It says how to mend it."""
    path = key_file(tmp_path / "key", "mailseal", SECRET)
    path.chmod(mode)
    with pytest.raises(MailsealError, match=f"others can read this secret \\(chmod 600 {path}\\)"):
        tsig.read(path)


def test_a_journal_is_what_was_kept(tmp_path: Path) -> None:
    """Until the roll-over is over; what is none is told."""
    assert load(tmp_path) is None
    one = Journal(
        1.5, {OWNER: frozenset({ONE, TWO})}, keys={"mx": frozenset({ONE})}, ttl=3, seen=2.5
    )
    keep(tmp_path, one)
    assert load(tmp_path) == one
    assert (tmp_path / "rollover.json").stat().st_mode & 0o077 == 0
    end(tmp_path)
    assert load(tmp_path) is None
    (tmp_path / "rollover.json").write_text("{")
    with pytest.raises(MailsealError, match="is no journal of a roll-over"):
        load(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"ttl": -1},
        {"ttl": 10**17},
        {"seen": 1e300},
        {"began": -1},
        {"next": {OWNER: ["whatever"]}},
        {"old": {OWNER: [f"{ONE}\nmx.example.org. A 192.0.2.1"]}},
        {"keys": ["mx"]},
    ],
)
def test_a_journal_that_somebody_changed_is_refused(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    """Before anything is done by it, and with the file's name."""
    keep(tmp_path, Journal(1.5, {OWNER: frozenset({ONE})}, ttl=3))
    path = tmp_path / "rollover.json"
    whole = json.loads(path.read_text())
    whole["journal"] |= changed
    path.write_text(json.dumps(whole))
    with pytest.raises(MailsealError, match=r"rollover.json: is no journal of a roll-over: "):
        load(tmp_path)


def test_two_roll_overs_are_not_at_work_at_once(tmp_path: Path) -> None:
    """The second waits, says so, and gives up in time."""
    said: list[str] = []
    with (
        alone(tmp_path, said.append, 5),
        pytest.raises(MailsealError, match="another roll-over"),
        alone(tmp_path, said.append, 0.2),
    ):
        pass
    assert len(said) == 1
    with alone(tmp_path, said.append, 0.2):
        pass

"""The rows of the model, one by one, from words of logs to sentences."""

from datetime import date
from typing import Literal, get_args

import pytest
from msgspec.structs import replace

from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0, Manners
from audit.forecast.server import keys
from audit.iana import Version, group, suite
from audit.policy.load import load
from audit.policy.model import KEY_TYPES
from audit.report.traffic_sections import failures
from audit.report.whatif_text import text
from audit.traffic.errors import REASONS, Reason
from audit.traffic.tables import traffic
from audit.traffic.tally import Tally
from audit.whatif.document import ClientDocument
from audit.whatif.ja3 import by_sight, parse
from audit.whatif.known import Known, Seen, learn
from audit.whatif.needs import Need, needs
from audit.whatif.order import by_policy
from audit.whatif.premises import Question
from audit.whatif.side import from_policy
from audit.whatif.weigh import Narrowing, weigh
from tests.whatif.factories import DAY, MODELS, ask, only, tally

OLD, NEW = "univie-2015", "mailseal-2026"
SHADOW = f"{NEW}+{OLD}"
GCM = "TLS1.2:ECDHE_SECP256R1__RSA_SHA256__AES_256_GCM:256"
CBC = "TLS1.2:ECDHE_SECP256R1__RSA_SHA1__AES_256_CBC__SHA1:256"
OLD_TLS = "TLS1.0:ECDHE_RSA_AES_256_CBC_SHA1:256"
TLS13 = "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256"


def test_version_and_suite_that_stay_are_kept() -> None:
    """Same offer, same pair, same group: a client that is served goes on."""
    found = ask(tally(("access", "192.0.2.7", "anna", TLS13, 5)), NEW, NEW)
    assert found.clients == []
    access = found.traffic["access"]
    assert (access.unit, access.keep, access.broken, access.unknown) == ("logins", 5, 0, 0)
    assert (access.lower, access.upper, access.unseen) == (0, 0, 0.6)


def test_an_older_version_than_the_policys_breaks() -> None:
    """The server had better and the client did not take it: it has none."""
    row = only(ask(tally(("access", "192.0.2.7", "anna", OLD_TLS, 3)), NEW, OLD))
    assert (row.verdict, row.effect, row.user, row.weight) == ("break", "cannot connect", "anna", 3)
    assert "TLSv1.0 is the newest that it offers" in row.evidence
    assert row.last_seen == DAY.decode()


def test_an_older_version_proves_nothing_of_a_server_without_a_newer() -> None:
    """The counterpart: a server of TLS 1.0 alone shows no client's newest version."""
    old = load(OLD)
    profile = old.profiles["access"]
    tls10 = tuple(v for v in profile.versions if v.name == "TLSv1.0")
    server = replace(old, profiles={"access": replace(profile, versions=tls10)})
    question = Question(
        policy=load(NEW),
        day=date(2026, 11, 20),
        manners=GNUTLS_3_7,
        before=by_policy(server),
    )
    row = only(weigh(tally(("access", "a", "b", OLD_TLS, 1)), question, Narrowing()))
    assert row.verdict == "unknown"


def test_what_stood_before_in_the_servers_order_is_not_offered() -> None:
    """Who got the last suite offers none of the others; those are all that the policy has."""
    row = only(ask(tally(("access", "192.0.2.7", "anna", CBC, 2)), NEW, SHADOW))
    assert row.verdict == "break"
    words = "it can do none of the suites that the policy has for TLSv1.2, for the server preferred"
    assert words in row.evidence


def test_without_the_order_the_same_is_unknown() -> None:
    """What nobody knows of the server proves nothing, and the report says so."""
    found = ask(tally(("access", "192.0.2.7", "anna", CBC, 2)), NEW)
    assert only(found).verdict == "unknown"
    assert any("--server-order" in notice for notice in found.notices)
    assert found.traffic["access"].server == []


def test_the_tail_of_a_shadow_is_proof_by_the_same_rule() -> None:
    """Before the shadow a suite of the old policy proves little; from the tail it proves all.

    Nothing in the reasoning knows of shadows: the order of the server is another one.
    """
    before = ask(tally(("access", "192.0.2.7", "anna", CBC, 2)), NEW, OLD)
    assert only(before).verdict == "unknown"
    shadow = ask(
        tally(
            ("access", "192.0.2.7", "anna", CBC, 2),
            ("access", "192.0.2.8", "otto", TLS13, 4),
            ("access", "192.0.2.9", "ida", GCM, 8),
            ("access", "192.0.2.10", "max", OLD_TLS, 16),
        ),
        NEW,
        SHADOW,
    )
    access = shadow.traffic["access"]
    assert (access.keep, access.broken, access.unknown) == (12, 18, 0)
    assert [row.user for row in shadow.clients] == ["max", "anna"]


def test_on_port_25_a_break_is_clear_text_and_said_to_be() -> None:
    """Its own bucket; who was seen in clear before will be again."""
    found = ask(
        tally(("mx", "192.0.2.7", "", OLD_TLS, 3), ("mx", "192.0.2.7", "", "", 2)), NEW, OLD
    )
    row = only(found)
    assert (row.traffic, row.verdict, row.effect) == ("mx", "break", "goes on in clear text")
    assert row.evidence.endswith("it was seen in clear text before")
    assert (found.traffic["mx"].keep, found.traffic["mx"].plain) == (2, 2)


def test_several_clients_behind_one_address_are_judged_alone() -> None:
    """What one of them offers says nothing of the other."""
    found = ask(
        tally(("access", "192.0.2.7", "", TLS13, 5), ("access", "192.0.2.7", "", OLD_TLS, 3)),
        NEW,
        SHADOW,
    )
    access = found.traffic["access"]
    assert (access.keep, access.broken) == (5, 3)
    assert (access.clients.keep, access.clients.broken) == (0, 1)


def test_own_probes_are_nobodys() -> None:
    """They are no client of ours."""
    found = ask(tally(("own", "192.0.2.7", "", OLD_TLS, 3)), NEW, OLD)
    assert (found.traffic, found.clients, found.notices) == ({}, [], [])
    told = text(found).decode()
    assert told.count("Nobody was seen in these logs: of nobody anything can be said") == 1
    assert "note" not in told


@pytest.mark.parametrize(
    ("x", "why"),
    [
        ("?", "the log does not say which TLS it was"),
        ("TLSv9:FOO:1", "the log does not say which TLS it was"),
        ("!", "the log does not say whether it uses TLS"),
        ("", "it uses no TLS, which the policy requires; it was never seen to try"),
    ],
)
def test_what_a_log_does_not_say_is_unknown(x: str, why: str) -> None:
    """And never a guess."""
    row = only(ask(tally(("access", "192.0.2.7", "anna", x, 1)), NEW, OLD))
    assert (row.verdict, row.evidence) == ("unknown", why)


_PEOPLE: tuple[Literal["access", "submission"], ...] = ("access", "submission")


@pytest.mark.parametrize("use", _PEOPLE)
def test_a_login_in_clear_is_kept_only_where_the_policy_allows_it(
    use: Literal["access", "submission"],
) -> None:
    """TLS that is offered and not required says nothing of who sends a password without it."""
    counted = tally((use, "192.0.2.7", "anna", "", 1))

    def told(clear_logins: Literal["allowed", "forbidden"]) -> tuple[int, int]:
        policy = load(NEW)
        profile = replace(policy.profiles[use], tls="offered", clear_logins=clear_logins)
        found = ask(counted, replace(policy, profiles={use: profile}), OLD).traffic[use]
        return found.keep, found.unknown

    assert told("allowed") == (1, 0)
    assert told("forbidden") == (0, 1)


def test_without_a_login_mail_in_clear_is_no_login() -> None:
    assert ask(tally(("mx", "192.0.2.7", "", "", 1)), NEW, OLD).traffic["mx"].keep == 1


def test_a_policy_without_starttls_keeps_nobody_who_may_have_come_by_it() -> None:
    """A log does not say which port it was; who breaks for another reason breaks all the same."""
    counted = tally(
        ("access", "192.0.2.7", "anna", TLS13, 1), ("access", "192.0.2.8", "otto", OLD_TLS, 1)
    )
    policy = load(NEW)
    strict = replace(policy.profiles["access"], starttls="forbidden")
    found = ask(counted, replace(policy, profiles={"access": strict}), SHADOW)
    assert [(row.user, row.verdict) for row in found.clients] == [
        ("otto", "break"),
        ("anna", "unknown"),
    ]
    assert "STARTTLS" in found.clients[1].evidence
    assert ask(counted, policy, SHADOW).traffic["access"].keep == 1


def test_who_fails_even_now_is_not_charged_to_the_policy() -> None:
    """Unless it is served as well: then it is several, or one that tries again."""
    counted = tally(("mx", "192.0.2.8", "", TLS13, 1))
    for ip in (b"192.0.2.7", b"192.0.2.8"):
        counted.failed(DAY, "mx", ip, "old-version")
    counted.logged_in(DAY, b"192.0.2.9", b"anna", b"", "refused")
    found = ask(counted, NEW, NEW)
    assert [(one.client, one.user) for one in found.already] == [
        ("192.0.2.7", ""),
        ("192.0.2.9", "anna"),
    ]
    assert found.traffic["mx"].broken == 0


@pytest.mark.parametrize("why", get_args(Reason))
def test_every_reason_that_is_not_charged_is_said_in_a_sentence(why: Reason) -> None:
    """The same one that the figures of the log have; no word of ours is left without."""
    counted = Tally()
    counted.failed(DAY, "mx", b"192.0.2.7", why)
    (one,) = ask(counted, NEW, NEW).already
    assert one.reason == REASONS[why]
    assert [row.name for row in failures(traffic(counted))] == [REASONS[why]]
    assert len(one.reason.split()) > 3


@pytest.mark.parametrize("manners", [GNUTLS_3_7, OPENSSL_3_0])
@pytest.mark.parametrize("version", ["TLSv1.0", "TLSv1.1"])
def test_before_tls_1_2_nothing_is_said_of_signatures(version: Version, manners: Manners) -> None:
    """No hello of TLS 1.0 has to name any, so what was negotiated proves none, met or not."""
    profile = load(OLD).profiles["mx"]
    side = from_policy(profile, date(2026, 11, 20), keys(("rsa",)), manners, "a source")

    def learned(version: Version) -> set[str]:
        found: set[str] = set()
        for one in side.server.suites[version]:
            known = learn(Known(), Seen(version, one), side)
            found |= {need.kind for need in known.met}
            found |= {need.kind for needs in known.unmet for need in needs}
        return found

    assert "suite" in learned(version)
    assert "signature" not in learned(version)
    assert "signature" in learned("TLSv1.2"), "the counterpart"


def test_going_out_we_are_the_client() -> None:
    """A suite of the policy is kept, an old version breaks, another suite is unknown."""
    hosts = (
        ("good.example", GCM, "yes", 4),
        ("old.example", OLD_TLS, "no", 3),
        ("cbc.example", CBC, "no", 2),
        ("plain.example", "", "", 1),
        ("quiet.example", "!", "", 5),
    )
    found = ask(tally(hosts=hosts), "rfc9325", OLD)
    out = found.traffic["outgoing"]
    verdicts = {row.client: row.verdict for row in found.clients}
    assert verdicts["old.example"] == "break"
    assert verdicts["cbc.example"] == verdicts["quiet.example"] == "unknown"
    assert out.plain == 1, "what is not logged is not without TLS"


def test_a_certificate_that_is_not_verified_breaks_where_that_is_required() -> None:
    """CV=no is proof, CV=dane is verified, and what is not logged is unknown."""
    hosts = tuple((f"{cv or 'none'}.example", TLS13, cv, 1) for cv in ("yes", "no", "dane", ""))
    counted = tally(hosts=hosts)
    assert ask(counted, NEW, NEW).clients == []
    found = ask(counted, NEW, NEW, verify=True)
    assert {row.client: row.verdict for row in found.clients} == {
        "no.example": "break",
        "none.example": "unknown",
    }


def test_dovecots_ja3_narrows_and_is_named() -> None:
    """What the log alone leaves open, the suites of the hello decide."""
    x = "TLSv1.2:ECDHE-RSA-AES256-SHA:256"
    counted = tally(("access", "192.0.2.7", "anna", x, 1))
    assert only(ask(counted, NEW, OLD, OPENSSL_3_0)).verdict == "unknown"
    words = b"771,49172-53,10-11-13,23-24,0"
    ja3 = by_sight([("access", b"192.0.2.7", b"anna", x.encode(), one) for one in (words, b"no")])
    narrowing = Narrowing(ja3=ja3)
    row = only(ask(counted, NEW, OLD, OPENSSL_3_0, narrowing))
    assert (row.verdict, row.source) == ("break", "ja3")
    assert row.evidence.startswith("the JA3 in the log: it can do none of the suites")


@pytest.mark.parametrize(
    "words",
    ["", "771", "771,,,,", "x,1,2,3,4", "771,99999,0,0,0", "1,2,3,4,5", "771-770,49199,0,0,0"],
)
def test_what_is_no_ja3_is_none(words: str) -> None:
    """Whoever writes a log may write anything."""
    assert parse(words) is None


def test_what_is_likely_is_no_proof() -> None:
    """It is named beside the bounds, and does not move them."""
    x = "TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256"
    found = ask(
        tally(("access", "192.0.2.7", "anna", x, 9)),
        NEW,
        SHADOW,
        OPENSSL_3_0,
        Narrowing(models=MODELS),
    )
    row = only(found)
    assert (row.verdict, row.likely, row.guess) == ("unknown", "keep", "usual")
    access = found.traffic["access"]
    assert (access.lower, access.upper, access.likely.keep) == (0, 9, 9)


def test_what_is_open_of_a_suite_that_was_seen_is_not_whether_it_is_offered() -> None:
    """But all that it lacks; with no such suite, those that may be offered."""
    cbc = tally(("mx", "192.0.2.7", "", "TLSv1.2:ECDHE-RSA-AES256-SHA:256", 1))
    why = only(ask(cbc, NEW, SHADOW, OPENSSL_3_0)).evidence.partition("): ")[2]
    suite_ = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"
    assert why == (
        f"whether it accepts a signature of the server for {suite_} in TLSv1.2 was never seen;"
        f" for {suite_} it must name one of the groups P-256, P-384, X25519, which was never seen"
    )
    assert "whether it offers TLS_AES_256" in only(ask(cbc, NEW, OLD, OPENSSL_3_0)).evidence


def test_hellos_that_end_differently_prove_nothing_and_are_named() -> None:
    """Two clients behind one address that negotiated the same: one of them is the one."""
    offers = {one.id: offer for one, offer in MODELS}
    counted = tally(("access", "192.0.2.7", "", "TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256", 1))

    def judged(*names: str) -> ClientDocument | None:
        hellos = {("access", "192.0.2.7"): {offers[name]: f"hello of {name}" for name in names}}
        narrowing = Narrowing(hellos=hellos)  # type: ignore[arg-type]
        both = ask(counted, NEW, OLD, OPENSSL_3_0, narrowing, certificates=KEY_TYPES)
        return both.clients[0] if both.clients else None

    assert judged("openssl-3.0") is None
    broken, either = judged("tls12-p521"), judged("openssl-3.0", "tls12-p521")
    assert broken is not None
    assert either is not None
    assert (broken.verdict, broken.source) == ("break", "hello")
    assert (either.verdict, either.source) == ("unknown", "log")
    assert "on which of several hellos is its" in either.evidence
    assert (either.likely, either.guess) == ("unknown", "")


def test_what_no_hello_tells_is_the_reason_once_the_hello_is_known() -> None:
    """Of a client with DHE before ECDHE, whose order decides: the prime, and no longer a suite."""
    tls12 = next(offer for one, offer in MODELS if one.id == "tls12-p521")
    dhe_first = ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    own = replace(tls12, suites=tuple(map(suite, dhe_first)))
    policy = "mozilla-intermediate-5.7"
    counted = tally(("access", "192.0.2.7", "", "TLSv1.2:ECDHE-RSA-AES128-GCM-SHA256:128", 1))
    narrowing = Narrowing(hellos={("access", "192.0.2.7"): {own: "hello"}})
    row = only(ask(counted, policy, OLD, OPENSSL_3_0, narrowing))
    assert (row.verdict, row.source) == ("unknown", "log")
    assert row.evidence.startswith("hello: whether it takes the server's prime for TLS_DHE_RSA")


def test_a_curve_that_only_the_client_minds_is_open_until_it_was_seen_to_take_it() -> None:
    """GnuTLS gives its ECDSA certificate to who does not name the curve, and OpenSSL minds."""
    rsa = "TLS1.2:ECDHE_SECP384R1__RSA_SHA256__AES_256_GCM:256"
    ecdsa = "TLS1.2:ECDHE_SECP384R1__ECDSA_SHA256__AES_256_GCM:256"
    p384 = replace(next(o for one, o in MODELS if one.id == "tls12-p521"), groups=(group("P-384"),))
    hellos = Narrowing(hellos={("mx", "192.0.2.7"): {p384: "hello"}})
    row = only(ask(tally(("mx", "192.0.2.7", "", rsa, 1)), NEW, OLD, GNUTLS_3_7, hellos))
    assert row.verdict == "unknown"
    assert "whether it minds the curve of the certificate" in row.evidence
    seen_ = ask(tally(("mx", "192.0.2.7", "", ecdsa, 1)), NEW, NEW, GNUTLS_3_7)
    assert seen_.traffic["mx"].keep == 1


def test_a_signature_that_openssl_looks_for_too_late_breaks() -> None:
    """It chooses RSA by the client's order, although ECDSA would do, and gives up."""
    half = replace(
        next(o for one, o in MODELS if one.id == "tls12-p521"),
        suites=tuple(
            suite(f"TLS_ECDHE_{kind}_WITH_AES_128_GCM_SHA256") for kind in ("RSA", "ECDSA")
        ),
        groups=(group("P-256"),),
        signatures=(0x0201, 0x0403),
    )
    hellos = Narrowing(hellos={("access", "192.0.2.7"): {half: "hello"}})
    x = "TLSv1.2:ECDHE-RSA-AES128-GCM-SHA256:128"
    counted = tally(("access", "192.0.2.7", "", x, 1))
    keys_ = {"certificates": KEY_TYPES}
    row = only(ask(counted, "mozilla-intermediate-5.7", OLD, OPENSSL_3_0, hellos, **keys_))
    assert (row.verdict, row.source) == ("break", "hello")
    assert "and it accepts no signature for that" in row.evidence
    assert not ask(counted, NEW, OLD, OPENSSL_3_0, hellos, **keys_).clients


def test_an_ecdsa_certificate_that_was_taken_tells_a_group() -> None:
    """OpenSSL gives it only to who names its curve, or no groups; and ECDHE to none of those."""
    known = Known(
        met=(
            Need("group", frozenset((23,)), or_none=True),
            Need("group", frozenset((23, 24, 25))),
        )
    )
    assert known.truth(Need("group", frozenset((23, 29)))) is True
    assert known.truth(Need("group", frozenset((24, 29)))) is None
    assert Known(met=known.met[:1]).truth(Need("group", frozenset((23, 29)))) is None
    shadow, new = load(SHADOW).profiles["access"], load(NEW).profiles["access"]
    strict = replace(shadow, versions=tuple(v for v in new.versions if v.name == "TLSv1.2"))
    old = from_policy(strict, date(2026, 11, 20), keys(KEY_TYPES), OPENSSL_3_0, "rolled out")
    side = from_policy(new, date(2026, 11, 20), keys(KEY_TYPES), OPENSSL_3_0, "new")
    for name, verdict in (("ECDSA", True), ("RSA", None)):
        taken = suite(f"TLS_ECDHE_{name}_WITH_AES_256_GCM_SHA384")
        told = learn(Known(), Seen("TLSv1.2", taken), old)
        wanted = needs(side.server, "TLSv1.2", taken) or ()
        groups = [one for one in wanted if one.kind == "group" and not one.or_none]
        assert [told.truth(one) for one in groups] == [verdict]


def test_a_contradiction_is_several_clients() -> None:
    """Of one offer two results at one server are impossible, and that is noticed."""
    profile = load(OLD).profiles["access"]
    side = from_policy(profile, date(2026, 1, 1), keys(("rsa",)), GNUTLS_3_7, "rolled out")
    first, last = profile.suites[0].name, profile.suites[-1].name
    known = learn(Known(), Seen("TLSv1.2", suite(first)), side)
    assert not known.contradictory
    assert learn(known, Seen("TLSv1.2", suite(last)), side).contradictory

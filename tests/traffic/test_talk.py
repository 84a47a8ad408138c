"""A day made of the talk's counts gives the talk's tables, but where the talk's own do not add up.

The talk counts 3,547 pairs, and 3,549 by the key exchange of each: the day here has 3,549, so that
every pair has one, and two are in no class of verification of the talk's.
"""

import io
from collections.abc import Iterator

import pytest

from audit.report.traffic_text import show
from audit.traffic.exim_block import Block
from audit.traffic.figures import Incoming, Outgoing, Parted, Traffic
from audit.traffic.own import Own
from audit.traffic.shares import share
from audit.traffic.tables import traffic
from audit.traffic.tally import Tally

GCM, CBC = "TLSv1.2:ECDHE-RSA-AES128-GCM-SHA256:128", "TLSv1.2:ECDHE-RSA-AES256-SHA384:256"
OLD, DHE = "TLSv1:ECDHE-RSA-AES256-SHA:256", "TLSv1.2:DHE-RSA-AES256-SHA256:256"
PLAIN_RSA = "TLSv1:AES256-SHA:256"
DCV = "/OU=Domain Control Validated"

# Incoming: what was negotiated, certificate, verified; mails. Sums are the talk's.
INCOMING = (
    (GCM, "", "no", 40_130 - 1_400),
    (GCM, "/CN=client", "yes", 1_400 - 691),
    (GCM, "/CN=client", "no", 691 - 54),
    (GCM, f"{DCV}/CN=client", "no", 54),
    (CBC, "", "no", 59_403 - 40_130),
    (OLD, "", "no", 87_302 - 59_403),
    (PLAIN_RSA, "", "no", 87_414 - 87_302),
    ("", "", "", 66_329),
)
PROVIDERS = {
    "google.com": 53_500,
    "outlook.com": 48_200,
    "gmx.net": 38_500,
    "yahoodns.net": 12_500,
    "aon.at": 5_000,
    "web.de": 4_100,
    "mail.ru": 3_600,
}
TLS, WITH_PFS, TLS12, PLAIN = 244_853, 212_873, 198_146, 21_956
# Outgoing: what was negotiated, mails, and how many certificates were met with it.
OUTGOING = (
    (CBC, TLS12 - 90_000, 1_258 - 58),
    (DHE, 90_000, 1_758),
    (OLD, WITH_PFS - TLS12, 58),
    (PLAIN_RSA, TLS - WITH_PFS, 533),
)
# How the certificates of these pairs were verified, one after the other; two more than the talk's.
VERIFIED = (("yes", "", 1_498 + 2), ("dane", "", 28), ("no", DCV, 456), ("no", "", 2_021 - 456))
NEVER = {"at": 495, "ac.at": 35, "gv.at": 10, "com": 1_861 - 495 - 35 - 10}


def incoming() -> Iterator[bytes]:
    """What came on that day."""
    number = 0
    for x, dn, cv, count in INCOMING:
        tls = f" X={x} CV={cv}" + (f' DN="{dn}{{}}"' if dn else "") if x else ""
        by = f"P=esmtp{'s' if x else ''}"
        for _ in range(count):
            number += 1
            subject = tls.replace("{}", str(number % 900))
            yield _line(number, f"<= a@b H=h [10.0.{number % 90}.1] {by}{subject} S=5")
    for number in range(11):
        yield (
            f"2015-10-21 10:00:00 TLS error on connection from [10.99.0.{number}] (SSL_accept):"
            " error:1408F10B:SSL routines:SSL3_GET_RECORD:unsupported protocol\n"
        ).encode()


def outgoing() -> Iterator[bytes]:
    """What went."""
    certificates = iter([(cv, words) for cv, words, count in VERIFIED for _ in range(count)])
    names = iter([f"mx.{name}" for name, count in PROVIDERS.items() for _ in range(count)])
    number = 500_000
    for x, mails, pairs in OUTGOING:
        met = [next(certificates) for _ in range(pairs)]
        for mail in range(mails):
            number += 1
            cv, words = met[mail % pairs]
            tls = f'X={x} CV={cv} DN="{words}/CN={mail % pairs}"'
            name = next(names, f"mx.other{mail % 3000}.net")
            yield _line(number, f"=> u@d R=r T=t H={name} [10.1.0.1] {tls}")
    hosts = [f"mx{n}.h{n}.{suffix}" for suffix, count in NEVER.items() for n in range(count)]
    for mail in range(PLAIN):
        number += 1
        yield _line(number, f"=> u@d R=r T=t H={hosts[mail % len(hosts)]} [10.1.0.1]")


def _line(number: int, words: str) -> bytes:
    return f"2015-10-21 10:00:00 1aaaaa-{number:06}-aa {words}\n".encode()


@pytest.fixture(scope="module")
def day() -> Traffic:
    """The figures of the day."""
    tally = Tally()
    block = Block(tally, Own())
    for lines in (incoming(), outgoing()):
        block.count(b"".join(lines))
    block.flush()
    tally.finish()
    return traffic(tally)


def test_nothing_is_lost(day: Traffic) -> None:
    assert day.whole
    assert (day.from_, day.to) == ("2015-10-21", "2015-10-21")
    assert day.lines.ambiguous == day.lines.other == 0


def test_incoming(day: Traffic) -> None:
    found: Incoming = day.incoming
    assert (found.tls, found.plain) == (87_414, 66_329)
    assert share(found.tls, found.mails) == 56.9, "57% in the talk"
    assert found.forward_secrecy == Parted(87_302, 112, 0)
    assert found.versions["TLSv1.2"] == 59_403
    assert found.gcm.yes == 40_130
    certificates = found.client_certificates
    assert certificates
    assert (certificates.mails, certificates.unverified) == (1_400, 691)
    assert certificates.domain_validated == 54
    assert len(day.failing) == 11, "hosts that speak nothing newer"


def test_outgoing(day: Traffic) -> None:
    found: Outgoing = day.outgoing
    assert (found.tls, found.plain) == (TLS, PLAIN)
    assert share(found.tls, found.mails) == 91.8, "91% in the talk, cut off"
    assert found.forward_secrecy == Parted(WITH_PFS, TLS - WITH_PFS, 0)
    assert found.versions["TLSv1.2"] == TLS12
    assert list(found.providers.items())[: len(PROVIDERS)] == list(PROVIDERS.items())


def test_pairs_are_two_more_than_in_the_talk(day: Traffic) -> None:
    pairs = day.outgoing.pairs
    assert pairs
    assert (pairs.ecdhe, pairs.dhe, pairs.none, pairs.unknown) == (1_258, 1_758, 533, 0)
    assert pairs.total == 1_258 + 1_758 + 533 == 3_547 + 2
    assert pairs.verified == {"yes": 1_498 + 2, "no": 2_021, "dane": 28, "mixed": 0}
    assert pairs.domain_validated == 456


def test_hosts_without_tls(day: Traffic) -> None:
    hosts = day.outgoing.hosts
    assert (hosts.never_tls, hosts.sometimes_tls) == (1_861, 0)
    assert hosts.by_tld == dict(sorted(NEVER.items(), key=lambda item: -item[1]))


def test_shares_of_the_day(day: Traffic) -> None:
    (one,) = day.trend.periods
    assert (one.period, one.incoming_share, one.outgoing_share) == ("2015-10-21", 56.9, 91.8)


def test_the_same_stands_on_the_terminal(day: Traffic) -> None:
    out = io.StringIO()
    show(day, out)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    for line in (
        "with TLS 87,414 56.9%",
        "forward secrecy 87,302 99.9%; 112 without",
        "TLSv1.2 59,403 68.0%",
        "GCM 40,130 45.9%; 47,284 without",
        "with a client certificate 1,400 1.6%",
        "not verified 691 49.4%",
        "with TLS 244,853 91.8%",
        "forward secrecy 212,873 86.9%; 31,980 without",
        "TLSv1.2 198,146 80.9%",
        "google.com 53,500 21.8%",
        "all 3,549",
        "ECDHE 1,258 35.4%",
        "never with TLS 1,861",
        "ac.at 35 1.9%",
        "hosts with old versions only 11",
    ):
        assert any(one.startswith(line) for one in lines), line

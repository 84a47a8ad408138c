"""What vouched for the servers of each domain, and what failed for want of it."""

import pytest

from audit.traffic.domains import Domains, PutOff, domains
from audit.traffic.exim_block import Block
from audit.traffic.exim_put_off import refused
from audit.traffic.own import Own
from audit.traffic.refusal import Refusal, refusal
from audit.traffic.tables import traffic
from audit.traffic.tally import Tally
from audit.traffic.ways import family, is_exim, mta_sts
from tests.traffic.counted import count, stamped

X = "X=TLS1.3:TLS_AES_256_GCM_SHA384:256"
HEAD = "2026-11-29 10:00:00 1aaaaa-%06d-aa "


def exim(*lines: str, node: bytes = b"mx1") -> Tally:
    """What lines of Exim's own log say, each of another message."""
    tally = Tally()
    block = Block(tally, Own(("198.51.100.0/24",)))
    words = "".join(f"{HEAD % number}{line}\n" for number, line in enumerate(lines))
    block.count(words.encode(), node)
    block.flush()
    tally.finish()
    return tally


def to(domain: str, more: str = "", *, by: str = "remote_smtp", signed: bool = False) -> str:
    """A delivery to somebody there."""
    at = f"mx.{domain}{' DS' * signed} [192.0.2.1]:25"
    return f"=> u@{domain} F=<a@b> R=out T={by} H={at} {more}".rstrip()


def told(*lines: str) -> Domains:
    """The figures of some lines."""
    return domains(exim(*lines))


def test_each_recipient_is_in_one_row() -> None:
    """And the rows add up to all of them."""
    found = told(
        to("a.example", f"{X} CV=dane"),
        to("A.example", f"{X} CV=dane"),
        to("b.example", f"{X} CV=yes"),
        to("c.example", f"{X} CV=no"),
        to("d.example", X),
        to("e.example"),
        to("e.example", 'CV=no DN="/CN=x"'),
    )
    assert found.vouched == {
        "dane": 2,
        "yes": 1,
        "no": 2,
        "unknown": 1,
        "plain": 1,
        "not-logged": 0,
    }
    assert found.recipients == sum(found.vouched.values()) == 7
    assert found.total == 5
    assert found.dane == {"a.example": 2}


def test_what_goes_to_ones_own_hosts_is_in_none() -> None:
    line = to("a.example", f"{X} CV=dane").replace("192.0.2.1", "198.51.100.1")
    refused_here = "== u@a.example R=out T=t defer (-37) H=mx.a [198.51.100.1]: TLS session: x"
    found = told(line, refused_here)
    assert (found.recipients, found.put_off) == (0, [])


def test_two_recipients_are_two_and_one_mail() -> None:
    """Mails are told by message and host, recipients by line."""
    both = f"{to('a.example', f'{X} CV=yes')}"
    copy = both.replace("=> u@", "-> v@")
    words = f"{HEAD % 1}<= x@y U=r P=local S=5\n{HEAD % 1}{both}\n{HEAD % 1}{copy}\n"
    tally = Tally()
    block = Block(tally, Own())
    block.count(words.encode())
    block.flush()
    tally.finish()
    outgoing = traffic(tally).outgoing
    assert (outgoing.mails, outgoing.domains.recipients) == (1, 2)


def test_dnssec_that_a_sender_never_logs_is_unknown_and_not_none() -> None:
    """By the sender: one may log it and another not."""
    found = told(
        to("a.example", f"{X} CV=yes", signed=True),
        to("b.example", f"{X} CV=yes"),
        to("c.example", f"{X} CV=yes", by="smarthost"),
    )
    assert (found.signed.yes, found.signed.no, found.signed.unknown) == (1, 1, 1)
    tally = exim(to("a.example", f"{X} CV=yes", signed=True), node=b"mx1")
    tally.merge(exim(to("b.example", f"{X} CV=yes"), node=b"mx2"))
    assert domains(tally).signed.unknown == 1


def test_mta_sts_is_told_by_the_name_of_a_transport_or_not_logged() -> None:
    assert told(to("a.example", f"{X} CV=yes")).mta_sts is None
    found = told(
        to("a.example", f"{X} CV=yes", by="remote_smtp_mta_sts"),
        to("b.example", f"{X} CV=no", by="remote_smtp_mta_sts_testing"),
        to("c.example", f"{X} CV=no", by="remote_smtp"),
    )
    assert found.mta_sts == {"enforce": 1, "testing": 1}


@pytest.mark.parametrize(
    ("who", "mode", "like"),
    [
        (b"mx1 remote_smtp_mta_sts", b"enforce", b"mx1 remote_smtp"),
        (b"mx1 mta_sts_testing", b"testing", b"mx1 "),
        (b"mx1 remote_smtp", b"", b"mx1 remote_smtp"),
        (b"mta_sts remote_smtp", b"", b"mta_sts remote_smtp"),
        (b"mx1 remote_smtp_mta_stsx", b"", b"mx1 remote_smtp_mta_stsx"),
    ],
)
def test_what_a_name_says(who: bytes, mode: bytes, like: bytes) -> None:
    assert (mta_sts(who), family(who)) == (mode, like)
    assert is_exim(who)
    assert not is_exim(b"mx1 postfix/smtp")


# Of a real Exim, each; see tests/tlsrpt.
_AT = " R=lookup T=remote_smtp"
_FAILED = " TLS session: (certificate verification failed)"


@pytest.mark.parametrize(
    ("line", "domain", "host", "reason"),
    [
        (
            (
                f"== u@bad.test{_AT} defer (-37) H=mx.bad.test DS [192.0.2.1]:25:{_FAILED}:"
                " Verification failed. The certificate differs. "
            ),
            *("bad.test", "mx.bad.test", "certificate-not-verified"),
        ),
        (
            (
                f"== u@Bad.test{_AT} defer (-37) H=mx.bad.test DS [192.0.2.1]:25: TLS session:"
                " (SSL_connect): error:0A000086:SSL routines::certificate verify failed"
            ),
            *("bad.test", "mx.bad.test", "certificate-not-verified"),
        ),
        (
            (
                f"== u@ta.test{_AT} defer (-37) H=mx.ta.test DS [192.0.2.1]:25:{_FAILED}:"
                " TLSA record problem: none usable"
            ),
            *("ta.test", "mx.ta.test", "tlsa-invalid"),
        ),
        (
            f"== u@name.test{_AT} defer (-37) H=mx.name.test [192.0.2.1]:25:{_FAILED}",
            *("name.test", "mx.name.test", "certificate-host-mismatch"),
        ),
        (
            (
                f"== u@two.test{_AT} defer (-38) H=mx.two.test DS [192.0.2.1]:25: a TLS session is"
                " required, but the server did not offer TLS support"
            ),
            *("two.test", "mx.two.test", "starttls-not-supported"),
        ),
        (
            f"** u@no.test F=<a@b>{_AT}: DANE error: tlsa lookup FAIL",
            *("no.test", "", "dane-required"),
        ),
        (
            f"** u@no.test F=<a@b>{_AT}: DANE error: mx.no.test lookup not DNSSEC",
            *("no.test", "", "dane-required"),
        ),
        (
            f"== u@bogus.test{_AT} defer (-36): DANE error: tlsa lookup DEFER",
            *("bogus.test", "", "dnssec-invalid"),
        ),
        (
            (
                f"== u@x.test{_AT} defer (-37) H=mx.x.test [192.0.2.1]:25: TLS session: (gnutls_"
                "handshake): The TLS connection was non-properly terminated."
            ),
            *("x.test", "mx.x.test", "tls-failed"),
        ),
    ],
)
def test_what_was_put_off_and_why(line: str, domain: str, host: str, reason: Refusal) -> None:
    """By the recipient's domain."""
    found = told(line, line)
    assert found.put_off == [PutOff(domain, host, reason, 2, "2026-11-29")]
    assert found.dane_failed == []


def test_dane_that_failed_is_told_by_connection() -> None:
    """Beside the recipients that it was for: another server may have taken the mail."""
    words = "(certificate verification failed): TLSA record problem: none usable"
    line = f"DANE attempt failed; TLS connection to mx.bad.test [192.0.2.1]: {words}"
    found = told(line, to("bad.test", f"{X} CV=dane"))
    assert found.dane_failed == [PutOff("", "mx.bad.test", "tlsa-invalid", 1, "2026-11-29")]
    assert found.put_off == []
    assert found.dane == {"bad.test": 1}


@pytest.mark.parametrize(
    "line",
    [
        (
            f"== u@a.test{_AT} defer (-44) H=mx.a.test [192.0.2.1]: SMTP error from remote mail"
            " server after RCPT TO:<u@a.test>: 451 TLS session: DANE error: tlsa lookup DEFER"
        ),
        f"== u@a.test{_AT} defer (111): Connection refused",
        '== "a R=r T=t: DANE error: tlsa lookup FAIL"@a.test R=r T=t defer (0): no DANE error: x',
        "a line of DANE attempt failed; TLS connection to mx.a.test [192.0.2.1]: x",
        "== u@a.test DANE error: tlsa lookup DEFER",
    ],
    ids=["an answer", "no TLS", "an address", "not at its beginning", "no transport"],
)
def test_what_others_write_is_no_reason(line: str) -> None:
    found = told(line)
    assert (found.put_off, found.dane_failed) == ([], [])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("DANE is required for a.test, and mx.a.test, mx2.a.test has none", "dane-required"),
        ("mx.a.test, mx2.a.test is not in the MTA-STS policy of a.test", "mta-sts-unlisted"),
        ("mx.a.test is not in the MTA-STS policy of a.test", "mta-sts-unlisted"),
    ],
)
def test_what_the_role_lets_wait(words: str, reason: Refusal) -> None:
    """Where it leaves out every server of a domain it has words of its own; the first is named."""
    (one,) = told(f"== u@A.test R=nowhere defer (-32): {words}").put_off
    assert (one.domain, one.host, one.reason) == ("a.test", "mx.a.test", reason)
    assert told(words, f"== u@a.test R=r defer (0): x: {words}", f"== {words}").put_off == []


def test_what_no_line_says_has_no_reason() -> None:
    assert refused(b"DANE attempt failed; TLS connection to h [::1]: x") is None
    assert refusal(b"anything else") == "tls-failed"


POSTFIX = (
    (
        "postfix/smtp[7]: {trust} TLS connection established to mx.b[192.0.2.1]:25: TLSv1.3 with"
        " cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
    ),
    (
        "postfix/smtp[7]: ABC: to=<{who}>, relay=mx.b[192.0.2.1]:25, delay=1, delays=1/0/0/0,"
        " {held}dsn=2.0.0, status=sent (250 ok)"
    ),
)


@pytest.mark.parametrize(
    ("trust", "held", "vouched"),
    [
        ("Verified", "tls=dane, ", "dane"),
        ("Verified", "", "yes"),  # or DANE: it does not say which
        ("Trusted", "", "yes"),
        ("Untrusted", "", "no"),
        ("Anonymous", "", "no"),
    ],
)
def test_postfix_says_by_which_words(trust: str, held: str, vouched: str) -> None:
    words = (line.format(trust=trust, held=held, who="u@B.example") for line in POSTFIX)
    found = domains(count(*stamped(*words)))
    assert {name: n for name, n in found.vouched.items() if n} == {vouched: 1}
    assert (found.total, found.signed.unknown) == (1, 1)


def test_a_postfix_that_names_no_session_has_nothing_logged() -> None:
    """It is no mail in clear."""
    line = POSTFIX[1].format(held="", who="u@b.example")
    assert domains(count(*stamped(line))).vouched["not-logged"] == 1


def test_a_quoted_recipient_of_postfix_has_no_domain_for_certain() -> None:
    line = POSTFIX[1].format(held="", who='"a@evil.example>, x"@b.example')
    assert domains(count(*stamped(line))).total == 0

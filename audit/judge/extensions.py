"""What the extensions of a ServerHello and small deviations of a hello show."""

from functools import partial

from audit.iana.primes import is_doubtful, prime_name
from audit.judge.behaviour import absent, present
from audit.judge.case import EndpointCase, EndpointJudge, Judgement


def secure_renegotiation(case: EndpointCase) -> Judgement:
    """RFC 5746 is answered wherever a version before TLS 1.3 is."""
    expected = "RFC 5746 answered"
    if case.facts.secure_renegotiation is None:
        if any(o.seen == "accepted" for o in case.facts.protocols.values()):
            return Judgement("not-applicable", "no version served knows renegotiation", expected)
        return Judgement("inconclusive", "could not be told", expected)
    if case.facts.secure_renegotiation:
        return Judgement("pass", expected, expected)
    return Judgement("fail", "renegotiation is not secure", expected, item="secure_renegotiation")


def common_prime(case: EndpointCase) -> Judgement:
    """No Diffie-Hellman prime is shared by many and too small, or of doubtful origin."""
    expected = "no shared prime that is small or unexplained"
    primes = case.facts.dh_primes
    if primes is None or not case.facts.suites:
        return Judgement("inconclusive", "could not be told", expected)
    if not primes:
        return Judgement("not-applicable", "no suite with DHE was chosen", expected)
    named = {p: prime_name(p) or f"a prime of its own ({p.bit_length()} bits)" for p in primes}
    bad = [name for name in named.values() if is_doubtful(name)]
    seen = ", ".join(named.values())
    return Judgement("fail" if bad else "pass", ", ".join(bad) or seen, expected, seen)


JUDGES: dict[str, EndpointJudge] = {
    "MT-RENEG-SECURE": secure_renegotiation,
    "MT-DH-COMMON": common_prime,
    "MT-EMS": partial(
        present,
        behaviour="extended-master-secret",
        expected="extended_master_secret in every answer",
        otherwise="extended_master_secret is missing",
        item="extended_master_secret",
    ),
    "MT-ETM": partial(
        present,
        behaviour="encrypt-then-mac",
        expected="encrypt_then_mac with every suite with CBC",
        otherwise="encrypt_then_mac is missing",
        item="encrypt_then_mac",
    ),
    "MT-HEARTBEAT": partial(
        absent,
        behaviour="heartbeat",
        expected="no heartbeat",
        otherwise="heartbeat is negotiated",
    ),
    "MT-SCSV": partial(
        present,
        behaviour="fallback-scsv",
        expected="a fallback is refused",
        otherwise="a fallback to an older version is taken",
        item="fallback_scsv",
    ),
    "MT-SIGALG": partial(
        absent,
        behaviour="sha1-signature",
        expected="no signature with SHA-1",
        otherwise="signs with SHA-1",
        item="sha1_signatures",
    ),
    "MT-OCSP-STAPLE": partial(
        present,
        behaviour="ocsp-stapling",
        expected="a stapled certificate status",
        otherwise="no certificate status is stapled",
        item="ocsp_stapling",
    ),
    "MT-TICKET": partial(
        absent,
        behaviour="session-ticket",
        expected="no session tickets",
        otherwise="session tickets are given",
        item="session_tickets",
    ),
    "MT-ALPN-STRICT": partial(
        absent,
        behaviour="alpn-http",
        expected="a client that speaks HTTP alone is refused",
        otherwise="a client that speaks HTTP alone is served",
        item="alpn",
    ),
    "MT-ALPN-OWN": partial(
        present,
        behaviour="alpn-own",
        expected="a client that names the protocol is served",
        otherwise="a client that names the protocol is refused",
    ),
    "MT-SNI-NONE": partial(
        present,
        behaviour="sni-none",
        expected="the certificate of the service without a name too",
        otherwise="without a name there is no or another certificate",
    ),
    "MT-SNI-UNKNOWN": partial(
        absent,
        behaviour="sni-unknown",
        expected="no other certificate for a name nobody has",
        otherwise="another certificate for a name nobody has",
    ),
    "MT-TICKETBLEED": partial(
        absent,
        behaviour="ticketbleed",
        expected="a session id comes back as long as it was",
        otherwise="memory comes back behind a short session id",
    ),
    "MT-HEARTBLEED": partial(
        absent,
        behaviour="heartbleed",
        expected="a lying heartbeat is not answered",
        otherwise="memory is given away to a lying heartbeat",
    ),
    "MT-CCS": partial(
        absent,
        behaviour="ccs-injection",
        expected="ChangeCipherSpec before any key is refused",
        otherwise="ChangeCipherSpec is taken before there is a key",
    ),
    "MT-ROBOT": partial(
        absent,
        behaviour="robot",
        expected="the same reaction to every padding",
        otherwise="wrong paddings are told from right ones",
    ),
}

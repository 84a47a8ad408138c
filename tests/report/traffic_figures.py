"""Figures of TLS as a university might have them, by construction."""

from typing import Any

from msgspec.structs import replace

from audit.traffic.domains import Domains, PutOff, Signed, Vouched
from audit.traffic.figures import (
    Access,
    Certificates,
    Failing,
    Hosts,
    Incoming,
    Lines,
    Outgoing,
    Pairs,
    Parted,
    Somebody,
    Traffic,
)
from audit.traffic.shares import Period, Trend, share

_SUITES = {
    "TLS_AES_256_GCM_SHA384": 50,
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": 25,
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": 12,
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": 8,
    "TLS_RSA_WITH_AES_256_CBC_SHA": 3,
}
_VERSIONS = {"SSLv3": 0, "TLSv1.0": 6, "TLSv1.1": 1, "TLSv1.2": 41, "TLSv1.3": 50}


def figures(**changes: Any) -> Traffic:
    """A year of everything; *changes* are fields of `Traffic`."""
    trend = Trend("month", [_month(number) for number in range(12)])
    made = Traffic(
        from_="2025-12-01",
        to="2026-11-28",
        lines=_lines(),
        whole=True,
        incoming=Incoming(
            **_sessions(1_106_400, 642_108),
            client_certificates=Certificates(16_800, 211, 8_292, 648),
        ),
        submission=Incoming(**_sessions(2_990_020, 0), client_certificates=None),
        own=Incoming(**_sessions(0, 0), client_certificates=None),
        outgoing=_outgoing(),
        access=Access(
            **_sessions(41_310_400, 0, "logins"),
            failed=210_377,
            refused_plain=1_417,
            users=[
                Somebody("192.0.2.77", "otto", 1_204, "2026-11-28"),
                Somebody("2001:db8::17", "ida", 211, "2026-11-02"),
                Somebody("198.51.100.9", "", 2, "2026-03-30"),
            ],
        ),
        errors={"old-version": 1_811, "our-certificate": 640, "no-suite": 17, "other": 92},
        failing=[
            Failing("203.0.113.9", "old-version", 1_203, "2026-11-28"),
            Failing("203.0.113.77", "old-version", 48, "2026-10-04"),
        ],
        trend=trend,
        ambiguous=[],
        silent=[],
    )
    return replace(made, **changes)


def _lines(**changes: int) -> Lines:
    kinds = {
        "arrivals": 4_738_528,
        "deliveries": 6_120_044,
        "deferrals": 311_200,
        "failures": 20_117,
        "rejects": 2_801_993,
        "logins": 41_522_194,
        "no_mail": 902_114,
        "sessions": 51_003,
        "tls_errors": 2_560,
        "completed": 4_733_870,
        "other": 88_140,
        "ambiguous": 0,
    } | changes
    named = 46_902_113
    return Lines(total=sum(kinds.values()), with_tls=named, classified=named, **kinds)


def lines(lost: int = 0, **changes: int) -> Lines:
    """Lines by kind, *lost* of those with a session in none."""
    made = _lines(**changes)
    return replace(made, classified=made.with_tls - lost)


def _sessions(tls: int, plain: int, unit: str = "mails") -> dict[str, Any]:
    """Two per cent of the sessions are unknown."""
    versions = {name: tls * part // 100 for name, part in _VERSIONS.items() if part}
    suites = {name: tls * part // 100 for name, part in _SUITES.items()}
    unknown = tls - sum(suites.values())
    weak, old = suites["TLS_RSA_WITH_AES_256_CBC_SHA"], suites["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"]
    good = tls - unknown - weak - old
    return {
        unit: tls + plain,
        "tls": tls,
        "plain": plain,
        "not_logged": 0,
        "versions": {**versions, "unknown": tls - sum(versions.values())} if tls else {},
        "suites": {**suites, "unknown": unknown} if tls else {},
        "forward_secrecy": Parted(good + old, weak, unknown),
        "aead": Parted(good, weak + old, unknown),
        "gcm": Parted(good, weak + old, unknown),
    }


def _outgoing() -> Outgoing:
    tls, plain = 2_938_236, 263_472
    providers = {"google.com": 642_000, "outlook.com": 578_400, "gmx.net": 462_000}
    providers |= {f"provider{n}.example": 60_000 - 100 * n for n in range(22)}
    return Outgoing(
        **_sessions(tls, plain),
        deliveries=3_466_000,
        mixed=318,
        verified={"yes": 2_204_310, "no": 601_220, "dane": 132_000, "unknown": 706},
        providers=providers,
        pairs=Pairs(
            total=3_547,
            ecdhe=1_258,
            dhe=1_756,
            either=0,
            none=533,
            unknown=0,
            verified={"yes": 1_490, "no": 2_021, "dane": 28, "mixed": 8},
            domain_validated=456,
        ),
        hosts=Hosts(
            total=14_208,
            never_tls=1_861,
            sometimes_tls=77,
            not_logged=0,
            by_tld={"com": 611, "unknown": 509, "at": 495, "org": 201, "ac.at": 35, "gv.at": 10},
        ),
        domains=_domains(),
    )


def _domains() -> Domains:
    vouched: dict[Vouched, int] = {"dane": 140_000, "yes": 2_400_000, "no": 660_000}
    vouched |= {"unknown": 0, "plain": 266_000, "not-logged": 0}
    return Domains(
        total=21_044,
        recipients=sum(vouched.values()),
        vouched=vouched,
        signed=Signed(410_000, 3_056_000, 0),
        mta_sts={"enforce": 902_000, "testing": 1_204},
        dane={"posteo.example": 61_000, "mailbox.example": 44_000, "uni.example": 35_000},
        put_off=[PutOff("bad.example", "mx.bad.example", "tlsa-invalid", 12, "2026-11-28")],
        dane_failed=[PutOff("", "mx.bad.example", "tlsa-invalid", 9, "2026-11-28")],
    )


def _month(number: int) -> Period:
    came, went = 140_000 + 1_700 * number, 260_000 + 2_000 * number
    in_tls, out_tls = came * (57 + number) // 100, went * (186 + number // 2) // 208
    return Period(
        f"{2025 + (number > 0)}-{(number + 11) % 12 + 1:02}",
        *(in_tls, came, share(in_tls, came)),
        *(out_tls, went, share(out_tls, went)),
        *(went, out_tls * 3 // 4, share(out_tls * 3 // 4, went)),
        *(out_tls // 20, share(out_tls // 20, went)),
    )

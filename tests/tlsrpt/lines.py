"""Lines of Exim's mainlog."""

import re
from pathlib import Path

AT = "192.0.2.8"
X = "X=TLS1.3:TLS_AES_256_GCM_SHA384:256"


def line(message: str, words: str, second: int = 0) -> str:
    """One line about a message."""
    return f"2026-11-23 10:00:{second:02} 1xVc0c-0000{message}-1d {words}"


DELIVERED = line("1a", f"=> u@a.test R=l T=s H=mx.a.test [{AT}] {X} CV=yes")
PLAIN = line("1a", f"=> u@a.test R=l T=s H=mx.a.test [{AT}]")
BOUNCED = line("1a", f"** u@a.test F=<> R=l T=s H=mx.a.test [{AT}]: 550 no such user")
DANE = line(
    "1a",
    "DANE attempt failed; TLS connection to mx1.a.test [192.0.2.9]:"
    " (SSL_connect): error:0A000086:SSL routines::certificate verify failed",
)

# Of a real Exim 4.96, on GnuTLS and on OpenSSL: a heading for each case.
_TEXT = (Path(__file__).parent / "samples.txt").read_text()
_CASES = re.split(r"^# (.*)\n", _TEXT, flags=re.MULTILINE)[1:]
_NOT_OFFERED = ("no-policy-found", "starttls-not-supported")

# Lines, sessions that came about, sessions that failed, mails in clear.
Case = tuple[list[str], dict[str, int], dict[tuple[str, str, str], int], int]
_EXPECTED: dict[str, tuple[dict[str, int], dict[tuple[str, str, str], int], int]] = {
    "dane": ({"tlsa": 1}, {}, 0),
    "no-tlsa": ({"no-policy-found": 1}, {}, 0),
    "wrong-tlsa": ({}, {("tlsa", "validation-failure", "10.92.0.12"): 1}, 0),
    "wrong-tlsa-openssl": ({}, {("tlsa", "validation-failure", "10.92.0.12"): 1}, 0),
    "no-usable-tlsa": ({}, {("tlsa", "tlsa-invalid", "10.92.0.12"): 1}, 0),
    "no-starttls": ({}, {(*_NOT_OFFERED, "fd00:92::12"): 1, (*_NOT_OFFERED, "10.92.0.12"): 1}, 0),
    "in-clear": ({}, {}, 1),
    "dane-required": ({}, {("tlsa", "dane-required", ""): 1}, 0),
    "other-name": ({}, {("no-policy-found", "certificate-host-mismatch", "10.92.0.12"): 1}, 0),
    "expired-and-then-in-clear": (
        {},
        {("no-policy-found", "validation-failure", "fd00:92::12"): 1},
        0,
    ),
    # OpenSSL says in lines of their own what it did not like, also where that does not matter.
    "not-trusted-and-sent": ({"no-policy-found": 1}, {}, 0),
    "expired-openssl": ({}, {("no-policy-found", "certificate-expired", "192.0.2.2"): 1}, 0),
    "untrusted-openssl": ({}, {("no-policy-found", "certificate-not-trusted", "192.0.2.2"): 1}, 0),
    "misnamed-openssl": ({}, {("no-policy-found", "certificate-host-mismatch", "192.0.2.2"): 1}, 0),
    "starttls-refused": ({}, {("no-policy-found", "validation-failure", "192.0.2.2"): 1}, 0),
    "bogus-tlsa": ({}, {("tlsa", "dnssec-invalid", "192.0.2.2"): 1}, 0),
}
SAMPLES: dict[str, Case] = {
    name: (lines.splitlines(), *_EXPECTED[name])
    for name, lines in zip(_CASES[::2], _CASES[1::2], strict=True)
}

# Likewise with the role's configuration, of domains with MTA-STS: the lines of each.
_STS = re.split(
    r"^# (.*)\n", (Path(__file__).parent / "sts-samples.txt").read_text(), flags=re.MULTILINE
)[1:]
STS_SAMPLES = dict(zip(_STS[::2], map(str.splitlines, _STS[1::2]), strict=True))

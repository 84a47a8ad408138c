"""Judging what a server says to a login in clear: offered, looked at, or refused unread."""

import re
from collections.abc import Iterable

from audit.facts import Seen, Service
from audit.wire.reply import Reply

# Words with which a server says that it wants TLS first; the password was not looked at.
_WANTS_TLS = re.compile(
    r"under a layer|encryption needed|PRIVACYREQUIRED|ENCRYPT-NEEDED|STARTTLS|until SSL/TLS"
    r"|plaintext authentication disallowed|not advertised|LOGIN disabled|secure connection"
    r"|mechanism too weak|requires? (?:a )?(?:TLS|SSL|encrypt)"
    r"|unknown command|unrecogni[sz]ed|not recogni[sz]ed|not (?:supported|available|enabled)",
    re.IGNORECASE,
)
# Words with which it says that the password was wrong; so it was looked at.
_LOOKED_AT = re.compile(
    r"AUTHENTICATIONFAILED|authentication failed|login failed|incorrect|invalid"
    r"|user not found|no such user|bad password|credentials",
    re.IGNORECASE,
)
# SMTP: command or mechanism unknown or out of order, "must issue STARTTLS", "encryption required"
# (RFC 5321, RFC 4954); our AUTH is well-formed, so 501 is about the command (Cyrus lmtpd).
_SMTP_WANTS_TLS = (500, 501, 502, 503, 504, 530, 538)
_SMTP_LOOKED_AT = (235, 535, 454)


def mechanisms(service: Service, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The logins that the capabilities offer, by mechanism; USER and LOGIN are logins too."""
    text = [line.upper() for line in lines]
    match service:
        case "smtp" | "lmtp":
            named = (re.match(r"\d{3}[ -]AUTH[ =](.+)", line) for line in text)
            return _unique(word for found in named if found for word in found[1].split())
        case "imap":
            words = " ".join(text).replace("]", " ").split()
            offered = [w.removeprefix("AUTH=") for w in words if w.startswith("AUTH=")]
            return _unique([*offered, *([] if "LOGINDISABLED" in words else ["LOGIN"])])
        case "pop3":
            named = (re.match(r"SASL (.+)", line) for line in text)
            sasl = [word for found in named if found for word in found[1].split()]
            return _unique([*sasl, *(["USER"] if "USER" in text else [])])
        case "sieve":
            named = (re.match(r'"SASL"\s+"(.*)"', line) for line in text)
            return _unique(word for found in named if found for word in found[1].split())


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def verdict(service: Service, reply: Reply, *, offered: bool = False) -> Seen:
    """Whether the password would have been looked at.

    "accepted" covers a good and a bad password alike: the server took it. So does a refusal that
    does not ask for TLS where the login had been *offered*. "inconclusive" is a refusal whose
    words fit neither table.
    """
    if reply.ok:
        return "accepted"
    if service in ("smtp", "lmtp"):
        if reply.code in _SMTP_WANTS_TLS:
            return "refused"
        if reply.code in _SMTP_LOOKED_AT:
            return "accepted"
    if _WANTS_TLS.search(reply.last):
        return "refused"
    return "accepted" if offered or _LOOKED_AT.search(reply.last) else "inconclusive"

"""Judging what a server says to a login in clear: offered, looked at, or refused unread."""

import re
from collections.abc import Iterable

from audit.facts import Seen, Service
from audit.wire.reply import Reply

# Words with which a server says that it wants TLS first; the password was not looked at.
_WANTS_TLS = re.compile(
    r"under a layer|encryption needed|PRIVACYREQUIRED|ENCRYPT-NEEDED|STARTTLS|until SSL/TLS"
    r"|plaintext authentication disallowed|not advertised|LOGIN disabled|mechanism too weak"
    r"|requires? (?:a )?(?:TLS|SSL|encrypt)|unknown command|unrecogni[sz]ed command"
    r"|command (?:is )?not (?:recogni[sz]ed|supported|available|implemented|enabled)"
    r"|command unrecogni[sz]ed",
    re.IGNORECASE,
)
# Words with which it says that the password was wrong; so it was looked at.
_LOOKED_AT = re.compile(
    r"AUTHENTICATIONFAILED|authentication failed|login failed|incorrect|invalid"
    r"|user not found|no such user|unrecogni[sz]ed user|bad password|credentials|account|maildrop"
    r"|[45]\.7\.8",
    re.IGNORECASE,
)
# SMTP: command or mechanism unknown or out of order, "must issue STARTTLS", "encryption required"
# (RFC 5321, RFC 4954); our AUTH is well-formed, so 501 is about the command (Cyrus lmtpd).
_SMTP_WANTS_TLS = (500, 501, 502, 503, 504, 530, 538)
_SMTP_LOOKED_AT = (235, 334, 535, 454)


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
            # A server without CAPA (RFC 2449) is one from before it: USER is all it has.
            user = "USER" in (line.strip() for line in text) or text[0].startswith("-ERR")
            return _unique([*sasl, *(["USER"] if user else [])])
        case "sieve":
            named = (re.match(r'"SASL"\s+"(.*)"', line) for line in text)
            return _unique(word for found in named if found for word in found[1].split())


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))  # a bare "AUTH=" names nothing


def verdict(service: Service, reply: Reply, *, offered: bool = False) -> Seen:
    """Whether the password would have been looked at.

    "accepted" covers a good and a bad password alike: the server took it. So does a refusal that
    does not ask for TLS where the login had been *offered*. "inconclusive" is a refusal whose
    words fit neither table.
    """
    if reply.ok:
        return "accepted"
    wants, looked = (bool(table.search(reply.last)) for table in (_WANTS_TLS, _LOOKED_AT))
    if service in ("smtp", "lmtp"):
        wants = (wants or reply.code in _SMTP_WANTS_TLS) and not looked
        looked = looked or reply.code in _SMTP_LOOKED_AT
    if looked != wants:
        return "accepted" if looked else "refused"
    return "accepted" if offered and not wants else "inconclusive"

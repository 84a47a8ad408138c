"""Is the service there, and what is possible before TLS."""

from audit.facts import Plaintext, Reach
from audit.judge.case import EndpointCase, EndpointJudge, Judgement, undecided

# What came of a connection, in words.
REACH: dict[Reach, str] = {
    "open": "answers",
    "refused": "closed",
    "no-answer": "does not answer",
    "no-route": "cannot be reached from here",
    "not-the-service": "answers, but not as this service",
    "not-asked": "was not asked",
}
# Why nobody has looked: it says nothing of what is there.
_UNSEEN = ("no-route", "not-asked")


def port_expect(case: EndpointCase) -> Judgement:
    """The endpoint is there, or is not, as the inventory says."""
    facts, planned = case.facts, case.planned
    observed, evidence = REACH[facts.reach], "; ".join(facts.errors)
    if planned.traffic is None:
        expected = "nothing listens"
        silent = facts.reach == "no-answer" and not case.alive
        if silent or facts.reach in _UNSEEN:
            return Judgement("inconclusive", observed, expected, evidence)
        closed = facts.reach in ("refused", "no-answer")  # dropped by a firewall is closed too
        return Judgement("pass" if closed else "fail", observed, expected, evidence)
    expected = f"{planned.endpoint.service} answers"
    if facts.reach == "open":
        return Judgement("pass", observed, expected, evidence)
    fails = planned.demanded and facts.reach not in _UNSEEN
    return Judgement("fail" if fails else "inconclusive", observed, expected, evidence)


def starttls_advertised(case: EndpointCase) -> Judgement:
    """STARTTLS or STLS is among the capabilities."""
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    there = plain.starttls == "accepted"
    observed = "advertised" if there else "not advertised"
    return Judgement("pass" if there else "fail", observed, "advertised", plain.greeting)


def plain_port_closed(case: EndpointCase) -> Judgement:
    """Nothing is served in clear; whoever was greeted there knows that it is."""
    expected, served = "closed", case.planned.endpoint.service
    evidence = "; ".join(case.facts.errors)
    if case.facts.reach == "refused":
        return Judgement("pass", "closed", expected, evidence, "starttls")
    if case.facts.reach != "open":
        return Judgement("inconclusive", REACH[case.facts.reach], expected, evidence, "starttls")
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    observed = f"{served} in clear, with{'' if plain.starttls == 'accepted' else 'out'} STARTTLS"
    return Judgement("fail", observed, expected, plain.greeting, "starttls")


def auth_before_tls(case: EndpointCase) -> Judgement:
    """No mechanism is offered before TLS."""
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    offered = ", ".join(plain.auth_offered)
    return Judgement(
        "fail" if offered else "pass",
        f"offered in clear: {offered}" if offered else "nothing offered",
        "nothing offered before TLS",
        plain.greeting,
        "tls",
    )


def login_refused(case: EndpointCase) -> Judgement:
    """A login in clear is refused unread."""
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    expected = "refused before the password is looked at"
    match plain.login:
        case "refused":
            return Judgement("pass", "refused unread", expected, plain.login_reply, "tls")
        case "accepted":
            return Judgement(
                "fail", "the password is looked at", expected, plain.login_reply, "tls"
            )
        case _:
            words = "refused, but its words do not tell whether the password was looked at"
            return Judgement("inconclusive", words, expected, plain.login_reply, "tls")


def mail_before_tls(case: EndpointCase) -> Judgement:
    """MAIL before STARTTLS is refused on a submission port."""
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    expected = "MAIL refused before TLS"
    if plain.mail is None:
        return Judgement("inconclusive", "MAIL was not tried", expected, item="tls")
    if plain.mail.seen == "inconclusive":
        return undecided(plain.mail, expected)
    refused = plain.mail.seen == "refused"
    observed = "MAIL refused" if refused else "MAIL accepted in clear"
    return Judgement("pass" if refused else "fail", observed, expected, plain.mail.evidence, "tls")


def greeting_preauth(case: EndpointCase) -> Judgement:
    """The greeting is not PREAUTH."""
    plain = _plaintext(case)
    if isinstance(plain, Judgement):
        return plain
    expected = "greets with OK"
    if plain.preauth:
        return Judgement("fail", "greets with PREAUTH", expected, plain.greeting)
    return Judgement("pass", expected, expected, plain.greeting)


def _plaintext(case: EndpointCase) -> Plaintext | Judgement:
    if case.facts.plaintext is not None:
        return case.facts.plaintext
    reason = "; ".join(case.facts.errors) or "no dialogue"
    return Judgement("inconclusive", "could not be told", "a dialogue before TLS", reason)


JUDGES: dict[str, EndpointJudge] = {
    "MT-PORT-EXPECT": port_expect,
    "MT-STARTTLS-ADV": starttls_advertised,
    "MT-PLAIN-PORT-CLOSED": plain_port_closed,
    "MT-AUTH-BEFORE-TLS": auth_before_tls,
    "MT-LOGIN-REFUSED": login_refused,
    "MT-MAIL-BEFORE-TLS": mail_before_tls,
    "MT-GREETING-PREAUTH": greeting_preauth,
}

"""What was applied to sessions: DANE, MTA-STS or nothing (RFC 8460, RFC 8461). Pure."""

import re
from collections.abc import Mapping

from audit.tlsrpt.exim import Event
from audit.tlsrpt.report import PolicyType
from audit.tlsrpt.results import ResultType
from audit.wire.mta_sts import Policy

# The transport of the role exim for domains whose policy is enforced.
ENFORCING = b"remote_smtp_mta_sts"

_NO_RECORDS: tuple[ResultType, ...] = ("dane-required", "dnssec-invalid")  # DANE, and nothing found
_NOT_LISTED = b"not in the MTA-STS policy"
_NOT_VERIFIED = b"the certificate could not be verified"
# Why the helper of the role mta_sts took no policy; whatever else it says, it could not fetch one.
_NOT_TAKEN: tuple[tuple[ResultType, re.Pattern[bytes]], ...] = (
    ("sts-webpki-invalid", re.compile(rb"certificate|[Hh]ostname mismatch")),
    (
        "sts-policy-invalid",
        re.compile(rb"its (?:version|mode|max_age) is |it is not UTF-8|it has (?:no|\d+) mx line"),
    ),
    ("sts-policy-invalid", re.compile(rb".* is no (?:pattern of names|field and its value)")),
)


Policies = Mapping[bytes, Policy]  # of MTA-STS, by domain, in lower case


class Applied:
    """What was applied, if need be by what other lines say."""

    def __init__(self, policies: Policies) -> None:
        """*policies*: those that are known."""
        self._policies = policies
        self._dane: set[bytes] = set()
        self._enforced: set[bytes] = set()

    def learn(self, event: Event) -> None:
        """Remember what a line says of a host or a domain."""
        if event.policy == "tlsa" and event.host and event.result not in _NO_RECORDS:
            self._dane.add(event.host)
        if event.via == ENFORCING and event.domain:
            self._enforced.add(event.domain)

    def to(self, event: Event, domain: bytes) -> PolicyType:
        """What was applied to a session with a domain.

        DANE comes first (RFC 8461, section 2), and a host that it was applied to has it still.
        """
        if event.policy in ("tlsa", "sts"):
            return event.policy
        if event.policy is None and event.host in self._dane:
            return "tlsa"
        policy = self._policies.get(domain)
        enforced = event.via == ENFORCING if event.via else domain in self._enforced
        return "sts" if enforced or (policy and policy.mode == "testing") else "no-policy-found"

    def fault(self, event: Event, verify: ResultType | None) -> tuple[ResultType, bytes] | None:
        """Why a server that mail went to is not what the policy allows, and in words.

        None if it is; in mode testing mail goes there all the same. *verify* is what the library
        did not like of the certificate, where it says so.
        """
        policy = self._policies.get(event.domain)
        if policy is None or self.to(event, event.domain) != "sts":
            return None
        if not policy.covers(event.host.decode("ascii", "replace")):
            return "validation-failure", _NOT_LISTED
        if event.verified != b"no":
            return None
        return verify or "validation-failure", _NOT_VERIFIED


def not_taken(words: bytes) -> ResultType:
    """What kind of failure it is that the helper took no policy, by its words."""
    return next((n for n, shape in _NOT_TAKEN if shape.search(words)), "sts-policy-fetch-error")

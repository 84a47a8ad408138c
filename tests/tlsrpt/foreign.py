"""Reports as senders of different habits write them; the habits are real, the reports are ours."""

import gzip
import json
from email.message import EmailMessage
from typing import Any

DOMAIN = "example.org"
MX = "mx1.example.org"
DAY = {"start-datetime": "2026-11-23T00:00:00Z", "end-datetime": "2026-11-23T23:59:59Z"}
STS = ["version: STSv1", "mode: enforce", f"mx: {MX}", "max_age: 604800"]


def counts(ok: int, failed: int) -> dict[str, int]:
    """A summary."""
    return {"total-successful-session-count": ok, "total-failure-session-count": failed}


def failure(result: str, count: int = 1, **more: Any) -> dict[str, Any]:
    """Details of sessions that failed."""
    words = {name.replace("_", "-"): value for name, value in more.items()}
    return {"result-type": result, "failed-session-count": count, **words}


def policy(
    kind: str, ok: int, failed: int, *details: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """What came of one policy."""
    words = {name.replace("_", "-"): value for name, value in more.items()}
    return {
        "policy": {"policy-type": kind, "policy-domain": DOMAIN, **words},
        "summary": counts(ok, failed),
        "failure-details": list(details),
    }


def report(organization: str, *policies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A report."""
    return {
        "organization-name": organization,
        "date-range": DAY,
        "contact-info": f"tlsrpt@{organization.split(maxsplit=1)[0].lower()}.example",
        "report-id": f"1795392000+{DOMAIN}",
        "policies": list(policies),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


_NO_POLICY = policy("no-policy-found", 1, 0)
FOREIGN: dict[str, dict[str, Any]] = {
    # All that the RFC has.
    "whole": report(
        "Whole Inc.",
        policy(
            "sts",
            5326,
            303,
            failure(
                "certificate-expired",
                100,
                sending_mta_ip="2001:db8:abcd:12::1",
                receiving_mx_hostname=MX,
                receiving_mx_helo=MX,
                receiving_ip="192.0.2.11",
            ),
            failure(
                "starttls-not-supported",
                200,
                sending_mta_ip="2001:db8:abcd:13::1",
                receiving_mx_hostname="mx2.example.org",
                receiving_ip="192.0.2.12",
                additional_information="https://reports.whole.example/7",
            ),
            failure(
                "validation-failure",
                3,
                sending_mta_ip="198.51.100.62",
                receiving_mx_hostname="mx3.example.org",
                receiving_ip="192.0.2.13",
                failure_reason_code="X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
            ),
            policy_string=STS,
            mx_host=["*.example.org"],
        ),
    ),
    # The id is made of day and domain, details are left out where nothing failed.
    "terse": report(
        "Terse LLC",
        _without(policy("sts", 7, 0, policy_string=STS, mx_host=[MX]), "failure-details"),
        report_id=f"2026-11-23T00:00:00Z_{DOMAIN}",
    ),
    # Failures without any address or host, and no lines of the policy.
    "anonymous": report(
        "Anonymous Corporation", policy("sts", 0, 3, failure("sts-policy-fetch-error", 3))
    ),
    # Nothing was found, which is said by empty lists and null.
    "empty": report(
        "mx.empty.example",
        policy("no-policy-found", 1, 0, policy_string=[], mx_host=[]),
        contact_info=None,
        date_range={
            "start-datetime": "2026-11-23T00:00:00Z",
            "end-datetime": "2026-11-24T00:00:00Z",
        },
    ),
    # Nothing was found, and so it is not said for which domain.
    "nameless": report(
        "nameless.example", {**_NO_POLICY, "policy": {"policy-type": "no-policy-found"}}
    ),
    # One string in place of a list, and an offset in the times.
    "stringy": report(
        "Stringy ISP",
        policy(
            "sts",
            4,
            1,
            failure("certificate-host-mismatch", receiving_mx_hostname=f"{MX}."),
            policy_string="\n".join(STS),
            mx_host=MX,
        ),
        date_range={
            "start-datetime": "2026-11-23T01:00:00+01:00",
            "end-datetime": "2026-11-24T00:59:59+01:00",
        },
    ),
    # DANE, two policies in one report, null for no details.
    "dane": report(
        "Dane s.r.o.",
        {
            **policy("tlsa", 12, 0, policy_string=["3 1 1 " + "ab" * 32], mx_host=[MX]),
            "failure-details": None,
        },
        policy("no-policy-found", 2, 0),
    ),
    # Capitals, a type of its own, spellings of others, fields that nobody knows.
    "odd": report(
        "Odd & Sons",
        policy(
            "tlsa",
            0,
            3,
            failure("TLSA-Invalid", 2, receiving_mx_hostname="MX1.Example.ORG", x_of_ours=[1]),
            failure("temperature-too-high", additional_information_uri="https://odd.example"),
            mx_host_pattern=MX,
        ),
        version=1,
    ),
}


def raw(name: str) -> bytes:
    """One of them, as it is sent."""
    return json.dumps(FOREIGN[name], indent=2).encode()


def mailed(content: bytes, *, subtype: str = "tlsrpt+gzip", domain: str = DOMAIN) -> bytes:
    """The mail of a report, which is packed if its type says so."""
    message = EmailMessage()
    message["From"], message["To"] = "tlsrpt@sender.example", f"tlsrpt@{DOMAIN}"
    message["Subject"] = f"Report Domain: {domain} Submitter: sender.example Report-ID: <1@x>"
    message["TLS-Report-Domain"] = domain
    message.set_content("This is an aggregate TLS report.\n")
    packed = gzip.compress(content) if "gzip" in subtype else content
    name = f"sender.example!{domain}!1795392000!1795478399.json" + ".gz" * ("gzip" in subtype)
    message.add_attachment(packed, maintype="application", subtype=subtype, filename=name)
    return message.as_bytes()

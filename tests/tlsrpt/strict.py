"""RFC 8460, section 4.4, as a JSON Schema: written from its text, not from our types."""

_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}
_HOST = {"type": "string", "pattern": r"^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$"}
_IP = {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}], "type": "string"}
_LIST = {"type": "array", "items": _TEXT}


def _exactly(required: dict[str, object], **optional: object) -> dict[str, object]:
    """An object with these and no others."""
    named = {name.replace("_", "-"): what for name, what in optional.items()}
    return {
        "type": "object",
        "properties": required | named,
        "required": list(required),
        "additionalProperties": False,
    }


_POLICY = _exactly(
    {"policy-type": {"enum": ["tlsa", "sts", "no-policy-found"]}, "policy-domain": _HOST},
    policy_string=_LIST,
    mx_host=_LIST,
)
_SUMMARY = _exactly(
    {"total-successful-session-count": _COUNT, "total-failure-session-count": _COUNT}
)
_DETAIL = _exactly(
    {
        "result-type": {
            "enum": [
                *("starttls-not-supported", "certificate-host-mismatch", "certificate-expired"),
                *("certificate-not-trusted", "validation-failure", "tlsa-invalid"),
                *("dnssec-invalid", "dane-required", "sts-policy-fetch-error"),
                *("sts-policy-invalid", "sts-webpki-invalid"),
            ]
        },
        "failed-session-count": _COUNT | {"minimum": 1},
    },
    sending_mta_ip=_IP,
    receiving_mx_hostname=_HOST,
    receiving_mx_helo=_TEXT,
    receiving_ip=_IP,
    additional_information=_TEXT,
    failure_reason_code=_TEXT,
)
RFC = _exactly(
    {
        "organization-name": _TEXT,
        "date-range": _exactly({"start-datetime": _MOMENT, "end-datetime": _MOMENT}),
        "contact-info": {"type": "string", "pattern": r"^[^@\s]+@[^@\s]+$"},
        "report-id": _TEXT,
        "policies": {
            "type": "array",
            "minItems": 1,
            "items": _exactly(
                {"policy": _POLICY, "summary": _SUMMARY},
                failure_details={"type": "array", "items": _DETAIL},
            ),
        },
    }
)

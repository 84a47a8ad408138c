"""What happens across the start of TLS, and inside it."""

from functools import partial

from audit.facts import Behaviour
from audit.judge.behaviour import absent
from audit.judge.case import EndpointJudge


def _never(behaviour: Behaviour, expected: str, otherwise: str) -> EndpointJudge:
    return partial(absent, behaviour=behaviour, expected=expected, otherwise=otherwise)


_INJECTION = _never(
    "injection",
    "nothing that was sent in clear is answered inside TLS",
    "a command sent in clear with STARTTLS is answered inside TLS",
)
JUDGES: dict[str, EndpointJudge] = {
    "MT-INJ-SMTP": _INJECTION,
    "MT-INJ-LMTP": _INJECTION,
    "MT-INJ-IMAP": _INJECTION,
    "MT-INJ-POP3": _INJECTION,
    "MT-INJ-SIEVE": _INJECTION,
    "MT-INJ-SPLIT": _never(
        "injection-split",
        "nothing that was sent in clear is answered inside TLS",
        "a command sent in clear after STARTTLS is answered inside TLS",
    ),
    "MT-STATE-RESET": _never(
        "state-kept",
        "an envelope begun before TLS is forgotten",
        "an envelope begun before TLS goes on inside",
    ),
    "MT-CAPA-REISSUE": _never(
        "capabilities-kept",
        "the capabilities inside TLS are others",
        "the capabilities inside TLS are those from before it",
    ),
    "MT-RESP-EXTRA": _never(
        "response-extra",
        "nothing between the go-ahead and the handshake",
        "more follows the go-ahead before TLS begins",
    ),
    "MT-STARTTLS-ARGS": _never(
        "starttls-arguments",
        "STARTTLS with a parameter is refused",
        "STARTTLS with a parameter is taken",
    ),
    "MT-STARTTLS-TWICE": _never(
        "starttls-twice",
        "STARTTLS is neither offered nor taken inside TLS",
        "STARTTLS is offered or taken inside TLS",
    ),
    "MT-HTTP-ERR": _never(
        "http-inside",
        "a client that speaks HTTP is cut off",
        "a client that speaks HTTP is answered on and on",
    ),
    "MT-RENEG-CLIENT": _never(
        "client-renegotiation",
        "a client cannot renegotiate as often as it likes",
        "a client can renegotiate as often as it likes",
    ),
}

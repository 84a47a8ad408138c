"""Every parser of untrusted input, as a function of bytes that raises if an invariant is broken."""

import warnings
from collections.abc import Callable
from pathlib import Path

from tests.fuzz import answers, certificates, clients, domains, hosts, logs, replies, reports

Target = Callable[[bytes], None]

CORPUS = Path(__file__).parent / "corpus"


def _endless(data: bytes) -> None:
    """Both readers, fed without end."""
    answers.endless(data)
    replies.endless(data)


TARGETS: dict[str, Target] = {
    "answer": answers.reader,
    "server-hello": answers.hello,
    "client-hello": clients.hello,
    "reply": replies.reply,
    "dialogue": replies.dialogue,
    "login": replies.logins,
    "endless": _endless,
    "certificate": certificates.parser,
    "bent-certificate": certificates.bent,
    "host": hosts.script,
    "log": logs.log,
    "sts-policy": domains.policy,
    "domain-texts": domains.texts,
    "dns-message": domains.message,
    "tls-report": reports.report,
    "tls-sessions": reports.sessions,
}


def check(name: str, data: bytes) -> None:
    """Run one target; cryptography's warnings about odd certificates are no faults."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        TARGETS[name](data)


def inputs(name: str) -> dict[str, bytes]:
    """The seeds and the kept corpus of a target, by name."""
    from tests.fuzz.seeds import SEEDS

    found = {f"seed {number}": data for number, data in enumerate(SEEDS[name])}
    kept = sorted((CORPUS / name).glob("*"))
    return found | {f"{name}/{path.name}": path.read_bytes() for path in kept}

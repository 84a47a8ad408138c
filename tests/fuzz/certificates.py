"""What must hold of certificates and the judges of them, whoever made the certificate.

`pki/` holds a root, what it issued and what an intermediate issued. Their keys are gone: nothing
that the fuzzer makes of them can be signed.
"""

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key

from audit.facts import Certificate, Chain, Endpoint, EndpointFacts
from audit.judge import certificate as judge
from audit.judge import strength
from audit.judge.case import EndpointCase, Judgement, PlannedEndpoint
from audit.policy.load import load
from audit.wire.certificate import parse, public_key
from tests.fuzz.der import bend

PKI = {path.stem: path.read_bytes() for path in (Path(__file__).parent / "pki").glob("*.der")}
GENUINE = tuple(PKI[name] for name in ("ecdsa", "rsa", "middle", "below"))
_SIGNED = {x509.load_der_x509_certificate(der).tbs_certificate_bytes for der in PKI.values()}
_LEAF, _BELOW = parse(PKI["ecdsa"]), parse(PKI["below"])
_NOW = _LEAF.not_before + timedelta(days=2)
_NAME = "m.example"
_PROFILE = load("mailseal-2026").profiles["access"]
_JUDGES = (
    judge.chain, judge.name, judge.time, strength.key, strength.signature, judge.alternative_names,
)  # fmt: skip
_ENDPOINT = Endpoint("h", "192.0.2.1", 993, "imap", "implicit", _NAME)


def parser(data: bytes) -> None:
    """Facts that can be printed, or a ValueError with a printable sentence."""
    try:
        found = parse(data)
    except ValueError as error:
        assert str(error).isprintable(), "a hostile certificate writes the message"
        return
    for text in (found.subject, found.issuer, *found.names):
        assert not any(ord(c) < 32 or ord(c) == 127 for c in text)
        text.encode()
    for text in (found.key_type, found.curve, found.signature_hash):
        assert text.isprintable()
    assert found.key_bits >= 0
    assert found.not_before.tzinfo is not None
    key = load_der_public_key(public_key(found.der))
    assert key == x509.load_der_x509_certificate(found.der).public_key(), "another key is compared"
    _judge(found)


def bent(data: bytes) -> None:
    """The same for a real certificate that was changed inside."""
    parser(bend(GENUINE[data[0] % len(GENUINE)], data[1:]) if data else b"")


def _judge(found: Certificate) -> None:
    """Alone, superfluous behind a good leaf, and as the intermediate of one."""
    genuine = x509.load_der_x509_certificate(found.der).tbs_certificate_bytes in _SIGNED
    alone = _judgements((found,))
    assert genuine or alone["chain"].verdict == "fail", "what nobody signed is trusted"
    assert (alone["alternative_names"].verdict == "pass") == bool(found.names)
    assert alone["name"].verdict == "fail" or {_NAME, "*.example"} & {
        name.lower().rstrip(".") for name in found.names
    }
    valid = found.not_before <= _NOW <= found.not_after
    assert valid or alone["time"].verdict == "fail"
    beside = _judgements((_LEAF, found))
    assert {j.verdict for j in beside.values()} == {"pass"}, "a superfluous one does harm"
    below = _judgements((_BELOW, found))
    assert genuine or below["chain"].verdict == "fail"


def _judgements(served: Chain) -> dict[str, Judgement]:
    facts = EndpointFacts(_ENDPOINT, "open", chains=(served,))
    planned = PlannedEndpoint(_ENDPOINT, "access")
    case = EndpointCase(planned, facts, _PROFILE, _NOW, (PKI["root"],))
    found = {one.__name__: one(case) for one in _JUDGES}
    assert {j.verdict for j in found.values()} <= {"pass", "fail"}
    assert all(j.observed for j in found.values())
    return found

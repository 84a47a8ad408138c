"""What was observed, with evidence. No judgement, no I/O."""

from audit.facts.endpoint import (
    Behaviour,
    Certificate,
    Chain,
    Endpoint,
    EndpointFacts,
    Mode,
    Observation,
    Plaintext,
    Preference,
    Reach,
    Seen,
    Service,
)
from audit.facts.host import File, HostFacts, Package, Process

__all__ = [
    "Behaviour",
    "Certificate",
    "Chain",
    "Endpoint",
    "EndpointFacts",
    "File",
    "HostFacts",
    "Mode",
    "Observation",
    "Package",
    "Plaintext",
    "Preference",
    "Process",
    "Reach",
    "Seen",
    "Service",
]

"""A page with something of everything, to be looked at and tested."""

from audit.report.whatif_page import whatif_page
from audit.whatif.document import WhatIfDocument
from audit.whatif.weigh import Narrowing
from tests.whatif.factories import DAY, MODELS, ask, tally

_OLD = "TLS1.0:ECDHE_RSA_AES_256_CBC_SHA1:256"
_CBC = "TLS1.2:ECDHE_SECP256R1__RSA_SHA1__AES_256_CBC__SHA1:256"
_GCM = "TLS1.2:ECDHE_SECP256R1__RSA_SHA256__AES_256_GCM:256"
_NEW = "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256"


def answer() -> WhatIfDocument:
    """A university before the last step of a shadow."""
    counted = tally(
        *(("access", f"192.0.2.{n}", f"user{n}", _OLD, 40 - 3 * n) for n in range(1, 11)),
        ("access", "192.0.2.77", "otto", _CBC, 12),
        ("access", "192.0.2.78", "ida", _GCM, 120),
        ("access", "192.0.2.79", "max", _NEW, 700),
        ("access", "192.0.2.80", "eva", "TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256", 60),
        ("submission", "192.0.2.77", "otto", _CBC, 9),
        ("submission", "192.0.2.79", "max", _NEW, 90),
        ("mx", "198.51.100.7", "", _OLD, 31),
        ("mx", "198.51.100.7", "", "", 4),
        ("mx", "198.51.100.8", "", _NEW, 800),
        ("mx", "198.51.100.9", "", "?", 25),
        hosts=(("mx.example.org", _NEW, "yes", 300), ("old.example.net", _OLD, "no", 8)),
    )
    for turn in range(5):
        counted.failed(DAY, "mx", b"203.0.113.9", "old-version" if turn else "no-suite")
    counted.logged_in(DAY, b"192.0.2.99", b"paul", b"", "refused")
    return ask(
        counted, "mailseal-2026", "mailseal-2026+univie-2015", narrowing=Narrowing(models=MODELS)
    )


def page() -> bytes:
    """Its page."""
    return whatif_page(answer())

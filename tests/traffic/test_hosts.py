"""Other hosts: what is not logged of one is neither TLS nor its absence."""

from audit.traffic.hosts import hosts, providers
from audit.traffic.seen import Gone
from audit.traffic.tally import UNLOGGED, UNNAMED, Tally

X = b"TLSv1.3:TLS_AES_256_GCM_SHA384:256"
WAYS = {
    "mx.plain.at": (b"",),
    "mx.silent.at": (UNLOGGED,),
    "mx.plain-or-silent.at": (b"", UNLOGGED),
    "mx.tls-or-silent.at": (X, UNLOGGED),
    "mx.sometimes.at": (X, b""),
    "mx.unnamed.at": (UNNAMED,),
}


def _tally() -> Tally:
    return Tally(
        ways={
            (b"mx1 remote_smtp", b"", name.encode(), b"", x, b"", b""): Gone(1, b"2026-11-29")
            for name, ways in WAYS.items()
            for x in ways
        }
    )


def test_who_never_has_tls_is_known_of_those_only_of_which_all_is_logged() -> None:
    found = hosts(_tally())
    assert (found.total, found.never_tls, found.sometimes_tls) == (len(WAYS), 1, 1)
    assert (found.not_logged, found.by_tld) == (1, {"at": 1})


def test_providers_are_those_of_mails_with_tls() -> None:
    assert providers(_tally()) == {"sometimes.at": 1, "tls-or-silent.at": 1, "unnamed.at": 1}

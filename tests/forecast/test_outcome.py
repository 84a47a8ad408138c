"""What each recorded client gets, as data, as text, and from the command line."""

import json
from datetime import date
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from audit.cli import main
from audit.clients.load import clients, offer
from audit.clients.model import Client
from audit.forecast.manners import GNUTLS_3_7, OPENSSL_3_0
from audit.forecast.negotiate import Refused
from audit.forecast.outcome import Forecasts, Outcome, certificates, fate, forecast
from audit.forecast.server import from_profile, keys
from audit.forecast.text import text
from audit.policy.load import load
from audit.policy.model import KeyType, Policy

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "clients-1.json"
DAY = date(2026, 11, 28)
KNOWN = {client.id: client for client in clients()}
OLD, NEW = load("univie-2015"), load("mailseal-2026")
HAVING = {key.kind: key for key in keys(("ecdsa", "rsa"))}


def _forecast(*ids: str, policies: tuple[Policy, ...] = (OLD, NEW)) -> Forecasts:
    chosen = [(KNOWN[name], offer(KNOWN[name])) for name in ids]
    return forecast(chosen, policies, HAVING, OPENSSL_3_0, DAY)


def _outcomes(name: str, *policies: Policy) -> dict[tuple[str, str], Outcome]:
    (one,) = _forecast(name, policies=policies).clients
    return {(o.policy, o.use): o for o in one.outcomes}


def test_a_sender_without_tls_in_common_sends_in_clear() -> None:
    """Port 25 is opportunistic (RFC 7435); people's clients cannot connect."""
    found = _outcomes("tls10-ecdhe", NEW)
    assert found["mailseal-2026", "mx"].result == "plain"
    assert found["mailseal-2026", "access"].result == "fails"
    assert found["mailseal-2026", "access"].why == found["mailseal-2026", "mx"].why != ""


def test_a_sender_cannot_deliver_where_tls_is_required() -> None:
    """In clear it is refused."""
    required = msgspec.structs.replace(NEW.profiles["mx"], tls="required")
    strict = msgspec.structs.replace(NEW, profiles={**NEW.profiles, "mx": required})
    assert _outcomes("tls10-ecdhe", strict)["mailseal-2026", "mx"].result == "fails"


def test_a_client_has_outcomes_for_its_own_uses_and_the_policys_profiles() -> None:
    """What a policy has no word about is left out."""
    assert {use for _, use in _outcomes("exim-gnutls-3.7", OLD, NEW)} == {"mx"}
    mx_only = msgspec.structs.replace(NEW, profiles={"mx": NEW.profiles["mx"]})
    assert {use for _, use in _outcomes("openssl-3.0", mx_only)} == {"mx"}
    assert _outcomes("msmtp-1.8", mx_only) == {}


def test_a_client_that_offers_more_than_it_completes_is_known_to() -> None:
    """Debian's OpenSSL offers TLS 1.0, and ends the handshake of a server that takes it."""
    client = KNOWN["openssl-3.0"]
    profile = msgspec.structs.replace(
        OLD.profiles["access"], versions=tuple(v for v in OLD.profiles["access"].versions[2:])
    )
    server = from_profile(profile, DAY, keys(certificates(profile)))
    found = fate(client, offer(client), server)
    assert isinstance(found, Refused)
    assert "TLSv1.0" in found.why
    unlimited = msgspec.structs.replace(client, oldest=None)
    assert not isinstance(fate(unlimited, offer(client), server), Refused)


def test_a_curve_that_only_the_client_minds_is_not_told() -> None:
    """GnuTLS gives out an ECDSA certificate on a curve that the client does not name."""
    ids = ("tls12-p521", "openssl-3.0")
    known = [(KNOWN[name], offer(KNOWN[name])) for name in ids]
    policy = load("bsi-tr-02102-2")

    def told(*kinds: KeyType) -> list[tuple[str, str]]:
        having = {key.kind: key for key in keys(kinds)}
        found = forecast(known, (policy,), having, GNUTLS_3_7, DAY)
        assert "it may mind" not in text(found) or "1 cannot be told" in text(found)
        return [
            (o.result, o.why) for one in found.clients for o in one.outcomes if o.use == "access"
        ]

    minding, fine = told("ecdsa", "rsa")
    assert minding[0] == "unknown"
    assert "ECDSA certificate is on P-256" in minding[1]
    assert fine == ("tls", "")
    assert told("rsa") == [("tls", ""), ("tls", "")], "that has no curve"


def test_a_policy_without_rsa_is_served_with_ecdsa_alone() -> None:
    """Certificates that a policy has no use for are not there."""
    assert certificates(load("mozilla-modern").profiles["mx"]) == ("ecdsa",)
    assert certificates(NEW.profiles["mx"]) == ("ecdsa", "rsa")
    only_rsa = forecast(
        [(KNOWN["openssl-3.0"], offer(KNOWN["openssl-3.0"]))],
        (load("mozilla-modern"),),
        {"rsa": HAVING["rsa"]},
        OPENSSL_3_0,
        DAY,
    )
    assert {o.result for o in only_rsa.clients[0].outcomes if o.use == "access"} == {"fails"}


def test_the_text_tells_who_breaks_first() -> None:
    """With what a model stands for; equal fates are told once, reading and handing in as one."""
    shown = text(_forecast("openssl-3.0", "nss-3.87", "tls12-dhe", "tls12-rsa-gcm"))
    assert shown == (
        "univie-2015, mailseal-2026 on 2026-11-28: openssl-3.0, certificates ecdsa and rsa\n"
        "\n"
        "access, submission\n"
        "  tls12-rsa-gcm: TLS 1.2 with static RSA and GCM alone\n"
        "    univie-2015    cannot connect: no cipher suite of TLSv1.2 in common\n"
        "    mailseal-2026  cannot connect: no cipher suite of TLSv1.2 in common\n"
        "  tls12-dhe: TLS 1.2 with DHE alone (a library built without elliptic curves)\n"
        "    univie-2015    TLSv1.2  TLS_DHE_RSA_WITH_AES_256_GCM_SHA384\n"
        "    mailseal-2026  cannot connect: no cipher suite of TLSv1.2 in common\n"
        "  openssl-3.0, nss-3.87\n"
        "    univie-2015    TLSv1.2  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384  P-256\n"
        "    mailseal-2026  TLSv1.3  TLS_AES_256_GCM_SHA384  X25519\n"
        "\n"
        "  univie-2015    of 4 clients: 3 by TLS, 1 cannot connect\n"
        "  mailseal-2026  of 4 clients: 2 by TLS, 2 cannot connect\n"
        "\n"
        "mx\n"
        "  tls12-dhe: TLS 1.2 with DHE alone (a library built without elliptic curves)\n"
        "    univie-2015    TLSv1.2  TLS_DHE_RSA_WITH_AES_256_GCM_SHA384\n"
        "    mailseal-2026  in plain text: no cipher suite of TLSv1.2 in common\n"
        "  tls12-rsa-gcm: TLS 1.2 with static RSA and GCM alone\n"
        "    univie-2015    in plain text: no cipher suite of TLSv1.2 in common\n"
        "    mailseal-2026  TLSv1.2  TLS_RSA_WITH_AES_256_GCM_SHA384\n"
        "  openssl-3.0\n"
        "    univie-2015    TLSv1.2  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384  P-256\n"
        "    mailseal-2026  TLSv1.3  TLS_AES_256_GCM_SHA384  X25519\n"
        "\n"
        "  univie-2015    of 3 clients: 2 by TLS, 1 in plain text\n"
        "  mailseal-2026  of 3 clients: 2 by TLS, 1 in plain text\n"
    )


def test_reading_and_handing_in_are_told_apart_where_they_differ() -> None:
    """And a retry is told."""
    moved = msgspec.structs.replace(
        NEW, profiles={**NEW.profiles, "access": OLD.profiles["access"]}
    )
    shown = text(_forecast("tls13-p521", "tls12-dhe", policies=(moved,)))
    assert [line for line in shown.splitlines() if line and line[0] != " "][1:] == [
        "access",
        "submission",
        "mx",
    ]
    assert "TLSv1.3  TLS_AES_256_GCM_SHA384  P-256 after a retry" in shown


def test_the_command_lists_every_client(capsys: pytest.CaptureFixture[str]) -> None:
    """With how it was recorded, and for whom a model stands."""
    assert main(["clients"]) == 0
    shown = capsys.readouterr().out
    for client in clients():
        assert client.title in shown
        assert client.made in shown
        assert client.models in shown


def test_the_command_forecasts_for_those_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With the library and the certificates that the servers have."""
    words = ["--policy", "mailseal-2026", "--library", "gnutls-3.7", "--certificates", "rsa"]
    assert main(["clients", "tls12-dhe", *words]) == 0
    shown = capsys.readouterr().out
    assert "gnutls-3.7, certificates rsa" in shown
    assert "tls12-dhe" in shown
    assert "openssl" not in shown.replace("gnutls", "")


@pytest.mark.parametrize(
    "policies", [[], ["--policy", "univie-2015", "--policy", "mozilla-modern"]]
)
def test_the_command_has_json_for_programs(
    policies: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """As its schema says; who breaks is no failure of ours, so the exit code is 0."""
    assert main(["clients", "--json", *policies]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["schema"] == "mailseal/clients/1"
    assert [one["id"] for one in document["clients"]] == sorted(KNOWN)
    results = {o["result"] for one in document["clients"] for o in one["outcomes"]}
    assert results == ({"tls", "plain", "fails"} if policies else set())


def test_a_client_that_is_none_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence."""
    assert main(["clients", "nosuch"]) == 2
    assert "there is no client 'nosuch'" in capsys.readouterr().err


@pytest.mark.parametrize("client", clients(), ids=lambda one: one.id)
def test_todays_clients_connect_under_our_policy(client: Client) -> None:
    """Who is recorded as it is, and not an old one, breaks under no profile of the default."""
    if client.kind == "recorded":
        found = _outcomes(client.id, NEW).values()
        assert {o.result for o in found} == {"tls"}

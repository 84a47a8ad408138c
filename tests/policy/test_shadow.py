"""A policy in shadow of another: what it lists, what it asks for, and what it compiles to."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from msgspec import structs

from audit.cli import main
from audit.errors import MailsealError
from audit.iana import VERSIONS
from audit.policy.compile import DEFAULTS, Infeasible, Kind, compile_policy
from audit.policy.diff import diff
from audit.policy.load import load
from audit.policy.model import OPEN, WORDS, CertificateRules, Item, Policy, Profile, Size, Traffic
from audit.policy.shadow import FIXED, LAXER, aim, in_force, shadow

DAY = date(2026, 11, 28)
NEW = load("mailseal-2026")
TAIL = load("univie-2015")
BOTH = load("mailseal-2026+univie-2015")
BEFORE = Path(__file__).parents[1] / "lab" / "before.yaml"
ACCESS = BOTH.profiles["access"]

# The rows of a tail that a test puts in.
GOOD = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
LATE = "TLS_RSA_WITH_AES_128_CBC_SHA"
RC4 = "TLS_RSA_WITH_RC4_128_SHA"
OFF = "TLS_RSA_WITH_NULL_MD5"
SOON = date(2027, 6, 30)
# What GnuTLS can put at the end: a key exchange with the ciphers of the others.
STATIC = tuple(Item(name=f"TLS_RSA_WITH_AES_{s}") for s in ("256_GCM_SHA384", "128_GCM_SHA256"))


def _with(policy: Policy, **changes: Any) -> Policy:
    """The policy with another access profile and nothing else."""
    access = structs.replace(policy.profiles["access"], **changes)
    return structs.replace(policy, profiles={"access": access})


def _merged(tail: dict[str, Any], new: dict[str, Any] | None = None) -> Profile:
    return shadow(_with(NEW, **(new or {})), _with(TAIL, **tail)).profiles["access"]


def _names(items: tuple[Item, ...]) -> list[str]:
    return [item.name for item in items]


@pytest.mark.parametrize("field", ["versions", "suites", "groups"])
@pytest.mark.parametrize("traffic", ["access", "submission", "mx", "outgoing"])
def test_the_new_list_comes_first_as_it_is_and_the_rest_of_the_old_follows(
    traffic: Any, field: str
) -> None:
    """Item for item; what came from the old one is on phase-out."""
    new, old, both = (getattr(p.profiles[traffic], field) for p in (NEW, TAIL, BOTH))
    assert both[: len(new)] == new
    tail = both[len(new) :]
    assert _names(tail) == [name for name in _names(old) if name not in _names(new)]
    assert {(item.level, item.until) for item in tail} <= {("phase-out", OPEN)}


def test_nothing_that_the_old_policy_serves_is_lost() -> None:
    """In each version, by the list of a client that could do it then."""
    for traffic, old in TAIL.profiles.items():
        both = BOTH.profiles[traffic]
        for version in old.allowed_versions(DAY):
            assert set(old.allowed_suites(version, DAY)) <= set(both.allowed_suites(version, DAY))


def test_the_server_decides_whoever_decided_before() -> None:
    """Otherwise a suite from the tail would prove nothing."""
    loose = {"preference": "client", "order": "any", "bound": "upper"}
    profile = _merged(loose, loose)
    assert (profile.preference, profile.order, profile.bound) == ("server", "exact", "exact")


def _laxest() -> list[tuple[str, str, str]]:
    """Each rule with its strict and its lax word, by the types of the model."""
    hints = get_type_hints(Profile)
    rows = []
    for field, lax in LAXER.items():
        (strict,) = set(get_args(hints[field])) - {lax}
        rows.append((field, strict, lax))
    return rows


@pytest.mark.parametrize(("field", "strict", "lax"), _laxest())
def test_a_rule_is_enforced_where_both_have_it(field: str, strict: str, lax: str) -> None:
    """Shadow asks for nothing that the old state did not ask for, and gives nothing up."""
    # Only where TLS is offered may a login in clear be allowed.
    base = {"tls": "offered"} if field == "clear_logins" else {}
    for old, new, expected in (
        (strict, strict, strict), (lax, strict, lax), (strict, lax, lax), (lax, lax, lax),
    ):  # fmt: skip
        profile = _merged({**base, field: old}, {**base, field: new})
        assert getattr(profile, field) == expected


def test_every_rule_of_a_profile_has_its_place_in_a_shadow() -> None:
    """Whoever adds one to the model must say what it becomes."""
    assert set(WORDS) == {*LAXER, *FIXED, "compression"}


def test_what_must_not_be_weakened_stays_off_with_a_sentence() -> None:
    """SSLv2 and SSLv3, NULL, anonymous and export suites, and compression."""
    never = (
        "TLS_RSA_WITH_NULL_SHA256", "TLS_SHA256_SHA256", "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        "TLS_ECDH_anon_WITH_AES_256_CBC_SHA", "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
    )  # fmt: skip
    weak = {
        "versions": tuple(Item(name=v) for v in VERSIONS),
        # What is listed to say that it is off is nothing to talk about.
        "suites": (*(Item(name=n) for n in (*never, RC4)), Item(name=OFF, level="insufficient")),
        "compression": "allowed",
    }
    both = shadow(_with(NEW), _with(TAIL, **weak))
    profile = both.profiles["access"]
    assert _names(profile.versions) == ["TLSv1.3", "TLSv1.2", "TLSv1.0", "TLSv1.1"]
    assert _names(profile.suites)[-1] == RC4
    assert not set(never) & set(_names(profile.suites))
    assert profile.compression == "forbidden"
    assert both.left_off == tuple(
        f"{name} is never taken into a tail, although univie-2015 has it"
        for name in ("SSLv2", "SSLv3", *never, "compression")
    )
    assert both.left_off[0] in both.notes
    compiled = compile_policy(both, replace(DEFAULTS["cyrus"], ports={993: "access"}), DAY)
    assert compiled.left_out[: len(both.left_off)] == both.left_off


def test_the_levels_of_the_tail_are_kept_where_they_say_something() -> None:
    """A day stays; what was good is on phase-out; what was insufficient is not there."""
    rows = (
        Item(name=GOOD, required=True),
        Item(name=LATE, level="phase-out", until=SOON),
        Item(name=RC4, level="insufficient"),
    )
    assert _merged({"suites": rows}).suites[-2:] == (
        Item(name=GOOD, level="phase-out", until=OPEN),
        Item(name=LATE, level="phase-out", until=SOON),
    )


def test_what_the_new_policy_calls_insufficient_is_in_the_tail() -> None:
    """As if it were not listed."""
    names = _names(_merged({}, {"suites": (Item(name=GOOD, level="insufficient"),)}).suites)
    assert names == _names(TAIL.profiles["access"].suites)


@pytest.mark.parametrize(
    ("old", "until"),
    [
        (Item(name=LATE), OPEN),
        (Item(name=LATE, level="phase-out", until=date(2029, 1, 1)), date(2029, 1, 1)),
        (Item(name=LATE, level="phase-out", until=date(2026, 12, 1)), SOON),
        (Item(name=RC4), SOON),
    ],
)
def test_a_phase_out_of_the_new_policy_does_not_end_before_the_old_one(
    old: Item, until: date
) -> None:
    """Shadow takes nothing away on a day of the calendar either."""
    first = Item(name=LATE, level="phase-out", until=SOON)
    kept = _merged({"suites": (old,)}, {"suites": (first,)}).suites[0]
    assert kept == Item(name=LATE, level="phase-out", until=until)


def test_certificates_and_primes_are_as_before_or_better() -> None:
    """They are not negotiated: the old ones pass, on phase-out where the new ones say so."""
    new = CertificateRules(
        rsa_sizes=(Size(bits=3072),),
        curves=(Item(name="P-256"),),
        signature_hashes=(Item(name="sha256"),),
        days_left=14,
        lifetime_days=90,
    )
    old = CertificateRules(
        rsa_sizes=(Size(bits=4096), Size(bits=2048), Size(bits=1024, level="insufficient")),
        curves=(Item(name="P-521"),),
        signature_hashes=(Item(name="sha1"),),
        days_left=7,
        lifetime_days=398,
    )
    primes = (Size(bits=2048),)
    profile = _merged(
        {"certificate": old, "dh_sizes": primes},
        {"certificate": new, "dh_sizes": (Size(bits=3072),)},
    )
    gone: dict[str, Any] = {"level": "phase-out", "until": OPEN}
    assert profile.certificate == CertificateRules(
        rsa_sizes=(Size(bits=3072), Size(bits=2048, **gone)),
        curves=(Item(name="P-256"), Item(name="P-521", **gone)),
        signature_hashes=(Item(name="sha256"), Item(name="sha1", **gone)),
        days_left=7,
        lifetime_days=398,
    )
    assert profile.dh_sizes == primes  # a client that can take no larger one says so to nobody
    assert _merged({"dh_sizes": ()}, {"dh_sizes": primes}).dh_sizes == primes
    forever = structs.replace(old, lifetime_days=None)
    merged = _merged({"certificate": forever}, {"certificate": new})
    assert merged.certificate.lifetime_days is None


def test_a_pair_is_a_policy_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    """By id or file, shown, compared and compiled; it knows what it leads to."""
    assert (BOTH.id, BOTH.date) == ("mailseal-2026+univie-2015", NEW.date)
    assert aim(BOTH) == NEW
    assert aim(NEW) is None
    assert load(f"mailseal-2026+{BEFORE}").id == "mailseal-2026+before"
    assert main(["policy", "show", BOTH.id]) == 0
    assert "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 (phase-out)" in capsys.readouterr().out
    assert main(["policy", "compile", BOTH.id, "--for", "cyrus"]) == 0
    assert capsys.readouterr().out.startswith("# mailseal-2026+univie-2015 for Cyrus")
    gone = {c.name for c in diff(BOTH, NEW).profiles["access"] if c.kind == "removed"}
    assert {"TLSv1.0", "TLSv1.1", "P-521", GOOD} <= gone


def test_a_shadow_has_the_traffic_that_both_know() -> None:
    """What was served before cannot be told for the rest, so it cannot be rolled out."""
    both = load(f"mailseal-2026+{BEFORE}")
    assert set(both.profiles) == {"mx"}
    with pytest.raises(MailsealError, match=r"mailseal-2026\+before has no profile access"):
        compile_policy(both, DEFAULTS["cyrus"], DAY)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mailseal-2026+mailseal-2026", "two policies that differ"),
        ("mailseal-2026+univie-2015+mailseal-el6", "two policies that differ"),
        ("mailseal-2026+nosuch", "there is no policy 'nosuch'"),
        ("mailseal-2026+", "there is no policy ''"),
    ],
)
def test_what_is_no_pair_is_refused_in_one_sentence(name: str, words: str) -> None:
    """With the name."""
    with pytest.raises(MailsealError, match=words) as error:
        load(name)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)


def test_policies_without_common_traffic_are_no_pair() -> None:
    """Nothing would be left."""
    mx = structs.replace(TAIL, profiles={"mx": TAIL.profiles["mx"]})
    with pytest.raises(MailsealError, match="no kind of traffic in common"):
        shadow(_with(NEW), mx)


def test_the_variables_of_an_inventory_name_the_pair() -> None:
    """Back to enforcing is one word; the tail may stay where it is."""
    assert in_force("a", "shadow", "b") == "a+b"
    assert in_force("a", "enforce", "b") == in_force("a", "enforce", "") == "a"
    with pytest.raises(MailsealError, match="mailseal_enforcement: shadow wants"):
        in_force("a", "shadow", "")


# What each target is told: a daemon that has no compiler here gets its pair when it has one.
_CIPHERS: dict[Kind, str] = {"cyrus": "tls_ciphers", "exim-openssl": "tls_require_ciphers"}


@pytest.mark.parametrize("kind", _CIPHERS)
def test_openssl_gets_the_tail_behind_the_new_suites(kind: Kind) -> None:
    """In the daemon's own option and in the library's file; old versions too."""
    target = DEFAULTS[kind]
    kinds: dict[int, Traffic] = dict.fromkeys(target.ports, "access")
    before, after, now = (
        compile_policy(p, replace(target, ports=kinds), DAY) for p in (TAIL, NEW, BOTH)
    )
    first, tail = (c.options[_CIPHERS[kind]].split(":") for c in (after, before))
    assert now.options[_CIPHERS[kind]].split(":") == [*first, *(s for s in tail if s not in first)]
    assert now.openssl_cnf is not None
    lines = now.openssl_cnf.splitlines()
    assert f"CipherString = {now.options[_CIPHERS[kind]]}" in lines
    assert "MinProtocol = TLSv1" in lines
    assert "MaxProtocol = TLSv1.3" in lines
    assert "Groups = X25519:P-256:P-384:P-521" in lines
    assert "Options = ServerPreference,-Compression" in lines
    assert now.dh_group == before.dh_group
    assert now.required_ports == before.required_ports == tuple(target.ports)


def test_exim_on_openssl_tells_its_options_for_all_ports_at_once() -> None:
    """The versions of every profile are the same union."""
    options = compile_policy(BOTH, DEFAULTS["exim-openssl"], DAY).options
    assert options["openssl_options"].split() == [
        "+no_sslv2", "+no_sslv3", "+no_compression", "+cipher_server_preference",
    ]  # fmt: skip
    assert options["tls_dhparam"] == "ffdhe2048"


def test_cyrus_gets_the_versions_of_both() -> None:
    """And what the library needs for the old ones."""
    options = compile_policy(BOTH, DEFAULTS["cyrus"], DAY).options
    assert options["tls_versions"] == "tls1_0 tls1_1 tls1_2 tls1_3"
    assert options["tls_prefer_server_ciphers"] == "yes"
    assert options["tls_ciphers"].endswith(":ECDHE-RSA-AES128-SHA:@SECLEVEL=0")


def test_gnutls_gets_a_tail_that_it_can_put_at_the_end() -> None:
    """Old versions, or another key exchange behind the others; not the middle of its product."""
    target = replace(DEFAULTS["exim-gnutls"], ports={25: "mx"})
    value = compile_policy(load(f"mailseal-2026+{BEFORE}"), target, DAY)
    words = value.options["tls_require_ciphers"].split(":")
    assert words[:5] == [
        "NONE", "+VERS-TLS1.3", "+VERS-TLS1.2", "+VERS-TLS1.1", "+VERS-TLS1.0",
    ]  # fmt: skip
    assert words[-1] == "%SERVER_PRECEDENCE"
    pair = shadow(_with(NEW), _with(TAIL, suites=STATIC))
    strict = replace(target, ports={465: "access"})
    assert ":+ECDHE-RSA:+RSA:" in compile_policy(pair, strict, DAY).options["tls_require_ciphers"]
    with pytest.raises(Infeasible, match="comes with them"):
        compile_policy(BOTH, target, DAY)


def test_gnutls_is_told_no_name_that_it_does_not_know() -> None:
    """PSS with SHA-1 is none, and would void the whole string."""
    rules = CertificateRules(signature_hashes=(Item(name="sha256"), Item(name="sha1")))
    pair = shadow(_with(NEW), _with(TAIL, certificate=rules, suites=STATIC))
    target = replace(DEFAULTS["exim-gnutls"], ports={465: "access"})
    words = compile_policy(pair, target, DAY).options["tls_require_ciphers"].split(":")
    assert "+SIGN-RSA-SHA1" in words
    assert "+SIGN-RSA-PSS-RSAE-SHA1" not in words


_OPEN = {"tls": "offered", "clear_logins": "allowed"}
_AUTH = "auth_advertise_hosts"


@pytest.mark.parametrize("kind", ["exim-openssl", "exim-gnutls"])
def test_exim_offers_logins_in_clear_where_the_old_state_did(kind: Kind) -> None:
    """On the ports of that profile and no other; TLS is asked of nobody there."""

    def pair(**before: Any) -> Policy:
        submission = structs.replace(NEW.profiles["submission"], suites=STATIC, **before)
        tail = structs.replace(TAIL, profiles={"submission": submission, "mx": NEW.profiles["mx"]})
        return shadow(NEW, tail)

    target = replace(DEFAULTS[kind], ports={25: "mx", 587: "submission"})
    closed = compile_policy(pair(), target, DAY)
    assert (closed.options[_AUTH], closed.required_ports) == (
        "${if def:tls_in_cipher{*}{}}",
        (587,),
    )
    opened = compile_policy(pair(**_OPEN), target, DAY)
    inside = "${if def:tls_in_cipher{*}{}}"
    assert opened.options[_AUTH] == f"${{if =={{$received_port}}{{25}}{{{inside}}}{{*}}}}"
    assert opened.required_ports == ()


def test_cyrus_takes_logins_in_clear_where_the_old_state_did() -> None:
    """A profile that offers TLS alone does not allow them."""

    def options(**before: Any) -> tuple[str, str]:
        target = replace(DEFAULTS["cyrus"], ports={143: "access"})
        pair = shadow(_with(NEW), _with(TAIL, **before))
        found = compile_policy(pair, target, DAY).options
        return found["allowplaintext"], found["tls_required"]

    assert options() == ("no", "yes")
    assert options(tls="offered") == ("no", "no")
    assert options(**_OPEN) == ("yes", "no")


def test_a_login_in_clear_where_tls_is_required_is_no_policy(tmp_path: Path) -> None:
    """One of the two would not be true."""
    path = tmp_path / "odd.yaml"
    text = BEFORE.read_text(encoding="utf-8")
    path.write_text(text.replace("tls: offered", "tls: required\n    clear_logins: allowed"))
    with pytest.raises(MailsealError, match=r"odd.yaml:12: profiles.mx.clear_logins: no login"):
        load(str(path))


@pytest.mark.parametrize("tail", ["mailseal-el6", "mozilla-intermediate-5.7", "rfc9325"])
def test_every_policy_that_comes_with_mailseal_can_be_a_tail(tail: str) -> None:
    """Each list is free of doubles, and the new one is its head."""
    both = load(f"mailseal-2026+{tail}")
    for traffic, profile in both.profiles.items():
        for field in ("versions", "suites", "groups"):
            names = _names(getattr(profile, field))
            head = _names(getattr(NEW.profiles[traffic], field))
            assert names[: len(head)] == head
            assert len(set(names)) == len(names)

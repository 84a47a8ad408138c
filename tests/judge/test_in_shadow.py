"""A host in shadow: what is exactly so passes and says what has to go; anything else fails."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.facts import EndpointFacts, Observation
from audit.findings import Finding, exit_code
from audit.iana import VERSIONS
from audit.judge.bench import Aim, Planned, judge, plan_endpoint, plan_host
from audit.judge.case import EndpointCase, Judgement
from audit.judge.catalogue import CATALOGUE
from audit.judge.shadow import notices, shadowed
from audit.policy.compile import DEFAULTS, compile_policy
from audit.policy.load import load, parse
from audit.policy.model import Policy
from audit.policy.shadow import shadow
from tests.judge.factories import NOW, PLAIN, POLICY, changed, good_endpoint, good_host

BOTH = load("mailseal-2026+univie-2015")
RULES = BOTH.profiles["access"]
DAY = NOW.date()
# An old state that took logins in clear, and everything else that the new policy does not.
OLD = """
id: old
title: old
date: 2015-01-01
source: a test
status: historical
profiles:
  access:
    tls: offered
    clear_logins: allowed
    versions: [TLSv1.2, TLSv1.1, TLSv1.0]
    suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]
    groups: [P-256]
"""
BEFORE = Path(__file__).parents[1] / "lab" / "before.yaml"
PRIME = (1 << 2047) + 1  # of 2048 bits, and nobody else's
WOULD = "in shadow: would fail under mailseal-2026: "


def _case(policy: Policy, **facts: Any) -> EndpointCase:
    """An endpoint exactly in shadow, but for these facts."""
    case, profile = good_endpoint(), policy.profiles["access"]
    served = profile.allowed_versions(DAY)
    groups = (
        "X25519",
        *(g.name for g in profile.groups if g.name not in ("X25519MLKEM768", "X25519")),
    )
    seen = {
        "protocols": {
            v: Observation("accepted" if v in served else "refused", "seen") for v in VERSIONS
        },
        "suites": {v: tuple(s.name for s in profile.allowed_suites(v, DAY)) for v in served},
        "rest": dict.fromkeys(served, Observation("refused", "alert 40")),
        "preference": dict.fromkeys(served, "server"),
        "groups": dict.fromkeys(served, groups),
        "dh_primes": (PRIME,),
    }
    return replace(changed(case, **{**seen, **facts}), profile=profile)


def _findings(case: EndpointCase, policy: Policy = BOTH) -> dict[str, Finding]:
    """What the audit says of it, by check."""
    new = POLICY.profiles["access"]
    plan = plan_endpoint(case.planned, policy.profiles["access"], policy.id, ahead=new)
    aim = Aim(POLICY.id, replace(case, profile=new))
    return {planned.check.id: judge(planned, case, aim) for planned in plan}


def _failed(case: EndpointCase, policy: Policy = BOTH) -> set[str]:
    return {check for check, f in _findings(case, policy).items() if f.verdict == "fail"}


def _moved(version: str, *names: str) -> dict[Any, tuple[str, ...]]:
    return {**_case(BOTH).facts.suites, version: names}


TLS12 = _case(BOTH).facts.suites["TLSv1.2"]
NEW, TAIL = TLS12[:6], TLS12[6:]


def test_a_host_exactly_in_shadow_is_compliant_and_is_told_what_has_to_go() -> None:
    """Versions, suites, groups and signatures of the tail pass, each with its sentence."""
    behaviours = {
        **_case(BOTH).facts.behaviours,
        "sha1-signature": Observation("accepted", "SHA-1"),
    }
    found = _findings(_case(BOTH, behaviours=behaviours))
    assert exit_code(found.values()) == 0
    would = {check: f for check, f in found.items() if f.observed.startswith(WOULD)}
    assert {c: f.observed.removeprefix(WOULD) for c, f in would.items()} == {
        "MT-TLS10": "TLSv1.0 accepted",
        "MT-TLS11": "TLSv1.1 accepted",
        "MT-CIPHER-SET": f"TLSv1.2 accepts {', '.join(TAIL)}",
        "MT-CURVES": "TLSv1.2 uses P-521; TLSv1.3 uses P-521",
        "MT-SIGALG": "signs with SHA-1",
    }
    assert {(f.verdict, f.level) for f in would.values()} == {("pass", "phase-out")}
    # Expected is what was rolled out, not what will be.
    assert TAIL[0] in would["MT-CIPHER-SET"].expected


def test_a_host_that_is_already_as_the_new_policy_wants_is_not_in_shadow() -> None:
    """The roll-out did not happen, or was not to be a shadow."""
    assert _failed(good_endpoint_under(RULES)) == {
        "MT-TLS10", "MT-TLS11", "MT-CIPHER-SET", "MT-CURVES",
    }  # fmt: skip


def good_endpoint_under(profile: Any) -> EndpointCase:
    """An endpoint that follows the new policy, judged by this one."""
    return replace(good_endpoint(), profile=profile)


@pytest.mark.breaks("MT-CIPHER-ORDER", "MT-CIPHER-SET", "MT-TLS10", "MT-CURVES")
@pytest.mark.parametrize(
    ("facts", "checks"),
    [
        ({"suites": _moved("TLSv1.2", NEW[1], NEW[0], *NEW[2:], *TAIL)}, {"MT-CIPHER-ORDER"}),
        ({"suites": _moved("TLSv1.2", TAIL[0], *NEW, *TAIL[1:])}, {"MT-CIPHER-ORDER"}),
        ({"suites": _moved("TLSv1.2", *NEW[:-1], TAIL[0], NEW[-1], *TAIL[1:])},
         {"MT-CIPHER-ORDER"}),
        ({"suites": _moved("TLSv1.2", *NEW, TAIL[1], TAIL[0], *TAIL[2:])}, {"MT-CIPHER-ORDER"}),
        ({"suites": _moved("TLSv1.2", *NEW, *TAIL[:-1])}, {"MT-CIPHER-SET"}),
        ({"suites": _moved("TLSv1.2", *NEW[1:], *TAIL)}, {"MT-CIPHER-SET"}),
        ({"suites": _moved("TLSv1.2", *TLS12, "TLS_RSA_WITH_RC4_128_SHA")}, {"MT-CIPHER-SET"}),
        ({"preference": {"TLSv1.2": "client", "TLSv1.3": "server"}}, {"MT-CIPHER-ORDER"}),
        ({"groups": {"TLSv1.2": ("X25519", "P-256", "P-384")}}, {"MT-CURVES"}),
        ({"groups": {"TLSv1.2": ("P-521", "X25519", "P-256", "P-384")}}, {"MT-CURVES"}),
        ({"dh_primes": ((1 << 1023) + 1,)}, {"MT-DH-SIZE"}),
        ({"compression": Observation("accepted", "DEFLATE")}, {"MT-COMPRESS"}),
        ({"plaintext": replace(PLAIN, auth_offered=("PLAIN",))}, {"MT-AUTH-BEFORE-TLS"}),
    ],
    ids=[
        "wrong order", "tail in front", "tail between", "tail in disorder", "tail suite missing",
        "new suite missing", "a third one's suite", "client order", "tail group missing",
        "tail group in front", "small prime", "compression", "login in clear",
    ],
)  # fmt: skip
def test_what_is_not_exactly_the_shadow_fails(facts: dict[str, Any], checks: set[str]) -> None:
    """The proof of a suite from the tail rests on it."""
    assert _failed(_case(BOTH, **facts)) == checks


@pytest.mark.breaks("MT-TLS10", "MT-TLS12")
@pytest.mark.parametrize(
    ("version", "seen", "check"),
    [("TLSv1.0", "refused", "MT-TLS10"), ("TLSv1.2", "refused", "MT-TLS12"),
     ("SSLv3", "accepted", "MT-SSL3")],
)  # fmt: skip
def test_a_version_that_is_missing_or_too_many_fails(version: Any, seen: Any, check: str) -> None:
    """Of the old ones as of the new."""
    protocols = {**_case(BOTH).facts.protocols, version: Observation(seen, "seen")}
    assert check in _failed(_case(BOTH, protocols=protocols))


def _opened(**facts: Any) -> dict[str, Finding]:
    pair = shadow(POLICY, parse(OLD, "old"))
    return _findings(_case(pair, **facts), pair)


def test_logins_in_clear_are_reported_where_the_old_state_took_them() -> None:
    """And not asked of a host that refuses them already."""
    clear = {"auth_offered": ("PLAIN",), "login": "accepted"}
    found = _opened(plaintext=replace(PLAIN, **clear))
    assert exit_code(found.values()) == 0
    seen = {c: found[c].observed for c in ("MT-AUTH-BEFORE-TLS", "MT-LOGIN-REFUSED")}
    assert seen == {
        "MT-AUTH-BEFORE-TLS": f"{WOULD}offered in clear: PLAIN",
        "MT-LOGIN-REFUSED": f"{WOULD}the password is looked at",
    }
    closed = _opened()
    assert {closed[c].observed for c in seen} == {"nothing offered", "refused unread"}


def test_a_rule_of_the_new_policy_alone_is_judged_and_only_reported() -> None:
    """The check is made although nothing is enforced."""
    missing = {**_case(BOTH).facts.behaviours, "extended-master-secret": Observation("refused", "")}
    found = _findings(_case(BOTH, behaviours=missing))["MT-EMS"]
    assert (found.verdict, found.level) == ("pass", "phase-out")
    assert found.observed == f"{WOULD}extended_master_secret is missing"
    untold = {**missing, "extended-master-secret": Observation("inconclusive", "no answer")}
    assert _findings(_case(BOTH, behaviours=untold))["MT-EMS"].verdict == "inconclusive"


def test_what_could_not_be_told_is_never_fine() -> None:
    """Whatever would become of it."""
    case = _case(BOTH)
    silent = replace(case, facts=EndpointFacts(case.facts.endpoint, "no-answer"))
    found = _findings(silent)
    assert found.pop("MT-PORT-EXPECT").verdict == "fail"
    assert {f.verdict for f in found.values()} == {"inconclusive"}


def test_settings_of_a_shadow_are_in_force_and_what_has_to_change_is_said() -> None:
    """The host's own checks have the same two measures."""
    target = DEFAULTS["cyrus"]
    now, then = (compile_policy(p, target, DAY) for p in (BOTH, POLICY))
    case = good_host()
    options = {**case.facts.options, "cyrus": {**case.facts.options["cyrus"], **now.options}}
    settings = {"cyrus": now.openssl_cnf or ""}
    facts = replace(case.facts, options=options, library_settings=settings)
    case = replace(case, facts=facts, compiled=now)
    aim = Aim(POLICY.id, replace(case, compiled=then))
    (planned,) = (p for p in plan_host(case.planned, BOTH.id) if p.check.id == "MT-CONF-EFFECTIVE")
    found = judge(planned, case, aim)
    assert (found.verdict, found.policy) == ("pass", "mailseal-2026+univie-2015")
    words = "tls_versions is tls1_0 tls1_1 tls1_2 tls1_3, not tls1_2 tls1_3"
    assert found.observed.startswith(WOULD)
    assert f"; {words}" in found.observed
    assert judge(planned, replace(case, compiled=then), aim).verdict == "fail"


GOOD = Judgement("pass", "as expected", "that")
BAD = Judgement("fail", "otherwise", "this", item="rule")
UNTOLD = Judgement("inconclusive", "no answer", "that")
NOTHING = Judgement("not-applicable", "no suite with DHE", "that")
SAID = Judgement(
    "pass", "in shadow: would fail under p: otherwise", "that", "", "rule", "phase-out"
)


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        (GOOD, GOOD, GOOD), (GOOD, BAD, SAID), (GOOD, UNTOLD, GOOD), (GOOD, None, GOOD),
        (BAD, BAD, BAD), (BAD, GOOD, BAD), (UNTOLD, BAD, UNTOLD), (NOTHING, BAD, SAID),
        (None, BAD, replace(SAID, expected="this")), (None, GOOD, GOOD), (None, UNTOLD, UNTOLD),
    ],
)  # fmt: skip
def test_one_judgement_is_made_of_two(
    now: Judgement | None, then: Judgement | None, said: Judgement
) -> None:
    """Only a failure that is still to come becomes a sentence; none that is there is hidden."""
    assert shadowed(now, then, "p") == said


def test_a_check_that_nobody_makes_is_a_mistake() -> None:
    """It was not planned either."""
    with pytest.raises(ValueError, match="nobody makes"):
        shadowed(None, None, "p")


def test_a_run_says_which_hosts_are_in_shadow() -> None:
    """With the number of what has to go, and what was left off."""
    found = list(_findings(_case(BOTH)).values())
    (said,) = notices({"a": [BOTH], "b": [POLICY], "c": [POLICY, BOTH]}, found)
    assert said == (
        "In shadow of univie-2015: a, c: 4 passed checks would fail under mailseal-2026, which is"
        " not in force there"
    )
    assert list(notices({"b": [POLICY]}, found)) == []
    left = replace(BOTH, left_off=("SSLv3 is off",))
    assert list(notices({"a": [left]}, ()))[1:] == ["In shadow of univie-2015: SSLv3 is off"]


def test_what_the_new_policy_phased_out_is_kept_and_reported_while_the_tail_has_it() -> None:
    """A day of the calendar cuts nobody off."""
    pair = load(f"mailseal-2026+{BEFORE}")
    now, case = datetime(2029, 1, 1, tzinfo=UTC), good_endpoint("smtp", 25, traffic="mx")
    rules = pair.profiles["mx"]
    names = tuple(s.name for s in rules.allowed_suites("TLSv1.2", now.date()))
    case = replace(changed(case, suites={"TLSv1.2": names}), now=now, profile=rules)
    aim = Aim(POLICY.id, replace(case, profile=POLICY.profiles["mx"]))
    found = judge(Planned(CATALOGUE["MT-CIPHER-SET"], case.planned, pair.id), case, aim)
    assert (found.verdict, found.level) == ("pass", "phase-out")
    ciphers = ("256_GCM_SHA384", "128_GCM_SHA256", "256_CBC_SHA", "128_CBC_SHA")
    kept = ", ".join(f"TLS_RSA_WITH_AES_{cipher}" for cipher in ciphers)
    assert found.observed == f"{WOULD}TLSv1.2 accepts {kept}"

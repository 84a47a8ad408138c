"""What changes from one policy to another."""

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import msgspec
import pytest

from audit.cli import main
from audit.policy.diff import Change, diff, text
from audit.policy.load import load
from audit.policy.model import OPEN, Item, Policy

STRICT = load("mailseal-2026")
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "policy-diff-1.json"


def _with(**changes: object) -> Policy:
    """The strict policy with another access profile."""
    access = msgspec.structs.replace(STRICT.profiles["access"], **changes)
    return msgspec.structs.replace(STRICT, profiles={**STRICT.profiles, "access": access})


def _changes(**changes: object) -> tuple[Change, ...]:
    return diff(STRICT, _with(**changes)).profiles["access"]


def test_mozilla_5_7_to_5_8_is_exactly_what_is_known() -> None:
    """DHE went, the hybrid group came, for each kind of traffic."""
    found = diff(load("mozilla-intermediate-5.7"), load("mozilla-intermediate-5.8"))
    dhe = "TLS_DHE_RSA_WITH_"
    expected = (
        Change("suites", "removed", f"{dhe}AES_256_GCM_SHA384", before="good"),
        Change("suites", "removed", f"{dhe}AES_128_GCM_SHA256", before="good"),
        Change("suites", "removed", f"{dhe}CHACHA20_POLY1305_SHA256", before="good"),
        Change("groups", "added", "X25519MLKEM768", after="good, optional"),
    )
    assert set(found.profiles.values()) == {expected}
    assert set(found.profiles) == {"access", "submission", "mx", "outgoing"}


def test_mozilla_5_8_to_6_0_is_no_difference() -> None:
    """6.0 dropped the configuration "old" and left "intermediate" as it was."""
    found = diff(load("mozilla-intermediate-5.8"), load("mozilla-intermediate-6.0"))
    assert set(found.profiles.values()) == {()}
    assert text(found).splitlines()[-1] == "access, submission, mx, outgoing: no difference"


def test_a_policy_does_not_differ_from_itself() -> None:
    """Nothing is made up."""
    assert set(diff(STRICT, STRICT).profiles.values()) == {()}


def test_levels_and_their_days_are_differences() -> None:
    """And so is what must be served."""
    tls13, tls12 = STRICT.profiles["access"].versions
    late = msgspec.structs.replace(tls12, level="phase-out", until=OPEN)
    assert _changes(versions=(tls13, late)) == (
        Change("versions", "level", "TLSv1.2", "good", "phase-out"),
    )
    must = msgspec.structs.replace(tls13, required=True)
    assert _changes(versions=(must, tls12)) == (
        Change("versions", "level", "TLSv1.3", "good", "good, required"),
    )


def test_another_order_is_a_difference_where_order_counts() -> None:
    """Of what both have; where no order is exact, lists are sets."""
    suites = STRICT.profiles["access"].suites
    (change,) = _changes(suites=(*suites[1:], suites[0]))
    assert (change.kind, change.part) == ("order", "suites")
    assert change.before.startswith("TLS_AES_256_GCM_SHA384, ")
    assert change.after.endswith(", TLS_AES_256_GCM_SHA384")
    loose = _with(order="any")
    moved = msgspec.structs.replace(loose.profiles["access"], suites=(*suites[1:], suites[0]))
    other = msgspec.structs.replace(loose, profiles={**loose.profiles, "access": moved})
    assert diff(loose, other).profiles["access"] == ()


def test_requirements_and_certificates_are_compared() -> None:
    """Each by its name."""
    rules = msgspec.structs.replace(
        STRICT.profiles["access"].certificate, lifetime_days=90, curves=(Item(name="P-256"),)
    )
    assert [(c.part, c.kind, c.name) for c in _changes(certificate=rules, tls="offered")] == [
        ("certificate", "removed", "key on P-384"),
        ("certificate", "removed", "key on Ed25519"),
        ("certificate", "removed", "key on Ed448"),
        ("certificate", "changed", "lifetime_days"),
        ("requirements", "changed", "tls"),
    ]


def test_kinds_of_traffic_that_one_has_no_word_about_are_said() -> None:
    """They are no profile of the difference."""
    mx_only = msgspec.structs.replace(STRICT, id="mx-only", profiles={"mx": STRICT.profiles["mx"]})
    found = diff(STRICT, mx_only)
    assert found.only_before == ("access", "submission", "outgoing")
    assert list(found.profiles) == ["mx"]
    assert "only mailseal-2026 has: access, submission, outgoing" in text(found)


def test_the_command_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Signs, names, and what applies to all kinds of traffic but once."""
    assert main(["policy", "diff", "mozilla-intermediate-5.7", "mozilla-intermediate-5.8"]) == 0
    assert capsys.readouterr().out == (
        "mozilla-intermediate-5.7 of 2023-05-15 -> mozilla-intermediate-5.8 of 2026-04-06\n"
        "\n"
        "access, submission, mx, outgoing\n"
        "  suites\n"
        "    - TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 (good)\n"
        "    - TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 (good)\n"
        "    - TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 (good)\n"
        "  groups\n"
        "    + X25519MLKEM768 (good, optional)\n"
    )


def test_the_command_has_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """As its schema says."""
    assert main(["policy", "diff", "mailseal-2026", "ncsc-nl-2025", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["schema"] == "mailseal/policy-diff/1"
    assert document["after"] == {"id": "ncsc-nl-2025", "version": "2025-05-01"}


def test_a_policy_that_is_none_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence."""
    assert main(["policy", "diff", "mailseal-2026", "nosuch"]) == 2
    assert "there is no policy 'nosuch'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["mailseal-2026", "ncsc-nl-2025", "bsi-tr-02102-2", "rfc9325"])
def test_policies_are_shown_with_levels_and_requirements(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every item with its level, and what is demanded besides."""
    assert main(["policy", "show", name]) == 0
    shown = capsys.readouterr().out
    assert "forbidden    compression" in shown
    for item in load(name).profiles["mx"].suites:
        level = "" if item.level == "good" else f" ({item.thought})"
        assert f"{item.name}{level}\n" in shown

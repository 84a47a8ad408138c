"""Policy files: what is read, and how a wrong one is refused."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import MailsealError
from audit.policy.load import BUILT_IN, built_in_ids, load, parse
from audit.policy.model import OPEN, Item

GOOD = (BUILT_IN / "mailseal-2026.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", built_in_ids())
def test_built_in_policies_have_source_date_and_all_traffic(name: str) -> None:
    """Every policy that comes with mailseal is complete and named after its file."""
    policy = load(name)
    assert policy.id == name
    assert policy.source
    assert policy.date <= date(2026, 12, 31)
    assert set(policy.profiles) == {"access", "submission", "mx", "outgoing"}


def test_the_default_policy_is_the_one_order_for_all() -> None:
    """TLS 1.2 and 1.3, ECDHE with AEAD only; ECDSA before RSA, the ciphers as in TLS 1.3."""
    access = load("mailseal-2026").profiles["access"]
    day = date(2026, 11, 23)
    assert access.allowed_versions(day) == ("TLSv1.2", "TLSv1.3")
    older = access.allowed_suites("TLSv1.2", day)
    assert all(s.aead and s.key_exchange == "ECDHE" for s in older)
    assert [s.authentication for s in older] == ["ECDSA"] * 3 + ["RSA"] * 3
    tls13 = [s.cipher for s in access.allowed_suites("TLSv1.3", day)]
    assert tls13 == [s.cipher for s in older[:3]] == [s.cipher for s in older[3:]]


def test_port_25_allows_more_than_submission() -> None:
    """An old suite beats plain text where the sender falls back to it."""
    profiles = load("mailseal-2026").profiles
    strict = {item.name for item in profiles["submission"].suites}
    assert strict < {item.name for item in profiles["mx"].suites}
    assert profiles["mx"].tls == "offered"
    assert profiles["submission"].tls == "required"


def test_a_phase_out_ends_with_its_last_day() -> None:
    """The verdict follows the calendar."""
    item = Item(name="x", level="phase-out", until=date(2028, 12, 31))
    assert item.level_on(date(2028, 12, 31)) == "phase-out"
    assert item.level_on(date(2029, 1, 1)) == "insufficient"
    mx = load("mailseal-2026").profiles["mx"]
    now = mx.allowed_suites("TLSv1.2", date(2026, 11, 23))
    later = mx.allowed_suites("TLSv1.2", date(2029, 1, 1))
    assert {s.name for s in now} - {s.name for s in later} == {
        item.name for item in mx.suites if item.level == "phase-out"
    }


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("tls: reqired", "tls: required", "profiles.access.tls"),
        ("suits: &aead", "suites: &aead", "unknown field `suits`"),
        ("- X25517\n", "- X25519\n", "'X25517' is no name"),
        ("- secp256r1", "- P-256", "write P-256 for 'secp256r1'"),
        ("level: phase-out", "level: phase-out, until: 2028-12-31", "phase-out and until"),
        ("date: yesterday", "date: 2026-11-01", "date"),
        ("id: [mail", "id: mail", "not YAML"),
        ("  outbound:", "  outgoing:", "no kind of traffic"),
        ("versions: [TLSv1.3, TLSv1.3]", "versions: [TLSv1.3, TLSv1.2]", "listed twice"),
        ("versions: [TLSv1.4]", "versions: [TLSv1.3, TLSv1.2]", "'TLSv1.4' is no name"),
        ("versions: []", "versions: [TLSv1.3, TLSv1.2]", "the list is empty"),
        ("tls: required\n    tls: offered", "tls: required", "tls is said twice"),
        ('tls: "req\\e[31muired"', "tls: required", "do not print"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_item(wrong: str, right: str, words: str) -> None:
    """One sentence says where and what."""
    line = GOOD[: GOOD.index(right)].count("\n") + 1
    with pytest.raises(MailsealError) as error:
        parse(GOOD.replace(right, wrong, 1), "mine.yaml")
    # A syntax error is noticed where the line after it begins.
    assert str(error.value).startswith((f"mine.yaml:{line}: ", f"mine.yaml:{line + 1}: "))
    assert words in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("until: maybe", "until: 2028-12-31", "until"),
        ("level: fine, until:", "level: phase-out, until:", "level"),
        ("level: good, until:", "level: phase-out, until:", "phase-out and until go together"),
        ("bound: wide", "preference: server", "bound"),
        ("order: by-size", "preference: server", "order"),
        ("extended_master_secret: yes", "extended_master_secret: required", "extended_master"),
        ("client_renegotiation: required", "client_renegotiation: forbidden", "renegotiation"),
        ("rsa_bits: [2048, 2048]", "rsa_bits: 2048", "listed twice"),
        ("rsa_bits: [many]", "rsa_bits: 2048", "bits"),
        ("rsa_bits: {bits: 2048}", "rsa_bits: 2048", "rsa_bits"),
        ("rsa_bits: 12", "rsa_bits: 2048", "bits"),
        ("dh_bits: [{bits: 2048, level: phase-out}]", "preference: server", "phase-out and until"),
        ("dh_primes: mine", "preference: server", "dh_primes"),
        ("curves: [P-256, Ed25518]", "curves: [P-256, P-384, Ed25519, Ed448]", "is no name"),
        ("curves: [prime256v1]", "curves: [P-256, P-384, Ed25519, Ed448]", "write P-256"),
        ("curves: []", "curves: [P-256, P-384, Ed25519, Ed448]", "the list is empty"),
        ("signature_hashes: [md5]", "signature_hashes: [sha256, sha384, sha512]", "is no name"),
        ("signature_hashes: [{name: sha256, optional: true}]",
         "signature_hashes: [sha256, sha384, sha512]", "only versions, suites and groups"),
        ("{name: X25519MLKEM768, required: true, optional: true}",
         "{name: X25519MLKEM768, optional: true}", "either required or optional"),
        ("{name: X25519MLKEM768, required: true, level: insufficient}",
         "{name: X25519MLKEM768, optional: true}", "either required or insufficient"),
        ("{name: X25519MLKEM768, needed: true}",
         "{name: X25519MLKEM768, optional: true}", "unknown field `needed`"),
        ("lifetime_days: 0", "days_left: 7", "lifetime_days"),
        ("lifetime: 90", "days_left: 7", "unknown field `lifetime`"),
    ],
)  # fmt: skip
def test_a_mistake_in_levels_and_requirements_is_named_too(
    wrong: str, right: str, words: str
) -> None:
    """File, line and what is wrong; nothing that is misspelt is taken for no opinion."""
    line = GOOD[: GOOD.index(right)].count("\n") + 1
    with pytest.raises(MailsealError) as error:
        parse(GOOD.replace(right, wrong, 1), "mine.yaml")
    assert str(error.value).startswith(f"mine.yaml:{line}: ")
    assert words in str(error.value)


def test_shorthands_are_what_they_stand_for() -> None:
    """A number is a list of one size, `until: open` a phase-out without a last day."""
    wide = GOOD.replace(
        "rsa_bits: 2048", "rsa_bits: [3072, {bits: 2048, level: phase-out, until: open}]"
    )
    rules = parse(wide, "mine.yaml").profiles["access"].certificate
    assert [(s.bits, s.level, s.until) for s in rules.rsa_sizes] == [
        (3072, "good", None), (2048, "phase-out", OPEN),
    ]  # fmt: skip
    assert rules.rsa_sizes[1].thought == "phase-out"
    assert [s.bits for s in load("univie-2015").profiles["mx"].dh_sizes] == [2048]
    assert parse(GOOD.replace("rsa_bits: 2048", "rsa_bits: []"), "x").profiles["access"]


_BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"b{i}: &b{i} [{','.join([f'*b{i - 1}' if i else '*a'] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "profiles: 3", "\x00", "x: {", "a: &a [*a]", "a: &a {profiles: *a}",
     "? [a]\n: b", _BOMB, "[" * 200_000, "- " * 200_000],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_no_policy_is_refused_in_one_sentence(text: str) -> None:
    """Empty, recursive, deep and exploding ones end in a sentence, in bounded time and memory."""
    with pytest.raises(MailsealError):
        parse(text, "mine.yaml")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 40), st.text(max_size=6))
def test_damaged_policies_never_raise_anything_else(at: int, length: int, new: str) -> None:
    """Whatever is cut out or put in, it is read or refused."""
    try:
        parse(GOOD[:at] + new + GOOD[at + length :], "mine.yaml")
    except MailsealError as error:
        assert "\n" not in str(error)


def test_a_policy_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """With what there is instead."""
    with pytest.raises(MailsealError, match=r"no policy 'nosuch'.*mailseal-2026,.*univie-2015"):
        load("nosuch")
    with pytest.raises(MailsealError, match="no policy"):
        load(str(tmp_path))

"""No password, no key: neither in a difference nor in a sentence."""

import json
import shlex
import time
from collections.abc import Callable

import msgspec
import pytest

from audit.rollout.differences import differences
from audit.rollout.discreet import Discreet, is_secret, secrets, without_keys
from audit.rollout.events import Failed
from audit.rollout.shapes import HIDDEN
from audit.rollout.watch import Task, Watch
from tests.rollout.rollout_factories import STARTED

KEY = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "name",
    [
        *("password", "ansible_become_pass", "ldap_bind_password", "mailseal_exim_users"),
        *("api_key", "vault_token", "smtp_secret", "private_key", "passphrase"),
    ],
)
def test_names_that_sound_secret(name: str) -> None:
    """What they hold is nobody's business."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["mailseal_policy", "passage_wait", "ansible_ssh_private_key_file", "passive", "hosts"]
)
def test_names_that_do_not(name: str) -> None:
    """A file is named, not shown; a passage is no password."""
    assert not is_secret(name)


def test_secrets_are_found_however_deep() -> None:
    """All texts under such a name, and no others."""
    variables = {
        "mailseal_test_account": {"user": "tester", "password": "hunter22"},
        "mailseal_exim_users": {"tester": "$6$salt$hash"},
        "list": [{"token": ["abcd1234"]}],
        "plain": "visible",
    }
    assert set(secrets(variables)) == {"hunter22", "$6$salt$hash", "abcd1234"}


def test_what_is_known_to_be_secret_goes_from_every_text() -> None:
    """Short ones only where they stand alone, templates not at all, the longest first."""
    discreet = Discreet()
    discreet.learn(["word", "hunter22hunter22", "hunter22hunter", "{{ other }}", "no"])
    assert discreet.text("hunter22hunter22 hunter22hunter") == f"{HIDDEN} {HIDDEN}"
    assert discreet.text("a word, swords, no") == f"a {HIDDEN}, swords, no"
    assert discreet.text("{{ other }}") == "{{ other }}"


def test_a_secret_of_several_lines_goes_from_each() -> None:
    """Differences are shown line by line."""
    discreet = Discreet()
    discreet.learn(["first-of-two\nsecond-of-two\n"])
    assert discreet.setting("+ second-of-two") == f"+ {HIDDEN}"
    assert discreet.text("a first-of-two\nsecond-of-two b") == f"a {HIDDEN}\n{HIDDEN} b"


def _nested(write: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: write(write(text))


_WRITERS: dict[str, Callable[[str], str]] = {
    "JSON": json.dumps,
    "JSON as it is": lambda text: json.dumps(text, ensure_ascii=False),
    "Python": repr,
    "YAML": lambda text: f"""'{text.replace("'", "''")}'""",
    "a shell": shlex.quote,
}
_WRITERS |= {f"{name} in {name}": _nested(write) for name, write in _WRITERS.items()}


@pytest.mark.parametrize("write", _WRITERS.values(), ids=_WRITERS)
@pytest.mark.parametrize(
    "secret", ["hun'ter", 'h"u\\n', """it's "two" \\ words é $x""", "\U0001f511'\\key"]
)
def test_a_known_secret_goes_however_it_is_written(
    write: Callable[[str], str], secret: str
) -> None:
    """Results are JSON in Python in JSON; what is around it stays."""
    discreet = Discreet()
    discreet.learn([secret])
    shown = discreet.text(f"before {write(f'-{secret}-')} after")
    before, hidden, after = shown.partition(HIDDEN)
    assert hidden
    assert before.strip("\\'\"-") == "before "
    assert after.strip("\\'\"-") == " after"


def test_a_line_of_a_secret_goes_after_a_line_break_that_was_escaped() -> None:
    """Its last letter is none of the secret's."""
    discreet = Discreet()
    discreet.learn(["first\nhorse"])
    assert discreet.text(repr("first\nhorse")) == f"'{HIDDEN}\\n{HIDDEN}'"
    assert discreet.text("seahorse") == "seahorse"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("cannot parse sasl_password: hunter2", "cannot parse sasl_password: {}"),
        ("sasl_password: hunter2 in line 3", "sasl_password: {}"),
        ("no sasl_password: hunter2 in line 3", "no sasl_password: {} in line 3"),
        ("ldap_pass = correct horse battery", "ldap_pass = {}"),
        ("mysql --password=hunter2 -u x", "mysql --password={} -u x"),
        ("mysql --password hunter2 -u x", "mysql --password {} -u x"),
        ("invalid password 'hun ter2' of x", "invalid password {} of x"),
        ('{"a": 1, "password": "hun \\"ter2", "b": 2}', '{"a": 1, "password": {}, "b": 2}'),
        (r'"{\"password\": \"hun \\\"ter2\", \"b\"}"', r'"{\"password\": {}, \"b\"}"'),
        ("{'x': 1, 'api_key': b'hun ter2'}", "{'x': 1, 'api_key': {}}"),
        ("x: passwords=['hunter2', 'hunter3'] y", "x: passwords={} y"),
        ("password => 'hunter2'", "password => {}"),
        ("the token: 'hunter2", "the token: {}"),
        ("Authorization: Bearer hunter2.x y", "Authorization: Bearer {} y"),
    ],
)
def test_of_a_setting_in_a_sentence_only_the_name_is_shown(words: str, shown: str) -> None:
    """Nobody had to know the password; what is around it says what went wrong, and stays."""
    shown = shown.replace("{}", HIDDEN)
    assert Discreet().text(words) == shown
    assert Discreet().text(shown) == shown


def test_a_record_has_no_password_that_a_task_complains_of() -> None:
    """Nobody has told it that this is one."""
    result = {"msg": "cannot parse sasl_password: hunter2", "failed": True}
    (failed,) = Watch().failed("imap1", Task(name="x"), result, STARTED)
    assert isinstance(failed, Failed)
    assert failed.why == f"cannot parse sasl_password: {HIDDEN}"


@pytest.mark.parametrize(
    "words",
    [
        "msa1: it does not pass: MT-AUTH-BEFORE-TLS on port 587 of 10.98.0.7: AUTH PLAIN (fail)",
        "the password was looked at",
        "MT-LOGIN-REFUSED: the password was refused",
        "Permission denied (publickey,password).",
        "ssl_key_password_file=/etc/mailseal/key: no such file",
        "sasl_pwcheck_method: saslauthd",
        "bypass: yes, passage: no, passive_mode=1, all passes: 14",
        "438 pass, 1 fail: unexpected token",
    ],
)
def test_what_only_speaks_of_passwords_stays(words: str) -> None:
    """A sentence that says why is worth more than one with holes."""
    assert Discreet().text(words) == words


@pytest.mark.parametrize(
    "words",
    ["a.", "pass", "--pass", "\\", "'", 'password: "', "://", "_pw=", "$1$", "password='' "],
)
def test_a_long_line_is_looked_through_once(words: str) -> None:
    """Whatever it repeats."""
    discreet = Discreet()
    discreet.learn(["\"a'b\\c d$", "$éx'y"])
    started = time.process_time()
    discreet.setting(words * (100_000 // len(words)))
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("postgresql://user:pw@host/db", f"postgresql://user:{HIDDEN}@host/db"),
        ("tester:$6$abc$defghi:rest", f"tester:{HIDDEN}:rest"),
        (KEY, HIDDEN),
        ("\udcff", "\\udcff"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_what_looks_like_a_secret_goes_too(words: str, shown: str) -> None:
    """Passwords in URLs, hashes of crypt(3), keys; bytes that are no text become escapes."""
    assert Discreet().text(words) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("+ldap_password: hunter22", f"+ldap_password: {HIDDEN}"),
        ("-  server_secret = x", f"-  server_secret = {HIDDEN}"),
        ("+sasl_pwcheck_method: saslauthd", "+sasl_pwcheck_method: saslauthd"),
        ("+database_pw = x", f"+database_pw = {HIDDEN}"),
        ("+machine mx1 login a password hunter22", f"+machine mx1 login a password {HIDDEN}"),
        ("+the secret = x", f"+the secret = {HIDDEN}"),
        ("+passive_mode: yes", "+passive_mode: yes"),
        (" allowplaintext: no", " allowplaintext: no"),
    ],
)
def test_of_a_secret_setting_only_the_name_is_shown(line: str, shown: str) -> None:
    """In whatever form a file has it."""
    assert Discreet().setting(line) == shown


def diff(before: str, after: str, **more: str) -> dict[str, object]:
    """The result of a task that changed a file."""
    headings = {
        "before_header": "/etc/x (root root 0644)",
        "after_header": "/etc/x (root root 0644)",
    }
    return {"changed": True, "diff": [{**headings, "before": before, "after": after, **more}]}


def test_a_difference_is_unified_and_without_a_secret() -> None:
    """That a password changed is seen, and not to what."""
    before, after = "a\npassword: old\n", "b\npassword: new\n"
    ((path, lines, more),) = differences(diff(before, after), Discreet())
    assert (path, more) == ("/etc/x", 0)
    assert lines == (
        "@@ -1,2 +1,2 @@",
        "-a",
        f"-password: {HIDDEN}",
        "+b",
        f"+password: {HIDDEN}",
    )


def test_a_key_is_not_shown_at_all() -> None:
    """Neither the old one nor the new."""
    for one in (diff(KEY, ""), diff("", KEY)):
        assert list(differences(one, Discreet())) == [("/etc/x", (HIDDEN,), 0)]


def test_a_key_goes_whole_from_a_text_of_many_lines() -> None:
    """What stands between its first line and its last is the key; without a last, all is."""
    shown = "".join(f"+{line}\n" for line in KEY.splitlines())
    assert without_keys(f"a\n{shown}b\n{shown}c\n") == f"a\n+{HIDDEN}\nb\n+{HIDDEN}\nc\n"
    assert without_keys(f"a\n{shown[:40]}") == f"a\n+{HIDDEN}"
    rsa = KEY.replace("PRIVATE", "RSA PRIVATE")
    assert without_keys(f"{rsa}b") == f"{HIDDEN}\nb"
    assert without_keys("no key") == "no key"


def test_a_change_of_owner_or_mode_alone_is_shown() -> None:
    """From the headings."""
    result = diff("same\n", "same\n", after_header="/etc/x (root mail 0640)")
    ((_, lines, _),) = differences(result, Discreet())
    assert lines == ("-/etc/x (root root 0644)", "+/etc/x (root mail 0640)")


def test_results_of_a_loop_and_what_is_no_difference() -> None:
    """Each item; nothing where nothing is otherwise; a long one is cut and says so."""
    long = "".join(f"{n}\n" for n in range(1000))
    loop = {"results": [diff("a\n", "b\n"), diff("", long), {"diff": {"prepared": "x"}}, "odd"]}
    found = list(differences(loop, Discreet(), "/etc/dest"))
    assert [(path, len(lines), more) for path, lines, more in found] == [
        ("/etc/dest", 3, 0),
        ("/etc/dest", 400, 601),
    ]
    assert list(differences(diff("a\n", "a\n"), Discreet())) == []


def test_every_text_can_be_written() -> None:
    """Also one that is no UTF-8."""
    assert msgspec.json.encode([Discreet().text("\udc80\x00"), STARTED])

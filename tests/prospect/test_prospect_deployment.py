"""What came of a deployment, from its events."""

import json

from audit.prospect.deployment import deployment
from audit.unsaid import HIDDEN, said


def _event(**event: object) -> str:
    return json.dumps(event)


def _sum(host: str, **more: int) -> str:
    return _event(event="sum", host=host, **{"changed": 0, "failures": 0, "unreachable": 0, **more})


def test_the_last_failure_of_a_host_is_its_reason() -> None:
    """Those before it were rescued; so was everything of a host whose sum has no failure."""
    found = deployment(
        [
            _event(event="failed", host="imap1", reason="the trial says no"),
            _event(
                event="failed",
                host="imap1",
                reason="imap1: it does not pass;\n it serves as before",
            ),
            _event(event="failed", host="imap2", reason="rescued"),
            _sum("imap1", failures=1),
            _sum("imap2", changed=3),
        ],
        2,
        "",
    )
    (trouble,) = found.troubles
    assert (trouble.host, trouble.reached) == ("imap1", True)
    assert trouble.reason == "imap1: it does not pass; it serves as before"
    assert found.changed == ("imap2",)


def test_a_host_that_is_not_reached_is_said_not_to_be() -> None:
    """Of a candidate that says nothing."""
    lines = [_event(event="failed", host="a", reason="no route"), _sum("a", unreachable=1)]
    (trouble,) = deployment(lines, 4, "").troubles
    assert (trouble.reason, trouble.reached) == ("no route", False)


def test_an_end_that_no_event_explains_is_trouble() -> None:
    """A play that is wrong as a whole, and one that was killed in the middle of a line."""
    words = "[WARNING]: x\n[ERROR]: conflicting action statements: a, b\nOrigin: y"
    (trouble,) = deployment([_sum("a")], 4, words).troubles
    assert (trouble.host, trouble.reason) == ("", "conflicting action statements: a, b")
    (trouble,) = deployment([_sum("a"), '{"event": "su'], -9, "").troubles
    assert trouble.reason == "ansible-playbook ended with -9"
    assert deployment([_sum("a")], 0, "").troubles == ()


def test_a_file_is_told_by_its_difference_without_secrets() -> None:
    """The lines that changed, one around them; what may be a secret is not among them."""
    before = "a: 1\nb: 2\nsasl_password: hunter2\nz: 9\n"
    after = (
        before.replace("b: 2", "b: 3").replace("hunter2", "hunter3") + "user:$6$saltsalt$hashhash\n"
    )
    line = _event(event="file", host="a", path="/etc/imapd.conf", before=before, after=after)
    (file,) = deployment([line, _sum("a", changed=1)], 0, "").files
    assert {"-b: 2", "+b: 3"} <= {*file.lines}
    assert file.lines[0].startswith("@@")
    told = "\n".join(file.lines)
    assert "hunter" not in told
    assert "hashhash" not in told


def test_what_may_be_a_secret() -> None:
    """By the name of an option, and by what a hashed password looks like."""
    for line in (
        "sasl_mysql_passwd: x",
        "database_pw = x",
        "client_secret: x",
        "u:$y$j9T$abcdefgh",
    ):
        assert said(line) == HIDDEN
    for line in ("sasl_pwcheck_method: auxprop", "tls_versions: tls1_2", ""):
        assert said(line) == line

"""What came of a deployment, from the record of its rollout."""

import pytest

from audit.prospect.deployment import Trouble, deployment
from audit.rollout import events as ev
from tests.rollout import rollout_factories as made
from tests.rollout.rollout_factories import MAIL, WHY, Script, told


def test_a_host_that_went_back_is_trouble_with_the_last_that_was_said() -> None:
    """Those that changed and passed are none; nor are those that were not begun."""
    found = deployment(told(made.stopped()), 2, "")
    assert found.troubles == (Trouble("msa1", WHY),)
    assert {"mx1", "mx2", "msa1"} == {*found.changed}
    assert {*MAIL} < {*found.hosts}


@pytest.mark.parametrize("state", ["otherwise", "not-back", "unjudged"])
def test_a_host_that_has_not_what_it_should_have_is_trouble(state: str) -> None:
    """However it failed, and though nobody compared."""
    (trouble,) = deployment(told(made.stopped(state)), 2, "").troubles
    assert (trouble.host, trouble.reached) == ("msa1", True)


def test_what_no_gate_has_looked_at_is_left_to_the_audit() -> None:
    """A staging cluster may have its gate switched off."""
    script = Script()
    script.batch(1, ("mx1",))
    script.passes("mx1")
    script.lines[-1] = ev.Told(at=script.at(40), host="mx1", state="unaudited")
    script.over({"mx1": 40})
    assert deployment(told(script.close().lines), 0, "").troubles == ()


def test_a_host_that_is_not_reached_is_said_not_to_be() -> None:
    """Of a candidate that says nothing."""
    script = Script()
    script.batch(1, ("mx1",))
    script.lines.append(ev.Unreachable(at=script.at(1), host="mx1", why="no\n route"))
    script.over({"mx1": 1})
    found = deployment(told(script.close("mx1").lines), 4, "")
    assert found.troubles == (Trouble("mx1", "no route", reached=False),)


def test_an_end_that_no_host_explains_is_trouble() -> None:
    """A play that is wrong as a whole, also before there was a record; and one that was killed."""
    words = "[WARNING]: x\n[ERROR]: conflicting action statements: a, b\nOrigin: y"
    for rollout in (None, told(made.good())):
        (trouble,) = deployment(rollout, 4, words).troubles
        assert (trouble.host, trouble.reason) == ("", "conflicting action statements: a, b")
    (trouble,) = deployment(told(made.killed()), -9, "").troubles
    assert trouble.reason == "ansible-playbook ended with -9"
    assert deployment(told(made.good()), 0, "").troubles == ()


def test_files_are_those_that_were_put_in_place() -> None:
    """With how many lines were left out; what was wanted only is not told as replaced."""
    script = Script()
    script.batch(1, ("mx1",))
    for path, check in (("/etc/in", False), ("/etc/wanted", True)):
        lines = ("@@ -1 +1 @@", "-a", "+b")
        script.lines.append(
            ev.Diff(at=script.at(1), host="mx1", path=path, lines=lines, more=7, check=check)
        )
    script.over({"mx1": script.unchanged("mx1")})
    (file,) = deployment(told(script.close().lines), 0, "").files
    assert (file.host, file.path, file.more) == ("mx1", "/etc/in", 7)


def test_of_who_is_only_asked_files_are_those_that_would_be() -> None:
    """--check: nothing is in place, and who would change is said to."""
    found = deployment(told(made.looked()), 0, "")
    assert [(f.host, f.path) for f in found.files] == [("mx1", "/etc/x")]
    assert found.changed == ("mx1",)

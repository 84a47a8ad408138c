"""From the lines of a record to how a rollout ended."""

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from audit.report.ended import exit_code, headline
from audit.rollout import events as ev
from audit.rollout.model import Host, Rollout
from audit.rollout.words import MEANING, State
from tests.rollout import rollout_factories as made
from tests.rollout.rollout_factories import MAIL, Script, told


def host(rollout: Rollout, name: str) -> Host:
    """One of its hosts."""
    return next(h for h in rollout.hosts if h.host == name)


def states(rollout: Rollout) -> dict[str, str]:
    """How it ended on each host."""
    return {h.host: h.state for h in rollout.hosts}


def test_a_good_rollout_is_told_as_good() -> None:
    """What changed and what had nothing to change are told apart."""
    found = told(made.good())
    assert headline(found) == (
        "pass",
        "4 hosts changed and passed, 1 host had nothing to change",
    )
    assert states(found)["imap2"] == "unchanged"
    assert states(found)["ns1"] == "done"
    assert exit_code(found) == 0


def test_a_host_that_went_back_is_named_and_those_after_it_were_not_begun() -> None:
    """With the sentence that says why."""
    found = told(made.stopped())
    assert headline(found) == ("fail", "msa1 did not pass, went back and is as before")
    assert states(found) == {
        **dict.fromkeys(("mx1", "mx2"), "passed"),
        "msa1": "back",
        **dict.fromkeys(("imap1", "imap2"), "not-begun"),
        "ns1": "done",
    }
    assert host(found, "msa1").why.startswith("msa1: it does not pass: MT-AUTH-BEFORE-TLS")
    assert exit_code(found) == 1


def test_the_gate_s_findings_are_compared_with_those_before_the_change() -> None:
    """New, fixed, and back again."""
    found = told(made.stopped())
    after, back = host(found, "msa1").looks[1:]
    assert [(c.kind, c.finding.check) for c in after.changes] == [("new", "MT-AUTH-BEFORE-TLS")]
    assert back.changes == ()
    assert back.compared
    (fixed,) = host(found, "mx2").looks[1].changes
    assert (fixed.kind, fixed.finding.check) == ("fixed", "MT-CIPHER-SET")


def test_a_look_that_is_not_there_is_said_to_be_missing() -> None:
    """Nothing is known; nothing is compared."""
    from audit.rollout.tell import rollout

    looks = host(rollout(made.stopped(), {}), "msa1").looks
    assert [(look.moment, look.seen, look.compared) for look in looks] == [
        (moment, False, False) for moment in ("before", "after", "back")
    ]


def test_a_rollout_that_was_killed_is_never_good() -> None:
    """Hosts in work were cut off; the same record while it is written is running."""
    found = told(made.killed())
    assert found.course == "unfinished"
    verdict, sentence = headline(found)
    assert verdict == "inconclusive"
    assert sentence == "It did not come to its end: mx2 and msa1 were cut off"
    assert states(found)["mx1"] == "passed"
    assert exit_code(found) == 3
    running = told(made.killed(), running=True)
    assert headline(running) == ("waived", "Still running: mx2 and msa1 were in work now")
    assert states(running)["mx2"] == "running"
    assert exit_code(running) == 3


def test_a_record_that_ends_anywhere_never_reads_as_good() -> None:
    """Every beginning of every record but the whole one."""
    for lines in (made.good(), made.stopped(), made.unchanged(), made.by_hand(), made.looked()):
        for end in range(1, len(lines)):
            found = told(lines[:end])
            assert headline(found)[0] in ("inconclusive", "fail")
            assert exit_code(found) != 0


@pytest.mark.parametrize(
    ("state", "verdict", "code"), [("otherwise", "fail", 1), ("unjudged", "inconclusive", 3)]
)
def test_going_back_is_told_as_it_was_judged(state: State, verdict: str, code: int) -> None:
    """OTHERWISE is the gravest; what nobody compared is in doubt."""
    found = told(made.stopped(state))
    assert headline(found) == (verdict, f"msa1 {MEANING[state][3]}")
    assert exit_code(found) == code


def test_a_word_that_nobody_knows_is_no_good_news() -> None:
    """Of roles that are newer than the reader."""
    found = told(made.stopped("splendid"))
    assert states(found)["msa1"] == "cut-off"
    assert exit_code(found) == 3


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        (("pre-flight",), "untouched"),
        (("pre-flight", "change"), "failed"),
        (("pre-flight", "change", "back"), "not-back"),
        (("pre-flight", "change", "look-after", "back", "look-back"), "not-back"),
    ],
)
def test_where_nobody_said_how_it_ended_the_part_that_failed_tells(
    phases: tuple[str, ...], expected: str
) -> None:
    """In the pre-flight nothing was touched; while going back it is not back."""
    script = Script()
    script.batch(1, MAIL)
    for number, phase in enumerate(phases):
        script.lines.append(ev.Phase(at=script.at(number), host="mx1", phase=phase))
    script.lines.append(ev.Failed(at=script.at(9), host="mx1", task="x", why="no room"))
    script.over({"mx1": 9})
    found = told(script.close("mx1").lines)
    assert states(found)["mx1"] == expected
    assert host(found, "mx1").why == "no room"
    assert exit_code(found) == 1


def test_a_host_that_is_lost_is_unreachable_whatever_came_before() -> None:
    """Also after it was said to be good."""
    script = Script()
    script.batch(1, MAIL)
    after = script.passes("mx1")
    script.lines.append(ev.Unreachable(at=script.at(after), host="mx1", why="no route"))
    script.over({"mx1": after})
    assert states(told(script.close().lines))["mx1"] == "unreachable"


def test_a_failure_after_the_good_word_takes_it_back() -> None:
    """A handler at the end of the batch, for instance; one that was caught does not."""
    script = Script()
    script.batch(1, MAIL)
    after = script.passes("mx1")
    script.lines.append(ev.Failed(at=script.at(after), host="mx1", task="x", why="no"))
    script.over({"mx1": after})
    lines = script.lines
    assert states(told([*lines, ev.Closed(at=script.now, failed=("mx1",))]))["mx1"] == "failed"
    assert states(told([*lines, ev.Closed(at=script.now)]))["mx1"] == "passed"


def test_a_stopped_rollout_leaves_hosts_that_were_only_asked() -> None:
    """A batch after one that failed begins nothing."""
    script = Script()
    script.batch(1, MAIL)
    script.lines.append(ev.Phase(at=script.at(1), host="mx1", phase="pre-flight"))
    script.lines.append(ev.Phase(at=script.at(2), host="mx1", phase="held"))
    script.over({"mx1": 2})
    found = told(script.close().lines)
    assert states(found)["mx1"] == "not-begun"
    assert exit_code(found) == 3


def test_nothing_to_change_looking_and_going_back_by_hand_have_their_sentences() -> None:
    """Each is good."""
    sentences = {
        made.unchanged: "Nothing had to be changed on 5 hosts",
        made.looked: "Looked only: 1 of 5 hosts would change",
        made.by_hand: "imap1 went back as asked",
    }
    for lines, sentence in sentences.items():
        found = told(lines())
        assert headline(found) == ("pass", sentence)
        assert exit_code(found) == 0


def test_what_was_only_wanted_is_told_apart_from_what_was_replaced() -> None:
    """A trial that fails leaves a difference and no new file."""
    assert not host(told(made.looked()), "mx1").files[0].replaced
    assert host(told(made.good()), "mx1").files[0].replaced


def test_parts_of_the_work_follow_each_other_and_add_up() -> None:
    """The last ends with the host's last task."""
    spans = host(told(made.stopped()), "msa1").spans
    assert [s.phase for s in spans][-3:] == ["look-after", "back", "look-back"]
    for one, two in pairwise(spans[1:]):
        assert one.finished == two.started
    assert round(sum(s.seconds for s in spans[1:]), 1) == 57.2


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    """An hour before the last lines were written."""
    lines = made.good()
    back = [replace(e, at=e.at - timedelta(hours=1)) for e in lines[-9:]]
    found = told([*lines[:-9], *back])
    assert found.finished >= found.started
    assert all(span.seconds >= 0 for host in found.hosts for span in host.spans)

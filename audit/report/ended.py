"""How a rollout ended, in one sentence and as an exit code."""

from collections import Counter

from audit.findings import COMPLIANT, FAILED, UNDETERMINED, Verdict
from audit.report.summary import plural
from audit.rollout.model import Host, Rollout
from audit.rollout.words import MEANING, STATES

_MOST = 3  # hosts named in a sentence
# States that say that something is not as it was and not as it should be: nothing is graver.
_GRAVE = ("otherwise", "not-back")


def verdict_of(host: Host) -> Verdict:
    """What the state of a host counts as."""
    return MEANING[host.state][2]


def headline(rollout: Rollout) -> tuple[Verdict, str]:
    """The verdict on a rollout and the sentence; one that did not come to its end is never good."""
    mail = [h for h in rollout.hosts if h.mail]
    grave = [h for h in mail if h.state in _GRAVE]
    bad = [h for h in rollout.hosts if verdict_of(h) == "fail"]
    if rollout.course == "running":
        return "waived", f"Still running: {_work(mail, 'running', 'in work now')}"
    if rollout.course == "unfinished":
        cut = f"It did not come to its end: {_work(mail, 'cut-off', 'cut off')}"
        return ("fail" if grave else "inconclusive"), cut
    if grave or bad:
        return "fail", _named(grave or bad, len(mail))
    if doubtful := [h for h in rollout.hosts if verdict_of(h) == "inconclusive"]:
        return "inconclusive", _named(doubtful, len(mail))
    return _good(rollout, mail)


def rest(rollout: Rollout) -> str:
    """How many mail hosts there are in each state, in one line, and others that failed."""
    counted = Counter(h.state for h in rollout.hosts if h.mail or h.state != "done")
    return ", ".join(f"{counted[s]} {MEANING[s][0]}" for s in STATES if counted[s])


def exit_code(rollout: Rollout) -> int:
    """0 it reached every host, 1 a host did not get there, 3 that is not known."""
    verdict, _ = headline(rollout)
    if any(verdict_of(h) == "fail" for h in rollout.hosts) or verdict == "fail":
        return FAILED
    known = rollout.course == "finished" and verdict != "inconclusive"
    return COMPLIANT if known else UNDETERMINED


def _good(rollout: Rollout, mail: list[Host]) -> tuple[Verdict, str]:
    counted = Counter(h.state for h in mail)
    left, hosts = counted["not-begun"], plural(len(mail), "host")
    if left == len(mail):
        some = f" (--tags {', '.join(rollout.tags)})" if rollout.tags else ""
        return ("pass" if some else "inconclusive"), f"No mail daemon was touched{some}"
    if left:
        return "inconclusive", f"{left} of {hosts} not begun"
    changed, same = counted["passed"] + counted["aside"], counted["unchanged"]
    if rollout.check:
        sentence = f"Looked only: {counted['would-change']} of {hosts} would change"
    elif counted["restored"]:
        sentence = f"{_names(mail)} went back as asked"
    elif not changed:
        sentence = f"Nothing had to be changed on {hosts}"
    elif not same:
        sentence = f"{hosts} changed and passed"
    else:
        others = f"{plural(same, 'host')} had nothing to change"
        sentence = f"{plural(changed, 'host')} changed and passed, {others}"
    return "pass", sentence


def _named(hosts: list[Host], among: int) -> str:
    """Hosts of one state with what it means; of several states how many there are."""
    states = {h.state for h in hosts}
    if len(states) == 1:
        meaning = MEANING[hosts[0].state][3]
        if len(hosts) == 1:
            return f"{hosts[0].host} {meaning}"
        return f"{_names(hosts)}: each {meaning}"
    return f"{len(hosts)} of {plural(among, 'host')} did not get there: {_names(hosts)}"


def _work(mail: list[Host], state: str, words: str) -> str:
    found = [h for h in mail if h.state == state]
    if not found:
        return f"no mail host was {words}"
    return f"{_names(found)} {'was' if len(found) == 1 else 'were'} {words}"


def _names(hosts: list[Host]) -> str:
    names = [h.host for h in hosts[:_MOST]]
    if len(hosts) > _MOST:
        names.append(f"{len(hosts) - _MOST} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

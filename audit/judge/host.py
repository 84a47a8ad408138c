"""What the host says: restarts, settings, keys, logs."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from audit.judge.case import HostCase, HostJudge, Judgement
from audit.judge.inside import Found, named, verdict

if TYPE_CHECKING:
    from audit.findings import Verdict

_OTHERS = 0o007
_GROUP_WRITE = 0o020
_KEYS = (".key", "key.pem")
_OWNERS = ("root", "cyrus", "exim", "Debian-exim")
_GROUPS = ("root", "mail", "cyrus", "exim", "Debian-exim", "ssl-cert")
_SERVICE = "service:"  # a line of cyrus.conf, as `collect.sh` names it
# A service that reads another file, or takes the connection as already secure.
_OWN_RULES = re.compile(r"\s-(?:C|p|N)\b")


def restart_pending(case: HostCase) -> Judgement:
    """No process is older than a file it has read."""
    found = Found(seen=[named(process) for process in case.facts.processes])
    for process in case.facts.processes:
        newer = sorted(f.path for f in case.facts.files if f.modified > process.started)
        if newer:
            found.fault(process, f"is older than {', '.join(newer)}")
    return verdict(case, found, "started after the last change")


def settings_effective(case: HostCase) -> Judgement:
    """Every compiled option is in force, and nothing overrides it."""
    compiled = case.compiled
    if compiled is None:
        decided: Verdict = "inconclusive" if case.kind is None else "fail"
        return Judgement(decided, case.obstacle, "the compiled policy in force")
    options = case.facts.options.get(case.planned.daemon, {})
    services = {
        name.removeprefix(_SERVICE): command
        for name, command in options.items()
        if name.startswith(_SERVICE)
    }
    wrong = []
    for option, value in compiled.options.items():
        have = options.get(option)
        if have != value:
            wrong.append(f"{option} is {have or 'not set'}, not {value}")
        overrides = [f"{service}_{option}" for service in services]
        wrong += [f"{o} is {options[o]}" for o in overrides if o in options]
    wrong += [
        f"{service} is started as {command}"
        for service, command in services.items()
        if _OWN_RULES.search(command)
    ]
    expected = [f"{option} = {value}" for option, value in compiled.options.items()]
    if compiled.openssl_cnf is not None:
        expected.append("openssl.cnf as compiled")
        have = case.facts.library_settings.get(case.planned.daemon, "")
        wrong += _changed_lines(compiled.openssl_cnf, have)
    return verdict(case, Found(wrong), "; ".join(expected))


def key_permissions(case: HostCase) -> Judgement:
    """Only the daemon can read a private key."""
    options = case.facts.options.get(case.planned.daemon, {})
    named = " ".join(options.get(o, "") for o in ("tls_server_key", "tls_privatekey"))
    keys = [f for f in case.facts.files if f.path.endswith(_KEYS) or f.path in named]
    wrong = [
        f"{f.path} is {f.mode:04o} {f.owner}:{f.group}"
        for f in keys
        if f.mode & (_OTHERS | _GROUP_WRITE) or f.owner not in _OWNERS or f.group not in _GROUPS
    ]
    seen = [f"{f.path} {f.mode:04o} {f.owner}:{f.group}" for f in keys]
    expected = "0640 or tighter, owned by root, group of the daemon"
    if not keys and case.facts.reached:
        return Judgement("inconclusive", "no private key was found", expected)
    return verdict(case, Found(wrong, seen), expected)


def log_enabled(case: HostCase) -> Judgement:
    """TLS version and suite of each connection reach a log file."""
    if case.planned.daemon == "exim":
        selector = case.facts.options.get("exim", {}).get("log_selector")
        if selector is None:
            words, want = "log_selector could not be read", "log_selector with +tls_cipher"
            return Judgement("inconclusive", words, want)
        wrong = [] if _selects(selector, "tls_cipher") else ["Exim does not log tls_cipher"]
        found = Found(wrong, [f"log_selector = {selector}"])
        return verdict(case, found, "log_selector with +tls_cipher")
    rules = list(case.facts.options.get("syslog", {}).values())
    written = any(_takes_notice(rule) for rule in rules)
    wrong = [] if written else ["no syslog rule writes mail.notice to a file"]
    return verdict(case, Found(wrong, rules), "syslog writes mail.notice to a file")


def resolver_validates(case: HostCase) -> Judgement:
    """What was validated reaches Exim as validated, or it does no DANE."""
    expected = "the answer for a signed name is validated"
    if case.facts.reached and case.planned.daemon != "exim":
        return Judgement("not-applicable", "nothing here does DANE", expected)
    answers = case.facts.options.get("resolver", {})
    doubts = [
        f"there is no answer for {name}" for name, said in answers.items() if said == "no answer"
    ]
    if case.facts.reached and (doubts or not answers):
        return Judgement("inconclusive", "; ".join(doubts) or "Exim asks nothing", expected)
    wrong = [f"the answer for {n} is {said}" for n, said in answers.items() if said != "validated"]
    return verdict(case, Found(wrong, list(answers)), expected)


def _selects(selector: str, word: str) -> bool:
    """Whether an Exim log_selector has *word*, which is on by default (spec, chapter 53)."""
    on = True
    for sign, name in re.findall(r"([+-])\s*(\w+)", selector):
        if name in (word, "all"):
            on = sign == "+"
    return on


def _takes_notice(rule: str) -> bool:
    """Whether a syslog.conf(5) rule writes mail.notice to a file."""
    selectors, _, action = rule.strip().partition(" ")
    if not action.strip().lstrip("-").startswith("/"):
        return False
    takes = False
    for selector in selectors.split(";"):
        facilities, _, priority = selector.partition(".")
        if {"mail", "*"} & set(facilities.split(",")):
            takes = priority in ("*", "debug", "info", "notice", "=notice")
    return takes


def _changed_lines(wanted: str, have: str) -> Iterator[str]:
    lines = _settings(have)
    for line in _settings(wanted):
        if line not in lines:
            yield f"openssl.cnf lacks {line}"
    for line in lines:
        if line not in _settings(wanted):
            yield f"openssl.cnf has {line}"


def _settings(text: str) -> list[str]:
    return [s for line in text.splitlines() if (s := line.strip()) and not s.startswith("#")]


JUDGES: dict[str, HostJudge] = {
    "MT-RESTART-PENDING": restart_pending,
    "MT-CONF-EFFECTIVE": settings_effective,
    "MT-KEY-PERM": key_permissions,
    "MT-LOG-ENABLED": log_enabled,
    "MT-RESOLVER-VALIDATES": resolver_validates,
}

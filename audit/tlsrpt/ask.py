"""Who wants reports, as the domains themselves say it in DNS (RFC 8460, section 3)."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from audit.domain.resolver import Resolver
from audit.facts import Answer
from audit.tlsrpt.write import ADDRESS, Recipients
from audit.wire import tls_rpt

_AT_ONCE = 8
_MAIL = "mailto:"


class Asked(NamedTuple):
    """What domains say.

    Attributes:
        wanted: addresses by domain; none of one that wants reports elsewhere than by mail, or of
            which nobody can tell. Domains that want no reports are not in it.
        untold: why nobody can tell.
    """

    wanted: Recipients
    untold: Mapping[str, str]


def ask(domains: Iterable[str], resolver: Resolver) -> Asked:
    """Ask each of them; *resolver* bounds the time, and what is left then is untold."""
    names = list(dict.fromkeys(domains))

    def one(name: str) -> Answer:
        resolver.begin()
        return resolver.ask(f"_smtp._tls.{name}", "TXT")

    pool = ThreadPoolExecutor(_AT_ONCE, "tlsrpt")
    try:
        answers = dict(zip(names, pool.map(one, names), strict=True))
    finally:  # somebody may have pressed Ctrl-C, and waits for nothing
        pool.shutdown(wait=False, cancel_futures=True)
    untold = {name: why for name, answer in answers.items() if (why := _untold(answer))}
    wanted: dict[str, tuple[str, ...]] = dict.fromkeys(untold, ())
    for name, answer in answers.items():
        places = () if name in untold else _places(answer)
        mails = [p[len(_MAIL) :] for p in places if p.lower().startswith(_MAIL)]
        if places:
            wanted[name] = tuple(address for address in mails if ADDRESS.fullmatch(address))
    return Asked(wanted, untold)


def _untold(answer: Answer) -> str:
    """Why it is no answer; empty if it is one."""
    return answer.why if answer.outcome == "failed" or answer.security == "bogus" else ""


def _places(answer: Answer) -> tuple[str, ...]:
    """Where reports are wanted; nowhere where several records, or none that can be read, say so."""
    records = tls_rpt.announced(answer.records)
    try:
        return tls_rpt.places(records[0]) if len(records) == 1 else ()
    except ValueError:
        return ()

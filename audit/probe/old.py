"""Suites of old versions, and of servers that choke on long hellos. Pure."""

from collections.abc import Mapping, Sequence

from audit.facts import Observation
from audit.iana import Suite, Version, group, suite
from audit.probe.discover import (
    Discovery,
    Script,
    evidence,
    groups_for,
    offer_order,
    read,
    suites,
    walk,
)
from audit.wire.answer import Alert, Heard
from audit.wire.hello import Hello
from audit.wire.server_hello import Accepted

# What such a server may speak first, and how much of it at once.
_BEST_KNOWN = tuple(
    suite(code) for code in (0xC013, 0xC014, 0x002F, 0x0035, 0x000A, 0x0005, 0xC009, 0xC00A)
)
_FEW = tuple(group(code) for code in (0x0017, 0x0018, 0x0100))
_SHORT = 24
# What blames the version; SSLv3 has no alert for that.
_WRONG_VERSION = (Alert(70),)
_WRONG_SSL3 = (Alert(40), *_WRONG_VERSION)


def old_suites(version: Version, offered: Sequence[Suite], name: str) -> Script[Discovery]:
    """As `suites`, after one hello with all of them: most servers refuse the whole version.

    A refusal that does not blame the version may be chance, a hello too long, or a server that
    breaks down over Diffie-Hellman without a prime: it is doubtful, see `once_more`.
    """
    heard = yield Hello(version, tuple(offered), groups_for(version), name)
    seen = read(heard, version)
    if version == "SSLv2":
        picks = [heard] if isinstance(heard, Accepted) and seen.seen == "accepted" else []
        return Discovery(first=seen, picks=picks, rest=seen)
    if seen.seen == "accepted":
        return (yield from suites(version, offered, name))
    blame = _WRONG_SSL3 if version == "SSLv3" else _WRONG_VERSION
    found = _refused(heard, seen)
    found.doubtful = seen.seen == "refused" and not found.instead and heard not in blame
    return found


def once_more(
    versions: Sequence[Version],
    offered: Mapping[Version, Sequence[Suite]],
    name: str,
    *,
    negotiates: bool,
) -> Script[dict[Version, Discovery]]:
    """What a short hello changes about versions, oldest first, whose refusal was doubtful.

    A server that *negotiates*, as its newer versions show, answers a hello for one version with an
    older one if that is all it has (RFC 5246, appendix E.1): the newest speaks for all of them.
    """
    if negotiates and versions:
        heard = yield Hello(versions[-1], _BEST_KNOWN, _FEW, name)
        if read(heard, versions[-1]).seen == "refused" and not isinstance(heard, Accepted):
            return {}
    found = {}
    for version in versions:
        heard = yield Hello(version, _BEST_KNOWN, _FEW, name)
        seen = read(heard, version)
        if seen.seen == "accepted":
            found[version] = yield from _simple_suites(version, offered[version], name)
        else:
            found[version] = _refused(heard, seen)
    return found


def _refused(heard: Heard, seen: Observation) -> Discovery:
    instead = heard.version if isinstance(heard, Accepted) else None
    return Discovery(first=seen, rest=seen, instead=instead)


def _simple_suites(version: Version, offered: Sequence[Suite], name: str) -> Script[Discovery]:
    """Where a short hello succeeds only: without Diffie-Hellman, else a few at a time."""
    able = [s for s in offered if not s.finite_field]
    found = yield from walk(version, able, name)
    if not found.picks:
        found = yield from short_suites(version, name)
    if not found.picks:
        words = "it was chosen for one hello, and refused to others"
        found.first = found.rest = Observation("inconclusive", words)
    return found


def short_suites(version: Version, name: str) -> Script[Discovery]:
    """As `suites`, with hellos of a few suites and groups each."""
    whole = Discovery()
    usable = offer_order((), version)
    order = [*(s for s in _BEST_KNOWN if s in usable), *(s for s in usable if s not in _BEST_KNOWN)]
    for start in range(0, len(order), _SHORT):
        left = order[start : start + _SHORT]
        while left:
            heard = yield Hello(version, tuple(left), _FEW, name)
            whole.rest = read(heard, version)
            if whole.rest.seen != "accepted" or not isinstance(heard, Accepted):
                break
            if heard.suite not in left:
                whole.rest = Observation("inconclusive", f"chose {heard.suite}, not offered")
                break
            whole.picks.append(heard)
            left.remove(heard.suite)
        if whole.rest.seen == "inconclusive":
            break
    whole.first = Observation("accepted", evidence(whole.picks)) if whole.picks else whole.rest
    return whole

"""Verdicts, added up: by mails or logins, by client, by user; and who is to be told. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from audit.policy.model import Policy, Traffic
from audit.traffic.errors import REASONS
from audit.traffic.seen import Seen
from audit.traffic.tally import Tally, Use, text
from audit.whatif.document import (
    AlreadyDocument,
    ClientDocument,
    Effect,
    SharesDocument,
    TrafficDocument,
    WhatIfDocument,
)
from audit.whatif.reason import Change, Reasoned
from audit.whatif.verdict import Verdict

# The worst that becomes of any of its sessions is what becomes of a client, and of a user.
_WORST: tuple[Verdict, ...] = ("break", "unknown", "keep")
_RULE_OF_THREE = 3  # of n that were seen; Hanley and Lippman-Hand, 1983
_REFUSED = "it sends a password without TLS, and is refused"


class Who(Struct, frozen=True):
    """Whose session it was.

    Attributes:
        use: the kind of traffic.
        client: the address; outgoing: the name of the host.
        user: the login; empty if there was none.
        plain: it was one without TLS.
    """

    use: Traffic
    client: str
    user: str = ""
    plain: bool = False


class Ledger:
    """What is entered, one session after the other."""

    def __init__(self, policy: Policy, name: Callable[[str], str] | None) -> None:
        """Begin for a policy; *name* makes another name of a user's."""
        self.policy = policy
        self._name = name
        self._sums: dict[Traffic, Counter[Verdict]] = {}
        self._likely: dict[Traffic, Counter[Verdict]] = {}
        self._plain: Counter[Traffic] = Counter()
        self._misfits: Counter[Traffic] = Counter()
        self._clients: dict[tuple[Traffic, str], Verdict] = {}
        self._users: dict[tuple[Traffic, str], Verdict] = {}
        self._rows: dict[tuple[Traffic, str, str, Verdict], list[ClientDocument]] = {}
        self._already: list[AlreadyDocument] = []
        self._servers: dict[Traffic, list[str]] = {}
        self._libraries: dict[Traffic, str] = {}

    def begin(self, use: Traffic, changes: Sequence[Change]) -> None:
        """What the servers of one kind of traffic were."""
        self._libraries[use] = changes[0].new.server.manners.id if changes else ""
        self._sums[use], self._likely[use] = Counter(), Counter()
        self._servers[use] = list(dict.fromkeys(c.old.source for c in changes if c.old.told))

    def add(self, who: Who, found: Reasoned, seen: Seen) -> None:
        """What becomes of one kind of session, seen so often."""
        use, client = who.use, who.client
        self._sums[use][found.verdict] += seen.count
        if who.plain:
            self._plain[use] += seen.count
        if not found.fits:
            self._misfits[use] += seen.count
        user = self._named(who.user)
        _worse(self._clients, (use, client), found.verdict)
        if user:
            _worse(self._users, (use, user), found.verdict)
        if found.verdict == "keep":
            return
        if found.verdict == "unknown":
            self._likely[use][found.likely] += seen.count
        row = ClientDocument(
            traffic=use,
            client=client,
            user=user,
            verdict=found.verdict,
            effect=self._effect(use) if found.verdict == "break" else "",
            evidence=found.why,
            source=found.source,
            likely=found.likely if found.verdict == "unknown" else found.verdict,
            guess=found.guess,
            last_seen=text(seen.last),
            weight=seen.count,
        )
        self._rows.setdefault((use, client, user, found.verdict), []).append(row)

    def already(self, tally: Tally, served: set[tuple[Use, bytes]]) -> None:
        """Who cannot connect even now: nobody of them is charged to the policy."""
        for (use, ip, reason), seen in tally.errors.items():
            if use != "own" and (use, ip) not in served:
                self._failing(use, ip, b"", REASONS[reason], seen)
        for (ip, user), seen in tally.refused.items():
            self._failing("access", ip, user, _REFUSED, seen)

    def document(self, days: Sequence[str]) -> WhatIfDocument:
        """All of it."""
        rows = [_joined(rows) for rows in self._rows.values()]
        rows.sort(key=lambda r: (_WORST.index(r.verdict), -r.weight, r.client, r.user))
        already = sorted(self._already, key=lambda one: (-one.count, one.client, one.user))
        return WhatIfDocument(
            policy=self.policy.id,
            first=days[0] if days else "",
            last=days[-1] if days else "",
            library=", ".join(dict.fromkeys(filter(None, self._libraries.values()))),
            traffic={use: self._traffic(use) for use in self._sums},
            clients=rows,
            already=already,
            sending=[],
            hashed=self._name is not None,
            notices=list(self._notices()),
        )

    def _named(self, user: str) -> str:
        return self._name(user) if self._name and user else user

    def _effect(self, use: Traffic) -> Effect:
        if use not in ("mx", "outgoing"):
            return "cannot connect"
        profile = self.policy.profiles[use]
        return "goes on in clear text" if profile.tls == "offered" else "is deferred"

    def _failing(self, use: Traffic, ip: bytes, user: bytes, reason: str, seen: Seen) -> None:
        self._already.append(
            AlreadyDocument(
                traffic=use,
                client=text(ip),
                user=self._named(text(user)),
                reason=reason,
                count=seen.count,
                last_seen=text(seen.last),
            )
        )

    def _traffic(self, use: Traffic) -> TrafficDocument:
        sums = self._sums[use]
        total = sums.total()
        return TrafficDocument(
            unit="logins" if use == "access" else "mails",
            keep=sums["keep"],
            broken=sums["break"],
            unknown=sums["unknown"],
            lower=sums["break"],
            upper=sums["break"] + sums["unknown"],
            likely=_shares(self._likely[use]),
            plain=self._plain[use],
            clients=_shares(Counter(v for (u, _), v in self._clients.items() if u == use)),
            users=_shares(Counter(v for (u, _), v in self._users.items() if u == use)),
            unseen=min(1.0, _RULE_OF_THREE / total) if total else None,
            library=self._libraries[use],
            server=self._servers[use],
        )

    def _notices(self) -> Iterable[str]:
        for use in self._sums:
            if use in self.policy.profiles and not self._servers[use]:
                yield (
                    f"{use}: the configuration at the time is not known, so whose order decided"
                    " is not either (--server-order), and certificates and groups are taken to stay"
                )
        for use, count in self._misfits.items():
            yield (
                f"{use}: {count:,} sessions are none that the known configurations can negotiate:"
                " there were others then, or other hosts"
            )


def _worse(where: dict[tuple[Traffic, str], Verdict], key: tuple[Traffic, str], v: Verdict) -> None:
    known = where.get(key)
    if known is None or _WORST.index(v) < _WORST.index(known):
        where[key] = v


def _shares(counted: Counter[Verdict]) -> SharesDocument:
    return SharesDocument(counted["keep"], counted["break"], counted["unknown"])


def _joined(rows: list[ClientDocument]) -> ClientDocument:
    """What one client was seen with, as one: the evidence is that of the most of it."""
    main = max(rows, key=lambda row: (row.weight, row.evidence))
    if len(rows) == 1:
        return main
    likely = {row.likely for row in rows}
    more = len(rows) - 1
    return replace(
        main,
        evidence=f"{main.evidence}; {more} more kind{'s' * (more > 1)} of session alike in this",
        likely=likely.pop() if len(likely) == 1 else "unknown",
        last_seen=max(row.last_seen for row in rows),
        weight=sum(row.weight for row in rows),
    )

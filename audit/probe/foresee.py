"""What a server that follows its policy would answer, for the wire to confirm. Pure."""

from collections.abc import Mapping

from msgspec import Struct, field

from audit.facts import Preference
from audit.iana import Group, Suite, Version
from audit.iana.versions import CODES
from audit.wire.answer import Alert, Answer
from audit.wire.hello import MASTER_SECRET, SHA1_SCHEMES, TICKET, Hello
from audit.wire.server_hello import Accepted

_FAILURE, _VERSION, _FALLBACK = Alert(40), Alert(70), Alert(86)
_USUAL = frozenset({0xFF01, MASTER_SECRET, TICKET})  # what most servers echo


class Expectation(Struct, frozen=True):
    """How an endpoint should behave.

    Attributes:
        suites: the suites it accepts by version, best first; other versions are refused.
        groups: the groups it uses, best first.
        preference: whose order decides.
    """

    suites: Mapping[Version, tuple[Suite, ...]] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    preference: Preference = "server"

    def answer(self, hello: Hello) -> Answer:
        """What the endpoint says to this hello."""
        allowed = self.suites.get(hello.version, ())
        if not allowed:
            return _VERSION
        if hello.fallback and any(
            CODES[v] > CODES[hello.version] for v, suites in self.suites.items() if suites
        ):
            return _FALLBACK
        if set(hello.signatures) <= set(SHA1_SCHEMES):
            return _FAILURE
        ranked, other = allowed, hello.suites
        if self.preference != "server":
            ranked, other = other, ranked
        for suite in ranked:
            if suite not in other:
                continue
            if suite.key_exchange not in ("any", "ECDHE"):
                return self._accepted(hello, suite, None)
            if group := self._group(hello):
                return self._accepted(hello, suite, group)
        return _FAILURE

    def _group(self, hello: Hello) -> Group | None:
        able = (g for g in self.groups if g.tls12 or hello.version == "TLSv1.3")
        return next((g for g in able if g in hello.groups), None)

    def _accepted(self, hello: Hello, suite: Suite, group: Group | None) -> Accepted:
        code = group.code if group else None
        return Accepted(hello.version, suite, group=code, extensions=_USUAL)

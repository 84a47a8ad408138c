"""Letters on their way: what is owed to whom, tried once a run, and kept where it fails."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from audit.errors import MALFORMED
from audit.notify import mail, webhook
from audit.notify.target import Target
from audit.report.news import News

_PATIENCE = timedelta(days=5)  # as mail servers have it (RFC 5321, section 4.5.4.1)


class Letter(Struct, frozen=True):
    """News, and who has not got it yet.

    Attributes:
        name: the same for every try to deliver it.
        written: when, RFC 3339.
        subject, text, document: as in `News`.
        to: the marks of those who are owed it.
    """

    name: str
    written: Annotated[datetime, Meta(tz=True)]
    subject: str
    text: str
    document: str
    to: tuple[str, ...]


class Post(Struct, frozen=True, kw_only=True):
    """Everybody who is told, and how.

    Attributes:
        targets: who.
        relay: takes mail.
        sender: who mail is from.
        key: what webhooks are signed with; empty for nothing.
    """

    targets: Sequence[Target]
    relay: mail.Relay
    sender: str
    key: bytes

    def letter(self, news: News) -> bytes:
        """A letter to all of them, as a history keeps it."""
        return msgspec.json.encode(
            Letter(
                uuid4().hex,
                datetime.now(tz=UTC),
                news.subject,
                news.text,
                news.document.decode(),
                tuple(target.mark for target in self.targets),
            )
        )

    def deliver(
        self, owed: Mapping[int, bytes], troubles: list[str]
    ) -> Iterator[tuple[int, bytes | None]]:
        """Try what is owed, what is true now first; whoever takes one not gets no other.

        Args:
            owed: letters by number, which rises with time.
            troubles: gets a sentence for each who did not take one.

        Yields:
            A number, and the letter with those who are still owed it; None where nobody is.
        """
        ours = {target.mark for target in self.targets}
        deaf: set[str] = set()
        for number, content in sorted(owed.items(), reverse=True):
            try:
                letter = msgspec.json.decode(content, type=Letter)
            except (*MALFORMED, TypeError):  # SQLite may have a number there
                yield number, None  # another edition wrote it, and nobody could read it
                continue
            late = datetime.now(tz=UTC) - letter.written > _PATIENCE
            # Who is not told by this run is still owed it: the next nightly one may tell them.
            left = [] if late else [mark for mark in letter.to if mark not in ours]
            for target in self.targets:
                if target.mark not in letter.to:
                    continue
                if target.mark not in deaf and (why := self._hand(letter, target)):
                    deaf.add(target.mark)
                    more = "; given up after many tries" if late else ""
                    troubles.append(f"{target}: was not told: {why}{more}")
                if target.mark in deaf and not late:
                    left.append(target.mark)
            yield number, msgspec.json.encode(replace(letter, to=tuple(left))) if left else None

    def _hand(self, letter: Letter, target: Target) -> str:
        """Why it was not taken, or nothing."""
        if target.mailbox:
            message = mail.compose(
                letter.subject, letter.text, self.sender, target.mailbox, letter.written
            )
            return mail.send(message, self.relay)
        body = letter.document.encode()
        told = webhook.headers(self.key, letter.name, datetime.now(tz=UTC), body)
        return webhook.post(target, body, told)

"""Whoever is to be told of an audit, told: what changed, what is new, and that there was none."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from audit import progress
from audit.errors import MailsealError
from audit.findings import Run
from audit.history.entry import Series
from audit.history.keep import Kept
from audit.notify.post import Post
from audit.past import Past
from audit.report.news import News, news, no_run
from audit.report.visible import visible


class Made(Struct, frozen=True):
    """A run that came to its end.

    Attributes:
        run: what was found.
        past: what was before it.
        late: whether the time was over before everything was looked at.
    """

    run: Run
    past: Past
    late: bool


class Herald:
    """Tells of one audit; silent where nobody is to be told.

    Attributes:
        troubles: who could not be told and why, a sentence each.
    """

    def __init__(self, post: Post | None, series: Series) -> None:
        """Take whom to tell, and of what."""
        self._post, self._series = post, series
        self._done = False
        self.troubles: list[str] = []

    def finish(self, kept: Kept, made: Made, days: int | None, trouble: str = "") -> None:
        """Keep the run and what is to be told of it, then tell; never raises.

        Args:
            kept: the history.
            made: the run.
            days: for how long runs are kept; None for ever.
            trouble: why it could not be reported; empty if it could.
        """
        letter = self._letter(made, trouble or kept.trouble)
        before = kept.trouble
        kept.finish(made.run, days, letter)
        if kept.trouble != before:
            letter = self._letter(made, kept.trouble)
        self._deliver(kept, letter)

    @contextmanager
    def watching(self, kept: Kept) -> Iterator[None]:
        """Tell that there was no audit, and why, where this ends with an error."""
        try:
            yield
        except MailsealError as error:
            if not self._done and self._post:
                letter = self._post.letter(no_run(str(error), self._series))
                kept.fail(letter)
                self._deliver(kept, letter)
            raise

    def _letter(self, made: Made, trouble: str) -> bytes | None:
        if not self._post:
            return None
        told: News | None = news(made.run, made.past, self._series, late=made.late, trouble=trouble)
        return self._post.letter(told) if told else None

    def _deliver(self, kept: Kept, letter: bytes | None) -> None:
        self._done = True
        if not self._post:
            return
        for number, left in self._post.deliver(kept.owed(letter), self.troubles):
            kept.owe(number, left)
        for trouble in self.troubles:
            progress.say(f"mailseal: {visible(trouble)}")

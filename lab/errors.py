"""The one exception of the lab: a sentence for the user and the exit code that goes with it."""

USAGE = 2
UNAVAILABLE = 3


class LabError(Exception):
    """Something the user has to know, as one sentence.

    `code` is `USAGE` where the command was wrong (an unknown host or fault) and `UNAVAILABLE`
    where this machine could not do what the command asked.
    """

    def __init__(self, sentence: str, code: int = UNAVAILABLE) -> None:
        """Keep the sentence and the exit code."""
        super().__init__(sentence)
        self.code = code

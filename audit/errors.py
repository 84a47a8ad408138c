"""The errors that reach a user: one clear sentence and an exit code, never a traceback."""

USAGE = 2
UNDETERMINED = 3

# What reading a document raises: it is malformed, no UTF-8, or nested without end.
MALFORMED = (ValueError, RecursionError)


class MailsealError(Exception):
    """Bad input or a machine that cannot do what was asked.

    Attributes:
        exit_code: what the process ends with (README, "Exit codes").
    """

    def __init__(self, sentence: str, exit_code: int = USAGE) -> None:
        """Take the one sentence that names the file, host or option."""
        super().__init__(sentence)
        self.exit_code = exit_code

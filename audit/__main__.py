"""`python -m audit` is `mailseal`, where that is not installed."""

from audit.start import command

command()

"""Commands that read logs: arguments in, calls out. Nothing imports them but the command line."""

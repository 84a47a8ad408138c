"""The helper that knows the MTA-STS policies of the domains that mail goes to."""

import argparse
import fcntl
import logging
import logging.handlers
import sys
import time
from pathlib import Path
from threading import Thread

from audit import roots
from audit.errors import USAGE, MailsealError
from audit.mta_sts import serve
from audit.mta_sts.cache import Cache
from audit.mta_sts.discovery import Discovery, Say
from audit.mta_sts.page import PORT, host_of, page
from audit.wire.mta_sts import Policy

_SECONDS = 60.0  # RFC 8461, section 3.3: what a sender waits for a policy
_EVERY = 600.0
_LONGEST_LINE = 400


def main(arguments: list[str] | None = None) -> int:
    """Serve until the process is ended; the exit code if it cannot."""
    options = _parser().parse_args(arguments)
    say = _log(syslog=options.syslog)
    try:
        _trusted(options.ca_file)
        with (options.cache / ".lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _serve(options, say)
    except MailsealError as error:
        return _refused(say, str(error))
    except BlockingIOError:
        return _refused(say, f"another helper has the cache {options.cache}")
    except OSError as error:
        return _refused(say, f"{error.filename or options.socket}: {error.strerror}")
    return 0


def _serve(options: argparse.Namespace, say: Say) -> None:
    def fetch(domain: str) -> Policy:
        trusted = _trusted(options.ca_file)
        return serve.policy(page(host_of(domain), trusted, _SECONDS, port=options.port))

    discovery = Discovery(Cache(options.cache), fetch, time.time, say)
    with serve.Server(options.socket, discovery) as server:
        Thread(target=serve.keep_fresh, args=(discovery, say, _EVERY), daemon=True).start()
        server.serve_forever()


def _trusted(ca_file: str) -> tuple[bytes, ...]:
    return roots.read() + (roots.read(ca_file) if ca_file else ())


def _refused(say: Say, words: str) -> int:
    say(words)
    return USAGE


def _log(*, syslog: bool) -> Say:
    """Where sentences go; what strangers said in them cannot be taken for other lines."""
    logger = logging.getLogger("mailseal-mta-sts")
    logger.setLevel(logging.INFO)
    if syslog:
        facility = logging.handlers.SysLogHandler.LOG_MAIL
        handler: logging.Handler = logging.handlers.SysLogHandler("/dev/log", facility)
    else:
        handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("mailseal-mta-sts: %(message)s"))
    logger.handlers = [handler]

    def say(words: str) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in words)
        logger.info("%s", shown[:_LONGEST_LINE].encode("ascii", "backslashreplace").decode())

    return say


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mta-sts",
        description=__doc__,
        epilog="example: mta-sts --socket /run/mailseal-mta-sts/socket"
        " --cache /var/lib/mailseal-mta-sts",
    )
    parser.add_argument("--socket", type=Path, required=True, help="where Exim asks")
    parser.add_argument("--cache", type=Path, required=True, help="directory of what is kept")
    parser.add_argument("--ca-file", default="", help="root certificates beside the system's, PEM")
    parser.add_argument("--port", type=int, default=PORT, help="of policy hosts (%(default)s)")
    parser.add_argument("--syslog", action="store_true", help="log to syslog, facility mail")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""A socket that Exim asks which MTA-STS policy a domain has.

A question is the domain and, each on a line of its own, the TXT records of _mta-sts below it, then
the end of what is sent; Exim has DNS, so nothing here does. The answer is a line as in the cache.
"""

import socketserver
import time
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore

from audit import roots
from audit.bounded import Bounds
from audit.errors import MailsealError
from audit.mta_sts.discovery import Discovery, Say
from audit.mta_sts.page import Page
from audit.names import to_ascii
from audit.wire import mta_sts
from audit.wire.mta_sts import Policy

NONE = "mode=none"
_SECONDS = 5.0  # for a question
_LONGEST = 128 << 10  # octets of a question; a DNS message has no more than 64 KiB
_AT_A_TIME = 256


def policy(page: Page) -> Policy:
    """The policy on a page.

    Raises:
        ValueError: there is none that a sender follows; why (RFC 8461, sections 3.2 and 3.3).
    """
    refused = mta_sts.refused(page.status, page.media, whole=page.whole)
    if words := page.fault or page.doubt or refused:
        raise ValueError(words)
    return mta_sts.policy(page.body)


def answer(question: bytes, discovery: Discovery) -> str:
    """The line for a question, without its end; what is no question has no policy."""
    name, *records = question.decode("utf-8", "replace").split("\n")
    try:
        domain = to_ascii(name.strip(), "domain")
    except MailsealError:
        return NONE
    if "." not in domain or ":" in domain:  # no domain of the public DNS
        return NONE
    found = discovery.policy(domain, records)
    return found.line if found else NONE


class Server(socketserver.ThreadingUnixStreamServer):
    """Answers each question in a thread of its own, as many at a time as there may be."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, discovery: Discovery) -> None:
        """Listen.

        Raises:
            OSError: it cannot.
        """
        path.unlink(missing_ok=True)
        self.discovery = discovery
        self._free = BoundedSemaphore(_AT_A_TIME)
        super().__init__(str(path), _Handler)
        path.chmod(0o666)  # who may come as far as this is its directory's business

    def process_request(self, request: object, client_address: object) -> None:
        """Begin a thread once there may be one more."""
        self._free.acquire()
        try:
            super().process_request(request, client_address)  # type: ignore[arg-type]
        except BaseException:  # no thread is to be had at this moment
            self._free.release()
            raise

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Let the next one in afterwards."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._free.release()


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        bounds = Bounds(_SECONDS)
        said = b""
        with suppress(OSError):  # who asked has gone, or is too slow
            while len(said) <= _LONGEST:
                self.request.settimeout(bounds.left())
                if not (part := self.request.recv(65_536)):
                    line = answer(said, self.server.discovery)
                    self.request.sendall(line.encode() + b"\n")
                    return
                said += part


def keep_fresh(discovery: Discovery, say: Say, every: float) -> None:
    """Refresh what is kept, every so many seconds; the roots are read anew as well."""
    while True:
        roots.read.cache_clear()
        try:
            discovery.refresh()
        except OSError as error:  # the next time may be better
            say(f"what is kept cannot be refreshed ({error.strerror})")
        except RuntimeError as error:  # no thread is to be had at this moment
            say(f"what is kept cannot be refreshed ({error})")
        time.sleep(every)

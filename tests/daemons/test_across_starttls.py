"""What real daemons do across STARTTLS and inside TLS."""

from pathlib import Path

import pytest

from audit.facts import Behaviour
from audit.probe import inside as inner
from audit.probe import starttls
from audit.probe.plan import Task
from audit.probe.run import probe_all
from tests.daemons.cell import inside
from tests.daemons.cyrus import cyrus
from tests.daemons.dovecot import dovecot
from tests.daemons.exim import exim_gnutls, exim_openssl
from tests.daemons.postfix import postfix
from tests.daemons.settings import Tls
from tests.daemons.table import Daemon
from tests.servers import Pki

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
ASKED = {q.behaviour for q in (*starttls.QUESTIONS, *inner.QUESTIONS)}
# What each does of all that it should not: Cyrus before 3.12 puts up with any number of errors,
# Dovecot's logins overlook what stands behind STARTTLS.
DOES: list[tuple[Daemon, set[Behaviour]]] = [
    (cyrus, {"http-inside"}),
    (dovecot, {"starttls-arguments"}),
    (exim_gnutls, set()),
    (exim_openssl, set()),
    (postfix, set()),
]


@pytest.mark.parametrize(("daemon", "does"), DOES, ids=[row[0].__name__ for row in DOES])
def test_what_a_daemon_does_is_known(
    daemon: Daemon, does: set[Behaviour], pki: Pki, tmp_path: Path
) -> None:
    """Each question is answered on each port, and nothing is left in doubt."""
    with daemon(pki, tmp_path / "cell", Tls()) as server, inside(server.netns):
        found = probe_all(server.endpoints("daemon"), lambda _: Task())
    for facts in found:
        seen = {b: o for b, o in facts.behaviours.items() if b in ASKED}
        only = does if facts.endpoint.mode == "starttls" else does - {"starttls-arguments"}
        assert seen, facts.errors
        assert {b for b, o in seen.items() if o.seen == "inconclusive"} == set(), seen
        assert {b for b, o in seen.items() if o.seen == "accepted"} == only, seen

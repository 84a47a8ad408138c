"""From an inventory on disk to errands, in the namespace that they are done from."""

from audit import control, inventory
from audit.errors import MailsealError
from audit.inventory import Host
from audit.passage.plan import Errand, mailboxes, plan


def prepare(path: str, limit: str) -> list[Errand]:
    """What there is to do; this thread and those it starts are then where it can be done.

    Raises:
        MailsealError: the inventory is malformed, or its hosts cannot be reached from here.
    """
    hosts = inventory.read(path, limit)
    readers = _readers(path, hosts)
    every = {host.name: host for host in (*readers.values(), *hosts)}
    errands = plan(hosts, readers, {name: control.roots_of(host) for name, host in every.items()})
    control.enter(every.values())
    return errands


def _readers(path: str, hosts: list[Host]) -> dict[str, Host]:
    """The hosts whose mailboxes are looked into, whether or not they are among these."""
    known = {host.name: host for host in hosts}
    found = {}
    for name in sorted(mailboxes(hosts)):
        found[name] = known[name] if name in known else _one(path, name)
    return found


def _one(path: str, name: str) -> Host:
    try:
        (host,) = inventory.read(path, name)
    except (MailsealError, ValueError):
        words = f"mailseal_test_account.mailbox: {path} has no host {name} that could be read"
        raise MailsealError(words) from None
    return host

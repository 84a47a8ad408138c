"""Which errand is done at which endpoint, and as whom. Pure."""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from msgspec import Struct

from audit.account import Account
from audit.facts import Endpoint
from audit.inventory import Host
from audit.names import to_ascii
from audit.policy.model import Traffic

Roots = tuple[bytes, ...]


class Place(Struct, frozen=True):
    """An endpoint, and what it takes to go there.

    Attributes:
        endpoint: where.
        roots: the roots to trust, DER.
        account: who goes; None if the inventory has nobody.
    """

    endpoint: Endpoint
    roots: Roots
    account: Account | None


class Errand(Struct, frozen=True):
    """What is done at one endpoint.

    Attributes:
        place: where, and as whom.
        profile: whether a mail is submitted or handed over.
        reader: where a mail that was sent must be seen by IMAP; None if nobody can look.
        hindrance: why it cannot be done; empty if it can.
    """

    place: Place
    profile: Traffic
    reader: Place | None = None
    hindrance: str = ""


def mailboxes(hosts: Iterable[Host]) -> set[str]:
    """The hosts that are named as the mailbox of another."""
    return {h.test_account.mailbox for h in hosts if h.test_account and h.test_account.mailbox}


def plan(
    hosts: Iterable[Host], readers: Mapping[str, Host], roots: Mapping[str, Roots]
) -> list[Errand]:
    """An errand for every endpoint that the inventory expects, in its order.

    Args:
        hosts: where to go.
        readers: the hosts that `mailboxes` names.
        roots: by host, the roots to trust there.
    """
    return [
        _errand(host, endpoint, profile, readers, roots)
        for host in hosts
        for endpoint, profile in host.expected()
    ]


def _errand(
    host: Host,
    endpoint: Endpoint,
    profile: Traffic,
    readers: Mapping[str, Host],
    roots: Mapping[str, Roots],
) -> Errand:
    account = host.test_account
    place = Place(_named(endpoint), roots[host.name], account)
    reader = None
    if account and endpoint.service == "lmtp":
        reader = _reader(host, endpoint.address, roots)
    elif account and endpoint.service == "smtp" and account.mailbox:
        reader = _reader(readers[account.mailbox], endpoint.address, roots)
    return Errand(place, profile, reader, _hindrance(place, profile, reader))


def _named(endpoint: Endpoint) -> Endpoint:
    """With the name in the form that certificates have."""
    name = to_ascii(endpoint.name, f"host {endpoint.host}: mailseal_server_name")
    return Endpoint(
        endpoint.host, endpoint.address, endpoint.port, endpoint.service, endpoint.mode, name
    )


def _reader(host: Host, address: str, roots: Mapping[str, Roots]) -> Place | None:
    """Where a mailbox can be read: on the same address, else in the same family, else anywhere."""
    version = ip_address(address).version
    found = [endpoint for endpoint, _ in host.expected() if endpoint.service == "imap"]
    found.sort(
        key=lambda e: (
            e.address != address,
            ip_address(e.address).version != version,
            e.mode != "implicit",
        )
    )
    return Place(_named(found[0]), roots[host.name], host.test_account) if found else None


def _hindrance(place: Place, profile: Traffic, reader: Place | None) -> str:
    """What is missing, in words."""
    account, service = place.account, place.endpoint.service
    if account is None:
        return "the inventory has no mailseal_test_account for this host"
    mail = service in ("smtp", "lmtp")
    login = not mail or (service == "smtp" and profile == "submission")
    missing = {
        "mailseal_test_account has no recipient": mail and not account.recipient,
        "mailseal_test_account has no user": login and not account.user,
        "there is no mailseal_server_name for its certificate": not place.endpoint.name,
        f"{account.mailbox} has no IMAP to look for the mail": (
            service == "smtp" and account.mailbox and not reader
        ),
    }
    if reader:
        who = f"the host of the mailbox, {reader.endpoint.host},"
        known = reader.account and reader.account.user
        missing[f"{who} has no user in mailseal_test_account"] = not known
        missing[f"{who} has no mailseal_server_name"] = not reader.endpoint.name
    return next((words for words, true in missing.items() if true), "")

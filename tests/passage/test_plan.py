"""What is planned for an inventory, and what is said where it cannot be done."""

import pytest
from msgspec.structs import replace

from audit.account import Account
from audit.inventory import EndpointRow, Host
from audit.passage.plan import Errand, mailboxes, plan
from tests.passage.served import ACCOUNT

IMAP = (
    EndpointRow(24, "lmtp", "starttls", "access"),
    EndpointRow(143, "imap", "starttls", "access"),
    EndpointRow(993, "imap", "implicit", "access"),
)
MX = (EndpointRow(25, "smtp", "starttls", "mx"),)
MSA = (EndpointRow(587, "smtp", "starttls", "submission"),)


def host(rows: tuple[EndpointRow, ...], account: Account | None = ACCOUNT, name: str = "h") -> Host:
    """A host with both families."""
    return Host(
        name=name,
        addresses=("192.0.2.1", "2001:db8::1"),
        server_name=f"{name}.example",
        endpoints=rows,
        test_account=account,
    )


def planned(one: Host, *readers: Host) -> list[Errand]:
    """The errands for one host."""
    named = {reader.name: reader for reader in readers}
    return plan([one], named, dict.fromkeys((one.name, *named), (b"root",)))


def test_there_is_an_errand_for_every_endpoint() -> None:
    """On every address, in the order of the inventory, with the roots of its host."""
    found = planned(host(IMAP))
    assert [(e.place.endpoint.address, e.place.endpoint.port) for e in found] == [
        ("192.0.2.1", 24), ("192.0.2.1", 143), ("192.0.2.1", 993),
        ("2001:db8::1", 24), ("2001:db8::1", 143), ("2001:db8::1", 993),
    ]  # fmt: skip
    assert {e.place.roots for e in found} == {(b"root",)}
    assert {e.hindrance for e in found} == {""}


def test_a_mail_by_lmtp_is_read_on_the_same_address_inside_tls_from_the_start() -> None:
    """If the host has IMAP at all."""
    found = [e for e in planned(host(IMAP)) if e.place.endpoint.service == "lmtp"]
    seen = [(e.reader.endpoint.address, e.reader.endpoint.port) for e in found if e.reader]
    assert seen == [("192.0.2.1", 993), ("2001:db8::1", 993)]
    (alone, _) = planned(host(IMAP[:1]))
    assert (alone.reader, alone.hindrance) == (None, "")


def test_a_mail_by_smtp_is_read_where_the_inventory_says_so() -> None:
    """In the same family, as the account of that host; and not at all if it says nothing."""
    account = replace(ACCOUNT, mailbox="box")
    box = host(IMAP, Account(user="other", password="x"), "box")
    assert mailboxes([host(MX, account), host(IMAP), host(MSA, None)]) == {"box"}
    (four, six) = planned(host(MX, account), box)
    assert four.reader
    assert six.reader
    assert (four.reader.endpoint.address, six.reader.endpoint.address) == box.addresses
    assert four.reader.account == box.test_account
    assert four.reader.endpoint.name == "box.example"
    assert [e.reader for e in planned(host(MX))] == [None, None]


_NOBODY = Account(recipient="a@b.test")
_BOX = replace(ACCOUNT, mailbox="box")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (host(IMAP, None), "no mailseal_test_account for this host"),
        (host(MX, Account(user="u", password="p")), "has no recipient"),
        (host(IMAP[:1], Account(user="u", password="p")), "has no recipient"),
        (host(IMAP[1:], _NOBODY), "has no user"),
        (host(MSA, _NOBODY), "has no user"),
        (host(IMAP[:2], _NOBODY), "no user"),
        (replace(host(MX), server_name=""), "no mailseal_server_name for its certificate"),
        (host(MX, replace(ACCOUNT, mailbox="mx2")), "mx2 has no IMAP"),
        (host(MX, replace(ACCOUNT, mailbox="nobody")), "nobody, has no user"),
        (host(MX, replace(ACCOUNT, mailbox="unnamed")), "unnamed, has no mailseal_server_name"),
    ],
)
def test_what_is_missing_is_said(one: Host, words: str) -> None:
    """And nothing is tried there."""
    readers = (
        host(MX, name="mx2"),
        host(IMAP, None, "nobody"),
        replace(host(IMAP, name="unnamed"), server_name=""),
    )
    for errand in planned(one, *readers):
        assert words in errand.hindrance


def test_an_mx_needs_no_user() -> None:
    """Servers hand mail over without a login."""
    assert [e.hindrance for e in planned(host(MX, _NOBODY))] == ["", ""]


def test_no_errand_shows_a_password() -> None:
    """Not where it is printed in a traceback."""
    assert ACCOUNT.password not in repr(planned(host(IMAP)))

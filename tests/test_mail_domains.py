"""Which mail domains of an inventory are asked about, and of whom, without any network."""

import math

import pytest
from msgspec.structs import replace

from audit.errors import MailsealError
from audit.inventory import EndpointRow, Host
from audit.mail_domains import asked, named, owners
from audit.no_domains import NoDomains

MX = Host(
    name="mx1",
    addresses=("192.0.2.1",),
    server_name="mx1.example.org",
    endpoints=(EndpointRow(25, "smtp", "starttls", "mx"),),
    domains=("Example.org.", "bücher.example", "example.org"),
)
IMAP = replace(MX, name="imap1", endpoints=(EndpointRow(143, "imap", "starttls", "access"),))
OTHER = replace(MX, name="mx2", domains=("other.example",))


def test_domains_are_named_as_dns_has_them_and_once() -> None:
    """However people write them."""
    assert named(MX) == ("example.org", "xn--bcher-kva.example")


def test_waivers_and_roots_are_those_of_the_hosts_that_name_it() -> None:
    """And of no other host."""
    assert owners([MX, OTHER], {"example.org"}) == [MX]
    assert owners([MX, OTHER], {"other.example", "example.org"}) == [MX, OTHER]


@pytest.mark.parametrize(
    ("hosts", "whole"), [([replace(MX, domains=())], True), ([IMAP], False), ([], True)]
)
def test_where_there_is_nothing_to_ask_nobody_is_asked(hosts: list[Host], whole: bool) -> None:
    """No domain, or a part that takes no mail: not even a resolver that is none is a fault."""
    odd = [replace(host, audit_resolver="none") for host in hosts]
    assert isinstance(asked(odd, "p", whole=whole, until=math.inf), NoDomains)


def test_one_resolver_is_asked() -> None:
    """Which of two would be a guess."""
    hosts = [replace(MX, audit_resolver="192.0.2.53"), OTHER]
    with pytest.raises(MailsealError) as caught:
        asked(hosts, "p", whole=True, until=math.inf)
    assert str(caught.value) == (
        "mailseal_audit_resolver differs between the hosts: 192.0.2.53, none"
    )


def test_no_domains_have_nothing_to_judge() -> None:
    """Whoever asks for a finding has made a mistake."""
    none = NoDomains()
    assert (none.endpoints(), none.others([]), list(none.checks)) == ([], [], [])
    with pytest.raises(LookupError):
        none.judged(None, None, ())  # type: ignore[arg-type]

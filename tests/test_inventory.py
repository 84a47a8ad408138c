"""Inventories: what must be served, and how a wrong one is refused."""

from datetime import date
from pathlib import Path

import pytest

from audit import inventory
from audit.errors import MailsealError
from audit.policy.compile import compile_policy
from audit.policy.compile.target import Target
from audit.policy.load import load
from audit.ports import MAIL_PORTS

ROOT = Path(__file__).parent.parent

ONE = """all:
  hosts:
    h1:
      mailseal_addresses: [192.0.2.1, "2001:db8::1"]
      mailseal_server_name: h1.example
      mailseal_daemon: cyrus
      mailseal_endpoints:
        - {port: 993, service: imap, mode: implicit, profile: access}
"""


def _write(folder: Path, text: str) -> str:
    path = folder / "hosts.yml"
    path.write_text(text)
    return str(path)


def test_every_address_has_every_endpoint_and_no_other(tmp_path: Path) -> None:
    """IPv4 and IPv6 each on its own; every other mail port must be closed."""
    (host,) = inventory.read(_write(tmp_path, ONE))
    expected = host.expected()
    assert [(e.address, e.port, t) for e, t in expected] == [
        ("192.0.2.1", 993, "access"), ("2001:db8::1", 993, "access"),
    ]  # fmt: skip
    assert {e.port for e in host.unexpected()} == set(MAIL_PORTS) - {993}
    assert len(host.unexpected()) == 2 * (len(MAIL_PORTS) - 1)


@pytest.mark.parametrize(
    ("enforcement", "measure"),
    [("shadow", "mailseal-2026+univie-2015"), ("enforce", "mailseal-2026")],
)
def test_a_host_is_judged_by_what_its_variables_say_together(
    tmp_path: Path, enforcement: str, measure: str
) -> None:
    """The policy in shadow of the tail; the policy alone once that is over."""
    more = f"mailseal_enforcement: {enforcement}\n      mailseal_shadow_tail: univie-2015"
    text = ONE.replace("mailseal_daemon: cyrus", f"mailseal_daemon: cyrus\n      {more}")
    (host,) = inventory.read(_write(tmp_path, text))
    assert host.measure == measure


def test_limit_takes_groups_and_patterns() -> None:
    """As Ansible does."""
    path = str(ROOT / "inventory" / "lab")
    assert [h.name for h in inventory.read(path, "imap")] == ["imap1", "imap2"]
    assert [h.name for h in inventory.read(path, "imap:!imap2")] == ["imap1"]


def test_the_cluster_has_25_hosts() -> None:
    """The shape of a real one."""
    hosts = inventory.read(str(ROOT / "inventory" / "cluster"))
    assert len(hosts) == 25
    assert all(len(host.addresses) == 2 for host in hosts)


def test_the_example_is_a_cluster_of_el6_whose_policy_can_be_compiled() -> None:
    """25 hosts, and for each daemon settings on the library that EL6 can have."""
    path = str(ROOT / "inventory" / "production.example")
    hosts = inventory.read(path, "el6")
    assert len(hosts) == 25
    report = {"exim": (4, 94, 2), "cyrus": (2, 5, 17)}
    for host in hosts:
        if not host.daemon:
            assert host.endpoints == ()
            continue
        target = Target(
            kind="exim-openssl" if host.daemon == "exim" else "cyrus",
            version=report[host.daemon],
            library=(1, 0, 2),
            ports={row.port: row.profile for row in host.endpoints},
            implicit=tuple(row.port for row in host.endpoints if row.mode == "implicit"),
        )
        assert compile_policy(load(host.policy), target, date(2026, 11, 28)).options
    (build,) = inventory.read(path, "builder")
    assert build.endpoints == ()


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("port: 993", "port: 99300", "mailseal_endpoints[0].port"),
        ("service: imap", "service: ftp", "mailseal_endpoints[0].service"),
        ("profile: access", "profil: access", "profil"),
        ("mailseal_daemon: cyrus", "mailseal_daemon: dovecot", "mailseal_daemon"),
        ('[192.0.2.1, "2001:db8::1"]', "192.0.2.1", "mailseal_addresses"),
        ('[192.0.2.1, "2001:db8::1"]', "[mail.example]", "mailseal_addresses"),
        ("h1.example", "h1..example", "mailseal_server_name"),
        ("mailseal_addresses", "mailseal_adresses", "host h1 has no mailseal_addresses"),
        ("    h1:\n", "    h0:\n    h1:\n", "host h0 has no mailseal_addresses"),
        ("mailseal_daemon:", "mailseal_deamon:", "is it mailseal_daemon?"),
        ("mailseal_server_name:", "mailseal_servername:", "is it mailseal_server_name?"),
        ("mailseal_daemon: cyrus", "mailseal_control_netns: /run/x", "mailseal_control_netns"),
        (
            "mailseal_daemon: cyrus",
            "mailseal_enforcement: shadow",
            "host h1: mailseal_enforcement: shadow wants mailseal_shadow_tail",
        ),
        ("mailseal_daemon: cyrus", "mailseal_enforcement: shady", "mailseal_enforcement"),
        (
            "        - {port: 993, service: imap, mode: implicit, profile: access}\n",
            "        - {port: 993, service: imap, mode: implicit, profile: access}\n" * 2,
            "port 993 is there twice",
        ),
        ("all:", "all: [", "hosts.yml"),
    ],
)
def test_a_malformed_inventory_is_refused_in_one_sentence(
    tmp_path: Path, right: str, wrong: str, words: str
) -> None:
    """With the host and the variable."""
    assert right in ONE
    with pytest.raises(MailsealError) as error:
        inventory.read(_write(tmp_path, ONE.replace(right, wrong, 1)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


def test_no_inventory_and_no_host_are_said_so(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(MailsealError, match="there is no inventory /nonexistent"):
        inventory.read("/nonexistent")
    with pytest.raises(MailsealError, match="nosuch"):
        inventory.read(_write(tmp_path, ONE), "nosuch")
    with pytest.raises(MailsealError, match="there is no host"):
        inventory.read(_write(tmp_path, "all: {}\n"))

"""Inventories: what must be served, and how a wrong one is refused."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import msgspec
import pytest

from audit import inventory
from audit.errors import MailsealError
from audit.policy.compile import compile_policy
from audit.policy.compile.target import Target
from audit.policy.load import load
from audit.ports import MAIL_PORTS
from tests.commands import BIN, run

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
    assert [h.name for h in inventory.read(path, "~imap[1]")] == ["imap1"]


@pytest.mark.parametrize("limit", ["~[", "imap[1", "imap1]"])
def test_a_limit_that_ansible_would_read_as_another_is_refused(limit: str) -> None:
    """It leaves out a bracket without its other, and what remains may match every host."""
    with pytest.raises(MailsealError, match="has a bracket without its other"):
        inventory.read(str(ROOT / "inventory" / "lab"), limit)


def test_the_cluster_has_25_hosts() -> None:
    """The shape of a real one."""
    hosts = inventory.read(str(ROOT / "inventory" / "cluster"))
    assert len(hosts) == 25
    assert all(len(host.addresses) == 2 for host in hosts)


def test_the_readme_tells_every_variable_once() -> None:
    """Of those that the auditor reads."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| variable | meaning |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    told = Counter(name for cell in cells for name in re.findall("`(mailseal_[a-z_]+)`", cell))
    assert [name for name, count in told.items() if count > 1] == []
    read = {field.encode_name for field in msgspec.structs.fields(inventory.Host)}
    assert read - {"inventory_hostname"} - set(told) == set()


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


_ACCOUNT = """      mailseal_test_account:
        user: tester
        password: s3cret
        recipient: tester@lab.test
"""


def test_the_test_account_is_read_and_not_shown(tmp_path: Path) -> None:
    """Neither it nor the host shows the password where they are printed."""
    (host,) = inventory.read(_write(tmp_path, ONE + _ACCOUNT))
    assert host.test_account
    assert host.test_account.password == "s3cret"
    assert "tester" in repr(host)
    assert "s3cret" not in repr(host)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("password: s3cret", "pasword: s3cret", "pasword"),
        ("password: s3cret", "password: 12345", "mailseal_test_account.password"),
        ("password: s3cret", "password: ''", "user and password belong together"),
        ("password: s3cret", 'password: "s3cret\\r"', "password: has a line break"),
        ("password: s3cret", "password: '{{ vaulted }}'", "password: is a template"),
        ("password: s3cret", "password: s3cret\n        lmtp_user: x", "lmtp_password belong"),
        ("tester@lab.test", "tester", "recipient: is no mail address"),
        ("tester@lab.test", "'a@b>\x20<c@d'", "recipient: is no mail address"),
        ("tester@lab.test", "t\u00fcster@lab.test", "recipient: is no mail address"),
        ("recipient:", "sender:", "sender: is no mail address"),
        ("tester@lab.test", "a@b.test\n        mailbox: imap*", "mailbox: is no name of a host"),
        ("mailseal_test_account", "mailseal_test_acount", "is it mailseal_test_account?"),
        ("password: s3cret", "password: {__ansible_vault: x}", "is still encrypted"),
    ],
)
def test_a_malformed_test_account_is_refused_without_its_password(
    tmp_path: Path, right: str, wrong: str, words: str
) -> None:
    """In one sentence, with the host and the key."""
    account = _ACCOUNT.replace(right, wrong, 1)
    if right == "recipient:":
        account = account.replace("tester@lab.test", "tester")
    with pytest.raises(MailsealError) as error:
        inventory.read(_write(tmp_path, ONE + account))
    assert words in str(error.value)
    assert "host h1: mailseal_test_ac" in str(error.value)
    assert "s3cret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_whole_file_may_lie_in_the_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible is told the key as always; a single value that is encrypted is refused."""
    key = tmp_path / "key"
    key.write_text("not a secret")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(key))
    secret = tmp_path / "group_vars" / "all.yml"
    secret.parent.mkdir()
    secret.write_text("mailseal_test_account: {user: tester, password: s3cret}\n")
    run(str(BIN / "ansible-vault"), "encrypt", str(secret))
    assert "s3cret" not in secret.read_text()
    (host,) = inventory.read(_write(tmp_path, ONE))
    assert host.test_account
    assert host.test_account.password == "s3cret"
    value = run(str(BIN / "ansible-vault"), "encrypt_string", "s3cret", "--name", "password").stdout
    secret.write_text("mailseal_test_account:\n  user: tester\n  " + value.replace("\n", "\n  "))
    with pytest.raises(MailsealError, match="password: is still encrypted; put the whole file"):
        inventory.read(_write(tmp_path, ONE))


def test_the_lab_has_an_account_wherever_mail_is_served() -> None:
    """Who logs in at the IMAP hosts and the submission host, and whom mail is for everywhere."""
    for folder in ("lab", "selfbuilt", "cluster"):
        for host in inventory.read(str(ROOT / "inventory" / folder), "imap:msa:mx"):
            account = host.test_account
            assert account
            assert account.recipient
            assert bool(account.user) == (host.name[:2] != "mx")


def test_no_inventory_and_no_host_are_said_so(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(MailsealError, match="there is no inventory /nonexistent"):
        inventory.read("/nonexistent")
    with pytest.raises(MailsealError, match="nosuch"):
        inventory.read(_write(tmp_path, ONE), "nosuch")
    with pytest.raises(MailsealError, match="there is no host"):
        inventory.read(_write(tmp_path, "all: {}\n"))


def test_an_inventory_without_a_name_is_none() -> None:
    """A variable that nobody has set must not be the directory that somebody is in."""
    with pytest.raises(MailsealError, match="there is no inventory ''"):
        inventory.read("")


def test_what_ansible_does_not_quote_is_not_its_reason(tmp_path: Path) -> None:
    """It ends with why it does not show the source; the fault stands before that."""
    done = run(
        *(str(BIN / "mailseal"), "staging", "-i", _write(tmp_path, ONE), "-e", '{"broken'),
        *("--out", str(tmp_path / "out")),
    )
    assert done.returncode == 2
    assert "YAML parsing failed" in done.stderr
    assert done.stderr.count("\n") == 1

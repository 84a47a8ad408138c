"""What hosts say of themselves: the script, and the reading of what it prints."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.inspect.parse import parse

SCRIPT = Path(__file__).parent.parent.parent / "audit" / "inspect" / "collect.sh"
SAID = """clock\t1000.5\t100.5\t100
process\t7\tcyrus\timapd\t5000\t/usr/lib/cyrus/bin/imapd
library\t7\tno\t/usr/lib/libssl.so.3
library\t7\tyes\t/opt/old/libcrypto.so.3
file\t640\troot\tmail\t1970-01-01 00:16:00.250000000 +0000\t/etc/mailseal/tls/rsa.key
option\tcyrus\ttls_ciphers\tA:B
option\texim\ttls_require_ciphers\t ${if x{a}{b}}
cnf\tcyrus\tGroups = X25519
report\texim\tExim version 4.96
digest\t7\tabcd\t/usr/lib/libssl.so.3
listens\t7\t993
listens\t7\t143
service\timaps\t993
version\tOpenSSL 3.0.22\t/opt/old/libcrypto.so.3
owner\tcyrus-imapd\t/usr/lib/cyrus/bin/imapd
owner\t\t/opt/old/libcrypto.so.3
altered\tcyrus-imapd\t??5??????\t/usr/lib/cyrus/bin/imapd
altered\tcyrus-imapd\tmissing\t/usr/lib/cyrus/bin/pop3d
package\tcyrus-imapd\tyes
package\tlibssl3:amd64\tno
system\tDebian\t12
"""


def test_no_password_of_a_configuration_is_kept() -> None:
    """Neither in a report nor in the history, and so a changed one is no drift."""
    rows = "option\tcyrus\tsasl_ldap_password\thunter2\noption\tcyrus\tsql_passwd\t\n"
    told = parse("h", SAID + rows).options["cyrus"]
    assert {told["sasl_ldap_password"], told["sql_passwd"]} == {"(not kept)"}
    assert told["tls_ciphers"] == "A:B"


def test_processes_files_and_options_are_read() -> None:
    """One line, one fact."""
    facts = parse("h", SAID)
    assert facts.reached
    (process,) = facts.processes
    assert process.started == 950.0
    assert process.libraries == {"/usr/lib/libssl.so.3": False, "/opt/old/libcrypto.so.3": True}
    (file,) = facts.files
    assert (file.mode, file.owner, file.group, file.modified) == (0o640, "root", "mail", 960.25)
    assert facts.options["cyrus"]["tls_ciphers"] == "A:B"
    assert facts.options["exim"]["tls_require_ciphers"] == "${if x{a}{b}}"
    assert facts.library_settings["cyrus"] == "Groups = X25519"
    assert facts.reports["exim"] == "Exim version 4.96"
    assert facts.errors == ()


def test_libraries_packages_and_services_are_read() -> None:
    """What is mapped, whose it is, and who waits where."""
    facts = parse("h", SAID)
    (process,) = facts.processes
    assert process.program == "/usr/lib/cyrus/bin/imapd"
    assert process.digests == {"/usr/lib/libssl.so.3": "abcd"}
    assert process.ports == (143, 993)
    assert facts.services == {"imaps": 993}
    assert facts.versions == {"/opt/old/libcrypto.so.3": "OpenSSL 3.0.22"}
    assert facts.owners == {
        "/usr/lib/cyrus/bin/imapd": "cyrus-imapd",
        "/opt/old/libcrypto.so.3": "",
    }
    assert facts.system == "debian 12"
    changed, unknown = facts.packages
    assert changed.verified
    assert changed.altered == (
        "/usr/lib/cyrus/bin/imapd was changed (??5??????)",
        "/usr/lib/cyrus/bin/pop3d is missing",
    )
    assert (unknown.name, unknown.verified) == ("libssl3:amd64", False)


def test_a_change_counts_though_the_rest_of_the_package_was_not_told() -> None:
    """Cut off before the line of the package: not verified, and changed all the same."""
    facts = parse("h", "clock\t1\t1\t100\naltered\tp\tmissing\t/x\n")
    (package,) = facts.packages
    assert (package.verified, package.altered) == (False, ("/x is missing",))


def test_a_script_that_did_not_run_is_not_a_clean_host() -> None:
    """No clock line, no facts."""
    for output in ("", "sh: not found\n", "clock\tx\ty\tz\n"):
        assert not parse("h", output).reached


def test_lines_that_make_no_sense_are_kept_as_errors() -> None:
    """And the rest is read."""
    facts = parse("h", SAID + "file\tabc\troot\tmail\tnow\t/x\nprocess\tx\nnonsense\tline\n")
    assert len(facts.processes) == 1
    assert len(facts.errors) == 3


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet="\t\nclokpresfit0129:.x", max_size=40), max_size=8))
def test_any_output_is_read_without_an_exception(lines: list[str]) -> None:
    """A host may be hostile."""
    parse("h", SAID + "\n".join(lines))
    parse("h", "\n".join(lines))


def test_the_script_runs_on_this_machine_and_ends() -> None:
    """Plain sh, with or without any mail daemon, and it sees this machine's clock."""
    done = subprocess.run(
        ["sh", str(SCRIPT)], capture_output=True, text=True, timeout=60, check=True
    )
    facts = parse("here", done.stdout)
    assert facts.reached
    now, uptime = done.stdout.split("\t")[1:3]
    assert abs(float(now) - time.time()) < 60
    assert float(uptime) > 0


EXIM = """\
#!/bin/sh
[ "$*" = "-C /dev/null -d -bV" ] || exit 0
cat <<END
Exim version 4.96 uid=0 gid=0 pid=$$ D=f7715cfd
changed uid/gid: forcing real = effective
Exim version 4.96 #2 built 26-Nov-2026 14:26:47
Copyright (c) University of Cambridge, 1995 - 2018
Library version: GnuTLS: Compile: 3.7.8
                         Runtime: 3.7.9
END
"""


def test_exim_is_told_alike_every_night(tmp_path: Path) -> None:
    """Its debugging lines have process ids, which would be drift; its versions are all there."""
    exim = tmp_path / "exim"
    exim.write_text(EXIM)
    exim.chmod(0o755)
    script = SCRIPT.read_text().replace("\nPATH=", f"\nPATH={tmp_path}:", 1)
    told = []
    for _ in range(2):
        done = subprocess.run(
            ["sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        told.append(parse("here", done.stdout).reports["exim"])
    assert told[0] == told[1]
    assert told[0].startswith("Exim version 4.96 #2 ")
    assert "Runtime: 3.7.9" in told[0]
    assert "pid=" not in told[0]


def _function(name: str, *arguments: str, before: str = "", path: Path | None = None) -> str:
    """What a function of the script prints, and what it returns if not 0."""
    found = re.search(rf"^{name}\(\) \{{\n.*?^\}}$", SCRIPT.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    text = f'{found[0]}\ntab="\t"\n{before}\n{name} "$@" || echo "returned $?"'
    done = subprocess.run(
        ["/bin/sh", "-c", text, name, *arguments],
        env={"PATH": str(path or os.environ["PATH"]), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


CYRUS_CONF = """\
START {
  recover cmd="ctl_cyrusdb -r" listen="99"
}
SERVICES {
  # off  cmd="imapd" listen="1"
  imap\t\tcmd="imapd -U 30" listen="imap2" prefork=0
  imaps  cmd="imapd -s" listen="993" prefork=1
  pop3  listen="[::1]:110" cmd="/usr/lib/cyrus/bin/pop3d" proto="tcp6"
  sieve cmd=timsieved listen=127.0.0.1:4190
  lmtpunix  cmd="lmtpd" listen="/run/cyrus/socket/lmtp"
  notify  cmd="notifyd" listen="2" proto="udp"
  unknown cmd="imapd" listen="no-such-service"
}
EVENTS {
  squatter cmd="imapd" listen="3"
}
"""


def test_the_services_that_speak_tls_are_found_in_cyrus_conf(tmp_path: Path) -> None:
    """Not what listens on UNIX sockets or UDP, and nothing of other sections."""
    path = tmp_path / "cyrus.conf"
    path.write_text(CYRUS_CONF)
    found = _function("services_of", str(path)).splitlines()
    assert found == ["imap 143", "imaps 993", "pop3 110", "sieve 4190"]


@pytest.mark.parametrize(
    ("kernel", "address"),
    [
        ("00000000", "127.0.0.1"),
        ("0100007F", "127.0.0.1"),
        ("1F00500A", "10.80.0.31"),
        ("0" * 32, "::1"),
        ("B80D0120000000000000000031000000", "2001:0DB8:0000:0000:0000:0000:0000:0031"),
    ],
)
def test_addresses_are_read_as_the_kernel_prints_them(kernel: str, address: str) -> None:
    """On a machine whose last byte comes first, as all are that this is for."""
    assert _function("address_of", kernel).strip() == address


def test_the_ports_that_a_process_waits_on_are_seen() -> None:
    """From the sockets that it holds and the kernel's list of those that listen."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        before = f"newline='\n'\nwaiting=$newline$(cat <<'E'\n{_function('listening')}E\n)"
        held = _function("ports_of", f"/proc/{os.getpid()}", before=before).split()
    assert str(port) in held


RPM_SAYS = """\
S.5....T.  c /etc/imapd.conf
.......T.    /usr/lib/cyrus-imapd/imapd
..5....T.    /usr/lib/cyrus-imapd/pop3d
missing   d /usr/share/man/man8/pop3d.8.gz
missing     /usr/lib/cyrus-imapd/lmtpd
.M....G..    /usr/lib/cyrus-imapd
missing   g /var/run/cyrus.pid
"""
DPKG_SAYS = """\
??5?????? c /etc/cyrus.conf
??5??????   /usr/lib/cyrus/bin/imapd
missing     /usr/share/man/man8/cyrus-imapd.8.gz
missing     /usr/share/doc/cyrus-imapd/changelog.gz
"""
# A program of a package manager: what it is asked (the beginning), what it says, how it ends.
Stub = tuple[str, str, str, int]


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Path]:
    """A PATH with the usual tools and just these package managers."""
    for tool in ("awk", "cat", "head", "sed"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or "")

    def make(*stubs: Stub) -> Path:
        for name in {stub[0] for stub in stubs}:
            cases = "".join(
                f"'{asked}'*) cat <<'E'\n{said}E\nexit {code} ;;\n"
                for program, asked, said, code in stubs
                if program == name
            )
            path = tmp_path / name
            path.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}esac\nexit 1\n')
            path.chmod(0o755)
        return tmp_path

    return make


KNOWN = ("rpm", "-q ", "cyrus-1-1.x86_64\n", 0)


def test_only_what_was_changed_is_told_of_a_package_of_rpm(machine: Callable[..., Path]) -> None:
    """Not configuration, documentation, ghosts and times."""
    path = machine(KNOWN, ("rpm", "-V", RPM_SAYS, 1))
    assert _function("verify", "cyrus", path=path).splitlines() == [
        "altered\tcyrus\t..5....T.\t/usr/lib/cyrus-imapd/pop3d",
        "altered\tcyrus\tmissing\t/usr/lib/cyrus-imapd/lmtpd",
        "altered\tcyrus\t.M....G..\t/usr/lib/cyrus-imapd",
        "package\tcyrus\tyes",
    ]


SUMS = ("dpkg-query", "--control-path", "/var/lib/dpkg/info/x.md5sums\n", 0)


def test_only_what_was_changed_is_told_of_a_package_of_dpkg(machine: Callable[..., Path]) -> None:
    """dpkg does not know what is documentation; where it lies tells."""
    path = machine(SUMS, ("dpkg", "--verify", DPKG_SAYS, 0))
    assert _function("verify", "cyrus-imapd", path=path).splitlines() == [
        "altered\tcyrus-imapd\t??5??????\t/usr/lib/cyrus/bin/imapd",
        "package\tcyrus-imapd\tyes",
    ]


@pytest.mark.parametrize(
    "stubs",
    [
        pytest.param((), id="no package manager"),
        pytest.param((("rpm", "-q", "", 1),), id="rpm does not know it"),
        pytest.param((KNOWN, ("rpm", "-V", "", 1)), id="rpm breaks down"),
        pytest.param((("dpkg", "--verify", "", 0),), id="no sums"),
        pytest.param((SUMS, ("dpkg", "--verify", "", 2)), id="dpkg before 1.17"),
    ],
)
def test_a_package_that_cannot_be_compared_is_not_verified(
    machine: Callable[..., Path], stubs: tuple[Stub, ...]
) -> None:
    """Silence is no proof."""
    assert _function("verify", "p", path=machine(*stubs)) == "package\tp\tno\n"


def _dpkg(said: str, code: int = 0) -> Stub:
    return ("dpkg-query", "-S", said, code)


DIVERTED = """\
diversion by mailseal-exim from: /usr/sbin/exim4
diversion by mailseal-exim to: /usr/sbin/exim4.distrib
exim4-daemon-heavy, mailseal-exim: /usr/sbin/exim4
"""
NOBODYS = "file /x is not owned by any package\n"


@pytest.mark.parametrize(
    ("stubs", "said"),
    [
        ((_dpkg("libssl3:amd64: /usr/lib/libssl.so.3\n", 1),), "libssl3:amd64"),
        ((_dpkg("a, b: /usr/lib/libssl.so.3\n"),), "a"),
        ((_dpkg("diversion by dash from: /x\ndiversion by dash to: /y\n"),), ""),
        ((_dpkg("local diversion from: /x\nlocal diversion to: /y\na: /x\n"),), ""),
        ((_dpkg(DIVERTED),), "mailseal-exim"),
        ((_dpkg("", 1), ("rpm", "-qf", "ours-1-1.x86_64\n", 0)), "ours-1-1.x86_64"),
        ((_dpkg("", 2), ("rpm", "-qf", "", 1)), "\nreturned 1"),
        ((_dpkg("", 2), ("rpm", "-qf", NOBODYS, 1)), ""),
        ((), "\nreturned 1"),
    ],
)
def test_the_owner_of_a_file_is_whoever_knows_it(
    machine: Callable[..., Path], stubs: tuple[Stub, ...], said: str
) -> None:
    """dpkg or rpm; nobody is an answer, nobody to ask is none."""
    assert _function("owner_of", "/usr/lib/libssl.so.3", path=machine(*stubs)) == f"{said}\n"

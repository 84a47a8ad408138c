"""What hosts say of themselves: the script, and the reading of what it prints."""

import subprocess
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.inspect.parse import parse

SCRIPT = Path(__file__).parent.parent.parent / "audit" / "inspect" / "collect.sh"
SAID = """clock\t1000.5\t100.5\t100
process\t7\tcyrus\timapd\t5000
library\t7\tno\t/usr/lib/libssl.so.3
library\t7\tyes\t/opt/old/libcrypto.so.3
file\t640\troot\tmail\t1970-01-01 00:16:00.250000000 +0000\t/etc/mailseal/tls/rsa.key
option\tcyrus\ttls_ciphers\tA:B
option\texim\ttls_require_ciphers\t ${if x{a}{b}}
cnf\tcyrus\tGroups = X25519
report\texim\tExim version 4.96
"""


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

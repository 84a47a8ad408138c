"""A real Exim, configured by the role, sends to domains with MTA-STS, DANE, both and neither."""

import json
import re
import smtplib
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from lab.issuing import certify, pem_key
from tests.commands import BIN, ROOT, run
from tests.daemons import roots
from tests.daemons.cell import Server, cell, inside
from tests.daemons.settings import Tls
from tests.daemons.settings import files as tls_files
from tests.mta_sts import names
from tests.mta_sts.names import Domain
from tests.mta_sts.policy_hosts import policy_hosts
from tests.servers import Pki
from tests.tlsrpt import signed
from tests.tlsrpt.receivers import CA, Fault, Receiver, receiver

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
_SECONDS = 90.0
# What Exim would take for its own beside the record that counts, if it expanded or split it.
STRANGE = "\n_mta-sts.strange.example. TXT ".join(
    [
        r'"}}{}{$run{}} ${run{/bin/false}} $domain \\N^$"',
        r'"x\010mode=none until=99999999999\013\000"',
        r'"\"\"\'" "; ; >,"',
        '"<; mode=none until=99999999999 at=1 id=1 mx="',
        '"v=STSv1; id=1;"',
        *(f'"{number} {"y" * 240}"' for number in range(120)),
    ]
)
# Not mentioned: the certificate is right, the policy is in force, and names its server.
DOMAINS = {
    "good.example": Domain(mode="enforce"),
    "star.example": Domain(mode="enforce", mx="*.star.example"),
    "deep.example": Domain(mode="enforce", mx="*.deep.example", server="a.b.deep.example"),
    "misnamed.example": Domain("misnamed", "enforce"),
    "untrusted.example": Domain("untrusted", "enforce"),
    "plain.example": Domain("plain", "enforce"),
    "broken.example": Domain("broken", "enforce"),
    "unlisted.example": Domain(mode="enforce", mx="other.unlisted.example"),
    "testing.example": Domain("misnamed", "testing", mx="other.testing.example"),
    "tested.example": Domain(mode="testing"),
    "none.example": Domain("misnamed", "none"),
    "without.example": Domain("untrusted"),
    "clear.example": Domain("plain"),
    "hostless.example": Domain("untrusted", "enforce", host=False),
    "twice.example": Domain("untrusted", "enforce", record='"v=STSv1; id=1" "v=STSv1; id=2"'),
    "strange.example": Domain("untrusted", "enforce", record=STRANGE),
    "kept.example": Domain("untrusted", "enforce", kept=True),
    "kept-good.example": Domain(mode="enforce", kept=True),
    "dane.test": Domain(mode="enforce", tlsa="right"),
    "dane-alone.test": Domain("untrusted", tlsa="right"),
    "dane-unlisted.test": Domain("untrusted", "enforce", "x.dane-unlisted.test", tlsa="right"),
    "dane-wrong.test": Domain(mode="enforce", tlsa="wrong"),
    "dane-plain.test": Domain("plain", tlsa="right"),
    "required.test": Domain(tlsa="right"),
    "required-none.test": Domain(),
    "implicit.test": Domain("untrusted", tlsa="right", server="implicit.test"),
    # Who forges the answer for an unsigned domain can have DANE for a server of his own.
    "forged.example": Domain(
        mode="enforce", mx="mx.forged.example", server="mx.thief.test", tlsa="right"
    ),
}
REQUIRED = ["required.test", "required-none.test", "implicit.test", "*.bücher.test", "bücher.test"]
DEFERRED = "deferred"
_STS, _PLAIN = "remote_smtp_mta_sts", "remote_smtp"
# How each mail goes: transport and what is known of the certificate; or that it does not go.
EXPECTED = {
    "good.example": (_STS, "yes"),
    "star.example": (_STS, "yes"),
    "deep.example": DEFERRED,
    "misnamed.example": DEFERRED,
    "untrusted.example": DEFERRED,
    "plain.example": DEFERRED,
    "broken.example": DEFERRED,
    "unlisted.example": DEFERRED,
    "testing.example": (_PLAIN, "no"),
    "tested.example": (_PLAIN, "yes"),
    "none.example": (_PLAIN, "no"),
    "without.example": (_PLAIN, "no"),
    "clear.example": (_PLAIN, ""),
    "hostless.example": (_PLAIN, "no"),
    "twice.example": (_PLAIN, "no"),
    "strange.example": DEFERRED,
    "kept.example": DEFERRED,
    "kept-good.example": (_STS, "yes"),
    "dane.test": (_STS, "dane"),
    "dane-alone.test": (_PLAIN, "dane"),
    "dane-unlisted.test": (_STS, "dane"),
    "dane-wrong.test": DEFERRED,
    "dane-plain.test": DEFERRED,
    "required.test": (_PLAIN, "dane"),
    "required-none.test": DEFERRED,
    "implicit.test": (_PLAIN, "dane"),
    "forged.example": DEFERRED,
}
NEVER_CONNECTED = {"deep.example", "unlisted.example", "forged.example", "required-none.test"}
_HELPER = """
mkdir -p /run/mailseal-mta-sts /var/lib/mailseal-mta-sts
python3 -I /usr/lib/mailseal/mta-sts --socket /run/mailseal-mta-sts/socket \\
    --cache /var/lib/mailseal-mta-sts --ca-file /etc/tls/receivers.crt 2>/var/log/helper &
echo $! >/var/log/helper.pid
for turn in $(seq 200); do test -S /run/mailseal-mta-sts/socket && break; sleep 0.1; done
"""


@dataclass(frozen=True)
class World:
    """An Exim and all that it sends to.

    Attributes:
        exim: the sender.
        receivers: the server of each domain.
        asked: policy hosts that were asked, in order.
    """

    exim: Server
    receivers: dict[str, Receiver]
    asked: list[str]

    @property
    def log(self) -> str:
        """Exim's own."""
        return (self.exim.logs / "exim4/mainlog").read_text(encoding="utf-8")

    def send(self, *recipients: str) -> None:
        """Hand a mail to Exim."""
        with smtplib.SMTP(self.exim.address, 25, "x", _SECONDS) as client:
            more = [] if all(map(str.isascii, recipients)) else ["SMTPUTF8"]
            client.sendmail("a@here.example", recipients, b"Subject: x\r\n\r\nx\r\n", more)

    def signal_helper(self, name: str) -> None:
        """Send the helper a signal, in its own namespaces."""
        first = self.exim.own_netns.parts[2]
        pid = (self.exim.logs / "helper.pid").read_text(encoding="ascii").strip()
        subprocess.run(["nsenter", "-t", first, "-p", "-m", "kill", f"-{name}", pid], check=True)

    def outcome(self, recipient: str) -> object:
        """How its mail went, once that is known."""
        gone = rf" [=-]> {re.escape(recipient)} .* T=(\S+) .*?(?: CV=(\S+)|$)"
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            if found := re.search(gone, self.log, re.MULTILINE):
                return (found[1], found[2] or "")
            if f" == {recipient} " in self.log:
                return DEFERRED
            assert f" ** {recipient} " not in self.log, self.log
            time.sleep(0.2)
        raise AssertionError(f"nothing became of {recipient}: {self.log[-3000:]}")


def rendered(folder: Path, **more: object) -> str:
    """Exim's configuration as the role has it, with these variables beside or instead."""
    out = folder / "exim4.conf"
    variables = {
        "rendered": str(out),
        "mailseal_server_name": "localhost",
        "mailseal_endpoints": [{"port": 25}],
        "mailseal_certificate_types": ["rsa"],
        "mailseal_certificate_directory": "/etc/tls",
        "mailseal_compiled": {
            "options": {"tls_advertise_hosts": "*"},
            "openssl_cnf": "",
            "target": "Exim",
            "policy": "none",
            "required_ports": [],
        },
        "mailseal_exim_local_domains": ["localhost"],
        "mailseal_exim_dane_required": REQUIRED,
        "mailseal_exim_verify_certificates": "/etc/tls/receivers.crt",
        "mailseal_exim_options": {
            "acl_smtp_rcpt": "accept",
            "disable_ipv6": "true",
            "rfc1413_hosts": "",
            "queue_run_max": "0",
            "delay_warning": "",
        },
        **more,
    }
    play = ROOT / "tests/mta_sts/render.yml"
    done = run(
        *(str(BIN / "ansible-playbook"), "-i", "localhost,", str(play), "-e", json.dumps(variables))
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out.read_text(encoding="utf-8")


def helper() -> dict[str, str | bytes]:
    """What the role mta_sts puts on a host, and no more of mailseal."""
    variables = yaml.safe_load((ROOT / "roles/mta_sts/vars/main.yml").read_text(encoding="utf-8"))
    lib = "usr/lib/mailseal/mta-sts"
    found: dict[str, str | bytes] = {
        f"{lib}/audit/{module}.py": (ROOT / f"audit/{module}.py").read_bytes()
        for module in variables["__mailseal_mta_sts_modules"]
    }
    main = (ROOT / "roles/mta_sts/templates/main.py.j2").read_bytes()
    return {**found, f"{lib}/__main__.py": main}


@contextmanager
def world(folder: Path, pki: Pki, library: str) -> Iterator[World]:
    """All of them, in namespaces of their own."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Servers, which several domains may have in common.
    faults = {names.server(name, domain): domain.fault for name, domain in DOMAINS.items()}
    addresses = {server: f"192.0.2.{number}" for number, server in enumerate(faults, 10)}
    contexts, keys = {}, {}
    for server, fault in faults.items():
        contexts[server], keys[server] = _identity(folder, server, fault, key)
    hosts = {
        f"mta-sts.{name}": _identity(folder, f"mta-sts.{name}", "good", key)[0] for name in DOMAINS
    }
    pages = {f"mta-sts.{name}": names.policy(name, domain) for name, domain in DOMAINS.items()}
    until = int(time.time())
    kept = {
        f"var/lib/mailseal-mta-sts/{name}": f"mode=enforce until={until + 9999} at={until} id=1"
        f" mx=mx.{name}\n"
        for name, domain in DOMAINS.items()
        if domain.kept
    }
    laid = {
        **tls_files(Tls(), pki),
        **names.files(DOMAINS, addresses, keys),
        **helper(),
        **kept,
        "etc/exim4/exim4.conf": rendered(folder),
        "etc/tls/receivers.crt": certify(CA, key, key, CA, ca=True).public_bytes(Encoding.PEM),
    }
    start = f"{signed.START}\n{_HELPER}\n"
    if library == "openssl":
        laid["usr/sbin/exim4"] = (roots.root("exim-openssl") / "usr/sbin/exim4").read_bytes()
        start += "chmod 4755 /usr/sbin/exim4\n"
    start += "exec /usr/sbin/exim4 -bdf"
    with (
        cell("lab", folder / "cell", laid, start, {25: ("smtp", "starttls")}) as exim,
        inside(exim.netns),
        ExitStack() as stack,
    ):
        for address in addresses.values():
            subprocess.run(["ip", "address", "add", f"{address}/24", "dev", "eth0"], check=True)
        asked = stack.enter_context(policy_hosts((names.POLICY_HOST, 443), hosts, pages))
        listening = {
            server: stack.enter_context(receiver(fault, contexts[server], addresses[server]))
            for server, fault in faults.items()
        }
        receivers = {n: listening[names.server(n, domain)] for n, domain in DOMAINS.items()}
        yield World(exim, receivers, asked)


def _identity(
    folder: Path, name: str, fault: Fault, root: ec.EllipticCurvePrivateKey
) -> tuple[ssl.SSLContext, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    mine = "other.example" if fault == "misnamed" else name
    issuer = (mine, key) if fault == "untrusted" else (CA, root)
    leaf = certify(mine, key, issuer[1], issuer[0], names=(mine,))
    path = folder / f"{name}.pem"
    path.write_bytes(leaf.public_bytes(Encoding.PEM) + pem_key(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, signed.key(leaf)


@pytest.mark.parametrize("library", ["gnutls", "openssl"])
def test_every_domain_gets_its_mail_as_its_policy_says(
    library: str, pki: Pki, tmp_path: Path
) -> None:
    """And none in clear, or to a server that the policy does not name."""
    with world(tmp_path, pki, library) as found:
        outcomes = {}
        for name in DOMAINS:  # one after the other: no name server is to be late
            found.send(f"u@{name}", f"v@{name}")
            outcomes[name] = {found.outcome(f"{who}@{name}") for who in "uv"}
        assert outcomes == {name: {how} for name, how in EXPECTED.items()}
        # What came to the servers.
        for name, one in found.receivers.items():
            clear = EXPECTED[name] == (_PLAIN, "")
            assert one.taken == ([] if EXPECTED[name] == DEFERRED else [not clear]), name
            assert bool(one.connections) == (name not in NEVER_CONNECTED), name


def test_a_helper_that_does_not_answer_loses_no_policy(pki: Pki, tmp_path: Path) -> None:
    """What is kept counts, and one sentence says so; nothing else waits for it."""
    with world(tmp_path, pki, "gnutls") as found:
        found.send("first@good.example")
        assert found.outcome("first@good.example") == (_STS, "yes")
        assert found.asked == ["mta-sts.good.example"]
        found.signal_helper("KILL")
        for name in ("good.example", "kept.example", "star.example"):
            found.send(f"u@{name}")
        # What was fetched and what was kept before; and one that nobody has asked for yet.
        assert found.outcome("u@good.example") == (_STS, "yes")
        assert found.outcome("u@kept.example") == DEFERRED
        assert found.outcome("u@star.example") == (_PLAIN, "yes")
        assert not found.receivers["kept.example"].taken
        assert found.log.count("the MTA-STS helper does not answer for") == 3


SHARED = {
    # Whoever has a domain can name others' servers, and say what he likes of them.
    "hostile.example": Domain(mode="enforce", mx="other.example", server="mx.shared.example"),
    "enforced.example": Domain(mode="enforce", server="mx.shared.example"),
    "first.example": Domain(mode="enforce", before="mx.shared.example"),
    "open.example": Domain(server="mx.shared.example"),
    "required-none.test": Domain(server="mx.shared.test"),
    "open.test": Domain(server="mx.shared.test"),
    "misnamed.example": Domain("misnamed", "enforce", server="mx.other.example"),
    "lenient.example": Domain("misnamed", server="mx.other.example"),
}
_OF_SHARED = {
    "hostile.example": DEFERRED,
    "enforced.example": (_STS, "yes"),
    "first.example": (_STS, "yes"),
    "open.example": (_PLAIN, "yes"),
    "required-none.test": DEFERRED,
    "open.test": (_PLAIN, "yes"),
    "misnamed.example": DEFERRED,
    "lenient.example": (_PLAIN, "no"),
}


def test_no_domain_puts_off_the_mail_of_another(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exim remembers servers that failed; one that a domain's mail may not go to has not."""
    monkeypatch.setitem(globals(), "DOMAINS", SHARED)
    with world(tmp_path, pki, "gnutls") as found:
        for name in SHARED:
            found.send(f"u@{name}")
            assert found.outcome(f"u@{name}") == _OF_SHARED[name], found.log
        assert found.receivers["enforced.example"].taken == [True, True]  # and open.example's
        assert found.receivers["first.example"].taken == [True]
        log = found.log
    assert "mx.shared.example is not in the MTA-STS policy of hostile.example" in log
    assert "DANE is required for required-none.test, and mx.shared.test has none" in log


def test_a_domain_in_other_letters_is_the_same_domain(
    pki: Pki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exim has it as the sender wrote it (SMTPUTF8); lists and what is kept have A-labels."""
    required, kept = "xn--bcher-kva.test", "xn--bcher-kva.example"
    domains = {required: Domain(), kept: Domain("untrusted", "enforce", kept=True)}
    monkeypatch.setitem(globals(), "DOMAINS", domains)
    with world(tmp_path, pki, "gnutls") as found:
        found.signal_helper("KILL")
        for name in domains:
            written = name.encode().decode("idna")
            for recipient in (f"a@{name}", f"u@{written}"):
                found.send(recipient)
                assert found.outcome(recipient) == DEFERRED, found.log
            assert not found.receivers[name].taken


@pytest.mark.parametrize("sts", [True, False])
@pytest.mark.parametrize("required", [[], ["required.test"]])
def test_each_part_can_be_left_out(sts: bool, required: list[str], tmp_path: Path) -> None:
    """Exim takes what is left, and nothing in it names what is not there."""
    text = rendered(tmp_path, mailseal_mta_sts=sts, mailseal_exim_dane_required=required)
    assert "domainlist dane_required = required.test\n" in text or not required
    assert ("STS_LINE" in text) == ("remote_smtp_mta_sts" in text) == sts
    assert ("dane_required" in text) == ("hosts_require_dane" in text) == bool(required)
    assert ("DANE_HERE" in text) == ("event_action" in text) == (sts or bool(required))
    root = roots.root("lab")
    (tmp_path / "exim4.conf").chmod(0o644)
    exim = [
        "unshare",
        "--mount",
        "sh",
        "-ec",
        'mount --bind "$1" "$2/mnt"; chroot "$2" "$3" -C "$4" -bV',
    ]
    done = run(*exim, "sh", str(tmp_path), str(root), "/usr/sbin/exim4", "/mnt/exim4.conf")
    assert done.returncode == 0, done.stdout + done.stderr
    for transport in ["remote_smtp", *(["remote_smtp_mta_sts"] if sts else [])]:
        assert f"\n{transport}:\n" in text

"""A real Exim, driven: nothing is believed of who lies, and who does not is counted as he is."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from audit.iana import Version
from audit.traffic import work
from audit.traffic.exim import parse
from audit.traffic.session import Session, session
from audit.traffic.tally import Tally, secure
from tests.daemons.cell import Server, inside
from tests.daemons.exim import PORTABLE, exim_gnutls, exim_openssl
from tests.daemons.names import Described, described
from tests.daemons.settings import ALL, Tls
from tests.servers import Pki
from tests.traffic.hostile import FAKE, HERE, LIES, MORE, THERE, Mail, Truth, server

pytestmark = [pytest.mark.daemons, pytest.mark.usefixtures("namespaces")]
Daemon = Callable[..., AbstractContextManager[Server]]
each = pytest.mark.parametrize("daemon", [exim_gnutls, exim_openssl])
_SECONDS = 60.0
_CLIENT = b"192.0.2.2"


def _quiet(log: Path) -> list[bytes]:
    """The lines of a log, as soon as nothing comes any more."""
    before, end = b"", time.monotonic() + _SECONDS
    while time.monotonic() < end:
        time.sleep(2)
        if (now := log.read_bytes()) == before:
            return now.splitlines()
        before = now
    raise AssertionError("Exim does not come to rest")


def _counted(log: Path) -> Tally:
    wanted = work.Wanted()
    found = work.tally([log], wanted)
    work.finish(found, wanted)
    return found


def _iana(x: bytes) -> tuple[str, str]:
    """Version and suite, empty without TLS."""
    one = session(x.decode())
    return (one.version or "?", one.suite or "?") if secure(x) else ("", "")


@each
def test_nobody_who_lies_is_believed(daemon: Daemon, pki: Pki, tmp_path: Path) -> None:
    """What was done is counted or said to be ambiguous; and nothing else is counted."""
    truth = Truth()
    with (
        daemon(pki, tmp_path / "cell", Tls(), more=MORE) as exim,
        inside(exim.netns),
        server(tmp_path, HERE, LIES[2], truth),
        server(tmp_path, THERE, LIES[3], truth),
    ):
        mail = Mail(exim.address, tmp_path, truth)
        for lie in LIES:
            mail.lie(lie)
        log = exim.logs / "exim4/mainlog"
        lines = _quiet(log)
    found, events = _counted(log), [parse(line) for line in lines]
    unsure = [line for line, event in zip(lines, events, strict=True) if event.kind == "ambiguous"]

    # Every line is of one kind, and so is every line that names a session.
    assert sum(found.lines.values()) == len(lines)
    assert found.named == sum(b" X=" in line for line in lines)
    assert found.named == sum(n for (_, named), n in found.lines.items() if named)
    assert found.lines["reject", True] == len(LIES)

    # Nothing of what they wrote is a fact, though whoever takes the first X= for one is fooled.
    naive = {first[1] for line in lines if (first := re.search(rb" X=(\S+)", line))}
    assert FAKE.encode() in naive
    assert {ip for _, ip, *_ in found.clients} == {_CLIENT}
    assert {name for _, _, name, *_ in found.ways} == {_CLIENT}
    assert not any(b"boss" in login for _, _, login, _ in found.clients)
    assert {cv for *_, cv in found.incoming} | {cv for *_, cv in found.outgoing} == {b"", b"no"}
    assert len(found.days) <= 2, "the day on which it ran"

    # What was done was counted, or said to be ambiguous.
    came, went = _ways(found.incoming, 2), _ways(found.outgoing, 1)
    real = {_openssl(*one): count for one, count in truth.came.items()}
    assert came.keys() == real.keys()
    assert all(came[way] <= real[way] for way in came)
    assert came.total() + sum(b" <= " in line for line in unsure) == truth.came.total()
    sent = {_openssl(*one): count for one, count in truth.went.items()}
    assert set() < went.keys() <= sent.keys()
    assert all(went[way] <= sent[way] for way in went)
    onward = re.compile(rb"[-=]> .* R=(safe|clear) T=")
    assert went.total() + sum(bool(onward.search(line)) for line in unsure) == truth.went.total()
    assert 0 < sum(found.certificates.values()) <= truth.certificates


def _ways(counts: Mapping[Any, int], place: int) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for key, count in counts.items():
        found[_iana(key[place])] += count
    return found


def _openssl(version: str, suite: str) -> tuple[str, str]:
    return version, described()[suite].iana if suite else ""


_KEY = re.compile(r"^Server Temp Key: (?:ECDH, )?([\w-]+)", re.MULTILINE)
# Options of OpenSSL's client, and its names of groups, which are no others than it was told.
_FLAGS: dict[Version, str] = {
    "TLSv1.0": "-tls1",
    "TLSv1.1": "-tls1_1",
    "TLSv1.2": "-tls1_2",
    "TLSv1.3": "-tls1_3",
}
_GROUPS = {"X25519": "X25519", "prime256v1": "P-256", "secp384r1": "P-384"}
_SIGNERS = ("rsa_pss_rsae_sha256", "ECDSA+SHA256")
_EXCHANGES = {"ECDH": "ecdhe", "DH": "dhe", "RSA": "none"}


@dataclass(frozen=True)
class Told:
    """What OpenSSL's client says that it negotiated; *key* is the kind of the server's."""

    version: Version
    suite: str
    key: str


def _hand_in(address: str, number: int, version: Version, options: list[str]) -> Told | None:
    """One mail by `openssl s_client`; None if there was no handshake."""
    words = ("EHLO x", f"MAIL FROM:<{number}@b.example>", "RCPT TO:<u@here.example>", "DATA")
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"{address}:465", "-ign_eof", "-crlf"),
            *(_FLAGS[version], *options),
        ],
        input="\n".join((*words, "Subject: x", "", "x", ".", "QUIT", "")),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    told = re.search(r"^New, .*, Cipher is (\S+)$", done.stdout, re.MULTILINE)
    if told is None or told[1] == "(NONE)":
        return None
    assert "250 OK id=" in done.stdout, done.stdout
    key = _KEY.search(done.stdout)
    return Told(version, told[1], key[1] if key else "")


def _clients(suites: list[Described]) -> Iterator[tuple[Version, list[str]]]:
    """Whatever a client can be told that makes a difference in X=: one version each."""
    for version in ALL:
        for one in suites:
            if version == "TLSv1.3" == one.since:
                for group, signer in product((*_GROUPS, "ffdhe2048"), _SIGNERS):
                    only = ["-ciphersuites", one.openssl, "-groups", group, "-sigalgs", signer]
                    yield version, only
            elif one.usable_in(version):
                yield version, ["-cipher", f"{one.openssl}:@SECLEVEL=0"]
    for group in _GROUPS:
        yield "TLSv1.2", ["-cipher", "ECDHE", "-groups", group]


@each
def test_every_spelling_is_what_was_negotiated(daemon: Daemon, pki: Pki, tmp_path: Path) -> None:
    """Versions by key exchanges, ciphers, groups and signatures: as the client says it."""
    usable = [
        one
        for one in described().values()
        if one.cipher in PORTABLE and one.signer in {"any", "RSA", "ECDSA"}
    ]
    tls = Tls(
        versions=ALL,
        suites=tuple(one.openssl for one in usable if one.since != "TLSv1.3"),
        tls13=tuple(one.openssl for one in usable if one.since == "TLSv1.3"),
        groups=(*Tls.groups, "ffdhe2048"),
        prefer="client",
        dh_bits=2048,
    )
    with daemon(pki, tmp_path / "cell", tls, more=MORE) as exim, inside(exim.netns):
        clients = enumerate(_clients(usable))
        handed = {n: _hand_in(exim.address, n, *options) for n, options in clients}
        log = exim.logs / "exim4/mainlog"
        lines = _quiet(log)
        found = _counted(log)
    truth = {number: told for number, told in handed.items() if told}
    came = {
        int(sender[1]): session(parse(line).x.decode())
        for line in lines
        if (sender := re.search(rb" <= (\d+)@b\.example ", line))
    }
    assert came.keys() == truth.keys()
    assert [(truth[n], one) for n, one in came.items() if not _same(truth[n], one)] == []
    assert sum(found.incoming.values()) == len(truth), "and each is counted"

    exchanges = {(told.version, _exchange(told)) for told in truth.values()}
    assert exchanges == {
        *product(("TLSv1.0", "TLSv1.1", "TLSv1.2"), ("ecdhe", "dhe", "none")),
        *product(("TLSv1.3",), ("ecdhe", "dhe")),
    }


def _exchange(told: Told) -> str:
    in_tls13 = "dhe" if told.key == "DH" else "ecdhe"
    return _EXCHANGES.get(described()[told.suite].exchange, in_tls13)


def _same(told: Told, found: Session) -> bool:
    """Whether a log says the same, or less, and says so."""
    one = described()[told.suite]
    named = (found.version, found.suite, found.aead) == (told.version, one.iana, one.mac == "AEAD")
    exchange = found.key_exchange in {_exchange(told), "either" if not found.group else ""}
    field = found.group.startswith(("CUSTOM", "ffdhe")) if told.key == "DH" else False
    return named and exchange and (found.group in {"", _GROUPS.get(told.key)} or field)

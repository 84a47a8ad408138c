"""The next keys and certificates of a host, and the switch to them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import BIN, run
from tests.servers import Pki

KIND = "ecdsa"


def certificate(tls: Path, *, check: bool = False, **params: object) -> tuple[int, dict[str, Any]]:
    """Run the module as Ansible does on a host: exit code, and what it said."""
    wanted = {"directory": str(tls), "group": "root", "types": [KIND], "names": ["localhost"]}
    python = f"ansible_python_interpreter={BIN / 'python'}"
    words = ["-i", "localhost,", "-c", "local", "-e", python, "-o", *(["--check"] if check else [])]
    words += ["-M", "roles/tls_certificate/library", "-m", "mailseal_certificate"]
    done = run(str(BIN / "ansible"), *words, "localhost", "-a", json.dumps({**wanted, **params}))
    said: dict[str, Any] = json.loads(done.stdout.partition("=> ")[2])
    return done.returncode, said


@pytest.fixture
def hosts(tmp_path: Path, pki: Pki) -> tuple[Path, Path]:
    """What is in force, and the same again in the place of what is next."""
    for name in ("tls", "tls.next"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{KIND}.crt").write_bytes(pki.ecdsa[0].read_bytes())
        (tmp_path / name / f"{KIND}.key").write_bytes(pki.ecdsa[1].read_bytes())
    return tmp_path / "tls", tmp_path / "tls.next"


def test_a_key_that_is_in_force_is_not_the_next_one(hosts: tuple[Path, Path]) -> None:
    """It is left of a roll-over that is over; a new one is made once, and then it stays."""
    tls, following = hosts
    code, said = certificate(following, unlike=str(tls))
    assert (code, said["due"]) == (0, {KIND: "its key is in force already"})
    made = (following / f"{KIND}.key").read_bytes()
    assert made != (tls / f"{KIND}.key").read_bytes()
    code, said = certificate(following, unlike=str(tls))
    assert (code, said["due"]) == (0, {KIND: "it belongs to another key"})
    assert (following / f"{KIND}.key").read_bytes() == made


def test_a_switch_takes_key_and_certificate_and_is_made_once(
    hosts: tuple[Path, Path], pki: Pki
) -> None:
    """A look before changes nothing."""
    tls, following = hosts
    for suffix, file in zip(("crt", "key"), pki.rsa, strict=True):
        (following / f"{KIND}.{suffix}").write_bytes(file.read_bytes())
    code, said = certificate(tls, source=str(following), check=True)
    assert (code, said["changed"]) == (0, True)
    assert (tls / f"{KIND}.key").read_bytes() == pki.ecdsa[1].read_bytes()
    code, said = certificate(tls, source=str(following))
    assert (code, said["changed"]) == (0, True)
    assert (tls / f"{KIND}.key").read_bytes() == pki.rsa[1].read_bytes()
    assert (tls / f"{KIND}.crt").read_bytes() == pki.rsa[0].read_bytes()
    assert "PRIVATE" not in json.dumps(said)
    code, said = certificate(tls, source=str(following))
    assert (code, said["changed"]) == (0, False)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (f"{KIND}.key", None, "there is no "),
        (f"{KIND}.crt", b"no certificate", "the ecdsa certificate cannot be read"),
        (f"{KIND}.key", b"other", "the ecdsa certificate does not belong to its key"),
    ],
)
def test_a_next_certificate_that_is_none_leaves_what_is_in_force(
    hosts: tuple[Path, Path], pki: Pki, name: str, content: bytes | None, words: str
) -> None:
    """One sentence, and nothing is replaced."""
    tls, following = hosts
    (following / name).unlink()
    if content is not None:
        text = pki.rsa[1].read_bytes() if content == b"other" else content
        (following / name).write_bytes(text)
    code, said = certificate(tls, source=str(following))
    assert code != 0
    assert words in said["msg"]
    assert (tls / f"{KIND}.key").read_bytes() == pki.ecdsa[1].read_bytes()

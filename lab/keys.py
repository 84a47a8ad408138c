"""Secrets that last from one `up` to the next: keys of zones, of updates, of an authority."""

import os
import secrets
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lab.errors import LabError
from lab.issuing import pem_key

TSIG_NAME = "mailseal"
TSIG_ALGORITHM = "hmac-sha256"


def private(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the private key in a file, made first if there is none.

    Raises LabError when what is there is no such key.
    """
    try:
        key = serialization.load_pem_private_key(_kept(path, _new_key), password=None)
    except (ValueError, TypeError) as error:
        raise LabError(f"the key {path} cannot be read: {error}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise LabError(f"the key {path} is not one of an elliptic curve")
    return key


def tsig(path: Path) -> str:
    """Return the secret of dynamic updates, base64; *path* has it as BIND's tools read it."""
    return _kept(path, _new_tsig).decode("ascii").split('secret "')[1].split('"')[0]


def _new_key() -> bytes:
    return pem_key(ec.generate_private_key(ec.SECP256R1()))


def _new_tsig() -> bytes:
    secret = b64encode(secrets.token_bytes(32)).decode("ascii")
    lines = f'    algorithm {TSIG_ALGORITHM};\n    secret "{secret}";\n'
    return f'key "{TSIG_NAME}" {{\n{lines}}};\n'.encode("ascii")


def _kept(path: Path, new: Callable[[], bytes]) -> bytes:
    """The content of a file that only its owner may read; whole, or not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(new())
    temporary.rename(path)
    return path.read_bytes()

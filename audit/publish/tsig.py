"""The key that changes of a zone are signed with (RFC 8945), from a file as BIND has it."""

import base64
import binascii
import re
import stat
from pathlib import Path

import dns.exception
import dns.name
import dns.tsig

from audit.errors import MailsealError

_LARGEST = 1 << 16
# A string is passed over: // is Base64 as well.
_COMMENT = re.compile(r'("[^"\n]*")|//[^\n]*|#[^\n]*|/\*.*?\*/', re.DOTALL)
_KEY = re.compile(r'key\s+"?(?P<name>[^\s"{;]+)"?\s*\{(?P<body>[^}]*)\}\s*;')
_FIELD = re.compile(r'(?P<name>algorithm|secret)\s+"?(?P<value>[^\s";]+)"?\s*;')
_OPEN = 0o077  # to anybody but its owner


def read(path: Path) -> dns.tsig.Key:
    """The one key of a file; its secret is in no message and no representation.

    Raises:
        MailsealError: it cannot be read, others can read it too, or it has not one key.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise MailsealError(f"{path}: is no key file")
        if mode & _OPEN:
            raise MailsealError(f"{path}: others can read this secret (chmod 600 {path})")
        with path.open(encoding="utf-8") as file:
            text = _COMMENT.sub(r"\1", file.read(_LARGEST))
    except ValueError:  # no UTF-8, or no path
        raise MailsealError(f"{path}: is no key file") from None
    except OSError as error:
        raise MailsealError(f"{path}: cannot be read ({error.strerror})") from None
    keys = list(_KEY.finditer(text))
    if len(keys) != 1:
        form = 'key "NAME" { algorithm hmac-sha256; secret "..."; };'
        raise MailsealError(f"{path}: has {len(keys)} keys, and not one: {form}")
    fields = {one["name"]: one["value"] for one in _FIELD.finditer(keys[0]["body"])}
    try:
        name = dns.name.from_text(keys[0]["name"])
        algorithm = dns.name.from_text(fields.get("algorithm", "hmac-md5.sig-alg.reg.int"))
        secret = base64.b64decode(fields.get("secret", ""), validate=True)
        made = Key(name, secret, algorithm)
        dns.tsig.HMACTSig(secret, algorithm)  # type: ignore[no-untyped-call]
    except (binascii.Error, ValueError):
        raise MailsealError(f"{path}: its secret is no Base64") from None
    except (dns.exception.DNSException, NotImplementedError):
        words = f"{path}: its name or algorithm is none that is known (hmac-sha256)"
        raise MailsealError(words) from None
    if not secret:
        raise MailsealError(f"{path}: has no secret")
    return made


class Key(dns.tsig.Key):
    """A key that does not show its secret."""

    def __repr__(self) -> str:
        """Its name and algorithm."""
        return f"Key({self.name}, {self.algorithm})"

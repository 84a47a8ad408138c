"""A document to a web server, signed so that it can tell who it is from.

The signature is that of Standard Webhooks (standardwebhooks.com, specification 1.0.0), which has
ready-made libraries for whoever receives it.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import os
from collections.abc import Mapping
from datetime import datetime

from audit import __version__, connect
from audit.bounded import Bounds
from audit.errors import MailsealError
from audit.notify.target import Target, secret_file
from audit.report.visible import visible
from audit.web import Client

VARIABLE = "MAILSEAL_WEBHOOK_SECRET"
_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64  # octets of a secret, by the specification
_TAKEN = range(200, 300)
_MOVED = range(300, 400)
_LONGEST = 100  # characters of what a server says
_PORT = 443


def secret(file: str | None) -> bytes:
    """What documents are signed with; empty if nothing was given.

    Args:
        file: where it stands; None for the environment.

    Raises:
        MailsealError: it cannot be read, or is none. The sentence does not repeat it.
    """
    text = secret_file(file, "--webhook-secret") if file else os.environ.get(VARIABLE, "")
    place = f"--webhook-secret: {file}" if file else VARIABLE
    return key(text, place) if text or file else b""


def key(text: str, place: str) -> bytes:
    """What a secret in base64 stands for.

    Raises:
        MailsealError: it is none. The sentence names the place and does not repeat it.
    """
    try:
        found = base64.b64decode(text.strip().removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not _LEAST <= len(found) <= _MOST:
        words = f"must be {_LEAST} to {_MOST} bytes in base64 (openssl rand -base64 32)"
        raise MailsealError(f"{place}: {words}")
    return found


def headers(key: bytes, name: str, when: datetime, body: bytes) -> Mapping[str, str]:
    """What goes before a body: its kind, its name, and where there is a key its signature.

    Args:
        key: the secret; empty for none.
        name: the same for every try to deliver the same.
        when: now.
        body: what is sent.
    """
    told = {
        "Content-Type": "application/json",
        "User-Agent": f"mailseal/{__version__}",
        "webhook-id": name,
        "webhook-timestamp": str(int(when.timestamp())),
    }
    if key:
        signed = f"{name}.{told['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        told["webhook-signature"] = f"v1,{mac}"
    return told


def post(target: Target, body: bytes, told: Mapping[str, str]) -> str:
    """Hand it over, once; why the server did not take it, or nothing.

    No redirect is followed: what is posted says what is wrong with every host.
    """
    parts = target.parts
    bounds = Bounds(connect.SECONDS)
    client = Client(parts.hostname or "", parts.port or _PORT, bounds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        client.request("POST", path, body, dict(told))
        answer = client.getresponse()
        status, words = answer.status, visible(answer.reason, longest=_LONGEST)
    except (OSError, http.client.HTTPException) as error:
        return bounds.broken or visible(connect.reason(error), longest=_LONGEST)
    finally:
        client.close()  # its body is nothing to us, however long it is
    if status in _TAKEN:
        return ""
    moved = ", which is not followed" if status in _MOVED else ""
    return f"it answers {status} {words}{moved}".rstrip()

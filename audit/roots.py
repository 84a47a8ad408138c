"""The root certificates to trust."""

import ssl
from functools import lru_cache
from pathlib import Path

from audit.errors import MailsealError


@lru_cache(maxsize=16)
def read(ca_file: str = "") -> tuple[bytes, ...]:
    """The roots in this PEM file, or the system's, as DER.

    Raises:
        MailsealError: the file cannot be read or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_file:
        context.load_default_certs()
        return tuple(context.get_ca_certs(binary_form=True))
    try:
        context.load_verify_locations(cafile=Path(ca_file))
    except ssl.SSLError:
        raise MailsealError(f"{ca_file}: holds no CA certificate in PEM form") from None
    except OSError as error:
        raise MailsealError(f"{ca_file}: cannot be read ({error.strerror})") from None
    return tuple(context.get_ca_certs(binary_form=True))

"""An authority that hosts trust beside those of Debian, as its tools would install it."""

from pathlib import Path

from lab.dns import Files
from lab.shell import run

_NAME = "mailseal-world.crt"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def files(root: Path, certificate: Path) -> Files:
    """Return path → (content, mode) of what update-ca-certificates(8) would write on a root.

    Nothing where the root has no such list.
    """
    bundle = root / _BUNDLE
    if not bundle.is_file():
        return {}
    pem = certificate.read_bytes()
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate)]
    return {
        f"usr/local/share/ca-certificates/{_NAME}": (pem, 0o644),
        _BUNDLE: (bundle.read_bytes() + pem, 0o644),
        f"etc/ssl/certs/{run(command).strip()}.0": (pem, 0o644),
    }

"""What a package of ours holds: the manifest that the role which built it leaves behind. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from audit.errors import MailsealError

Path = Annotated[str, Meta(pattern="^/")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """One package of a TLS library.

    Attributes:
        package: its name.
        version: of the package: "3.0.22-1".
        series: of the library: "3.0".
        prefix: the directory that everything of it lies in.
        files: the SHA-256 of each shared library, hexadecimal, by path.
    """

    package: Annotated[str, Meta(min_length=1)]
    version: Annotated[str, Meta(min_length=1)]
    series: Annotated[str, Meta(min_length=1)]
    prefix: Path
    files: Annotated[dict[Path, Sha256], Meta(min_length=1)]

    def holds(self, path: str) -> bool:
        """Whether this file lies where the package lies."""
        return path.startswith(f"{self.prefix.rstrip('/')}/")


def read(data: bytes, place: str) -> Manifest:
    """The manifest in these bytes.

    Args:
        data: JSON.
        place: where they are from, for the error message.

    Raises:
        MailsealError: they are no manifest.
    """
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except ValueError as error:  # msgspec's own errors, and UnicodeDecodeError
        raise MailsealError(f"{place}: is no manifest of a package: {error}") from None
    for path in manifest.files:
        if not manifest.holds(path):
            raise MailsealError(f"{place}: {path} does not lie below {manifest.prefix}")
    return manifest

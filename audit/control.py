"""What an inventory names that lies on the control host."""

from collections.abc import Iterable
from pathlib import Path

from audit import manifest, namespace, roots
from audit.errors import MailsealError
from audit.inventory import Host


def enter(hosts: Iterable[Host]) -> None:
    """Go where these hosts can be reached from; threads that are started afterwards are there too.

    Raises:
        MailsealError: they name several namespaces, or theirs cannot be entered.
    """
    spaces = sorted({host.control_netns for host in hosts if host.control_netns})
    if len(spaces) > 1:
        words = f"mailseal_control_netns differs between the hosts: {', '.join(spaces)}"
        raise MailsealError(words)
    for netns in spaces:
        namespace.enter(netns)


def roots_of(host: Host) -> tuple[bytes, ...]:
    """The roots to trust, DER.

    Raises:
        MailsealError: the file is missing or has none.
    """
    try:
        return roots.read(host.ca_file)
    except MailsealError as error:
        hint = "; a rollout writes it" if host.ca_file and not Path(host.ca_file).exists() else ""
        raise MailsealError(f"host {host.name}: mailseal_ca_file: {error}{hint}") from None


def manifest_of(host: Host) -> manifest.Manifest | None:
    """What the package of its TLS library holds; None if the library is the system's.

    Raises:
        MailsealError: the file is missing or is no manifest.
    """
    path = host.library_manifest
    if not path or not host.daemon:
        return None
    place = f"host {host.name}: mailseal_library_manifest: {path}"
    try:
        return manifest.read(Path(path).read_bytes(), place)
    except FileNotFoundError:
        raise MailsealError(f"{place}: is not there; building the package writes it") from None
    except OSError as error:
        raise MailsealError(f"{place}: cannot be read ({error.strerror})") from None

"""Which addresses are one's own: mail from these is counted apart. Pure."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from audit.errors import MailsealError

_LOOPBACK = (b"127.", b"::1", b"::ffff:127.")  # what a content filter gives back


class Own:
    """A set of addresses, as the bytes that stand in logs."""

    def __init__(self, networks: tuple[str, ...] = ()) -> None:
        """Of networks, and this host.

        Raises:
            MailsealError: one is no network.
        """
        self._networks = [_network(one) for one in networks]
        self._known: dict[bytes, bool] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The networks in the same words, however they were given."""
        return tuple(sorted({str(one) for one in self._networks}))

    def __contains__(self, address: object) -> bool:
        """Whether an address is one's own; what is no address is not."""
        if not isinstance(address, bytes):
            return False
        if not self._networks:
            return address.startswith(_LOOPBACK)
        known = self._known.get(address)
        if known is None:
            known = self._known[address] = self._is_own(address)
        return known

    def _is_own(self, address: bytes) -> bool:
        if address.startswith(_LOOPBACK):
            return True
        try:
            ip = ip_address(address.decode("ascii", "replace"))
        except ValueError:
            return False
        mapped = getattr(ip, "ipv4_mapped", None)
        return any((mapped or ip) in network for network in self._networks)


def _network(words: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(words, strict=False)
    except ValueError:
        raise MailsealError(f"{words!r} is no network, as 192.0.2.0/24 is one") from None

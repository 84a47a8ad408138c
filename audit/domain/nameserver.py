"""Where a resolver answers."""

from msgspec import Struct

_PORT = 53


class Nameserver(Struct, frozen=True):
    """An address, and the UDP and TCP port there."""

    address: str
    port: int = _PORT

    def __str__(self) -> str:
        """192.0.2.53, or with its port if that is another one."""
        if self.port == _PORT:
            return self.address
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"

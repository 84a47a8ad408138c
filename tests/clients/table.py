"""Every client that is recorded."""

from tests.clients.driver import Driver
from tests.clients.libraries import LIBRARIES
from tests.clients.older import OLDER
from tests.clients.readers import READERS
from tests.clients.senders import SENDERS

DRIVERS: dict[str, Driver] = {one.id: one for one in (*LIBRARIES, *SENDERS, *READERS, *OLDER)}

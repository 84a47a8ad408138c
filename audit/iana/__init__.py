"""The IANA names of TLS: versions, cipher suites, named groups. Data, no behaviour, no I/O."""

from audit.iana.groups import GROUPS, Group, group
from audit.iana.suite import SUITES, Suite, suite
from audit.iana.versions import VERSIONS, Version, version_name

__all__ = [
    "GROUPS",
    "SUITES",
    "VERSIONS",
    "Group",
    "Suite",
    "Version",
    "group",
    "suite",
    "version_name",
]

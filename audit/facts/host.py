"""What a host said of itself."""

from collections.abc import Mapping

from msgspec import Struct, field


class Process(Struct, frozen=True):
    """One process that serves mail.

    Attributes:
        pid: in the host's own numbering.
        daemon: "cyrus" or "exim".
        name: of the program.
        started: seconds since the epoch, to a hundredth.
        libraries: the TLS libraries it has mapped: path to True if the file is gone or replaced.
        program: the file it runs, absolute.
        digests: the SHA-256 of what it has mapped, hexadecimal, by path; a library that could not
            be read is not there.
        ports: the TCP ports on whose listening socket it waits.
    """

    pid: int
    daemon: str
    name: str
    started: float
    libraries: Mapping[str, bool]
    program: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()


class File(Struct, frozen=True):
    """One file that matters, as it lies on the host.

    Attributes:
        path: absolute.
        mode: permission bits.
        owner, group: by name.
        modified: seconds since the epoch.
    """

    path: str
    mode: int
    owner: str
    group: str
    modified: float


class Package(Struct, frozen=True):
    """One package that serves mail or TLS, and whether its files are as it brought them.

    Attributes:
        name: as dpkg or rpm calls it.
        verified: False if it could not be compared with anything.
        altered: the files that are missing or were changed, each with what dpkg or rpm says of it;
            configuration and documentation do not count.
    """

    name: str
    verified: bool
    altered: tuple[str, ...] = ()


class HostFacts(Struct, frozen=True):
    """All that a host says about itself.

    Attributes:
        host: inventory name.
        reached: False if the script could not be run; `errors` then says why.
        processes: those that serve mail.
        files: configuration, certificates and keys.
        options: daemon to option to effective value.
        library_settings: the openssl.cnf beside a daemon, by daemon; empty if there is none.
        reports: what each daemon says of its version and library, by daemon.
        system: the distribution and its version: "debian 12"; empty if it does not say.
        services: the services of Cyrus that speak TLS over TCP, name to port.
        versions: what each mapped library calls itself, by path: "OpenSSL 3.0.22".
        owners: the package of each program and library, by path; empty for a file that no package
            owns; without dpkg and rpm there is none.
        packages: those that own something of it.
        errors: what could not be read, in words.
    """

    host: str
    reached: bool
    processes: tuple[Process, ...] = ()
    files: tuple[File, ...] = ()
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    library_settings: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)
    system: str = ""
    services: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[Package, ...] = ()
    errors: tuple[str, ...] = ()

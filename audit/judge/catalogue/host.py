"""What only the host itself can tell."""

from audit.judge.catalogue.check import Check, of_host

ROWS: tuple[Check, ...] = (
    of_host(
        id="MT-LIB-MAPPED",
        title="The serving processes use the TLS library they should",
        severity="high",
        why="A process on another library follows other rules than the ones that were compiled.",
        how="The maps of each serving process. A service of Cyrus without a process is connected to"
        " from the host itself, so that there is one; one that cannot be seen is named.",
        connections="0",
        fix="Remove LD_LIBRARY_PATH or ld.so settings that lead elsewhere, and restart the daemon."
        " mailseal_library_prefix says where libraries come from, mailseal_openssl_linkage how the"
        " daemon gets them.",
        references=("proc(5), /proc/pid/maps",),
    ),
    of_host(
        id="MT-LIB-STALE",
        title="No serving process runs on a library file that was replaced",
        severity="high",
        why="After a security update the old code goes on serving until the process ends.",
        how="The maps of each serving process, and whether the files are still there.",
        connections="0",
        fix="Roll out again: the role deploy restarts a daemon whose library was replaced. By"
        " hand: restart it.",
        references=("proc(5), /proc/pid/maps",),
    ),
    of_host(
        id="MT-LIB-HASH",
        title="The serving processes run what the package of the library was built with",
        severity="critical",
        why="A library of the right name in the right place may still be another: built elsewhere,"
        " patched, or put there by an intruder.",
        how="The SHA-256 of what each serving process has mapped, against the manifest that was"
        " written when the package was built (mailseal_library_manifest).",
        connections="0",
        fix="Install the package again (role openssl) and restart the daemon; find out who changed"
        " the file.",
        references=("proc(5), /proc/pid/map_files",),
    ),
    of_host(
        id="MT-LIB-COMPILED",
        title="The daemon was compiled for the library it runs on",
        severity="high",
        why="What the headers did not have, the daemon does not ask for, whatever the library can:"
        " compiled for OpenSSL 1.0.1, it offers one curve on 1.0.2.",
        how="The version that the daemon carries in itself (exim -d -bV; Cyrus: its answer to ID)"
        " against that of the library each process has mapped: the same series, before OpenSSL"
        " 1.1.0 the same version.",
        connections="0",
        fix="Rebuild the daemon with the headers of the library (role daemon_package,"
        " mailseal_daemon_manifests).",
        references=(
            "Exim specification, section 5.2, -bV",
            "openssl-library.org, Release Strategy",
        ),
    ),
    of_host(
        id="MT-LIB-SUPPORTED",
        title="The TLS library is still maintained by whoever made it",
        severity="high",
        why="The next hole in it will be published, and nobody will close it.",
        how="The distribution, or for a library that was built here its series, and the last day of"
        " public support. In the last 90 days a pass says so.",
        connections="0",
        fix="Build the package from a series that is maintained (mailseal_openssl_source), or"
        " upgrade the distribution.",
        references=("openssl-library.org, Release Strategy", "os-release(5)"),
    ),
    of_host(
        id="MT-PKG-VERIFY",
        title="The serving programs and their TLS libraries are as their packages brought them",
        severity="critical",
        why="A program that was changed on disk does what somebody else wants; a copy that no"
        " package owns gets no updates.",
        how="dpkg --verify or rpm -V of the packages that own the programs and the mapped"
        " libraries; configuration, documentation and mere times do not count.",
        connections="0",
        fix="Install the package again; find out who changed the file.",
        references=("dpkg(1), --verify", "rpm(8), -V"),
    ),
    of_host(
        id="MT-RESTART-PENDING",
        title="No serving process is older than its configuration or certificate",
        severity="medium",
        why="What is on disk is not what clients meet; the next restart brings a surprise.",
        how="The start of each process against the time of its configuration, certificates"
        " and keys.",
        connections="0",
        fix="Roll out again: the role deploy restarts a daemon that is older than its files. By"
        " hand: restart it.",
        references=("proc(5), /proc/pid/stat",),
    ),
    of_host(
        id="MT-CONF-EFFECTIVE",
        title="The effective settings are the compiled policy",
        severity="high",
        why="Somebody changed them by hand; what the wire shows today may change tomorrow.",
        how="What the daemon itself prints as its settings, against the compiled policy.",
        connections="0",
        fix="Roll out again; the finding names each option with what it is and should be. One that"
        " comes back stands in mailseal_cyrus_override_options or mailseal_exim_override_options.",
        references=("cyr_info(8)", "Exim specification, section 5.2, -bP"),
    ),
    of_host(
        id="MT-KEY-PERM",
        title="Private keys are readable by the daemon only",
        severity="critical",
        why="Who can read the key can be the server.",
        how="Owner, group and mode of each key file.",
        connections="0",
        fix="Roll out again: in mailseal_certificate_directory the role tls_certificate gives keys"
        " owner root, the daemon's group and mode 0640.",
        references=("RFC 5280, section 8",),
    ),
    of_host(
        id="MT-LOG-ENABLED",
        title="TLS version and suite of every connection are logged",
        severity="medium",
        why="Without them nobody can say who a policy change would hurt, or what happened.",
        how="The daemon's log settings and syslog's rules.",
        connections="0",
        fix="Exim: log_selector with +tls_cipher, as the role exim has it unless"
        " mailseal_exim_options replaces it; Cyrus: syslog mail.notice or lower to a file.",
        references=("Exim specification, section 53.15", "syslog.conf(5)"),
    ),
    of_host(
        id="MT-RESOLVER-VALIDATES",
        title="Exim learns whether DNS answers are validated",
        severity="high",
        why="Without the AD bit Exim does no DANE, and says so nowhere: who sits on the way to the"
        " other side reads the mail.",
        how="A signed name that Exim itself looks up (exim -be, dnsdb with dnssec_strict): that of"
        " mailseal_resolver_proof, as the role resolver wrote it down, or org. Not applicable"
        " without Exim.",
        connections="0; 2 questions of the host to its resolver",
        fix="Roll out again: the role resolver puts an unbound that validates on the host, and"
        " options edns0 trust-ad into resolv.conf. By hand: dig @127.0.0.1 org SOA must show the"
        " flag ad.",
        references=("RFC 7672, section 2.2", "RFC 4035, section 3.2.3", "resolv.conf(5), trust-ad"),
    ),
)

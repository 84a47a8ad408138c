"""What only the host itself can tell."""

from audit.judge.catalogue.check import Check, of_host

ROWS: tuple[Check, ...] = (
    of_host(
        id="MT-LIB-MAPPED",
        title="The serving processes use the TLS library they should",
        severity="high",
        why="A process on another library follows other rules than the ones that were compiled.",
        how="The maps of each serving process.",
        connections="0",
        fix="Remove LD_LIBRARY_PATH or ld.so settings that lead elsewhere and restart the daemon.",
        references=("proc(5), /proc/pid/maps",),
    ),
    of_host(
        id="MT-LIB-STALE",
        title="No serving process runs on a library file that was replaced",
        severity="high",
        why="After a security update the old code goes on serving until the process ends.",
        how="The maps of each serving process, and whether the files are still there.",
        connections="0",
        fix="Restart the daemon.",
        references=("proc(5), /proc/pid/maps",),
    ),
    of_host(
        id="MT-RESTART-PENDING",
        title="No serving process is older than its configuration or certificate",
        severity="medium",
        why="What is on disk is not what clients meet; the next restart brings a surprise.",
        how="The start of each process against the time of its configuration, certificates"
        " and keys.",
        connections="0",
        fix="Restart the daemon, or roll out again.",
        references=("proc(5), /proc/pid/stat",),
    ),
    of_host(
        id="MT-CONF-EFFECTIVE",
        title="The effective settings are the compiled policy",
        severity="high",
        why="Somebody changed them by hand; what the wire shows today may change tomorrow.",
        how="What the daemon itself prints as its settings, against the compiled policy.",
        connections="0",
        fix="Roll out again; the finding names each option with what it is and should be.",
        references=("cyr_info(8)", "Exim specification, section 5.2, -bP"),
    ),
    of_host(
        id="MT-KEY-PERM",
        title="Private keys are readable by the daemon only",
        severity="critical",
        why="Who can read the key can be the server.",
        how="Owner, group and mode of each key file.",
        connections="0",
        fix="Owner root, group of the daemon, mode 0640 or tighter (role tls_certificate).",
        references=("RFC 5280, section 8",),
    ),
    of_host(
        id="MT-LOG-ENABLED",
        title="TLS version and suite of every connection are logged",
        severity="medium",
        why="Without them nobody can say who a policy change would hurt, or what happened.",
        how="The daemon's log settings and syslog's rules.",
        connections="0",
        fix="Exim: log_selector = +tls_cipher; Cyrus: syslog mail.notice or lower to a file.",
        references=("Exim specification, section 53.15", "syslog.conf(5)"),
    ),
)

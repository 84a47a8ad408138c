"""What only several endpoints together show."""

from audit.judge.catalogue.check import Check, of_cluster

ROWS: tuple[Check, ...] = (
    of_cluster(
        id="MT-FAMILY-ALIKE",
        title="IPv4 and IPv6 answer alike",
        severity="medium",
        why="What is hardened on one address family only is not hardened: clients choose.",
        how="All that was seen on one port of a host, family against family.",
        connections="0",
        fix="Bind the same configuration to both families; look for a proxy or an old process on"
        " one of them.",
        references=("RFC 8305", "RFC 8314, section 5.3"),
        groups="family",
    ),
    of_cluster(
        id="MT-NODES-ALIKE",
        title="The nodes behind one name answer alike",
        severity="medium",
        why="A client cannot choose its node; the weakest of them is what the service is worth.",
        how="All that was seen on one port, node against node.",
        connections="0",
        fix="Roll out again; the finding names both sides.",
        references=("RFC 8314, section 5.3",),
        groups="nodes",
    ),
    of_cluster(
        id="MT-CERT-SAME",
        title="One name has one certificate",
        severity="low",
        why="A node or port with an old certificate is found on the day it ends.",
        how="The leaves of every port, address and node that has the same server name.",
        connections="0",
        fix="Roll out the certificate to all of them; the daemons are restarted with it.",
        references=("RFC 8314, section 5.3", "RFC 7671, section 8.1"),
        groups="name",
    ),
    of_cluster(
        id="MT-KEY-REUSE",
        title="No key is shared between names",
        severity="low",
        why="Who takes one host has the key of the other; and sessions can be carried from one"
        " service to the other (ALPACA).",
        how="The public keys of all leaves against each other.",
        connections="0",
        fix="A key for each server name (role tls_certificate makes one per host).",
        references=("RFC 9325, section 4.5", "Brinkmann et al., ALPACA (2021)"),
        groups="all",
    ),
    of_cluster(
        id="MT-DROWN-KEY",
        title="No key is given away by SSLv2 on another host or port",
        severity="critical",
        why="SSLv2 anywhere opens TLS everywhere that the same key is used (DROWN).",
        how="The keys of the endpoints that speak SSLv2 against all others.",
        connections="0",
        fix="No SSLv2 anywhere; new keys where it was.",
        references=("CVE-2016-0800", "RFC 6176"),
        groups="all",
    ),
)

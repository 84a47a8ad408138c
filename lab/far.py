"""The host outside the cluster: it takes mail for every domain of the world, and has policies."""

import json
from collections.abc import Iterable, Mapping, Sequence

from lab import paths, world
from lab.dns import Files
from lab.world import Case, Place, Policy

LOG = "/var/log/exim4/mainlog"
_HOME = "/etc/world"
_CODE = "usr/local/lib/mailseal"
# What runs there of the lab's own, on the host's Python.
_MODULES = ("__init__", "forged", "policy_host", "relay", "standin")

# Which server it is for a client, its name and its certificate, is told by where that arrives.
_EXIM = """\
ENDPOINT = ${{sg{{$received_ip_address}}{{:}}{{-}}}}_$received_port
primary_hostname = {name}
smtp_active_hostname = ${{lookup{{ENDPOINT}}lsearch{{{home}/names}}{{$value}}{{{name}}}}}
smtp_banner = $smtp_active_hostname ESMTP
local_interfaces = <; {listen}
tls_advertise_hosts = ${{if exists{{{home}/tls/ENDPOINT.pem}}{{*}}{{}}}}
tls_certificate = {home}/tls/ENDPOINT.pem
tls_privatekey = {home}/tls/ENDPOINT.pem
tls_require_ciphers = NONE:+VERS-TLS1.3:+VERS-TLS1.2:+AES-256-GCM:+CHACHA20-POLY1305:\
+AES-128-GCM:+AEAD:+ECDHE-ECDSA:+GROUP-X25519:+GROUP-SECP256R1:+SIGN-ECDSA-SECP256R1-SHA256:\
+SIGN-ECDSA-SHA256:+COMP-NULL:%SERVER_PRECEDENCE
acl_smtp_rcpt = acl_rcpt
log_selector = +received_recipients +received_sender +incoming_interface +tls_peerdn
smtp_accept_max = 100
keep_environment =

begin acl
acl_rcpt:
  accept domains = *.{top}
  deny message = no such domain

begin routers
nowhere:
  driver = redirect
  data = :blackhole:
"""
# Runs at each boot.
_FIRST = """\
#!/bin/sh
set -eu
{addresses}chgrp -R Debian-exim {home}/tls
install -d -o Debian-exim -g Debian-exim /run/exim4
/usr/sbin/exim4 -bd
export PYTHONPATH=/{code}
{programs}"""


def key(address: str, port: int) -> str:
    """What a server's name and certificate are found by; see ENDPOINT above."""
    return f"{address.replace(':', '-')}_{port}"


def files(
    name: str,
    places: Mapping[str, Sequence[Place]],
    cases: Mapping[str, Case],
    certificates: Mapping[str, bytes],
) -> Files:
    """Return path → (content, mode) of what the host called *name* has beyond the shared root.

    *certificates* has the PEM file of each server and of each policy host, by its name.
    """
    servers = [place for row in places.values() for place in row]
    at = {p.name: key(*_exim_at(p)) for p in servers}
    offering = [p for p in servers if p.server.starttls != "none"]
    policies = {
        world.policy_host(case): {
            "answer": row.policy.answer,
            "policy": policy(row.policy, [place.name for place in places[case]]),
        }
        for case, row in cases.items()
        if row.policy
    }
    listen = " ; ".join("[{}]:{}".format(*_exim_at(p)) for p in servers)
    exim = _EXIM.format(name=name, home=_HOME, listen=listen, top=world.TOP)
    texts = {
        "etc/exim4/exim4.conf": exim,
        "etc/world/names": "".join(f"{at[p.name]}: {p.name}\n" for p in servers),
        "etc/world/policies.json": json.dumps(policies, indent=2) + "\n",
        **{f"{_CODE}/lab/{module}.py": _source(module) for module in _MODULES},
    }
    tls = {f"etc/world/tls/{at[p.name]}.pem": certificates[p.name] for p in offering}
    tls |= {f"etc/world/tls/{site}.pem": certificates[site] for site in policies}
    return {
        **{path: (text.encode(), 0o644) for path, text in texts.items()},
        **{path: (pem, 0o640) for path, pem in tls.items()},
        "usr/local/sbin/lab-first": (_first(servers).encode(), 0o755),
    }


def policy(wanted: Policy, names: Iterable[str]) -> str:
    """Return an MTA-STS policy as it is served; the servers have these names."""
    patterns = "".join(f"mx: {name}\r\n" for name in wanted.mx or names)
    return f"version: STSv1\r\nmode: {wanted.mode}\r\n{patterns}max_age: 86400\r\n"


def _exim_at(place: Place) -> tuple[str, int]:
    return ("127.0.0.1", place.behind) if place.behind else (place.address, 25)


def _first(servers: Iterable[Place]) -> str:
    addresses = "".join(
        f"ip address add {p.address}/{64 if ':' in p.address else 24} dev eth0"
        f"{' nodad' if ':' in p.address else ''}\n"
        for p in servers
    )
    programs = [f"lab.policy_host {world.POLICY_IPV4} {_HOME}"]
    programs += [
        f"lab.standin no-starttls --address {p.address} --port 25 --behind {p.behind}"
        for p in servers
        if p.behind
    ]
    background = "setsid python3 -m {} </dev/null >>/var/log/world.log 2>&1 &\n"
    return _FIRST.format(
        addresses=addresses,
        home=_HOME,
        code=_CODE,
        programs="".join(background.format(one) for one in programs),
    )


def _source(module: str) -> str:
    return (paths.PACKAGE / f"{module}.py").read_text(encoding="utf-8")

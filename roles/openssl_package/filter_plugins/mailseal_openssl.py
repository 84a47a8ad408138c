"""The build of an OpenSSL, and what came out of it, as Jinja filters."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# A checkout needs no installation: what is pure lies beside the roles.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from audit.errors import MailsealError
from audit.policy.compile import openssl as library
from audit.policy.load import load
from packages import offers, openssl, openssl_plan, plan


def mailseal_openssl_plan(spec: Mapping[str, str], policy: str, profile: str) -> dict[str, Any]:
    """The build of an OpenSSL whose own openssl.cnf says what a profile of a policy does.

    It is compiled for the policy's own day: the calendar must not make another package of it.
    Where there is no way to build it, the one key `refused` says why.
    """
    try:
        loaded = load(policy)
        release = openssl.numbers(spec["version"])
        text = library.cnf(loaded.profiles[profile], release, loaded.date)
        planned = openssl_plan.plan({**spec, "cnf": text or openssl.EMPTY_CNF})
    except KeyError:
        return {"refused": f"{policy} has no profile {profile}"}
    except (plan.Failed, MailsealError) as error:
        return {"refused": str(error)}
    return {"refused": "", **planned.document()}


def mailseal_offers(report: Mapping[str, Any], version: str) -> list[str]:
    """What is wrong with a built OpenSSL."""
    return offers.judge(version, report)


def mailseal_manifest(report: Mapping[str, Any], version: str, release: str) -> dict[str, Any]:
    """What the auditor compares the files on the hosts with."""
    return {
        "package": openssl.package(version),
        "version": f"{version}-{release}",
        "series": openssl.series(version),
        "prefix": openssl.prefix(version),
        "files": dict(report["files"]),
    }


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return {
            "mailseal_openssl_plan": mailseal_openssl_plan,
            "mailseal_offers": mailseal_offers,
            "mailseal_manifest": mailseal_manifest,
        }

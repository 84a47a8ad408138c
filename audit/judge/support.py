"""Whether somebody still mends the TLS library: the days on which that ends, and what they mean.

Last days are of public support, that everybody gets. What is sold beyond them (OpenSSL premium
support, ELS, ESM, ELTS) does not count: a host does not tell whether somebody pays for it.
"""

from datetime import date

from msgspec import Struct

from audit.facts import Process
from audit.judge.case import HostCase, HostJudge, Judgement
from audit.judge.inside import (
    Found,
    libraries,
    series,
    serving,
    unknown_library,
    verdict,
    versions,
)

_SOON = 90  # days before the end of support from which on a pass says so
# Where distributions put libraries; what lies elsewhere was built by somebody here.
_SYSTEM = ("/usr/lib/", "/usr/lib64/", "/lib/", "/lib64/")


class Support(Struct, frozen=True):
    """Until when something is maintained.

    Attributes:
        last: the last day.
        note: what one should know about it.
    """

    last: date
    note: str = ""


_LTS = "long-term support"
# https://openssl-library.org/policies/releasestrat/ of 2025-06-25 and https://openssl-library.org/source/;
# the older ones from the same pages of their time. The same days: endoflife.date, 2026-08-22.
OPENSSL: dict[str, Support] = {
    "0.9.8": Support(date(2015, 12, 31)),
    "1.0.0": Support(date(2015, 12, 31)),
    "1.0.1": Support(date(2016, 12, 31)),
    "1.0.2": Support(date(2019, 12, 31), "1.0.2u is the last that everybody can have"),
    "1.1.0": Support(date(2019, 9, 11)),
    "1.1.1": Support(date(2023, 9, 11), "1.1.1w is the last that everybody can have"),
    "3.0": Support(date(2026, 9, 7), _LTS),
    "3.1": Support(date(2025, 3, 14)),
    "3.2": Support(date(2025, 11, 23)),
    "3.3": Support(date(2026, 4, 9)),
    "3.4": Support(date(2026, 10, 22)),
    "3.5": Support(date(2030, 4, 8), _LTS),
    "3.6": Support(date(2026, 11, 1)),
    "4.0": Support(date(2027, 5, 14)),
}
# ID and version, or the first number of it, of os-release(5). Sources: https://wiki.debian.org/LTS,
# https://ubuntu.com/about/release-cycle, https://access.redhat.com/support/policy/updates/errata,
# https://wiki.centos.org/About/Product, https://wiki.almalinux.org/release-notes/,
# https://wiki.rockylinux.org/rocky/version/; the same days: endoflife.date, 2026-08-22.
DISTRIBUTIONS: dict[str, Support] = {
    "debian 10": Support(date(2024, 6, 30), "LTS; regular support ended 2022-09-10"),
    "debian 11": Support(date(2026, 8, 31), "LTS; regular support ended 2024-08-14"),
    "debian 12": Support(date(2028, 6, 30), "LTS; regular support ended 2026-07-11"),
    "debian 13": Support(date(2030, 6, 30), "LTS; regular support ends 2028-08-09"),
    "ubuntu 18.04": Support(date(2023, 5, 31), "without ESM"),
    "ubuntu 20.04": Support(date(2025, 5, 31), "without ESM"),
    "ubuntu 22.04": Support(date(2027, 4, 1), "without ESM"),
    "ubuntu 24.04": Support(date(2029, 5, 31), "without ESM"),
    "ubuntu 26.04": Support(date(2031, 4, 30), "without ESM"),
    "centos 6": Support(date(2020, 11, 30)),
    "centos 7": Support(date(2024, 6, 30)),
    "rhel 6": Support(date(2020, 11, 30), "without ELS"),
    "rhel 7": Support(date(2024, 6, 30), "without ELS"),
    "rhel 8": Support(date(2029, 5, 31), "without ELS"),
    "rhel 9": Support(date(2032, 5, 31), "without ELS"),
    "rhel 10": Support(date(2035, 5, 31), "without ELS"),
    **{
        f"{name} {version}": Support(last)
        for name in ("almalinux", "rocky")
        for version, last in (
            (8, date(2029, 5, 31)),
            (9, date(2032, 5, 31)),
            (10, date(2035, 5, 31)),
        )
    },
}


def supported(case: HostCase) -> Judgement:
    """Whoever made the library that serves still maintains it on the day of the audit."""
    if case.kind is None:
        return unknown_library(case)
    origins = dict.fromkeys(
        origin for process in serving(case) for origin in _origins(case, process)
    )
    found, well = Found(), []
    for origin in origins:
        support = _support(origin)
        if support is None:
            found.doubts.append(f"until when {origin} is maintained is not known here")
            continue
        left = (support.last - case.now.date()).days
        found.seen.append(f"{origin}: {support.last}{support.note and f', {support.note}'}")
        if left < 0:
            found.wrong.append(f"{origin} is no longer maintained since {support.last}")
        else:
            warning = f" only, less than {_SOON} days more" if left < _SOON else ""
            well.append(f"{origin} is maintained until {support.last}{warning}")
    return verdict(case, found, "a library that is still maintained", "; ".join(sorted(well)))


def _origins(case: HostCase, process: Process) -> list[str]:
    """Who made the libraries it serves with: the distribution; OpenSSL, if built here."""
    found = []
    for path in libraries(case, process):
        ours = case.manifest is not None and case.manifest.holds(path)
        if path.startswith(_SYSTEM) and not ours:
            found.append(case.facts.system or "a system that does not tell its name")
        elif case.manifest is not None and ours and not versions(case, process):
            found.append(f"OpenSSL {case.manifest.series}")
        else:
            found += versions(case, process) or [f"{path} of {process.name}"]
    return found


def _support(origin: str) -> Support | None:
    """Of a distribution by its version or the first number of it, of OpenSSL by its series."""
    if origin.startswith("OpenSSL "):
        return OPENSSL.get(series(origin))
    return DISTRIBUTIONS.get(origin) or DISTRIBUTIONS.get(origin.partition(".")[0])


JUDGES: dict[str, HostJudge] = {"MT-LIB-SUPPORTED": supported}

"""What is known and what is not of the library that serves, and of the packages it is from."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from audit.errors import MailsealError
from audit.facts import Package
from audit.findings import Finding
from audit.judge.bench import Planned, judge
from audit.judge.case import HostCase
from audit.judge.catalogue import CATALOGUE
from audit.judge.inside import series
from audit.judge.support import DISTRIBUTIONS, OPENSSL
from audit.manifest import read
from tests.judge.factories import DAY, MANIFEST, OWN, good_host, own_library

GOOD, EXIM, OURS = good_host(), good_host("exim"), own_library()
IMAPD, MASTER = GOOD.facts.processes
OUR_IMAPD = OURS.facts.processes[0]
LIBSSL, LIBCRYPTO = OUR_IMAPD.libraries


def _finding(check: str, case: HostCase) -> Finding:
    return judge(Planned(CATALOGUE[check], case.planned), case)


def _told(case: HostCase, **facts: Any) -> HostCase:
    return replace(case, facts=replace(case.facts, **facts))


def test_a_service_without_a_process_was_not_looked_at() -> None:
    """Cyrus forks for the first client: what was not seen is named, and is no pass."""
    case = _told(GOOD, services={"imap": 143, "pop3": 110, "lmtp": 24})
    found = _finding("MT-LIB-MAPPED", case)
    assert found.verdict == "inconclusive"
    assert "pop3 (port 110)" in found.observed
    assert "lmtp (port 24)" in found.observed
    assert "imap " not in found.observed


def test_the_master_serves_nobody() -> None:
    """It waits on every port, and maps no TLS library."""
    listening = replace(MASTER, ports=(110, 143, 993))
    case = _told(GOOD, processes=(IMAPD, listening), services={"imap": 143, "pop3": 110})
    assert _finding("MT-LIB-MAPPED", case).verdict == "inconclusive"


def test_a_wrong_library_is_worse_than_an_unseen_service() -> None:
    """The failure is what matters."""
    wrong = replace(IMAPD, libraries={"/opt/x/libssl.so.3": False})
    case = _told(GOOD, processes=(wrong,), services={"pop3": 110})
    assert _finding("MT-LIB-MAPPED", case).verdict == "fail"


def test_a_replaced_library_is_left_to_the_check_of_stale_ones() -> None:
    """One fault, one failure; but the same bytes are the same bytes."""
    gone = dict.fromkeys(OUR_IMAPD.libraries, True)
    other = replace(OUR_IMAPD, libraries=gone, digests={LIBSSL: "00" * 32})
    found = _finding("MT-LIB-HASH", _told(OURS, processes=(other,)))
    assert found.verdict == "inconclusive"
    assert "stale" in found.observed
    same = replace(OUR_IMAPD, libraries=gone)
    assert _finding("MT-LIB-HASH", _told(OURS, processes=(same,))).verdict == "pass"


def test_what_could_not_be_read_is_not_the_same() -> None:
    """Nor is a process that has nothing of ours, which another check fails for."""
    unread = replace(OUR_IMAPD, digests={})
    assert _finding("MT-LIB-HASH", _told(OURS, processes=(unread,))).verdict == "inconclusive"
    theirs = replace(GOOD, manifest=MANIFEST)
    assert _finding("MT-LIB-HASH", theirs).verdict == "inconclusive"


def test_gnutls_needs_no_openssl() -> None:
    """One manifest for a cluster, and a host that has nothing to do with it."""
    assert _finding("MT-LIB-HASH", replace(EXIM, manifest=MANIFEST)).verdict == "not-applicable"


@pytest.mark.parametrize(
    ("built", "runs", "verdict"),
    [
        ("3.0.20", "OpenSSL 3.0.22", "pass"),
        ("3.0.20", "OpenSSL 3.5.1", "pass"),
        ("3.5.1", "OpenSSL 3.0.22", "fail"),
        ("3.0.20", "OpenSSL 4.0.0", "fail"),
        ("3.0.20", "OpenSSL 3", "fail"),
        ("3", "OpenSSL 3.0.22", "fail"),
        ("1.1.0l", "OpenSSL 1.1.0f", "pass"),
        ("1.1.0l", "OpenSSL 1.1.1w", "fail"),
        ("1.0.1e", "OpenSSL 1.0.2u", "fail"),
        ("1.0.2k", "OpenSSL 1.0.2u", "fail"),
        ("1.0.2u", "OpenSSL 1.0.2u", "pass"),
        ("1.0.1e-fips", "OpenSSL 1.0.1e", "pass"),
        ("", "OpenSSL 3.0.22", "inconclusive"),
        ("3.0.20", "", "inconclusive"),
        ("3.0.20", "LibreSSL", "fail"),
    ],
)
def test_the_headers_must_fit_the_library(built: str, runs: str, verdict: str) -> None:
    """A series not older from 3.0 on, else the same; where the headers decide, the version."""
    versions = dict.fromkeys(GOOD.facts.versions, runs) if runs else {}
    case = _told(replace(GOOD, built=built), versions=versions)
    assert _finding("MT-LIB-COMPILED", case).verdict == verdict


def test_the_version_is_that_of_the_library_beside() -> None:
    """A process may map two, its own and the system's for some other library's sake."""
    both = {**OUR_IMAPD.libraries, "/usr/lib/libcrypto.so.3": False}
    case = _told(
        OURS,
        processes=(replace(OUR_IMAPD, libraries=both),),
        versions={**OURS.facts.versions, "/usr/lib/libcrypto.so.3": "OpenSSL 3.0.22"},
    )
    assert _finding("MT-LIB-COMPILED", case).verdict == "pass"


@pytest.mark.parametrize(
    ("day", "verdict", "words"),
    [
        (date(2028, 3, 31), "pass", "until 2028-06-30"),
        (date(2028, 4, 2), "pass", "only, less than 90 days more"),
        (date(2028, 6, 30), "pass", "only, less than 90 days more"),
        (date(2028, 7, 1), "fail", "no longer maintained since 2028-06-30"),
    ],
)
def test_support_is_a_matter_of_the_day(day: date, verdict: str, words: str) -> None:
    """The last day counts, and the last 90 are announced."""
    case = replace(GOOD, now=datetime(day.year, day.month, day.day, tzinfo=UTC))
    found = _finding("MT-LIB-SUPPORTED", case)
    assert found.verdict == verdict
    assert words in found.observed
    assert "LTS" in found.evidence


def test_a_library_that_was_built_here_has_the_support_of_its_makers() -> None:
    """The distribution's fixes do not reach it, and the distribution's end does not matter."""
    case = _told(OURS, system="centos 6.10")
    found = _finding("MT-LIB-SUPPORTED", case)
    assert (found.verdict, found.observed) == (
        "pass",
        "OpenSSL 3.5.9 is maintained until 2030-04-08",
    )


@pytest.mark.parametrize("system", ["", "debian", "gentoo 2.17", "ubuntu 25.10"])
def test_an_unknown_distribution_is_not_judged(system: str) -> None:
    """Neither a rolling one, nor one that is not in the table."""
    assert _finding("MT-LIB-SUPPORTED", _told(GOOD, system=system)).verdict == "inconclusive"


def test_an_unknown_series_is_not_judged() -> None:
    """A later one than the table knows; the manifest's, if the file tells nothing."""
    later = _told(OURS, versions={LIBCRYPTO: "OpenSSL 5.0.0"})
    assert _finding("MT-LIB-SUPPORTED", later).verdict == "inconclusive"
    silent = _told(OURS, versions={})
    assert _finding("MT-LIB-SUPPORTED", silent).verdict == "pass"
    nothing = replace(silent, manifest=None)
    assert _finding("MT-LIB-SUPPORTED", nothing).verdict == "inconclusive"


def test_without_dpkg_and_rpm_nothing_is_verified() -> None:
    """Nor is what dpkg has no sums of."""
    assert _finding("MT-PKG-VERIFY", _told(GOOD, owners={}, packages=())).verdict == "inconclusive"
    unknown = (Package("the-daemon", verified=False), Package("the-library", verified=True))
    found = _finding("MT-PKG-VERIFY", _told(GOOD, packages=unknown))
    assert (found.verdict, found.observed) == (
        "inconclusive",
        "the-daemon could not be verified",
    )


def test_a_file_in_a_place_of_ones_own_is_nobodys() -> None:
    """Where nobody promised packages, their absence is doubt and no failure."""
    elsewhere = replace(IMAPD, program="/srv/cyrus/imapd")
    case = _told(GOOD, processes=(elsewhere,), owners={**GOOD.facts.owners, elsewhere.program: ""})
    found = _finding("MT-PKG-VERIFY", case)
    assert found.verdict == "inconclusive"
    assert "/srv/cyrus/imapd" in found.observed


def test_series_are_those_of_the_table() -> None:
    """Every key of the table is what a version of it is counted as."""
    assert {series(f"OpenSSL {name}.1") if name[0] > "1" else name for name in OPENSSL} == {
        *OPENSSL
    }
    assert series("OpenSSL 1.0.2u") == "1.0.2"
    assert series("GnuTLS 3.7.9") == "3.7"
    assert series("LibreSSL") == ""
    assert DISTRIBUTIONS["debian 12"].last > DAY.date()


FILES = f'{{"{OWN}/lib/libssl.so.3": "{"ab" * 32}"}}'


def _manifest(files: str = FILES, **more: str) -> bytes:
    fields = {"package": "p", "version": "1", "series": "3.5", "prefix": OWN, **more}
    told = ", ".join(f'"{name}": "{value}"' for name, value in fields.items())
    return f'{{{told}, "files": {files}}}'.encode()


def test_a_manifest_is_read() -> None:
    """As the role that builds the package writes it."""
    manifest = read(_manifest(), "m")
    assert manifest.files == {f"{OWN}/lib/libssl.so.3": "ab" * 32}
    assert manifest.holds(f"{OWN}/lib/libcrypto.so.3")
    assert not manifest.holds(f"{OWN}-other/lib/libcrypto.so.3")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no manifest"),
        (b"\xff", "no manifest"),
        (b"[]", "no manifest"),
        (_manifest(files="{}"), "files"),
        (_manifest(files=f'{{"{OWN}/lib/libssl.so.3": "abc"}}'), "files"),
        (_manifest(files=f'{{"/usr/lib/libssl.so.3": "{"ab" * 32}"}}'), "does not lie below"),
        (_manifest(colour="red"), "colour"),
        (_manifest(prefix="opt"), "prefix"),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes, words: str) -> None:
    """One sentence, with the place."""
    with pytest.raises(MailsealError, match=words) as caught:
        read(data, "host h: file")
    assert str(caught.value).startswith("host h: file: ")
    assert len(str(caught.value).splitlines()) == 1

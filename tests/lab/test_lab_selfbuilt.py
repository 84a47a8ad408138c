"""An OpenSSL of one's own: built, published, installed, linked, replaced, refused, taken back."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import paths
from tests.commands import BIN, Done, Lab, mailseal, run

pytestmark = [
    pytest.mark.lab,
    pytest.mark.long("builds OpenSSL with its own tests, Exim and Cyrus"),
]

INVENTORY = "inventory/selfbuilt"
HOME = "/opt/mailseal/openssl-3.5"
MAIL = ("mx1", "msa1", "imap1", "imap2")
# The first build takes minutes; what was built is in the cache afterwards.
LONG = 3600.0
# Only the first rollout passes the gate: afterwards each test looks for itself.
UNGATED: dict[str, object] = {"mailseal_gate": False}
# Another build of the same release, for trials, under the same daemons.
OTHER = {
    "mailseal_openssl_package_flags": "-O0",
    "mailseal_openssl_package_check": False,
    "mailseal_daemon_sources": {},
}


def play(book: str, *words: str) -> Done:
    """Run a playbook on the lab."""
    program = str(BIN / "ansible-playbook")
    ungated = ("-e", json.dumps(UNGATED))
    return run(program, "-i", INVENTORY, book, *ungated, *words, seconds=LONG)


def words(**more: object) -> tuple[str, str]:
    """The words that set variables for a run."""
    return "-e", json.dumps(more)


def pinned() -> dict[str, str]:
    """The release that the inventory builds."""
    sources = json.loads(Path("/var/lib/mailseal-lab/sources.json").read_text(encoding="utf-8"))
    found: dict[str, str] = sources["openssl"]
    return found


def recap(done: Done) -> dict[str, dict[str, int]]:
    """The play recap: host to its counts."""
    lines = re.findall(r"^(\w+)\s+: (ok=.*)$", done.stdout, re.MULTILINE)
    return {h: {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", counts)} for h, counts in lines}


def said(lab: Lab, host: str, command: str) -> str:
    """What a command prints on a host."""
    done = lab("ssh", host, command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def mapped(lab: Lab, host: str) -> set[str]:
    """OpenSSL in the memory of everything that serves mail on a host."""
    names = "imapd|pop3d|lmtpd|timsieved|exim4"
    command = (
        f"for p in $(pgrep -x '{names}'); do cat /proc/$p/maps; done"
        " | sed -n 's#^[^/]*\\(/.*lib\\(ssl\\|crypto\\)[.]so.*\\)#\\1#p' | sort -u"
    )
    return set(said(lab, host, command).splitlines())


def manifest() -> dict[str, Any]:
    """What was built last, as the auditor reads it."""
    text = Path("/var/lib/mailseal-lab/library.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def serving(lab: Lab, host: str) -> str:
    """The daemon that serves, when it began, and on what: the same until somebody touches it."""
    master = "cyrmaster" if host.startswith("imap") else "exim4"
    command = f"p=$(pgrep -xo {master}); cut -d' ' -f1,22 /proc/$p/stat"
    return said(lab, host, command) + "\n".join(sorted(mapped(lab, host)))


def installed(lab: Lab, host: str) -> str:
    """Our packages on a host."""
    return said(lab, host, "dpkg-query -W 'mailseal-*' | sort")


def handshake(lab: Lab, host: str, *words: str) -> str:
    """What OpenSSL's client sees of a host's TLS."""
    port = {"imap1": "993", "imap2": "993", "msa1": "465"}.get(host, "25")
    smtp = ["-starttls", "smtp"] if port == "25" else []
    client = ["openssl", "s_client", "-connect", f"{host}.lab.test:{port}", *smtp, *words]
    return run(
        "ip", "netns", "exec", "ms-hub", "sh", "-c", " ".join(client) + " </dev/null 2>&1"
    ).stdout


@pytest.fixture(scope="module")
def selfbuilt(lab: Lab) -> Iterator[Lab]:
    """The lab in its own size, built, rolled out and compliant, its records published."""
    lab("down")
    # As on a machine of which nobody has asked a certificate yet.
    shutil.rmtree(paths.ca(), ignore_errors=True)
    done = lab("up", "--size", "selfbuilt")
    assert done.returncode == 0, done.stderr
    done = play("rollout.yml", *words(mailseal_gate=True))
    assert done.returncode == 0, done.stdout[-3000:]
    done = mailseal("dane", "publish", "-i", INVENTORY)
    assert done.returncode == 0, done.stderr
    yield lab
    lab("down")


def test_every_process_that_serves_has_mapped_it(selfbuilt: Lab) -> None:
    """Exim and a Cyrus by their rpath, another by the dynamic linker; none has any other."""
    for host in MAIL:
        found = mapped(selfbuilt, host)
        assert found == {f"{HOME}/lib/libssl.so.3", f"{HOME}/lib/libcrypto.so.3"}, host


def test_the_audit_passes(selfbuilt: Lab) -> None:
    """Outside and inside, with the library where the inventory says that it must be."""
    done = mailseal("audit", "-i", INVENTORY)
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_second_run_changes_nothing(selfbuilt: Lab) -> None:
    """changed=0 on every host, and nothing is built again."""
    done = play("rollout.yml")
    counts = recap(done)
    assert set(counts) == {"ns1", "build1", *MAIL}
    assert {one["changed"] for one in counts.values()} == {0}, done.stdout[-6000:]
    assert {one["failed"] for one in counts.values()} == {0}


def test_the_files_are_those_of_the_manifest(selfbuilt: Lab) -> None:
    """Every library on every host has the hash that it was built with."""
    wanted = manifest()["files"]
    assert f"{HOME}/lib/libssl.so.3" in wanted
    for host in MAIL:
        lines = said(selfbuilt, host, f"find {HOME} -name '*.so*' -type f | xargs sha256sum")
        found = {path: digest for digest, path in map(str.split, lines.splitlines())}
        assert found == wanted


def changed(lab: Lab, host: str, packages: str) -> str:
    """What is not as it was packed, but for settings and the manuals that the roots leave out."""
    rest = "grep -v -e /usr/share/doc -e /usr/share/man -e ' c /etc/'"
    return said(lab, host, f"dpkg -V {packages} | {rest}; true")


def test_the_system_keeps_its_own(selfbuilt: Lab) -> None:
    """The system's library and Debian's Exim are there, whole, and known to their packages."""
    for host in MAIL:
        assert changed(selfbuilt, host, "libssl3 openssl") == ""
    assert "exim4.distrib" in said(selfbuilt, "mx1", "ls /usr/sbin")
    assert changed(selfbuilt, "mx1", "exim4-daemon-heavy mailseal-exim") == ""


def test_a_rebuilt_cyrus_is_debians_but_for_its_library(selfbuilt: Lab) -> None:
    """The four programs that speak TLS, each beside Debian's own; the others are Debian's."""
    programs = said(selfbuilt, "imap2", "ls /usr/lib/cyrus/bin/*.distrib").split()
    names = [Path(path).stem for path in programs]
    assert names == ["imapd", "lmtpd", "pop3d", "timsieved"]
    packages = "cyrus-common cyrus-imapd cyrus-pop3d mailseal-cyrus"
    assert changed(selfbuilt, "imap2", packages) == ""
    assert "imapd.distrib" not in said(selfbuilt, "imap1", "ls /usr/lib/cyrus/bin")


def test_exim_is_compiled_for_what_it_runs_with(selfbuilt: Lab) -> None:
    """Also set-uid, started by a nobody with another path for libraries."""
    command = (
        "setpriv --reuid 65534 --clear-groups env LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu"
        " /usr/sbin/exim4 -C /dev/null -d -bV 2>&1 || exim4 -d -bV 2>&1"
    )
    text = said(selfbuilt, "mx1", command)
    versions = re.findall(r"(?:Compile|Runtime): OpenSSL (\S+)", text)
    assert versions[:2] == [manifest()["version"].split("-")[0]] * 2
    assert " DANE " in text


@pytest.mark.parametrize("host", MAIL)
@pytest.mark.parametrize(
    ("group", "shown"), [("X25519", "X25519"), ("P-256", "prime256v1"), ("P-384", "secp384r1")]
)
def test_curves_are_chosen_by_the_library(
    selfbuilt: Lab, host: str, group: str, shown: str
) -> None:
    """Each alone is taken: a daemon compiled for old headers would know one."""
    assert shown in handshake(selfbuilt, host, "-tls1_2", "-groups", group)


def test_another_build_is_put_in_place_and_taken_back(selfbuilt: Lab) -> None:
    """One of the two ways is a downgrade to the package manager: by hashes and maps."""
    first = manifest()
    before = {host: serving(selfbuilt, host) for host in MAIL}
    for other in (OTHER, {}):
        done = play("openssl.yml", *words(**other))
        assert done.returncode == 0, done.stdout[-3000:]
        now = manifest()
        assert now["version"].startswith(f"{pinned()['version']}-")
        for host in MAIL:
            lines = said(selfbuilt, host, f"sha256sum {HOME}/lib/libssl.so.3")
            assert lines.split()[0] == now["files"][f"{HOME}/lib/libssl.so.3"]
            assert not [path for path in mapped(selfbuilt, host) if "deleted" in path]
            assert mapped(selfbuilt, host) <= set(now["files"])
            assert serving(selfbuilt, host) != before[host]
            assert now["version"] in installed(selfbuilt, host)
        assert (now["files"] == first["files"]) == (other == {})
        assert (now["version"] == first["version"]) == (other == {})
    assert mailseal("audit", "-i", INVENTORY).returncode == 0


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"sha256": "0" * 64}, "has the SHA-256 "),
        ({"sha256": ""}, "needs its SHA-256"),
        ({"source": "/usr/src/mailseal/openssl_3.5.0.orig.tar.gz"}, "is not there"),
        ({"source": "http://127.0.0.1:9/openssl-3.5.20.tar.gz"}, "is not there"),
        ({"version": "0.9.8zh"}, "older than 1.0.2"),
    ],
)
def test_a_wrong_source_is_not_even_unpacked(
    selfbuilt: Lab, more: dict[str, str], named: str
) -> None:
    """The run stops at once, with one sentence; nothing is published, no host is touched."""
    said(selfbuilt, "build1", "rm -rf /var/lib/mailseal/build")
    before = {host: serving(selfbuilt, host) for host in MAIL}
    wrong = words(mailseal_openssl_source={**pinned(), **more})
    done = play("openssl.yml", "-e", "mailseal_package_cache=/tmp/mailseal-empty", *wrong)
    assert done.returncode != 0
    assert named in done.stdout
    assert recap(done)["build1"]["failed"] == 1
    unpacked = "ls /var/lib/mailseal/build/*/source 2>/dev/null; true"
    assert said(selfbuilt, "build1", unpacked) == ""
    assert {host: serving(selfbuilt, host) for host in MAIL} == before


def test_a_failed_build_is_neither_kept_nor_published(selfbuilt: Lab) -> None:
    """The step and the compiler's own words are named."""
    flags = words(mailseal_openssl_package_flags="-O2 -fno-such-flag")
    before = said(selfbuilt, "build1", "ls /srv/mailseal/deb")
    done = play("openssl.yml", "--limit", "build1", *flags)
    assert done.returncode != 0
    assert "compile failed" in done.stdout
    assert "fno-such-flag" in done.stdout
    assert said(selfbuilt, "build1", "ls /srv/mailseal/deb") == before


def test_the_same_inputs_give_the_same_bytes(selfbuilt: Lab, tmp_path: Path) -> None:
    """Built again as if there were no cache: each package is the one that the cache has."""
    again = ("-e", f"mailseal_package_cache={tmp_path}")
    done = play("openssl.yml", "--limit", "build1", *again)
    assert done.returncode == 0, done.stdout[-3000:]
    built = sorted(tmp_path.glob("*/*.deb"))
    assert {one.name.partition("_")[0] for one in built} == {
        "mailseal-cyrus",
        "mailseal-exim",
        "mailseal-openssl-3.5",
        "mailseal-openssl-3.5-dev",
    }
    for package in built:
        (first,) = paths.cache().glob(f"packages/*/{package.name}")
        assert package.read_bytes() == first.read_bytes(), package.name


# What is wrong with a host or the repository: how it comes, how it goes, and what is said.
_BACKUP = "cp -a /srv/mailseal/deb /srv/mailseal/good"
_RESTORE = "rm -rf /srv/mailseal/deb; mv /srv/mailseal/good /srv/mailseal/deb"
_OTHER_KEY = (
    "mkdir -m 700 /root/other; g='gpg --homedir /root/other --batch --yes --quiet';"
    " $g --passphrase '' --quick-gen-key other rsa2048 sign 0; cd /srv/mailseal/deb;"
    " $g --decrypt -o Release InRelease 2>/dev/null; $g --clearsign -o InRelease Release;"
    " gpgconf --homedir /root/other --kill all; rm -rf Release /root/other"
)
BROKEN = [
    ("unreachable", "build1", "service lighttpd stop", "service lighttpd start", "is no use"),
    ("unsigned", "build1", f"{_BACKUP}; rm deb/InRelease", _RESTORE, "Release file"),
    ("another key", "build1", f"{_BACKUP}; {_OTHER_KEY}", _RESTORE, "is not signed with our key"),
    (
        "a changed index",
        "build1",
        f"{_BACKUP}; echo >>deb/Packages; gzip -9kfn deb/Packages",
        _RESTORE,
        "is no use",
    ),
    (
        "a changed package",
        "build1",
        f"{_BACKUP}; for f in deb/mailseal-openssl-3.5_*; do echo >>$f; done",
        _RESTORE,
        "cannot be brought here",
    ),
    (
        "no room",
        "imap1",
        "mount -t tmpfs -o size=4m none /opt/mailseal",
        "umount /opt/mailseal",
        "there is no room",
    ),
    (
        "another soname",
        "imap1",
        "cp /usr/lib/x86_64-linux-gnu/libssl.so.3 /usr/local/lib/; ldconfig",
        "rm /usr/local/lib/libssl.so.3; ldconfig",
        "is another libssl.so.3",
    ),
]


@pytest.fixture(scope="module")
def awaited(selfbuilt: Lab) -> Lab:
    """Another build is published, and hosts do not have it yet."""
    done = play("openssl.yml", "--limit", "build1", *words(**OTHER))
    assert done.returncode == 0, done.stdout[-3000:]
    return selfbuilt


@pytest.mark.parametrize(
    ("what", "where", "breaks", "mends", "named"), BROKEN, ids=[one[0] for one in BROKEN]
)
def test_a_host_where_something_is_wrong_goes_on_serving(
    awaited: Lab, what: str, where: str, breaks: str, mends: str, named: str
) -> None:
    """It stops before its daemon is touched, says why, and the packages are those of before."""
    before = (serving(awaited, "imap1"), installed(awaited, "imap1"))
    # What an earlier test brought would do as well: its hash is right.
    kept = f"/var/lib/mailseal/packages/*_{manifest()['version']}*"
    said(awaited, "imap1", f"rm -f {kept}; find /var/lib/apt/lists -type f -delete")
    try:
        said(awaited, where, f"cd /srv/mailseal 2>/dev/null; {breaks}")
        done = play("openssl.yml", "--limit", "imap1")
        assert done.returncode != 0, what
        assert named in done.stdout
        if what != "no room":
            assert (serving(awaited, "imap1"), installed(awaited, "imap1")) == before
        assert "prime256v1" in handshake(awaited, "imap1", "-tls1_2", "-groups", "P-256")
    finally:
        said(awaited, where, mends)
    assert (serving(awaited, "imap1"), installed(awaited, "imap1")) == before


# What no deployment would have left: how it comes, how it goes, and the check that finds it.
_SSL, _IMAPD = f"{HOME}/lib/libssl.so.3", "/usr/lib/cyrus/bin/imapd"
_ELSEWHERE = [
    # An upgrade after which nobody restarted: another file, with the same bytes.
    (
        "MT-LIB-STALE",
        f"cp -p {_SSL} {_SSL}.new; mv {_SSL}.new {_SSL}",
        "service cyrus-imapd restart",
    ),
    # Debian's own program, which wants the system's library, in the place of the rebuilt one.
    (
        "MT-LIB-MAPPED",
        (
            f"cp -p {_IMAPD} /root/ours; cp -p {_IMAPD}.distrib {_IMAPD}.new;"
            f" mv {_IMAPD}.new {_IMAPD}; service cyrus-imapd restart"
        ),
        f"mv /root/ours {_IMAPD}; service cyrus-imapd restart",
    ),
    (
        "MT-LIB-HASH",
        f"cp -p {_SSL} /root/ours; printf x >>{_SSL}; service cyrus-imapd restart",
        f"mv /root/ours {_SSL}; service cyrus-imapd restart",
    ),
]


@pytest.mark.parametrize(
    ("check", "breaks", "mends"), _ELSEWHERE, ids=[one[0] for one in _ELSEWHERE]
)
def test_what_serves_is_seen_and_not_what_is_installed(
    selfbuilt: Lab, check: str, breaks: str, mends: str
) -> None:
    """Each of the three is found on the running host, by its own check."""
    try:
        said(selfbuilt, "imap2", breaks)
        done = mailseal("audit", "-i", INVENTORY, "--limit", "imap2", "--json")
    finally:
        said(selfbuilt, "imap2", mends)
    found = json.loads(done.stdout)["findings"]
    assert check in {one["check"] for one in found if one["verdict"] == "fail"}
    assert done.returncode == 1


def test_a_library_that_lacks_a_symbol_is_not_linked(selfbuilt: Lab) -> None:
    """Laid out as a package would be: the first program that would miss something is named."""
    home = "/root/stub/opt/mailseal/openssl-3.5/lib"
    build = (
        "echo 'int nothing;' | gcc -shared -fPIC -Wl,-soname,libssl.so.3 -x c -o /root/stub.so -"
    )
    said(selfbuilt, "build1", build)
    # From host to host by way of this one.
    text = said(selfbuilt, "build1", "base64 -w0 /root/stub.so")
    put = f"mkdir -p {home}; echo {text.strip()} | base64 -d >{home}/libssl.so.3"
    said(selfbuilt, "imap1", put)
    arguments = {
        "method": "ld.so",
        "prefix": HOME,
        "laid_out": "/root/stub",
        "programs": ["/usr/lib/cyrus/bin/imapd"],
        "verify": True,
    }
    module = ("-M", "roles/openssl/library", "-m", "mailseal_linkage", "-a", json.dumps(arguments))
    done = run(str(BIN / "ansible"), "-i", INVENTORY, "imap1", *module)
    said(selfbuilt, "imap1", "rm -r /root/stub")
    assert done.returncode != 0
    assert re.search(r"wants \w+, which this library has not", done.stdout)


def test_after_all_of_it_the_hosts_are_as_they_should_be(selfbuilt: Lab) -> None:
    """The inventory's own release again, and an audit without a finding."""
    assert play("openssl.yml").returncode == 0
    assert mailseal("audit", "-i", INVENTORY).returncode == 0


def test_no_key_is_printed(selfbuilt: Lab) -> None:
    """The key that signs packages stays on the build host."""
    done = play("openssl.yml", "--diff", "-vvv")
    assert done.returncode == 0
    assert "PRIVATE KEY" not in done.stdout
    assert said(selfbuilt, "build1", "stat -c %a /var/lib/mailseal/signing") == "700\n"

"""Cyrus from Debian's source, on an OpenSSL of one's own: the programs that speak TLS."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packages import pinned
from packages.plan import Failed, Plan, Step
from packages.rebuilt import FLAGS, LINKED, dated, lay_out, linked, package, runs_from

PACKAGE = "mailseal-cyrus"
# Where each is built in the source; hosts have all of them in one directory.
BUILT = ("imap/imapd", "imap/pop3d", "imap/lmtpd", "timsieved/timsieved")
# Debian's own, but for what these programs have no part in: Perl, manuals, other databases' tools.
_OPTIONS = (
    *("--prefix=/usr", "--sysconfdir=/etc", "--datadir=/usr/share/cyrus"),
    *("--sharedstatedir=/usr/share/cyrus", "--localstatedir=/var/lib/cyrus"),
    *("--libexecdir=/usr/lib/cyrus/bin", "--bindir=/usr/lib/cyrus/bin"),
    "--sbindir=/usr/lib/cyrus/bin",
    *("--enable-autocreate", "--enable-idled", "--enable-nntp", "--enable-murder"),
    *("--enable-http", "--enable-jmap", "--enable-replication", "--enable-xapian"),
    *("--enable-backup", "--enable-calalarmd", "--enable-gssapi=/usr", "--with-com_err="),
    *("--with-cyrus-user=cyrus", "--with-cyrus-group=mail", "--with-lock=fcntl"),
    *("--with-pgsql", "--with-pgsql-incdir=/usr/include/postgresql", "--with-ldap"),
    *("--with-krb", "--with-krbimpl=mit", "--without-krbdes", "--with-gss_impl=mit"),
    *("--with-openssl", "--with-zlib", "--with-libcap", "--with-sasl", "--without-perl"),
    *("--with-pidfile=/run/cyrus-master.pid", "--with-syslogfacility=MAIL"),
    # Debian's own libraries of Cyrus are linked to the system's OpenSSL.
    *("--disable-shared", "--enable-static", "--disable-unit-tests"),
)
# What changes the way of building or the documents; the rest of Debian's changes are applied.
_NOT_APPLIED = ("0001-", "0012-", "0018-")
# What imapd answers to ID (its imap/version.c).
_SAYS = {
    "compiled for": re.compile(r"\bBuilt w/OpenSSL ([^\s;\"]+)"),
    "run with": re.compile(r"\bRunning w/OpenSSL ([^\s;\"]+)"),
}
# One file's part of what readelf says of several.
_PART = re.compile(r"^File: (?:\S*/)?(\S+)\n(.*?)(?=^File: |\Z)", re.MULTILINE | re.DOTALL)
_LONGEST = 300  # characters of what it said instead
_NEEDED = re.compile(r"\(NEEDED\).*\[(.*)\]")


def plan(spec: Mapping[str, Any]) -> Plan:
    """Return the build of one Debian source package as one package.

    Args:
        spec: version (upstream's), files (upstream's tarball and Debian's, SHA-256 by name),
            prefix and package (of the OpenSSL), packages (its packages, SHA-256 by name).
    """
    version = pinned.version("Cyrus", spec["version"])
    files = pinned.files("Cyrus", spec["files"])
    tarballs = [
        [name for name in files if re.search(rf"\.{kind}\.tar\.\w+$", name)]
        for kind in ("orig", "debian")
    ]
    if [len(names) for names in tarballs] != [1, 1]:
        raise Failed("the source package of Cyrus needs one .orig.tar and one .debian.tar")
    ((upstream,), (debian,)) = tarballs
    return Plan(
        name=f"cyrus-{version}-deb",
        sources={**files, **spec["packages"]},
        environment={"PACKAGE_NAME": PACKAGE, "PACKAGE_VERSION": version},
        steps=(
            Step(
                name="unpack",
                script=lay_out(spec["packages"])
                + "mkdir source\n"
                + f'tar -xf "$SOURCES"/{shlex.quote(upstream)} -C source --strip-components=1'
                + " --no-same-owner\n"
                + f'tar -xf "$SOURCES"/{shlex.quote(debian)} -C source --no-same-owner\n'
                + dated("source/debian/changelog"),
            ),
            Step(name="configure", script=_configure(spec["prefix"])),
            Step(
                name="compile",
                script="cd source\n"
                f'make -j"$(nproc)" {" ".join(BUILT)}\n'
                f"strip --strip-unneeded {' '.join(BUILT)}\n",
                tick=r"^\s+(CC|CXX)\s|\s-c\s.*\.(c|cpp)",
            ),
            Step(
                name="ask what it is",
                script=_ask(f"$HOME/sysroot{spec['prefix']}/lib"),
            ),
            Step(name="package", script=_package(spec)),
        ),
    )


def _configure(prefix: str) -> str:
    not_applied = "|".join(_NOT_APPLIED)
    home = f"$HOME/sysroot{prefix}"
    return (
        "cd source\n"
        f"grep -vE '^(#|$|{not_applied})' debian/patches/series | while read -r name; do\n"
        '    patch -s -f -p1 <"debian/patches/$name"\n'
        "done\n"
        f'OPENSSL_CFLAGS="-I{home}/include" OPENSSL_LIBS="{linked(prefix, "$HOME/sysroot")}'
        f' -lssl -lcrypto" CFLAGS="{FLAGS} -fno-strict-aliasing" CXXFLAGS="{FLAGS}"'
        f' LDFLAGS="{LINKED}" ./configure -q {" ".join(_OPTIONS)}\n'
        # Automake makes them before anything else for "all" only.
        "printf 'include Makefile\\nfirst: $(BUILT_SOURCES)\\n' >first.mk\n"
        'make -f first.mk -j"$(nproc)" first\n'
    )


def _ask(libraries: str) -> str:
    files = " ".join(BUILT)
    return (
        "cd source\n"
        + ask("imap/imapd", libraries, files)
        + f'LD_LIBRARY_PATH="{libraries}" ldd {files} >>"$HOME/product/version.txt"\n'
    )


def ask(imapd: str, libraries: str, files: str) -> str:
    """Return what writes down a built Cyrus' answer to ID, and the dynamic section of its files.

    imapd answers on its standard input, without a master or a network, as anybody but root.
    """
    return f"""\
asked=$HOME/asked
rm -rf "$asked"
mkdir -p "$asked/socket"
chown -R nobody "$asked"
printf '%s\\n' "configdirectory: $asked" "partition-default: $asked" >"$asked/imapd.conf"
printf 'a ID NIL\\r\\nb LOGOUT\\r\\n' | LD_LIBRARY_PATH="{libraries}" CYRUS_SERVICE=imap \\
    CYRUS_ID=0 CYRUS_USER=nobody {imapd} -X -C "$asked/imapd.conf" \\
    >"$HOME/product/version.txt" 2>&1 || true
readelf -d {files} >"$HOME/product/dynamic.txt"
"""


def _package(spec: Mapping[str, Any]) -> str:
    programs = {
        f"/usr/lib/cyrus/bin/{built.rpartition('/')[2]}": f"755 source/{built}" for built in BUILT
    }
    fields = {
        "Depends": f"cyrus-common (>= {spec['version']}), cyrus-common (<< {spec['version']}.0~)",
        "Description": "Cyrus on an OpenSSL of one's own\n Takes the place of the programs that"
        " speak TLS; Debian's are kept beside them.",
    }
    return package(spec, PACKAGE, programs, fields)


def judge(openssl: str, prefix: str, said: str, dynamic: str) -> list[str]:
    """Return what is wrong with a built Cyrus, a sentence each.

    Args:
        openssl: the version it must be compiled and run with.
        prefix: where it must look for it.
        said: imapd's answer to ID, and what ``ldd`` says of the programs where it was asked.
        dynamic: the output of ``readelf -d`` for its programs and libraries, two files or more.
    """
    return [*_judge(openssl, prefix, said, dynamic)]


def _judge(openssl: str, prefix: str, said: str, dynamic: str) -> Iterator[str]:
    for what, pattern in _SAYS.items():
        found = pattern.search(said)
        if not found:
            yield f"it does not say which OpenSSL it is {what}, but {said.strip()[:_LONGEST]!r}"
        elif found[1] != openssl:
            yield f"it is {what} OpenSSL {found[1]}, not {openssl}"
    parts = dict(_PART.findall(dynamic))
    needed = {name: _NEEDED.findall(part) for name, part in parts.items()}
    for name, part in parts.items():
        if _uses(needed[name], "lib(ssl|crypto)") and not runs_from(prefix, part):
            yield f"{name} does not look for its library in {prefix}/lib"
    for name in (built.rpartition("/")[2] for built in BUILT):
        if not _uses(_reached(name, needed), "libssl"):
            yield f"{name} is not linked to libssl"
    if "not found" in said:
        yield "it lacks a library"


def _uses(libraries: Iterable[str], name: str) -> bool:
    return any(re.match(rf"{name}\.so", library) for library in libraries)


def _reached(name: str, needed: Mapping[str, list[str]]) -> set[str]:
    """Return the libraries of a program, and those of its own libraries."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        fresh = set(needed.get(ahead.pop(), ())) - found
        found |= fresh
        ahead += fresh
    return found

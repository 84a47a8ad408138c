"""What EL6 lacks beside an OpenSSL, as RPMs: a Python for Ansible's modules, Exim and Cyrus.

The spec files and what they bring along are in `packages/specs`; they are given as texts.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from packages import cyrus, pinned, rpm
from packages.plan import Failed, Plan, Step

# The oldest C library that what is built must run on: EL6's.
GLIBC = "2.12"


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package.

    Attributes:
        name, version: as its spec file says.
        released: the day that stands for that of the build, in seconds since 1970.
        sources: SHA-256 by file name, as Debian 11 and 12 have them.
        ours: files from beside the spec file.
        on_openssl: whether it is built on an OpenSSL of one's own.
    """

    name: str
    version: str
    released: int
    sources: Mapping[str, str]
    ours: tuple[str, ...] = ()
    on_openssl: bool = False
    ask: str = field(default="", repr=False)


# Where the build host has no user 93 it says all this and fails; what it said is judged.
_ASK_EXIM = """\
LD_LIBRARY_PATH="$HOME/sysroot{prefix}/lib" stage/usr/sbin/exim -C /dev/null -d -bV \\
    >product/version.txt 2>&1 || true
readelf -d stage/usr/sbin/exim >product/dynamic.txt
"""

_HOME = "$HOME/stage/usr/lib/cyrus-imapd"
_PROGRAMS = " ".join(
    f'"{_HOME}"/{name}' for name in ("imapd", "pop3d", "lmtpd", "timsieved", "cyrus-master")
)
_ASK_CYRUS = cyrus.ask(
    f'"{_HOME}"/imapd',
    f"{_HOME}/lib:$HOME/sysroot{{prefix}}/lib",
    f'{_PROGRAMS} "{_HOME}"/lib/*.so.?',
)

TABLE: dict[str, Package] = {
    "python": Package(
        name="mailseal-python",
        version="3.9.2",
        released=1613692800,
        # The source, the libraries that are linked into it, and the fixes of Debian's LTS team.
        sources={
            "python3.9_3.9.2.orig.tar.xz": (
                "3c2034c54f811448f516668dce09d24008a0716c3a794dd8639b5388cbde247d"
            ),
            "zlib_1.2.11.dfsg.orig.tar.gz": (
                "80c481411a4fe8463aeb8270149a0e80bb9eaf7da44132b6e16f2b5af01bc899"
            ),
            "libffi_3.3.orig.tar.gz": (
                "72fba7922703ddfa7a028d513ac15a85c8d54c8d67f55fa5a4802885dc652056"
            ),
            "python3.9_3.9.2-1+deb11u7.debian.tar.xz": (
                "ee2581147074d1eb494adfb8223833eeaf1c6d04cf5c0593e93bec28194bc86d"
            ),
            "zlib_1.2.11.dfsg-2+deb11u2.debian.tar.xz": (
                "c19794df214f0c2571b19f7dea853c066410232abe9f0ddad77231fabccde0da"
            ),
        },
        ours=("Setup.local",),
    ),
    "exim": Package(
        name="mailseal-exim",
        version="4.94.2",
        released=1620086400,
        # PCRE and GDBM are linked into it: EL6's own are not at hand where it is built.
        sources={
            "exim4_4.94.2.orig.tar.xz": (
                "051861fc89f06205162f12129fb7ebfe473383bb6194bf8642952bfd50329274"
            ),
            "pcre3_8.39.orig.tar.bz2": (
                "b858099f82483031ee02092711689e7245586ada49e534a06e678b8ea9549e8b"
            ),
            "gdbm_1.23.orig.tar.gz": (
                "74b1081d21fff13ae4bd7c16e5d6e504a4c26f7cde1dca0d963a484174bbcacd"
            ),
            "exim4_4.94.2-7+deb11u3.debian.tar.xz": (
                "1c3aecf5c6fcb89d8a9708f7ffcce6de8745b30413606ea92f4075e5c907c94a"
            ),
        },
        ours=("exim.init",),
        on_openssl=True,
        ask=_ASK_EXIM,
    ),
    "cyrus": Package(
        name="mailseal-cyrus-imapd",
        version="3.6.1",
        released=1676160000,
        # All but libsasl2, which lies beside its libraries, is linked into them.
        sources={
            "cyrus-imapd_3.6.1.orig.tar.gz": (
                "32d6926123667952d5df76831de7c4ed02f389f41ac0d9c88a2427f3343a8e79"
            ),
            "icu_72.1.orig.tar.gz": (
                "a2d2d38217092a7ed56635e34467f92f976b370e20182ad325edea6681a71d68"
            ),
            "jansson_2.14.orig.tar.gz": (
                "c739578bf6b764aa0752db9a2fdadcfe921c78f1228c7ec0bb47fa804c55d17b"
            ),
            "zlib_1.2.11.dfsg.orig.tar.gz": (
                "80c481411a4fe8463aeb8270149a0e80bb9eaf7da44132b6e16f2b5af01bc899"
            ),
            "cyrus-sasl2_2.1.28+dfsg.orig.tar.xz": (
                "a15886d7da5958bd27f35b7c871dd872f6dc5b9917c9b6b15e3de014c7dab3d9"
            ),
            "util-linux_2.38.1.orig.tar.xz": (
                "60492a19b44e6cf9a3ddff68325b333b8b52b6c59ce3ebd6a0ecaa4c5117e84f"
            ),
            "sqlite3_3.40.1.orig.tar.xz": (
                "aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655"
            ),
            "cyrus-imapd_3.6.1-4+deb12u5.debian.tar.xz": (
                "38c45033f7b9e1453275f943724db5fd54bf04828b660d3ebbbb423f6119bb88"
            ),
            "zlib_1.2.11.dfsg-2+deb11u2.debian.tar.xz": (
                "c19794df214f0c2571b19f7dea853c066410232abe9f0ddad77231fabccde0da"
            ),
        },
        ours=("cyrus.init", "icu_less.py"),
        on_openssl=True,
        ask=_ASK_CYRUS,
    ),
}


def plan(
    which: str,
    texts: Mapping[str, str],
    tools: str,
    library: Mapping[str, str],
    packages: Mapping[str, str],
) -> Plan:
    """Return the build of one package.

    Args:
        which: its key in the table.
        texts: the files of packages/specs, by name.
        tools: where the compiler for EL6 lies on the build host (role el6_toolchain).
        library: prefix and package of the OpenSSL, for what is built on it.
        packages: its RPMs, SHA-256 by name.

    Raises:
        Failed: there is no such package, or no OpenSSL to build it on.
    """
    if which not in TABLE:
        raise Failed(f"there is no package {which!r} for EL6; there are {', '.join(TABLE)}")
    one = TABLE[which]
    if one.on_openssl and not (library and packages):
        raise Failed(f"{one.name} is built on an OpenSSL of one's own, and there is none")
    macros = {"tools": pinned.path("the place of the compiler", tools), "glibc": GLIBC}
    if one.on_openssl:
        macros["library"] = library["prefix"]
        macros["library_package"] = library["package"]
        macros["sysroot_"] = "$HOME/sysroot"
    text = f"{rpm.PREAMBLE}\n{texts[f'{which}.spec']}"
    ours = {name: texts[name] for name in one.ours}
    build = Step(
        name="rpmbuild", script=rpm.build(text, ours, macros), tick=r"\s-c\s.*\.c|^gcc |^\S*zcc "
    )
    ask = one.ask.format(prefix=library.get("prefix", ""))
    return Plan(
        name=f"{which}-{one.version}-rpm",
        sources={**one.sources, **(packages if one.on_openssl else {})},
        environment={
            "PACKAGE_NAME": one.name,
            "PACKAGE_VERSION": one.version,
            "SOURCE_DATE_EPOCH": str(one.released),
        },
        steps=(
            Step(name="lay out", script=_lay_out(packages if one.on_openssl else {})),
            build,
            *([Step(name="ask what it is", script=ask)] if ask else []),
        ),
    )


def _lay_out(packages: Mapping[str, str]) -> str:
    unpacked = "".join(
        f'rpm2archive - <"$SOURCES"/{shlex.quote(name)} | tar -xz -C sysroot\n'
        for name in sorted(packages)
    )
    return f"rm -rf rpm product stage sysroot\nmkdir product sysroot\n{unpacked}"

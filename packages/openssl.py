"""OpenSSL from its release tarball: what is configured, by version, and the scripts that do it.

Options are no promise: `no-weak-ssl-ciphers` leaves RC4, 3DES and SEED in 1.0.2, and no option of
any version removes the suites without encryption or authentication. What a build offers is asked
of the library itself (`packages.offers`).
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from packages import pinned
from packages.plan import Edit, Failed

Numbers = tuple[int, ...]

HOME = "/opt/mailseal"
# For a library that takes nothing from its file: without one, its programs complain.
EMPTY_CNF = "# Written by mailseal: this version reads no settings of TLS from here.\n"
# Where a system keeps the roots that clients trust: whoever comes to use the library keeps them.
ROOTS = {
    "deb": {"cert.pem": "/etc/ssl/certs/ca-certificates.crt", "certs": "/etc/ssl/certs"},
    "rpm": {"cert.pem": "/etc/pki/tls/certs/ca-bundle.crt", "certs": "/etc/pki/tls/certs"},
}

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)([a-z]{0,2})")
# Suites without encryption or authentication come from one function in every version; here it
# marks them as not there. The table's name and the index are the same from 1.0.2 to 3.5.
_SUITES = r"return\s*\(?&\(?ssl3_ciphers\[SSL3_NUM_CIPHERS - 1 - u\]\)?\)?;"
_FEWER_SUITES = (
    "{ SSL_CIPHER *c = &ssl3_ciphers[SSL3_NUM_CIPHERS - 1 - u];"
    " if ((c->algorithm_enc & SSL_eNULL) != 0 || (c->algorithm_auth & SSL_aNULL) != 0)"
    " c->valid = 0; return c; }"
)


# Its own tests are of a library that has those suites: these cases are taken out, nothing else of
# the files that they stand in.
_TESTS = (
    Edit(
        file="test/recipes/80-test_ssl_old.t",
        pattern=r'skip "skipping anonymous DH tests", 1\s+if \(\$no_dh\);',
        replacement='skip "anonymous DH is not built", 1;',
        needed=False,
    ),
    # The last two of seven have no certificate.
    Edit(
        file="test/sslapitest.c",
        pattern=r"ADD_ALL_TESTS\(test_dh_auto, 7\)",
        replacement="ADD_ALL_TESTS(test_dh_auto, 5)",
        needed=False,
    ),
    # Of 1.0.2.
    Edit(
        file="test/testssl", pattern=r"\$ssltest (.*)-cipher ADH ", replacement=": ", needed=False
    ),
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """What one series of OpenSSL wants.

    Attributes:
        since: its first version.
        options: of Configure, beside those that every build has.
        build: the targets of make that build programs and libraries.
        stage: the words after `make` that install them below "$STAGE".
        left_out: tests of its own suite that cannot pass, and why.
        tests: the words after `make` that run the suite; {left_out} stands for those left out.
    """

    since: Numbers
    options: tuple[str, ...]
    build: tuple[str, ...] = ("build_sw",)
    stage: str = 'install_sw DESTDIR="$STAGE"'
    left_out: Mapping[str, str] = field(default_factory=dict)
    tests: str = 'test TESTS="alltests{left_out}"'


# Programs of the system are linked to libcrypto's functions for DES and for compression (libcurl,
# Python's ssl). From 1.1.0 on, where the library can take the system's place, the functions stay;
# no compression method is compiled in, and no suite with these ciphers.
_DROP_IN = ("no-ssl3", "no-ssl3-method", "no-weak-ssl-ciphers", "no-zlib")
_FIRST_DROP_IN = (*_DROP_IN, "no-idea", "no-seed")
# Nothing of a mail host speaks QUIC. CMP stays: Debian's own openssl program is linked to it.
_NEW_DROP_IN = (*_DROP_IN, "no-brotli", "no-zstd", "no-docs", "no-quic")
_ANONYMOUS = {"test_sslskewith0p": "it shakes hands without authentication, which is not built"}

TABLE: tuple[Series, ...] = (
    Series(
        since=(1, 0, 2),
        options=(
            *("no-ssl2", "no-ssl3", "no-ssl3-method", "no-weak-ssl-ciphers", "no-comp", "no-zlib"),
            *("no-rc4", "no-des", "no-idea", "no-seed", "no-md2", "no-rc5"),
        ),
        build=("depend", "all"),
        stage='install_sw INSTALL_PREFIX="$STAGE"',
        left_out={"test_cms": "the certificates in test/smime-certs expired in 2023"},
        # Not a name to leave out but a list to run; it stands in test/Makefile.
        tests="test TESTS=\"$(sed -n '/^alltests:/,/[^\\\\]$/p' test/Makefile"
        " | tr -d '\\\\\\n' | sed 's/^alltests://;{left_out}')\"",
    ),
    Series(since=(1, 1, 0), options=_FIRST_DROP_IN, build=("all",), left_out=_ANONYMOUS),
    Series(since=(1, 1, 1), options=_FIRST_DROP_IN, build=("all",), left_out=_ANONYMOUS),
    Series(since=(3, 0), options=_DROP_IN, left_out=_ANONYMOUS),
    Series(since=(3, 2), options=_NEW_DROP_IN, left_out=_ANONYMOUS),
    Series(since=(3, 5), options=_NEW_DROP_IN, left_out=_ANONYMOUS),
)


def numbers(version: str) -> Numbers:
    """Return the numbers of a release; the letter of the old ones does not count.

    Raises Failed if it is none that there is a row for.
    """
    found = _VERSION.fullmatch(pinned.version("OpenSSL", version))
    if not found:
        raise Failed(f"{version!r} is no release of OpenSSL, such as 1.0.2u or 3.0.22")
    release = tuple(int(found[number]) for number in (1, 2, 3))
    if release < TABLE[0].since:
        raise Failed(f"OpenSSL {version} is older than 1.0.2: there is no way to build it here")
    return release


def series(version: str) -> str:
    """Return what the versions that can replace each other have in common: 1.0.2, 1.1.1, 3.0."""
    release = numbers(version)
    return ".".join(map(str, release[: 3 if release < (3,) else 2]))


def prefix(version: str) -> str:
    """Return the directory of its own that it is installed in."""
    return f"{HOME}/openssl-{series(version)}"


def package(version: str) -> str:
    """Return the name of the package: several series are installed side by side."""
    return f"mailseal-openssl-{series(version)}"


def soname(version: str) -> str:
    """Return what upstream calls the interface, as in libssl.so.SONAME."""
    release = numbers(version)
    if release < (1, 1):
        return "1.0.0"
    return "1.1" if release < (3,) else str(release[0])


def row(version: str) -> Series:
    """Return the row of the table for a release."""
    release = numbers(version)
    return [one for one in TABLE if one.since <= release][-1]


def options(version: str, target: str, flags: str = "") -> list[str]:
    """Return the words for Configure; `$nistp` is for the shell to fill."""
    home = prefix(version)
    return [
        target,
        f"--prefix={home}",
        f"--openssldir={home}/ssl",
        "--libdir=lib",
        "shared",
        *row(version).options,
        "$nistp",
        *flags.split(),
        f"-Wl,-rpath,{home}/lib",
    ]


def scripts(spec: Mapping[str, str]) -> dict[str, str]:
    """Return the shell of each part of the build, for the runner and for a spec file alike.

    Each begins in the directory of the source. "$STAGE" is where `stage` installs to.
    """
    version = spec["version"]
    one, home = row(version), prefix(version)
    compiler = spec.get("cc") or "gcc"
    try_int128 = (
        "nistp=\n"
        f"echo '__int128 wide;' | {compiler} {spec.get('flags', '')} -x c -c -o /dev/null - &&"
        " nistp=enable-ec_nistp_64_gcc_128\n"
    )
    words = " ".join(
        word if word.startswith("$") else shlex.quote(word)
        for word in options(version, spec.get("target") or "linux-x86_64", spec.get("flags", ""))
    )
    make = 'make -j"$(nproc)"'
    suites = Edit(file="ssl/s3_lib.c", pattern=_SUITES, replacement=_FEWER_SUITES)
    edits = "".join(edit.script() + "\n" for edit in (suites, *_TESTS))
    old = numbers(version) < (1, 1)
    # Since 1.1.0 `-test_x` takes a test off the list; before, the list is the makefile's.
    left = "".join(f"s/ {t}//;" if old else f" -{t}" for t in one.left_out)
    run = one.tests.replace("{left_out}", left)
    # The makefile of 1.0.2 knows no order for `depend`, and its install none for several jobs.
    build = _once(compiler) + "\n".join(f"{make} {target}" for target in one.build)
    return {
        "edit": edits,
        "configure": f"{try_int128}CC={shlex.quote(compiler)} ./Configure {words}\n",
        "compile": build + "\n",
        "check": f'HARNESS_JOBS="$(nproc)" make {run}\n',
        "stage": f"make {one.stage}\n" + _settle(home, spec["cnf"], spec["format"]),
    }


def _once(compiler: str) -> str:
    """Return the shell that puts files/once.sh in the compiler's place, where it is one word."""
    if not re.fullmatch(r"[\w.+-]+", compiler):
        return ""
    return (
        f'if test -e "$TOOLS/once.sh"; then\n'
        f"    ONCE=$(command -v {compiler})\n    export ONCE\n"
        f'    install -D "$TOOLS/once.sh" "$HOME/once/{compiler}"\n'
        '    PATH="$HOME/once:$PATH"\n'
        "fi\n"
    )


def _settle(home: str, cnf: str, kind: str) -> str:
    """Return the shell that makes of an installation what is shipped."""
    links = "".join(f'ln -s {path} "$P/ssl/{name}"\n' for name, path in ROOTS[kind].items())
    return (
        f'P="$STAGE{home}"\n'
        # Helpers in Perl would make Perl a requirement of the package.
        'rm -rf "$P/share" "$P/ssl" "$P/bin/c_rehash" "$P"/lib/*.a\n'
        'find "$P/bin" "$P/lib" -type f -exec chmod u+w {} +\n'
        'find "$P/bin" "$P/lib" -type f \\( -name "*.so*" -o -name openssl \\)'
        " -exec strip --strip-unneeded {} +\n"
        'mkdir -p "$P/ssl/private"\n'
        f'printf %s {shlex.quote(cnf)} >"$P/ssl/openssl.cnf"\n'
        f"{links}"
        'chmod -R u=rwX,go=rX "$P"\n'
        'chmod 700 "$P/ssl/private"\n'
        'find "$P" -name "*.so*" -type f -exec chmod 755 {} +\n'
    )

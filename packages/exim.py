"""Exim from Debian's source package, on an OpenSSL of one's own."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from packages import pinned
from packages.plan import Edit, Failed, Plan, Step
from packages.rebuilt import FLAGS, LINKED, dated, lay_out, linked, package, runs_from

PACKAGE = "mailseal-exim"
PROGRAM = "/usr/sbin/exim4"
_LIBRARY = re.compile(
    r"^Library version: OpenSSL: Compile: OpenSSL (\S+)[^\n]*\n\s*Runtime: OpenSSL (\S+)",
    re.MULTILINE,
)
# Its server answers ALPN with a length that is one too many, and every client that names a protocol
# ends the handshake (Exim's pull request 84 of 2021); later ones have it right.
_ALPN = Edit(
    file="src/tls-openssl.c",
    pattern=r"\*outlen = inlen;",
    replacement="*outlen = in[0];",
    needed=False,
)


def makefile(prefix: str, sysroot: str, edits: str = "") -> str:
    """Return what is added to Debian's own Local/Makefile; the last word on a setting counts.

    Headers and libraries come from *sysroot* (in the terms of make), where the package was
    unpacked; the program looks for the libraries in *prefix*, where hosts have them. Exim is
    set-uid root, so LD_LIBRARY_PATH means nothing to it.
    """
    return (
        # TLS_INCLUDE would not reach macro_predef.c.
        f"INCLUDE=-I{sysroot}{prefix}/include\n"
        f"TLS_LIBS={linked(prefix, sysroot)} -lssl -lcrypto\n"
        "USE_OPENSSL=yes\nSUPPORT_DANE=yes\n"
        f"CFLAGS={FLAGS}\nLFLAGS={LINKED}\n"
    ) + edits


def plan(spec: Mapping[str, Any]) -> Plan:
    """Return the build of one Debian source package as one package.

    Args:
        spec: version (upstream's), files (of the source package, SHA-256 by name), prefix and
            package (of the OpenSSL), packages (its packages, SHA-256 by name), makefile (further
            lines).
    """
    version = pinned.version("Exim", spec["version"])
    files = pinned.files("Exim", spec["files"])
    described = [name for name in files if name.endswith(".dsc")]
    if len(described) != 1:
        raise Failed("the source package of Exim needs one .dsc among its files")
    extra = makefile(spec["prefix"], "$(HOME)/sysroot", spec.get("makefile", ""))
    inside = "cd source\n"
    return Plan(
        name=f"exim-{version}-deb",
        sources={**files, **spec["packages"]},
        environment={"PACKAGE_NAME": PACKAGE, "PACKAGE_VERSION": version},
        steps=(
            Step(
                name="unpack",
                script=lay_out(spec["packages"])
                + f'dpkg-source --no-check -x "$SOURCES"/{shlex.quote(described[0])} source\n'
                + dated("source/debian/changelog"),
            ),
            Step(
                name="configure",
                script=inside
                + f"{_ALPN.script()}\n"
                + "patch -s -o EDITME src/EDITME debian/EDITME.exim4-light.diff\n"
                + "patch -s EDITME debian/EDITME.openssl.exim4-light.diff\n"
                + "mkdir -p Local\n"
                # The monitor wants X.
                + "sed 's/^EXIM_MONITOR=/# &/; s/^USE_GNUTLS=/# &/' EDITME >Local/Makefile\n"
                + f"printf '%s\\n' {shlex.quote(extra)} >>Local/Makefile\n",
            ),
            Step(
                name="compile",
                script=inside + 'make -j"$(nproc)"\n',
                tick=r"^(gcc|cc|\S*zcc) \S+\.c",
            ),
            Step(name="ask what it is", script=_ask(spec["prefix"])),
            Step(name="package", script=_package(spec)),
        ),
    )


def _ask(prefix: str) -> str:
    library = f'"$HOME/sysroot{prefix}/lib"'
    return (
        "cd source/build-Linux-*/\nstrip --strip-unneeded exim\n"
        f'LD_LIBRARY_PATH={library} ./exim -C /dev/null -d -bV >"$HOME/product/version.txt" 2>&1\n'
        'readelf -d exim >"$HOME/product/dynamic.txt"\n'
    )


def _package(spec: Mapping[str, Any]) -> str:
    fields = {
        "Depends": "exim4-daemon-light | exim4-daemon-heavy",
        "Description": "Exim on an OpenSSL of one's own\n Takes the place of the daemon that"
        " exim4-daemon-light or -heavy installs, which is kept beside it.",
    }
    return package(spec, PACKAGE, {PROGRAM: "4755 source/build-Linux-*/exim"}, fields)


def judge(openssl: str, prefix: str, said: str, dynamic: str) -> list[str]:
    """Return what is wrong with a built Exim, a sentence each.

    Args:
        openssl: the version it must be compiled and run with.
        prefix: where it must look for it.
        said: the output of ``exim -d -bV``.
        dynamic: that of ``readelf -d``.
    """
    return [*_judge(openssl, prefix, said, dynamic)]


def _judge(openssl: str, prefix: str, said: str, dynamic: str) -> Iterator[str]:
    found = _LIBRARY.search(said)
    if not found:
        yield "it does not say that it uses OpenSSL"
    else:
        for what, version in (("compiled for", found[1]), ("run with", found[2])):
            if version != openssl:
                yield f"it is {what} OpenSSL {version}, not {openssl}"
    support = next((li for li in said.splitlines() if li.startswith("Support for:")), "")
    if "DANE" not in support.split():
        yield "it has no DANE"
    if not runs_from(prefix, dynamic):
        yield f"it does not look for its library in {prefix}/lib"

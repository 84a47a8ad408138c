"""Exim from Debian's source package, on an OpenSSL of one's own."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from packages.plan import DEB, Edit, Failed, Plan, Step, control

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
_FLAGS = "-O2 -fPIE -fstack-protector-strong -Wformat -Werror=format-security -D_FORTIFY_SOURCE=2"


def makefile(prefix: str, sysroot: str, edits: str = "") -> str:
    """Return what is added to Debian's own Local/Makefile; the last word on a setting counts.

    Headers and libraries come from *sysroot* (in the terms of make), where the package was
    unpacked; the program looks for the libraries in *prefix*, where hosts have them. Exim is
    set-uid root, so LD_LIBRARY_PATH means nothing to it.
    """
    home = f"{sysroot}{prefix}"
    return (
        # TLS_INCLUDE would not reach macro_predef.c.
        f"INCLUDE=-I{home}/include\n"
        f"TLS_LIBS=-L{home}/lib -Wl,-rpath,{prefix}/lib -Wl,-rpath-link,{home}/lib -lssl -lcrypto\n"
        "USE_OPENSSL=yes\nSUPPORT_DANE=yes\n"
        f"CFLAGS={_FLAGS}\nLFLAGS=-pie -Wl,-z,relro -Wl,-z,now\n"
    ) + edits


def plan(spec: Mapping[str, Any]) -> Plan:
    """Return the build of one Debian source package as one package.

    Args:
        spec: version (upstream's), files (of the source package, SHA-256 by name), prefix and
            package (of the OpenSSL), packages (its packages, SHA-256 by name), makefile (further
            lines).
    """
    if sum(name.endswith(".dsc") for name in spec["files"]) != 1:
        raise Failed("the source package of Exim needs one .dsc among its files")
    extra = makefile(spec["prefix"], "$(HOME)/sysroot", spec.get("makefile", ""))
    inside = "cd source\n"
    return Plan(
        name=f"exim-{spec['version']}-deb",
        sources={**spec["files"], **spec["packages"]},
        environment={"PACKAGE_NAME": PACKAGE, "PACKAGE_VERSION": spec["version"]},
        products=("product",),
        steps=(
            Step(name="unpack", script=_unpack(spec)),
            Step(
                name="configure",
                script=inside
                + f"{_ALPN.script()}\n"
                + "patch -s -o EDITME src/EDITME debian/EDITME.exim4-light.diff\n"
                + "patch -s EDITME debian/EDITME.openssl.exim4-light.diff\n"
                + "mkdir -p Local\n"
                # The monitor wants X.
                + "sed 's/^EXIM_MONITOR=/# &/; s/^USE_GNUTLS=/# &/' EDITME >Local/Makefile\n"
                + f"cat >>Local/Makefile <<'LINES'\n{extra}LINES\n",
            ),
            Step(
                name="compile",
                script=inside + 'make -j"$(nproc)"\n',
                tick=r"^(gcc|cc|\S*zcc) \S+\.c",
            ),
            Step(name="ask what it is", script=_ask(spec["prefix"])),
            Step(name="package", script=DEB + _package(spec)),
        ),
    )


def _unpack(spec: Mapping[str, Any]) -> str:
    described = next(name for name in spec["files"] if name.endswith(".dsc"))
    debs = "\n".join(f'dpkg-deb -x "$SOURCES"/{shlex.quote(d)} sysroot' for d in spec["packages"])
    return (
        "rm -rf source sysroot stage product\nmkdir sysroot stage product\n"
        f'dpkg-source --no-check -x "$SOURCES"/{shlex.quote(described)} source\n'
        f"{debs}\n"
        "printf 'SOURCE_DATE_EPOCH=%s\\n'"
        ' "$(dpkg-parsechangelog -l source/debian/changelog -S Timestamp)" >environment\n'
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
        "Package": PACKAGE,
        "Version": "$PACKAGE_VERSION-$PACKAGE_RELEASE",
        "Architecture": "$(dpkg --print-architecture)",
        "Maintainer": "mailseal <root@localhost>",
        "Section": "mail",
        "Priority": "optional",
        "Depends": f"$depends, {spec['package']}, exim4-daemon-light | exim4-daemon-heavy",
        "Description": "Exim on an OpenSSL of one's own\n Takes the place of the daemon that"
        " exim4-daemon-light or -heavy installs, which is kept beside it.",
    }
    divert = f"dpkg-divert --package {PACKAGE} --rename --divert {PROGRAM}.distrib"
    library = f"$HOME/sysroot{spec['prefix']}/lib"
    return (
        f"install -D -m 4755 source/build-Linux-*/exim stage{PROGRAM}\n"
        "mkdir -p stage/DEBIAN\n"
        f"printf '%s\\n' '#!/bin/sh' 'set -e' '{divert} --add {PROGRAM}' >stage/DEBIAN/preinst\n"
        "printf '%s\\n' '#!/bin/sh' 'set -e' 'case $1 in remove|abort-install|disappear)'"
        f" '    {divert} --remove {PROGRAM}' ';; esac' >stage/DEBIAN/postrm\n"
        "chmod 755 stage/DEBIAN/preinst stage/DEBIAN/postrm\n"
        "depends=$(cd source && dpkg-shlibdeps -O --ignore-missing-info -xlibssl3"
        f' -l"{library}" "$HOME/stage{PROGRAM}" | sed \'s/^shlibs:Depends=//\')\n'
        f'deb stage "{control(fields)}"\n'
    )


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
    paths = re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", dynamic)
    if f"{prefix}/lib" not in [one for path in paths for one in path.split(":")]:
        yield f"it does not look for its library in {prefix}/lib"

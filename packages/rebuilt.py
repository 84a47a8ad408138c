"""What daemons rebuilt from Debian's source on an OpenSSL of one's own have in common.

A rebuilt program takes the place of Debian's by a diversion, and looks for the library by itself.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from packages.plan import DEB, control

FLAGS = "-O2 -fPIE -fstack-protector-strong -Wformat -Werror=format-security -D_FORTIFY_SOURCE=2"
LINKED = "-pie -Wl,-z,relro -Wl,-z,now"


def linked(prefix: str, sysroot: str) -> str:
    """Return the linker's words: libraries from *sysroot* now, and from *prefix* on hosts."""
    here = f"{sysroot}{prefix}/lib"
    return f"-L{here} -Wl,-rpath,{prefix}/lib -Wl,-rpath-link,{here}"


def lay_out(packages: Mapping[str, str]) -> str:
    """Return the shell that clears the place and unpacks the library's packages in it."""
    debs = "\n".join(f'dpkg-deb -x "$SOURCES"/{shlex.quote(name)} sysroot' for name in packages)
    return f"rm -rf source sysroot stage product\nmkdir sysroot stage product\n{debs}\n"


def dated(changelog: str) -> str:
    """Return the shell that has the day of Debian's last change stand for that of the build."""
    return (
        "printf 'SOURCE_DATE_EPOCH=%s\\n'"
        f' "$(dpkg-parsechangelog -l {changelog} -S Timestamp)" >environment\n'
    )


def package(
    spec: Mapping[str, Any], name: str, programs: Mapping[str, str], fields: Mapping[str, str]
) -> str:
    """Return the shell that makes the package.

    Args:
        spec: prefix and package of the OpenSSL.
        name: of the package.
        programs: mode and place of what was built, by where hosts have it: `4755 source/exim`.
        fields: Depends (beside what the programs are linked to) and Description.
    """
    control_file = control(
        {
            "Package": name,
            "Version": "$PACKAGE_VERSION-$PACKAGE_RELEASE",
            "Architecture": "$(dpkg --print-architecture)",
            "Maintainer": "mailseal <root@localhost>",
            "Section": "mail",
            "Priority": "optional",
            **fields,
            "Depends": f"$depends, {spec['package']}, {fields['Depends']}",
        }
    )
    install = "".join(
        f"install -D -m {built.split()[0]} {built.split()[1]} stage{path}\n"
        for path, built in programs.items()
    )
    staged = " ".join(f'"$HOME/stage{path}"' for path in programs)
    library = f"$HOME/sysroot{spec['prefix']}/lib"
    return (
        f"{DEB}{install}mkdir -p stage/DEBIAN\n"
        f"cat >stage/DEBIAN/preinst <<'END'\n{_diversions(name, programs, 'add')}END\n"
        f"cat >stage/DEBIAN/postrm <<'END'\n{_diversions(name, programs, 'remove')}END\n"
        "chmod 755 stage/DEBIAN/preinst stage/DEBIAN/postrm\n"
        "depends=$(cd source && dpkg-shlibdeps -O --ignore-missing-info -xlibssl3"
        f" -l\"{library}\" {staged} | sed 's/^shlibs:Depends=//')\n"
        f'deb stage "{control_file}"\n'
    )


# Before ours is there: Debian's program has both names, so that at no moment there is none.
_ADD = """\
    if test ! -e {path}.distrib && test -e {path}; then ln {path} {path}.distrib; fi
    dpkg-divert --package {name} --no-rename --divert {path}.distrib --add {path}
"""
_REMOVE = """\
    dpkg-divert --package {name} --rename --divert {path}.distrib --remove {path}
"""


def _diversions(name: str, programs: Mapping[str, str], action: str) -> str:
    """Return the maintainer script that diverts (`add`) or gives back (`remove`) the programs."""
    text, when = {
        "add": (_ADD, "install|upgrade"),
        "remove": (_REMOVE, "remove|abort-install|disappear"),
    }[action]
    lines = "".join(text.format(name=name, path=path) for path in programs)
    return f"#!/bin/sh\nset -e\ncase $1 in {when})\n{lines};; esac\n"


def runs_from(prefix: str, dynamic: str) -> bool:
    """Whether a program looks for its libraries in *prefix*, by the output of ``readelf -d``."""
    paths = re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", dynamic)
    return f"{prefix}/lib" in [one for path in paths for one in path.split(":")]

"""The build of an OpenSSL as packages of one format, from the scripts of `packages.openssl`."""

import shlex
from collections.abc import Mapping

from packages import pinned, rpm
from packages.openssl import HOME, ROOTS, numbers, package, prefix, row, scripts, series
from packages.plan import DEB, Failed, Plan, Step, control

# What compiles one file, with gcc, clang and zig alike; one recipe of the library's own tests.
_COMPILED = r"\s-c\s.*-o\s\S+\.o|\s-o\s\S+\.o\s.*-c\s"
_TESTED = r"^\S*\d\d-test\S*\.t \.+|^Test(ing)? |^test "


def plan(spec: Mapping[str, str]) -> Plan:
    """Return the build of one release as packages of one format.

    Args:
        spec: version, file (of the source), sha256, format (deb or rpm), cnf (the text of its
            openssl.cnf), and optionally cc, flags, target, check ("no" leaves the library's
            own tests out), and for RPMs glibc, the oldest version that may be wanted.

    Raises:
        Failed: there is no way to build this version.
    """
    numbers(spec["version"])
    digest = pinned.checksum(f"the source of OpenSSL {spec['version']}", spec["sha256"])
    file = pinned.file("OpenSSL", spec["file"])
    for key in ("cc", "flags", "target", "glibc"):
        pinned.words(f"{key} of OpenSSL's build", spec.get(key, ""))
    if spec["format"] not in ROOTS:
        raise Failed(f"{spec['format']!r} is no format of packages; there are deb and rpm")
    steps = _deb(spec) if spec["format"] == "deb" else _rpm(spec)
    return Plan(
        name=f"openssl-{spec['version']}-{spec['format']}",
        sources={file: digest},
        environment={"PACKAGE_NAME": package(spec["version"]), "PACKAGE_VERSION": spec["version"]},
        steps=steps,
    )


def _checked(spec: Mapping[str, str]) -> bool:
    return spec.get("check") != "no"


def _unpack(file: str) -> Step:
    return Step(
        name="unpack",
        script=(
            "rm -rf source stage headers rpm product\nmkdir source stage product\n"
            f'tar -xf "$SOURCES"/{shlex.quote(file)} -C source'
            " --strip-components=1 --no-same-owner\n"
            # The day of the release stands for the day of the build.
            "find source -type f -printf '%T@\\n' | sort -n | tail -n 1 |"
            " sed 's/[.].*//; s/^/SOURCE_DATE_EPOCH=/' >environment\n"
        ),
    )


def _deb(spec: Mapping[str, str]) -> tuple[Step, ...]:
    parts = scripts(spec)
    inside = 'cd source\nSTAGE="$HOME/stage"\n'
    build = row(spec["version"]).build[-1]
    test = Step(
        name="test",
        script=inside + parts["check"],
        tick=_TESTED,
        count="ls source/test/recipes/[0-9]*.t 2>/dev/null | wc -l",
    )
    return (
        _unpack(spec["file"]),
        Step(name="configure", script=inside + parts["edit"] + parts["configure"]),
        Step(
            name="compile",
            script=inside + parts["compile"],
            tick=_COMPILED,
            count=f"cd source; make -n {build} 2>/dev/null | grep -cE -- '{_GREP_COMPILED}'",
        ),
        *([test] if _checked(spec) else ()),
        Step(name="stage", script=inside + parts["stage"]),
        Step(name="ask what it offers", script=_ask(spec)),
        Step(name="package", script=DEB + _control(spec)),
    )


_GREP_COMPILED = "[[:space:]]-c[[:space:]].*-o[[:space:]]|[[:space:]]-o[[:space:]].*-c[[:space:]]"


def _ask(spec: Mapping[str, str]) -> str:
    words = [f'"$TOOLS/ask.py" "$HOME/stage" {prefix(spec["version"])}']
    words += [shlex.quote(spec.get("cc") or "gcc"), ">product/offers.json"]
    return "python3 " + " ".join(words) + "\n"


def _control(spec: Mapping[str, str]) -> str:
    """Return the shell that makes the package for hosts, and the one to compile with."""
    name, home = package(spec["version"]), prefix(spec["version"]).lstrip("/")
    common = {
        "Version": "$PACKAGE_VERSION-$PACKAGE_RELEASE",
        "Architecture": "$(dpkg --print-architecture)",
        "Maintainer": "mailseal <root@localhost>",
        "Section": "libs",
        "Priority": "optional",
    }
    about = f"OpenSSL {series(spec['version'])} of one's own, beside the system's"
    runtime = {
        **common,
        "Depends": "libc6 (>= ${glibc#GLIBC_})",
        "Description": f"{about}\n Built from upstream's release; see {spec['file']}.",
    }
    headers = {
        **common,
        "Section": "libdevel",
        "Depends": f"{name} (= $PACKAGE_VERSION-$PACKAGE_RELEASE)",
        "Description": f"{about}: headers\n What daemons are compiled with.",
    }

    def text(which: str, fields: Mapping[str, str]) -> str:
        return control({"Package": which, **fields}).replace('"', '\\"')

    return (
        f"glibc=$(objdump -T stage/{home}/bin/openssl stage/{home}/lib/*.so.* |"
        " grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)\n"
        f"mkdir -p headers/{home}/lib\n"
        f"mv stage/{home}/include headers/{home}/\n"
        f"for name in stage/{home}/lib/*.so stage/{home}/lib/pkgconfig stage/{home}/lib/cmake; do\n"
        f'    test ! -e "$name" || mv "$name" headers/{home}/lib/\n'
        "done\n"
        f'deb stage "{text(name, runtime)}"\n'
        f'deb headers "{text(name + "-dev", headers)}"\n'
    )


def _rpm(spec: Mapping[str, str]) -> tuple[Step, ...]:
    return (
        _unpack(spec["file"]),
        Step(
            name="rpmbuild",
            script=rpm.build(spec_file(spec)),
            tick=_COMPILED,
        ),
        Step(name="ask what it offers", script=_ask(spec)),
    )


def spec_file(spec: Mapping[str, str]) -> str:
    """Return the spec file; its parts are the scripts that a Debian package is built by as well."""
    parts = {name: rpm.escaped(text) for name, text in scripts(spec).items()}
    name, home = package(spec["version"]), prefix(spec["version"])
    inside = "cd source\n"
    about = f"OpenSSL {series(spec['version'])} of one's own, beside the system's"
    return f"""\
# Written by mailseal, role openssl_package.
{rpm.PREAMBLE}
Name: {name}
Version: {spec["version"]}
Release: %{{release_}}
Summary: {about}
License: {"OpenSSL" if numbers(spec["version"]) < (3,) else "ASL 2.0"}
Group: System Environment/Libraries
Source0: {spec["file"]}

%description
Built from upstream's release. The system's own library is not touched.

%package devel
Summary: {about}: headers
Group: Development/Libraries
Requires: {name} = %{{version}}-%{{release}}

%description devel
What daemons are compiled with.

%prep
rm -rf source
mkdir source
tar -xf %{{SOURCE0}} -C source --strip-components=1 --no-same-owner
{inside}{parts["edit"]}
%build
{inside}{parts["configure"]}{parts["compile"]}
%install
{inside}STAGE=%{{buildroot}}
{parts["stage"]}cp -a %{{buildroot}}/. %{{stage_}}/

%check
{_glibc(spec)}{inside}{parts["check"] if _checked(spec) else ""}
%files
%defattr(-,root,root,-)
%dir {HOME}
%dir {home}
%dir {home}/lib
{home}/bin
{home}/lib/*.so.*
{home}/lib/engines*
{home}/ssl
{_modules(spec["version"])}
%files devel
%defattr(-,root,root,-)
{home}/include
{home}/lib/*.so
{home}/lib/pkgconfig
"""


def _glibc(spec: Mapping[str, str]) -> str:
    """Return the shell that looks for symbols newer than the C library it has to run on."""
    if not spec.get("glibc"):
        return ""
    return f"python3 %{{checks}}/glibc_check.py {spec['glibc']} %{{buildroot}}\n"


def _modules(version: str) -> str:
    return f"{prefix(version)}/lib/ossl-modules\n" if numbers(version) >= (3,) else ""

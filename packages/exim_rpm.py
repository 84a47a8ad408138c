"""Exim as an RPM for EL6, from upstream's tarball; it stands beside what EPEL installs."""

from collections.abc import Mapping

from packages import rpm
from packages.exim import PACKAGE

HOME = "/opt/mailseal/exim"
# Upstream's way of saying no to an option is to leave it out: `AUTH_CYRUS_SASL=no` means yes.
_SETTINGS = {
    "BIN_DIRECTORY": f"{HOME}/sbin",
    "CONFIGURE_FILE": "/etc/exim/exim.conf",
    # By number: the package is built where there is no such user. 93 is EPEL's exim.
    "EXIM_USER": "93",
    "EXIM_GROUP": "93",
    "SPOOL_DIRECTORY": "/var/spool/exim",
    "LOG_FILE_PATH": "/var/log/exim/%slog.log",
    "PID_FILE_PATH": "/var/run/exim.pid",
    "TRUSTED_CONFIG_LIST": "/etc/exim/trusted-configs",
    "FIXED_NEVER_USERS": "root",
    "SUPPORT_TLS": "yes",
    "USE_OPENSSL": "yes",
    "SUPPORT_DANE": "yes",
    "DBMLIB": "-ldb",
    "PCRE_CONFIG": "yes",
    **dict.fromkeys((f"ROUTER_{r}" for r in ("ACCEPT", "DNSLOOKUP", "MANUALROUTE")), "yes"),
    "ROUTER_REDIRECT": "yes",
    **dict.fromkeys((f"TRANSPORT_{t}" for t in ("APPENDFILE", "AUTOREPLY", "LMTP")), "yes"),
    **dict.fromkeys(("TRANSPORT_PIPE", "TRANSPORT_SMTP", "SUPPORT_MAILDIR"), "yes"),
    **dict.fromkeys((f"LOOKUP_{k}" for k in ("DBM", "DNSDB", "DSEARCH", "LSEARCH")), "yes"),
    "LOOKUP_PASSWD": "yes",
    "AUTH_PLAINTEXT": "yes",
    "AUTH_CRAM_MD5": "yes",
    "HEADERS_CHARSET": '"UTF-8"',
    "SYSTEM_ALIASES_FILE": "/etc/aliases",
    "EXICYCLOG_MAX": "10",
    "COMPRESS_COMMAND": "/bin/gzip",
    "COMPRESS_SUFFIX": "gz",
    "ZCAT_COMMAND": "/bin/zcat",
}


def makefile(prefix: str, sysroot: str, compiler: str, further: Mapping[str, str]) -> str:
    """Return Local/Makefile; the library is in *sysroot* here, and in *prefix* on hosts."""
    home = f"{sysroot}{prefix}"
    settings = {
        **_SETTINGS,
        "CC": compiler,
        # TLS_INCLUDE would not reach macro_predef.c.
        "INCLUDE": f"-I{home}/include",
        "TLS_LIBS": f"-L{home}/lib -Wl,-rpath,{prefix}/lib -lssl -lcrypto",
        **further,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items() if value)


def spec_file(spec: Mapping[str, str], further: Mapping[str, str]) -> str:
    """Return the spec file.

    Args:
        spec: version, file (upstream's tarball), prefix and package (of the OpenSSL), sysroot
            (where its packages are unpacked on the build host), and optionally cc.
        further: settings of Local/Makefile beyond ours; an empty one takes ours out.
    """
    local = makefile(spec["prefix"], spec["sysroot"], spec.get("cc") or "gcc", further)
    return f"""\
# Written by mailseal, role exim_package.
{rpm.PREAMBLE}
Name: {PACKAGE}
Version: {spec["version"]}
Release: %{{release_}}
Summary: Exim on an OpenSSL of one's own
License: GPLv2+
Group: System Environment/Daemons
Source0: {spec["file"]}
Requires: {spec["package"]}

%description
Stands beside the Exim of the system, which is not touched.

%prep
rm -rf source
mkdir source
tar -xf %{{SOURCE0}} -C source --strip-components=1 --no-same-owner

%build
cd source
mkdir -p Local
cat >Local/Makefile <<'LINES'
{rpm.escaped(local)}LINES
make -j"$(nproc)"

%install
cd source
strip --strip-unneeded build-Linux-*/exim
install -D -m 4755 build-Linux-*/exim %{{buildroot}}{HOME}/sbin/exim
mkdir -p %{{stage_}}
cp -a %{{buildroot}}/. %{{stage_}}/

%check
cd source
LD_LIBRARY_PATH={spec["sysroot"]}{spec["prefix"]}/lib \\
    build-Linux-*/exim -C /dev/null -d -bV 2>&1 | grep -A 1 'Library version: OpenSSL'
readelf -d build-Linux-*/exim | grep -F '{spec["prefix"]}/lib'

%files
%defattr(-,root,root,-)
%dir {HOME}
%dir {HOME}/sbin
%attr(4755,root,root) {HOME}/sbin/exim
"""

"""What every RPM has in common, for rpm 4.8 of EL6 as for a newer one."""

import shlex
from collections.abc import Mapping

# Nothing beside what we say: no debugging packages, no links under /usr/lib, no hand of rpm's own
# on what was hashed, what rpm 4.8 can read, and nothing of the build host or its clock.
PREAMBLE = """\
%global debug_package %{nil}
%global _build_id_links none
%global __os_install_post %{nil}
%global _binary_payload w9.gzdio
%global _binary_filedigest_algorithm 8
%global _buildhost mailseal
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
"""


def escaped(script: str) -> str:
    """Return shell as it must stand in a spec file, where a percent sign begins a macro."""
    return script.replace("%", "%%")


def build(
    spec: str, files: Mapping[str, str] | None = None, macros: Mapping[str, str] | None = None
) -> str:
    """Return the shell that builds a spec file in "$HOME/rpm" and leaves packages in product.

    Args:
        spec: the file; it has the macros release_, stage_ (where to leave what is to be looked at)
            and checks (where glibc_check.py lies).
        files: sources of our own, by name.
        macros: further ones, in words that the shell may fill.
    """
    ours = {"spec": spec, **(files or {})}
    written = "".join(
        f"cat >rpm/SOURCES/{shlex.quote(name)} <<'END OF {name}'\n{text}END OF {name}\n"
        for name, text in ours.items()
    )
    defined = {
        "_topdir": "$HOME/rpm",
        "_dbpath": "$HOME/rpm/db",
        "release_": "$PACKAGE_RELEASE",
        "stage_": "$HOME/stage",
        "checks": "$TOOLS",
        **(macros or {}),
    }
    words = " ".join(f'--define "{name} {value}"' for name, value in defined.items())
    return (
        "mkdir -p rpm/SOURCES\n"
        'cp "$SOURCES"/* rpm/SOURCES/\n'
        f"{written}"
        f"rpmbuild -bb {words} rpm/SOURCES/spec\n"
        "mv rpm/RPMS/*/*.rpm product/\n"
    )

"""What every RPM has in common, for rpm 4.8 of EL6 as for a newer one."""

# Nothing beside what we say: no debugging packages, no links under /usr/lib, and no hand of rpm's
# own on what was hashed.
PREAMBLE = """\
%global debug_package %{nil}
%global _build_id_links none
%global __os_install_post %{nil}
"""


def escaped(script: str) -> str:
    """Return shell as it must stand in a spec file, where a percent sign begins a macro."""
    return script.replace("%", "%%")


def build(spec: str, name: str) -> str:
    """Return the shell that builds a spec file in "$HOME/rpm" and leaves packages in product."""
    return (
        "mkdir -p rpm/SOURCES rpm/SPECS\n"
        'cp "$SOURCES"/* rpm/SOURCES/\n'
        f"cat >rpm/SPECS/{name} <<'END OF SPEC'\n{spec}END OF SPEC\n"
        'rpmbuild -bb --define "_topdir $HOME/rpm" --define "_dbpath $HOME/rpm/db"'
        ' --define "release_ $PACKAGE_RELEASE" --define "stage_ $HOME/stage"'
        " --define 'use_source_date_epoch_as_buildtime 1'"
        " --define 'clamp_mtime_to_source_date_epoch 1' --define '_buildhost localhost'"
        f" rpm/SPECS/{name}\n"
        "mv rpm/RPMS/*/*.rpm product/\n"
    )

"""The spec file of Exim for EL6."""

import pytest

from packages import exim_rpm

PREFIX = "/opt/mailseal/openssl-1.0.2"
SPEC = {
    "version": "4.94.2",
    "file": "exim-4.94.2.tar.xz",
    "prefix": PREFIX,
    "package": "mailseal-openssl-1.0.2",
    "sysroot": "/srv/sysroot",
}


def test_headers_and_library_are_ours() -> None:
    """Compiled in the sysroot, looked for in the prefix."""
    lines = exim_rpm.makefile(PREFIX, "/srv/sysroot", "zcc", {}).splitlines()
    assert f"INCLUDE=-I/srv/sysroot{PREFIX}/include" in lines
    (libs,) = [line for line in lines if line.startswith("TLS_LIBS=")]
    assert f"-L/srv/sysroot{PREFIX}/lib -Wl,-rpath,{PREFIX}/lib " in libs
    assert "CC=zcc" in lines
    assert "SUPPORT_DANE=yes" in lines


@pytest.mark.parametrize("name", ["AUTH_CYRUS_SASL", "USE_GNUTLS", "EXIM_MONITOR"])
def test_no_is_said_by_silence(name: str) -> None:
    """A value of "no" would mean yes."""
    text = exim_rpm.makefile(PREFIX, "", "gcc", {})
    assert name not in text
    assert "=no\n" not in text


def test_a_site_adds_and_takes_out() -> None:
    """The last word on a setting is the site's."""
    lines = exim_rpm.makefile(PREFIX, "", "gcc", {"LOOKUP_CDB": "yes", "DBMLIB": ""}).splitlines()
    assert "LOOKUP_CDB=yes" in lines
    assert not [line for line in lines if line.startswith("DBMLIB")]


def test_the_spec_file_checks_what_it_packs() -> None:
    """Library and path are asked of the program; a percent sign begins no macro."""
    text = exim_rpm.spec_file(SPEC, {})
    assert "Requires: mailseal-openssl-1.0.2\n" in text
    assert "/var/log/exim/%%slog.log" in text
    assert "Library version: OpenSSL" in text.split("%check")[1]
    assert "%attr(4755,root,root) /opt/mailseal/exim/sbin/exim" in text

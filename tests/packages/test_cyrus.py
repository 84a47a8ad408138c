"""The build of Cyrus from Debian's source, and what is said of one that was built."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from packages import cyrus
from packages.rebuilt import package

HOME = "/opt/mailseal/openssl-3.5"
SPEC: dict[str, Any] = {
    "version": "3.6.1",
    "files": {
        "cyrus-imapd_3.6.1.orig.tar.gz": "ab" * 32,
        "cyrus-imapd_3.6.1-4+deb12u5.debian.tar.xz": "cd" * 32,
    },
    "packages": {"mailseal-openssl-3.5_1.deb": "ef" * 32},
    "prefix": HOME,
    "package": "mailseal-openssl-3.5",
}
SAID = (
    '* ID ("name" "Cyrus IMAPD" "version" "3.6.1" "environment" "Built w/Cyrus SASL 2.1.28;'
    " Running w/Cyrus SASL 2.1.28; Built w/OpenSSL 3.5.7 1 Nov 2026;"
    ' Running w/OpenSSL 3.5.7 1 Nov 2026; Built w/zlib 1.2.13; Running w/zlib 1.2.13")\r\n'
    f"imap/pop3d:\n\tlibssl.so.3 => {HOME}/lib/libssl.so.3 (0x1)\n"
)
_FILE = """
File: {}

Dynamic section at offset 0x1 contains 2 entries:
 0x0000000000000001 (NEEDED)             Shared library: [{}]
 0x000000000000001d (RUNPATH)            Library runpath: [/usr/lib/cyrus-imapd/lib:{}/lib]
"""
IMAPD = _FILE.format("imap/imapd", "libssl.so.3", HOME)
POP3D = _FILE.format("imap/pop3d", "libcyrus.so.0", HOME)
LMTPD = _FILE.format("imap/lmtpd", "libcyrus_imap.so.0", HOME)
SIEVE = _FILE.format("timsieved/timsieved", "libcyrus_imap.so.0", HOME)
# Its own libraries, one of which is linked to the other.
LIBRARY = _FILE.format("/root/stage/usr/lib/libcyrus.so.0", "libssl.so.3", HOME)
LIBRARY += _FILE.format("/root/stage/usr/lib/libcyrus_imap.so.0", "libcyrus.so.0", HOME)
MASTER = _FILE.format("stage/cyrus-master", "libc.so.6", "/none")
OTHERS = POP3D + LMTPD + SIEVE
DYNAMIC = IMAPD + OTHERS + LIBRARY + MASTER
EACH = [f"{name} is not linked to libssl" for name in ("imapd", "pop3d", "lmtpd", "timsieved")]


def test_a_good_cyrus_is_shipped() -> None:
    """What does not use the library need not know where it is."""
    assert cyrus.judge("3.5.7", HOME, SAID, DYNAMIC) == []


@pytest.mark.parametrize(
    ("said", "dynamic", "wrong"),
    [
        (SAID, MASTER, EACH),
        (SAID, "", EACH),
        (SAID, DYNAMIC.replace(POP3D, ""), EACH[1:2]),
        (SAID, DYNAMIC.replace("timsieved\n", "other\n"), EACH[3:]),
        (SAID, DYNAMIC.replace("[libcyrus_imap.so.0]", "[libc.so.6]", 1), EACH[2:3]),
        (SAID, IMAPD + OTHERS, EACH[1:]),
        (
            SAID,
            DYNAMIC.replace(IMAPD, IMAPD.replace(HOME, "/usr")),
            [f"imapd does not look for its library in {HOME}/lib"],
        ),
        (
            SAID,
            IMAPD + OTHERS + LIBRARY.replace(HOME, "/usr"),
            [f"libcyrus.so.0 does not look for its library in {HOME}/lib"],
        ),
        (SAID.replace("=> /opt", "=> not found"), DYNAMIC, ["it lacks a library"]),
        (
            SAID.replace("Built w/OpenSSL 3.5.7", "Built w/OpenSSL 3.0.2"),
            DYNAMIC,
            ["it is compiled for OpenSSL 3.0.2, not 3.5.7"],
        ),
        (
            SAID.replace("Running w/OpenSSL 3.5.7", "Running w/OpenSSL 3.0.2"),
            DYNAMIC,
            ["it is run with OpenSSL 3.0.2, not 3.5.7"],
        ),
        (
            "imapd: error while loading shared libraries: libssl.so.3",
            DYNAMIC,
            [
                (
                    "it does not say which OpenSSL it is compiled for, but 'imapd: error while"
                    " loading shared libraries: libssl.so.3'"
                ),
                (
                    "it does not say which OpenSSL it is run with, but 'imapd: error while loading"
                    " shared libraries: libssl.so.3'"
                ),
            ],
        ),
    ],
)
def test_a_bad_cyrus_is_not(said: str, dynamic: str, wrong: list[str]) -> None:
    """Each difference is named, a sentence each."""
    assert cyrus.judge("3.5.7", HOME, said, dynamic) == wrong


@pytest.mark.parametrize("missing", SPEC["files"])
def test_both_tarballs_are_wanted(missing: str) -> None:
    """Upstream's and Debian's."""
    files = {name: digest for name, digest in SPEC["files"].items() if name != missing}
    with pytest.raises(ValueError, match=r"one \.orig\.tar and one \.debian\.tar"):
        cyrus.plan({**SPEC, "files": files})


def test_debians_changes_are_applied_but_for_those_of_the_build(tmp_path: Path) -> None:
    """A change that does not fit ends the build."""
    patches = tmp_path / "source" / "debian" / "patches"
    patches.mkdir(parents=True)
    (tmp_path / "source" / "a.c").write_text("old\n", encoding="utf-8")
    change = "--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-{}\n+new\n"
    (patches / "CVE-1.patch").write_text(change.format("old"), encoding="utf-8")
    (patches / "0001-build.patch").write_text(change.format("nothing"), encoding="utf-8")
    series = patches / "series"
    series.write_text("# of Debian's\n0001-build.patch\n#off.patch\nCVE-1.patch\n", "utf-8")
    configure = next(step for step in cyrus.plan(SPEC).steps if step.name == "configure")
    script = configure.script[: configure.script.index("done\n") + len("done\n")]

    def apply() -> int:
        return subprocess.run(["sh", "-ec", script], cwd=tmp_path, check=False).returncode

    assert apply() == 0
    assert (tmp_path / "source" / "a.c").read_text(encoding="utf-8") == "new\n"
    assert apply() != 0


def test_what_is_diverted_comes_back() -> None:
    """Each program that is installed is diverted before, and no other."""
    text = package(SPEC, "x", {"/usr/bin/a": "755 a", "/usr/bin/b": "4755 b"}, {"Depends": "c"})
    for action in ("add", "remove"):
        wanted = [f"--divert /usr/bin/{name}.distrib --{action} /usr/bin/{name}" for name in "ab"]
        assert re.findall(rf"--divert \S+ --{action} \S+", text) == wanted
    assert "install -D -m 4755 b stage/usr/bin/b\n" in text
    assert "Depends: $depends, mailseal-openssl-3.5, c\n" in text

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
SAID = f"OpenSSL 3.5.7 1 Nov 2026\nimap/imapd:\n\tlibssl.so.3 => {HOME}/lib/libssl.so.3 (0x1)\n"
DYNAMIC = "".join(
    f"\nFile: {place}\n\nDynamic section at offset 0x1 contains 2 entries:\n"
    " 0x0000000000000001 (NEEDED)             Shared library: [libssl.so.3]\n"
    f" 0x000000000000001d (RUNPATH)            Library runpath: [{HOME}/lib]\n"
    for place in ("imap/imapd", "imap/pop3d", "imap/lmtpd", "timsieved/timsieved")
)


def test_a_good_cyrus_is_shipped() -> None:
    """Compiled for the library, each program linked to it and finding it by itself."""
    assert cyrus.judge("3.5.7", HOME, SAID, DYNAMIC) == []


@pytest.mark.parametrize(
    ("said", "dynamic", "sentence"),
    [
        (SAID.replace("3.5.7", "3.0.2"), DYNAMIC, "compiled for OpenSSL 3.0.2, not 3.5.7"),
        ("", DYNAMIC, "compiled for OpenSSL none that it names"),
        (SAID + "OpenSSL 3.0.2 15 Mar 2022\n", DYNAMIC, "3.0.2 and 3.5.7"),
        (SAID.replace("=> /opt", "=> not found"), DYNAMIC, "it lacks a library"),
        (SAID, "", "imapd does not look for its library"),
        (SAID, DYNAMIC.replace("mailseal", "other", 3), "lmtpd does not look for its library"),
        (SAID, DYNAMIC.replace("libssl.so.3", "libc.so.6", 2), "pop3d is not linked to libssl"),
        (SAID, DYNAMIC.replace("timsieved\n", "other\n"), "timsieved"),
    ],
)
def test_a_bad_cyrus_is_not(said: str, dynamic: str, sentence: str) -> None:
    """Each difference is named."""
    wrong = cyrus.judge("3.5.7", HOME, said, dynamic)
    assert any(sentence in one for one in wrong), wrong


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

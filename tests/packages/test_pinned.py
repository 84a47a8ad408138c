"""What an inventory pins is looked at before anything is made of it."""

from typing import Any

import pytest

from packages import cyrus, exim, openssl_plan, pinned
from packages.plan import Failed

SHA = "ab" * 32
FILE = {"file": "exim4_4.96.dsc", "source": "/srv/exim4_4.96.dsc", "sha256": SHA}
SOURCE: dict[str, Any] = {"version": "4.96", "files": [FILE], "makefile": "X=1\n"}


def test_a_source_is_taken_as_it_is() -> None:
    """With its checksums by name, and all that a daemon has beside."""
    found = pinned.source("exim", SOURCE)
    assert found == {**SOURCE, "files": {"exim4_4.96.dsc": SHA}}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (None, "no mapping with version, files"),
        ({"version": "4.96"}, "has no files"),
        ({}, "has no version and no files"),
        ({**SOURCE, "files": {}}, "are no list"),
        ({**SOURCE, "files": ["x.dsc"]}, "no mapping with file, source, sha256"),
        ({**SOURCE, "files": [{"file": "x.dsc"}]}, "has no source and no sha256"),
        ({**SOURCE, "version": 4.96}, "is no text but 4.96: put it into quotes"),
        ({**SOURCE, "version": None}, "put it into quotes"),
        ({**SOURCE, "files": [{**FILE, "sha256": 12}]}, "exim4_4.96.dsc of exim needs its SHA-256"),
    ],
)
def test_what_is_missing_is_said(given: object, sentence: str) -> None:
    """One sentence, with the name of the daemon."""
    with pytest.raises(Failed, match=sentence) as failed:
        pinned.source("exim", given)
    assert "exim" in str(failed.value)


@pytest.mark.parametrize("version", ["4.96", "3.6.1", "1.0.2u", "2.1.28+dfsg", "4.97~RC1"])
def test_versions_as_upstreams_have_them(version: str) -> None:
    """With letters, and what Debian adds."""
    assert pinned.version("x", version) == version


@pytest.mark.parametrize(
    "version", ["", "4.96$(id)", "4.96-1", "a", "4 96", "`id`", "4.96\n", "../1"]
)
def test_what_is_no_version_is_refused(version: str) -> None:
    """It stands in names of packages, in paths and in double quotes of a script."""
    with pytest.raises(Failed, match="is no version of x"):
        pinned.version("x", version)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/b", "-x", ".x", "a b", "$(id)", "a\n", "`id`.dsc", 'a"']
)
def test_a_source_has_a_plain_name(name: str) -> None:
    """Neither a path nor an option, and nothing for a shell."""
    with pytest.raises(Failed, match="is no plain name"):
        pinned.file("x", name)
    assert pinned.file("x", "a_1.2+b~c-1.tar.gz") == "a_1.2+b~c-1.tar.gz"


@pytest.mark.parametrize(
    "words", ["$(id)", "a; b", "a`b`", "a|b", "a&b", 'a"', "a'", "a\nb", "a>b"]
)
def test_words_run_nothing(words: str) -> None:
    """What stands in a script without quotes."""
    with pytest.raises(Failed, match="nothing that a shell runs"):
        pinned.words("flags", words)
    assert pinned.words("flags", "-O2 -Wa,--noexecstack -fx=/a") == "-O2 -Wa,--noexecstack -fx=/a"


@pytest.mark.parametrize("path", ["opt", "/a b", "/$(id)", "/a;b", "/", "", None])
def test_a_path_needs_no_quotes(path: object) -> None:
    """It stands in the macros of a spec file."""
    with pytest.raises(Failed, match="is no plain path"):
        pinned.path("it", path)
    assert pinned.path("it", "/opt/mailseal/toolchain") == "/opt/mailseal/toolchain"


def test_a_daemon_without_a_manifest_is_refused() -> None:
    """Nobody would ever install it."""
    assert pinned.manifest("exim", {"exim": "/srv/exim.json"}) == "/srv/exim.json"
    for manifests in ({}, {"exim": ""}, {"cyrus": "/srv/cyrus.json"}):
        with pytest.raises(Failed, match="does not say where that of exim is written"):
            pinned.manifest("exim", manifests)


@pytest.mark.parametrize(
    "wrong", [{"version": "1$(id)"}, {"files": {"/x.dsc": SHA}}, {"files": {"x.dsc": "ab"}}]
)
def test_no_plan_is_made_of_it(wrong: dict[str, Any]) -> None:
    """Of neither daemon."""
    library = {"packages": {}, "prefix": "/opt/x", "package": "x"}
    for daemon in (exim, cyrus):
        with pytest.raises(Failed):
            daemon.plan({"version": "4.96", "files": {}, **library, **wrong})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"file": "x$(id).tar.gz"}, "plain name"),
        ({"version": 3.5}, "into quotes"),
        *(({key: "$(id)"}, f"^{key} of") for key in ("cc", "flags", "target", "glibc")),
    ],
)
def test_no_openssl_is_made_of_it(wrong: dict[str, Any], named: str) -> None:
    """Whatever of it an inventory says."""
    spec = {"version": "3.5.7", "file": "x.tar.gz", "sha256": SHA, "format": "deb", "cnf": ""}
    assert openssl_plan.plan(spec).sources == {"x.tar.gz": SHA}
    with pytest.raises(Failed, match=named):
        openssl_plan.plan({**spec, **wrong})

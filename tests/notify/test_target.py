"""Who is to be told, as it is typed."""

from pathlib import Path

import pytest

from audit.errors import MailsealError
from audit.notify import mail, webhook
from audit.notify.target import Target, targets

HOOK = "https://hooks.example.org:8443/services/hunter2?token=hunter2"


def test_each_is_told_once_in_the_order_named(tmp_path: Path) -> None:
    """Mail, webhooks, and both from a file with comments."""
    file = tmp_path / "who"
    file.write_text(f"# those on call\n{HOOK}\n\n  mailto:root\n")
    file.chmod(0o640)
    found = targets(["mailto:post@example.org", f"@{file}", HOOK])
    assert found == (Target("post@example.org"), Target(url=HOOK), Target("root"))
    assert [str(t) for t in found] == [
        "mailto:post@example.org",
        "https://hooks.example.org:8443",
        "mailto:root",
    ]
    assert not any("hunter2" in t.mark for t in found)
    assert len({t.mark for t in found}) == 3


@pytest.mark.parametrize(
    "word",
    [
        *(
            "",
            "postmaster",
            "mailto:",
            "mailto:a b@example.org",
            "mailto:a@b,c@d",
            "mailto:a@b?x=y",
        ),
        *("mailto:a@b\r\nBcc: c@d", "mailto:-f@", "http://h/hunter2", "https:", "https:///hunter2"),
        *("https://h:x/hunter2", "https://h:99999/hunter2", "https://u:hunter2@h/", "https://h /"),
        *("https://[::1/hunter2", "https://h/\nhunter2", "mailto:ü@example.org", "ftp://h/"),
    ],
)
def test_what_is_nobody_is_refused_without_being_repeated(word: str) -> None:
    """A URL may be a secret."""
    with pytest.raises(MailsealError) as told:
        targets([word])
    assert str(told.value).startswith("--notify: ")
    assert "hunter2" not in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value.exit_code == 2


def test_a_file_that_everybody_reads_is_refused(tmp_path: Path) -> None:
    """What it has is a secret no more; a missing one, and one that is no text, are named."""
    file = tmp_path / "who"
    with pytest.raises(MailsealError, match="cannot be read"):
        targets([f"@{file}"])
    file.write_text("mailto:root\nnobody\n")
    file.chmod(0o644)
    with pytest.raises(MailsealError, match="everybody may read it"):
        targets([f"@{file}"])
    file.chmod(0o600)
    with pytest.raises(MailsealError, match=f"{file}, line 2: must be mailto:"):
        targets([f"@{file}"])
    file.write_bytes(b"\xff")
    with pytest.raises(MailsealError, match="is no text"):
        targets([f"@{file}"])


def test_more_than_can_be_told_are_refused() -> None:
    """Each may take its time."""
    with pytest.raises(MailsealError, match="21 are to be told, and 20 are the most"):
        targets([f"mailto:u{n}@example.org" for n in range(21)])


@pytest.mark.parametrize(
    ("text", "host", "port", "implicit"),
    [
        ("smtp://localhost", "localhost", 25, False),
        ("smtps://mail.example.org", "mail.example.org", 465, True),
        ("smtp://[::1]:2525", "::1", 2525, False),
    ],
)
def test_a_relay_is_a_host_and_a_port(text: str, host: str, port: int, implicit: bool) -> None:
    """And whether TLS comes first."""
    assert mail.relay(text) == mail.Relay(host, port, implicit)


@pytest.mark.parametrize(
    "text", ["", "localhost", "smtp://", "smtp://h:0", "smtp://h:99999", "x", "smtp://u:hunter2@h"]
)
def test_what_is_no_relay_is_refused(text: str) -> None:
    """With its form, and without being repeated."""
    with pytest.raises(MailsealError, match=r"--mail-relay: must be smtp://HOST") as told:
        mail.relay(text)
    assert "hunter2" not in str(told.value)


def test_a_secret_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without the prefix that Standard Webhooks has; no word of it is repeated."""
    file = tmp_path / "secret"
    file.write_text("whsec_" + "QUJD" * 10 + "\n")
    file.chmod(0o600)
    monkeypatch.delenv(webhook.VARIABLE, raising=False)
    assert webhook.secret(None) == b""
    assert webhook.secret(str(file)) == b"ABC" * 10
    monkeypatch.setenv(webhook.VARIABLE, "QUJD" * 8)
    assert webhook.secret(None) == b"ABC" * 8
    for bad in ("QUJD", "hunter2!", "QUJD" * 100):
        monkeypatch.setenv(webhook.VARIABLE, bad)
        with pytest.raises(MailsealError, match="24 to 64 bytes in base64") as told:
            webhook.secret(None)
        assert bad not in str(told.value)
    file.write_text("")
    with pytest.raises(MailsealError, match="24 to 64 bytes"):
        webhook.secret(str(file))

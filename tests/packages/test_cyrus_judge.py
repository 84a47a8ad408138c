"""What a built Cyrus says of its OpenSSL."""

import pytest

from packages.cyrus_judge import judge

PREFIX = "/opt/mailseal/openssl-1.1.1"
SAID = (
    '* ID ("name" "Cyrus IMAPD" "version" "3.6.1" "environment" "Built w/Cyrus SASL 2.1.28;'
    " Running w/Cyrus SASL 2.1.28; Built w/OpenSSL 1.1.1w  11 Sep 2023;"
    ' Running w/OpenSSL 1.1.1w  11 Sep 2023; Built w/zlib 1.2.11; Running w/zlib 1.2.11")\r\n'
)
IMAPD = f"""
File: stage/usr/lib/cyrus-imapd/imapd
 0x0000000000000001 (NEEDED)             Shared library: [libssl.so.1.1]
 0x000000000000001d (RUNPATH)            Library runpath: [/usr/lib/cyrus-imapd/lib:{PREFIX}/lib]
"""
MASTER = """
File: stage/usr/lib/cyrus-imapd/cyrus-master
 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]
"""


def test_one_that_is_what_was_meant() -> None:
    """What does not use the library need not know where it is."""
    assert judge("1.1.1w", PREFIX, SAID, IMAPD + MASTER) == []


@pytest.mark.parametrize(
    ("said", "dynamic", "wrong"),
    [
        (SAID, MASTER, ["nothing in it uses OpenSSL"]),
        (SAID, "", ["nothing in it uses OpenSSL"]),
        (
            SAID,
            IMAPD.replace(PREFIX, "/usr"),
            [f"imapd does not look for its library in {PREFIX}/lib"],
        ),
        (
            SAID.replace("Running w/OpenSSL 1.1.1w", "Running w/OpenSSL 1.1.1k"),
            IMAPD,
            ["it is run with OpenSSL 1.1.1k, not 1.1.1w"],
        ),
        (
            "b BAD\r\n",
            IMAPD,
            [
                "it does not say which OpenSSL it is compiled for",
                "it does not say which OpenSSL it is run with",
            ],
        ),
    ],
)
def test_what_is_wrong_is_said(said: str, dynamic: str, wrong: list[str]) -> None:
    """One sentence each."""
    assert judge("1.1.1w", PREFIX, said, dynamic) == wrong

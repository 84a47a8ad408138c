"""Every spelling of a TLS session that logs are known to have."""

import pytest

from audit.traffic.session import session

SPELLINGS = [
    # words, version, suite, group, key exchange, aead, gcm
    ("TLSv1:AES256-SHA:256", "TLSv1.0", "TLS_RSA_WITH_AES_256_CBC_SHA", "", "none", False, False),
    ("TLSv1:RC4-SHA:128", "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA", "", "none", False, False),
    (
        "TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256",
        *("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "", "ecdhe", True, True),
    ),
    (
        "TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256:X25519",
        *("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "X25519", "ecdhe", True, True),
    ),
    (
        "TLS1.3:TLS_AES_256_GCM_SHA384:256:secp256r1*",
        *("TLSv1.3", "TLS_AES_256_GCM_SHA384", "P-256", "ecdhe", True, True),
    ),
    ("TLS1:AES128-SHA:128", "TLSv1.0", "TLS_RSA_WITH_AES_128_CBC_SHA", "", "none", False, False),
    ("SSL3:AES128-SHA:128", "SSLv3", "TLS_RSA_WITH_AES_128_CBC_SHA", "", "none", False, False),
    ("TLS-1.0:RSA_ARCFOUR_MD5:16", "TLSv1.0", "TLS_RSA_WITH_RC4_128_MD5", "", "none", False, False),
    (
        "TLS-1.0:RSA_AES_256_CBC_SHA:32",
        *("TLSv1.0", "TLS_RSA_WITH_AES_256_CBC_SHA", "", "none", False, False),
    ),
    (
        "TLS1.0:RSA_AES_256_CBC_SHA1:32",
        *("TLSv1.0", "TLS_RSA_WITH_AES_256_CBC_SHA", "", "none", False, False),
    ),
    (
        "TLS1.2:ECDHE_RSA_AES_256_GCM_SHA384:256",
        *("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "", "ecdhe", True, True),
    ),
    (
        "TLS1.2:DHE_RSA_AES_128_CBC_SHA1:128",
        *("TLSv1.2", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "", "dhe", False, False),
    ),
    (
        "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256",
        *("TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519", "ecdhe", True, True),
    ),
    (
        "TLS1.3:ECDHE_SECP384R1__ECDSA_SECP256R1_SHA256__CHACHA20_POLY1305:256",
        *("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", "P-384", "ecdhe", True, False),
    ),
    (
        "TLS1.2:RSA__AES_256_GCM:256",
        *("TLSv1.2", "TLS_RSA_WITH_AES_256_GCM_SHA384", "", "none", True, True),
    ),
    (
        "TLS1.2:DHE_CUSTOM2048__RSA_PSS_RSAE_SHA256__AES_256_GCM:256",
        *("TLSv1.2", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "CUSTOM2048", "dhe", True, True),
    ),
    (
        "TLS1.2:ECDHE_SECP256R1__RSA_SHA256__AES_256_CBC__SHA1:256",
        *("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "P-256", "ecdhe", False, False),
    ),
    (
        "TLS1.2:ECDHE_X25519__ECDSA_SHA384__AES_128_CCM__AEAD:128",
        *("TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "X25519", "ecdhe", True, False),
    ),
    (
        "TLS1.2-PKIX:RSA__AES_128_CBC__SHA1:128",
        *("TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA", "", "none", False, False),
    ),
    (
        "TLS1.2:ECDHE_RSA_SECP256R1__AES_256_GCM:256",
        *("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "P-256", "ecdhe", True, True),
    ),
    (
        "TLS1.1:RSA__3DES_CBC__SHA1:192",
        *("TLSv1.1", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "", "none", False, False),
    ),
    ("TLS1.2:RSA__NULL__SHA1:0", "TLSv1.2", "TLS_RSA_WITH_NULL_SHA", "", "none", False, False),
    (
        "TLS1.3:AEAD-AES256-GCM-SHA384:256",
        *("TLSv1.3", "TLS_AES_256_GCM_SHA384", "", "either", True, True),
    ),
    (
        "TLS1.2:ADH-AES128-GCM-SHA256:128",
        *("TLSv1.2", "TLS_DH_anon_WITH_AES_128_GCM_SHA256", "", "dhe", True, True),
    ),
    (
        "TLSv1.2:EDH-RSA-DES-CBC3-SHA:168",
        *("TLSv1.2", "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", "", "dhe", False, False),
    ),
    # What nobody can tell is told as that.
    ("TLS1.4:TLS_AES_256_GCM_SHA384:256", None, "TLS_AES_256_GCM_SHA384", "", "either", True, True),
    ("TLS1.2:FAKE:256", "TLSv1.2", "", "", "unknown", None, None),
    ("FAKE", None, "", "", "unknown", None, None),
    ("", None, "", "", "unknown", None, None),
]


@pytest.mark.parametrize("case", SPELLINGS, ids=[case[0] or "nothing" for case in SPELLINGS])
def test_every_spelling_is_understood(case: tuple[object, ...]) -> None:
    """Version, suite, group, and what follows of them."""
    found = session(str(case[0]))
    assert case[1:] == (
        *(found.version, found.suite, found.group, found.key_exchange, found.aead, found.gcm),
    )


@pytest.mark.parametrize(
    ("words", "secret"),
    [
        ("TLS1.3:whatever:1", True),
        ("TLS1.2:ECDHE-RSA-AES128-SHA:128", True),
        ("TLS1.2:DHE-RSA-AES128-SHA:128", True),
        ("TLS1.2:AES128-SHA:128", False),
        ("TLS1.2:FAKE:128", None),
    ],
)
def test_forward_secrecy_follows_from_the_key_exchange(words: str, *, secret: bool | None) -> None:
    """And from TLS 1.3; what is unknown is neither."""
    assert session(words).forward_secrecy is secret

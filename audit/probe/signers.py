"""The signatures of TLS 1.3 by the kind of key that makes them (RFC 8446, section 4.2.3)."""

SIGNERS = {
    "ecdsa": b"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ecdsa_secp521r1_sha512:ed25519:ed448",
    "rsa": b"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512"
    b":rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512",
}

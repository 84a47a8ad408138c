"""What `rpm -K` says of packages, for all that decides by it."""

# 4.16 and later (tried) and 4.8 (from its source): the words, the exit code, whether it is good.
SAID = [
    ("x.rpm: digests signatures OK", 0, True),
    ("x.rpm: rsa sha1 (md5) pgp md5 OK", 0, True),
    ("x.rpm: digests signatures OK", 1, False),
    ("x.rpm: digests OK", 0, False),
    ("x.rpm: sha1 md5 OK", 0, False),
    ("x.rpm: digests SIGNATURES NOT OK", 1, False),
    ("x.rpm: DIGESTS signatures NOT OK", 1, False),
    ("x.rpm: DIGESTS signatures NOT OK", 0, False),
    ("x.rpm: DIGESTS SIGNATURES NOT OK", 1, False),
    ("x.rpm: RSA sha1 ((MD5) PGP) md5 NOT OK (MISSING KEYS: (MD5) PGP#0608b895)", 1, False),
    ("x.rpm: rsa SHA1 (md5) pgp MD5 NOT OK", 1, False),
    ("error: x.rpm: not an rpm package (or package manifest)", 1, False),
    ("", 1, False),
]

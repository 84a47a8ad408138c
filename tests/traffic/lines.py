"""Lines of Exim made of parts, with what they mean; and lines in which somebody forges fields."""

from hypothesis import strategies as st

REAL = b"TLS1.3:TLS_AES_256_GCM_SHA384:256"
FAKE = b"TLS1.3:FAKE:256"

# What somebody else may write, who would like to be counted for something else.
_FORGED = (
    b"x) [192.0.2.9] P=esmtps X=" + FAKE,
    b"x) [192.0.2.9] P=esmtps X=" + FAKE + b" CV=yes S=1 id=a",
    b"x X=" + FAKE + b" CV=dane",
    b"H=h [192.0.2.9] P=esmtps X=" + FAKE + b" S=12",
    b" R=r T=t H=h [192.0.2.9] X=" + FAKE + b" CV=dane",
    b'a" X=' + FAKE + b' CV=yes DN="b',
    b'a" R=r T=t H=h [192.0.2.9] X=' + FAKE + b' CV=dane DN="b',
    b'a" [192.0.2.9] P=esmtps X=' + FAKE + b" S=1 ",
    b'a") [192.0.2.9] P=esmtps X=' + FAKE + b" S=1 ",
    b"a A=plain:boss S=1",
    b'a" A=plain:boss S=1 "',
    b'" S=1 T="b',
)
theirs = st.one_of(
    st.sampled_from(_FORGED), st.from_regex(rb"[\w .:=\[\]()\"<>@-]{0,12}", fullmatch=True)
)
quoted = theirs.map(lambda text: text.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
days = st.sampled_from((b"2026-11-28", b"2026-11-29", b"2026-12-01"))
stamps = st.builds(
    lambda day, more: day + b" 10:11:12" + more,
    days,
    st.sampled_from((b"", b".123", b" +0100", b" [42]", b" +0000 [42]")),
)
ids = st.sampled_from((b"1xVc0c-00003u-1d", b"1vP0eC-00000001hNa-0gCl"))
plain = st.from_regex(rb"[a-z][a-z0-9.-]{0,8}", fullmatch=True)
addresses = st.sampled_from((b"192.0.2.1", b"2001:db8::1", b"127.0.0.1"))
ports = st.sampled_from((b"", b":52958"))
sessions = st.sampled_from(
    (
        b"",
        b" X=" + REAL,
        b" X=" + REAL + b"*",
        b" X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256:secp256r1 CV=no",
        b" X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes",
        b" CV=yes",
    )
)


def maybe(what: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Something or nothing."""
    return st.one_of(st.just(b""), what)


def field(
    name: bytes, what: st.SearchStrategy[bytes], end: bytes = b""
) -> st.SearchStrategy[bytes]:
    """A field, or none."""
    return maybe(what.map(lambda text: name + text + end))


def joined(*parts: st.SearchStrategy[bytes] | bytes) -> st.SearchStrategy[bytes]:
    """Parts one behind the other."""
    strategies = [st.just(part) if isinstance(part, bytes) else part for part in parts]
    return st.tuples(*strategies).map(b"".join)


_senders = st.one_of(
    plain.map(lambda name: name + b"@example.org"),
    quoted.map(lambda text: b'"' + text + b'"@example.org'),
    st.just(b"<>"),
)
_helos = st.one_of(
    plain,
    joined(b"(", st.one_of(plain, theirs), b")"),
    joined(plain, b" (", st.one_of(plain, theirs), b")"),
)
_subjects = field(b' T="', quoted, b'"')
arrivals = joined(
    *(stamps, b" ", ids, st.sampled_from((b" <= ", b" (= ")), _senders),
    *(field(b" R=", ids), maybe(st.just(b" DS")), b" H=", _helos, b" [", addresses, b"]", ports),
    *(field(b" I=", st.just(b"[192.0.2.200]:25")), field(b" U=", st.one_of(plain, theirs))),
    *(b" P=", st.sampled_from((b"esmtp", b"esmtps", b"esmtpsa", b"smtp", b"utf8esmtps"))),
    *(field(b" L", st.just(b".")), sessions, field(b' DN="', st.one_of(plain, theirs), b'"')),
    *(field(b" SNI=", st.one_of(plain, theirs)), field(b" A=plain:", plain)),
    *(maybe(st.just(b" PRDR")), maybe(st.just(b" K")), b" S=512", field(b" id=", plain), _subjects),
    maybe(st.just(b" from <a@example.org> for b@example.org")),
)
_to = joined(
    *(b" H=", plain, maybe(st.just(b" DS")), b" [", addresses, b"]", ports, maybe(st.just(b"*"))),
    *(maybe(st.just(b" I=[192.0.2.200]:40000")), sessions),
    *(field(b' DN="', st.one_of(plain, theirs), b'"'), maybe(st.just(b" K"))),
    field(b' C="', quoted, b'"'),
)
deliveries = joined(
    *(stamps, b" ", ids, st.sampled_from((b" => ", b" -> ", b" *> ", b" >> "))),
    *(_senders, field(b" <", plain, b">"), field(b" F=<", st.one_of(plain, theirs), b">")),
    *(
        b" R=lookup T=",
        st.sampled_from((b"smtp", b"smtp_mta_sts")),
        field(b" S=", st.just(b"12")),
        maybe(_to),
    ),
)
_failing = maybe(joined(b" H=h", maybe(st.just(b" DS")), b" [", addresses, b"]", ports))
_want = st.sampled_from(
    (
        b"TLS session: (certificate verification failed)",
        b"a TLS session is required, but the server did not offer TLS support",
        b"DANE error: tlsa lookup DEFER",
        b"SMTP error from remote mail server after STARTTLS: 454 no",
        b"Connection refused",
    )
)
others = st.one_of(
    joined(stamps, b" ", ids, b" Completed", maybe(st.just(b" QT=1s"))),
    joined(stamps, b" ", ids, b" == a@b R=r T=t defer (-53) H=h [192.0.2.1]: ", theirs),
    joined(stamps, b" ", ids, b" == ", _senders, b" R=r T=t defer (-37)", _failing, b": ", _want),
    joined(stamps, b" ", ids, b" ** ", _senders, b" R=r T=t: DANE error: tlsa lookup FAIL"),
    joined(stamps, b" ", ids, b" DANE attempt failed; TLS connection to h [192.0.2.1]: ", theirs),
    joined(stamps, b" ", ids, b" ** a@b R=r T=t H=h [192.0.2.1]", sessions, b": ", theirs),
    joined(stamps, b" H=", _helos, b" [192.0.2.1]", sessions, b" F=<", theirs, b"> rejected RCPT"),
    joined(
        *(stamps, b" TLS error on connection from ", _helos, b" [192.0.2.1]:5 (SSL_accept): "),
        *(b"error:0A000102:SSL routines::unsupported protocol ", theirs),
    ),
    joined(stamps, b" no MAIL in SMTP connection from ", _helos, b" [192.0.2.1] D=0s", sessions),
    joined(stamps, b" ", theirs),
    theirs,
)
lines = st.one_of(arrivals, deliveries, others).map(lambda line: line.replace(b"\n", b"\\n"))

# Pieces that make something else of a line that they are put into.
_PIECES = (
    *(
        b" X=" + FAKE,
        b" CV=yes",
        b' DN="a"',
        b" H=h [192.0.2.3]",
        b" P=esmtps",
        b" S=1",
        b" R=r T=t",
    ),
    *(
        b'"',
        b"\\",
        b"(",
        b")",
        b"[",
        b"]",
        b"*",
        b"=",
        b" ",
        b"\t",
        b"\r",
        b"\x00",
        b"\x0b",
        b"\xff",
    ),
    *(
        b" A=plain:x",
        b" K",
        b' T="a"',
        b" <x>",
        b" F=<a b>",
        b" DS",
        b" I=[::1]:3",
        b" U=x",
        b" SNI=x",
    ),
    *(b" rejected ", b"TLS error on ", b"Completed", b"<= ", b"=> ", b"== ", b"** ", b"=* ", b"H="),
    *(b"@", b"TLS", b"DANE ", b"MTA-STS", b": TLS session: x", b": DANE error: tlsa lookup FAIL"),
    *(b".1", b" +0100", b" [3]", b" ST=x", b" PS=a", b"X=", b"P=", b"R="),
)


@st.composite
def _bent(draw: st.DrawFn) -> bytes:
    """A line with pieces put in, left out and cut off, mostly where a field begins or ends."""
    line = draw(lines)
    for _ in range(draw(st.integers(0, 3))):
        seams = [n for n, byte in enumerate(line) if byte in b' []"=()'] or [0]
        at = draw(st.one_of(st.sampled_from(seams), st.integers(0, len(line))))
        out = draw(st.sampled_from((0, 0, 0, 1, 2, 5, len(line))))
        line = line[:at] + draw(st.sampled_from(_PIECES)) + line[at + out :]
    return line.replace(b"\n", b"")


bent = _bent()

"""The lines of Exim's log that everybody writes, a whole block of them by one expression. Pure.

An expression that reads a line from its beginning and allows no blank, quote or bracket where
others write is as strict as `exim.parse` and several times as fast; it leaves every other line to
that. That both say the same is tested for lines of all kinds. `exim_native.c` is its twin.
"""

import re
from collections.abc import Callable, Mapping

from audit.traffic.exim_count import COUNTED
from audit.traffic.seen import Gone
from audit.traffic.tally import Messages, Sent, Way
from audit.traffic.where import Came, Went

# Of COUNTED.
_COMPLETED, _DEFERRED, _FAILED, _LOCAL, _REJECTED, _OTHER = 0, 1, 2, 3, 4, 6


def _maybe(expression: bytes) -> bytes:
    """Something or nothing, in the form that costs least."""
    return rb"(?:" + expression + rb"|)"


def _without(letters: bytes, more: bytes = b"") -> bytes:
    """What follows on a line, without `P=` for the letter P, and without other characters."""
    other = rb"[^" + letters + more + rb"\n]*"
    return other + rb"(?:[" + letters + rb"](?!=)" + other + rb")*"


_PORT = _maybe(rb":\d+")
_PEER = rb"\[([0-9a-fA-F.:]+)\]" + _PORT
_INTERFACE = _maybe(rb" I=\[[^\]\s]+\]" + _PORT)
_SESSION = rb" X=[\w.:+-]+\*?" + _maybe(rb" CV=\w+")
_SUBJECT = _without(b"PRX", rb"\"\\")
_TLS = _maybe(_SESSION + _maybe(rb' DN="' + _SUBJECT + rb'"'))
_TLS_OF_SENT = _maybe(rb"(" + _SESSION + rb")" + _maybe(rb' DN="(' + _SUBJECT + rb')"'))
_WITHOUT_FIELDS = _without(rb"PRX", rb'"')
_ARRIVED = (
    rb"<= [^\s\"]+"
    + _maybe(rb" DS")
    + rb" H="
    + _maybe(rb"[^\s()\[\]=\"]+ ")
    + _maybe(rb"\([^\s()=\"]*\) ")
    + _PEER
    + _INTERFACE
    + rb" P=([\w-]+(?:(?<=s)|(?<=sa)|(?! X=))"
    + _TLS
    + _maybe(rb" A=\S+")
    + rb")"
    + _maybe(rb" K")
    + rb" S=\d"
    + _WITHOUT_FIELDS
    + _maybe(rb" T=\"[^PX\"\\\n]*\"" + _WITHOUT_FIELDS)
)
_SENT = (
    rb"[=-]> [^\s\"@]+"
    + _maybe(rb"@([^\s\"@]+)")
    + _maybe(rb" <[^\s\">]*>")
    + _maybe(rb" F=<[^\s\">]*>")
    + _maybe(rb" P=<[^\s\">]*>")
    + rb" R=\S+ T=(\S+)"
    + _maybe(rb" ST=\S+")
    + _maybe(rb" S=\d+")
    + _maybe(rb" H=(\S+" + _maybe(rb" DS") + rb") " + _PEER + rb"\*?" + _INTERFACE + _TLS_OF_SENT)
    + rb"(?! (?:ST|S|H|I|X|CV|DN)=)"
    + _maybe(rb" " + _without(rb"RX"))
)
# Why it was put off is looked at elsewhere, where it may be for want of TLS.
_PUT_OFF = rb"(==|\*\*) [^XTDM\n]*(?:(?:X(?!=)|T(?!LS)|D(?!ANE )|M(?!TA-STS))[^XTDM\n]*)*"
_LINE = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    + _maybe(rb"\.\d+")
    + _maybe(rb" [+-]\d{4}")
    + _maybe(rb" \[\d+\]")
    + rb" (?:(\w{6}-\w{6}-\w{2}|\w{6}-\w{11}-\w{4}) (?:"
    + rb"|".join((_ARRIVED, _SENT, rb"(C)ompleted[^X\n]*", _PUT_OFF))
    + rb")|(H=(?![^\n]*TLS error on )[^\n]*))\n|([^\n]*)\n"
)
_NAMED = re.compile(rb" X=[^\n]*")


def count(  # noqa: C901, PLR0913, PLR0917 - where every line goes through
    block: bytes,
    begun: Messages,
    came: Mapping[bytes, Came],
    went: Mapping[bytes, Went],
    ways: Mapping[Way, Gone],
    copy: Callable[[bytes, Sent], None],
    other: Callable[[bytes], None],
) -> tuple[int, int, tuple[int, ...]]:
    """Count lines.

    Args:
        block: whole lines, each with its end.
        begun: what the node whose lines they are has begun.
        came: the ways by which mails come, by what stands from P= to A=.
        went: what copies go by, by transport and X= to CV=; `sent` in it by the recipient's
            domain, name (and DS), address and subject; with line ends between them.
        ways: where all of these count besides.
        copy: takes a copy that is not the first of its message there.
        other: takes a line that is none of these.

    Returns:
        How many lines are not other ones; how many name a TLS session, other ones too; and how many
        there are of each kind in `COUNTED`.
    """
    counts = [0] * len(COUNTED)
    others = 0
    found = _LINE.findall(block)
    begin, known, complete = begun.setdefault, begun.get, begun.pop
    for line in found:
        identity = line[0]
        if line[1]:
            begin(identity, ())
            row, mails, hosts = came[line[2]]
            host = hosts[line[1]]
            for seen in (row, *host) if isinstance(host, tuple) else (row, mails, host):
                seen.count += 1
        elif line[5]:
            row, copies, those = went[line[4] + b"\n" + line[7]]
            row.count += 1
            sent = those[b"\n".join((line[3], line[5], line[6], line[8]))]
            if sent is None:
                continue
            copies.count += 1
            ways[sent[2]].count += 1
            if known(identity) == ():
                begun[identity] = (sent,)
            else:
                copy(identity, sent)
        elif line[9]:
            counts[_COMPLETED] += 1
            complete(identity, None)
        elif line[10]:
            counts[_DEFERRED if line[10] == b"==" else _FAILED] += 1
        elif text := line[11]:
            counts[(_REJECTED if b" rejected " in text else _OTHER) + (b" X=" in text)] += 1
        elif identity:
            counts[_LOCAL] += 1
        else:
            others += 1
            other(line[12])
    return len(found) - others, len(_NAMED.findall(block)), tuple(counts)


def alike(block: bytes, size: int) -> bool:
    """Whether all lines begin with the same so many bytes."""
    return block.count(b"\n" + block[:size]) == block.count(b"\n") - 1

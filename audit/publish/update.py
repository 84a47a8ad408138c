"""Changes of a zone by dynamic update (RFC 2136), signed (RFC 8945)."""

from collections.abc import Sequence

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.tsig
import dns.update

from audit.domain.nameserver import Nameserver
from audit.errors import UNDETERMINED, MailsealError
from audit.publish.model import Change
from audit.publish.snippet import presented

_SECONDS = 15.0
_CONCURRENT = (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN)
_WHY = {
    dns.rcode.REFUSED: "refuses: this key may not change it",
    dns.rcode.NOTAUTH: "does not take changes: it is not its primary",
    dns.rcode.NOTZONE: "says that a name is in another zone",
    dns.rcode.NOTIMP: "knows no dynamic update",
}


class Concurrent(MailsealError):
    """What was to be changed is no more what it was; nothing was done."""


def send(
    zone: dns.name.Name, changes: Sequence[Change], primary: Nameserver, key: dns.tsig.Key
) -> None:
    """Make all of the changes, or none.

    Raises:
        Concurrent: somebody was faster.
        MailsealError: the primary will not, or does not answer.
    """
    name = zone.to_text(omit_final_dot=True)
    words, signer = f"primary {primary}, zone {name}:", key.name.to_text(omit_final_dot=True)
    try:
        answer = dns.query.tcp(
            message(zone, changes, key), primary.address, timeout=_SECONDS, port=primary.port
        )
    except dns.tsig.PeerBadKey:
        raise MailsealError(f"{words} it takes no changes by the key {signer} (BADKEY)") from None
    except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature):
        raise MailsealError(f"{words} it has another secret for {signer} (BADSIG)") from None
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        why = "its clock and ours differ too much (BADTIME)"
        raise MailsealError(f"{words} {why}", UNDETERMINED) from None
    except dns.exception.Timeout:
        why = "no answer in time; whether the change was made is not known"
        raise MailsealError(f"{words} {why}", UNDETERMINED) from None
    except OSError as error:
        why = f"no answer: {error.strerror or error}"
        raise MailsealError(f"{words} {why}", UNDETERMINED) from None
    except (dns.exception.DNSException, ValueError) as error:
        why = f"what it answers is malformed: {error}"
        raise MailsealError(f"{words} {why}", UNDETERMINED) from None
    _judge(answer, words)


def message(
    zone: dns.name.Name, changes: Sequence[Change], key: dns.tsig.Key
) -> dns.update.UpdateMessage:
    """The update; it holds only where everything is as it was when it was looked at."""
    update = dns.update.UpdateMessage(zone, keyring=key)
    for change in changes:
        _add(update, change)
    return update


def _add(update: dns.update.UpdateMessage, change: Change) -> None:
    name, kind = dns.name.from_text(change.place.owner), change.place.kind
    before, after = change.before, change.after
    if before is None:
        update.absent(name, kind)
    # A text may be in other strings than we would put it in, so it can be changed as a whole only.
    whole = before is not None and kind == "TXT"
    if whole:
        update.present(name, kind)
    for one in before.data if before and not whole else ():
        update.present(name, _rdata(change, one))
    added, removed = change.added, change.removed
    if before and after and (whole or before.ttl != after.ttl):  # a set has one time to live
        update.delete(name, kind)
        added, removed = after.data, frozenset()
    for one in removed:
        update.delete(name, _rdata(change, one))
    if after:
        for one in added:
            update.add(name, after.ttl, _rdata(change, one))


def _rdata(change: Change, data: str) -> dns.rdata.Rdata:
    text = presented(change.place, data)
    return dns.rdata.from_text(dns.rdataclass.IN, change.place.kind, text)


def _judge(answer: dns.message.Message, words: str) -> None:
    code = answer.rcode()
    if code in _CONCURRENT:
        why = "somebody changed these records meanwhile; nothing was done, run it again"
        raise Concurrent(f"{words} {why}", UNDETERMINED)
    if code != dns.rcode.NOERROR:
        why = _WHY.get(code, "does not make the change")
        raise MailsealError(f"{words} it {why} ({dns.rcode.to_text(code)})")
    if not answer.had_tsig:
        why = "what it answers is not signed, so whether the change was made is not known"
        raise MailsealError(f"{words} {why}", UNDETERMINED)

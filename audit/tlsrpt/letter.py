"""The mail that a report goes in, not signed: that is the mail server's. Pure.

Source: RFC 8460, sections 5.1 to 5.3; RFC 8689, section 4.1: it is to arrive where TLS fails, too.
"""

import gzip
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from audit.tlsrpt.compose import Own, Sender
from audit.tlsrpt.report import encode


def letter(own: Own, sender: Sender, recipients: tuple[str, ...], written: datetime) -> bytes:
    """The mail, with lines as Unix has them."""
    identity = own.report.report_id
    message = EmailMessage()
    message["From"] = sender.contact
    message["To"] = ", ".join(recipients)
    message["Date"] = format_datetime(written)
    message["Message-ID"] = f"<{identity}>"
    message["Subject"] = (
        f"Report Domain: {own.domain} Submitter: {sender.submitter} Report-ID: <{identity}>"
    )
    message["TLS-Report-Domain"] = own.domain
    message["TLS-Report-Submitter"] = sender.submitter
    message["TLS-Required"] = "No"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"This is an aggregate TLS report of {sender.organization} about mail to {own.domain}\n"
        f"on {own.day} (UTC), as RFC 8460 has it. Questions: {sender.contact}\n"
    )
    message.make_mixed(boundary=f"=_{sha256(identity.encode()).hexdigest()[:32]}")
    message.add_attachment(
        gzip.compress(encode(own.report), mtime=0),
        maintype="application",
        subtype="tlsrpt+gzip",
        filename=f"{own.name}.json.gz",
    )
    message.replace_header(
        "Content-Type",
        message["Content-Type"].replace(
            "multipart/mixed", 'multipart/report; report-type="tlsrpt"'
        ),
    )
    return message.as_bytes()

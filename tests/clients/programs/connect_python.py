"""Hands in and reads mail as Python's own modules do. Port and protocol are the arguments."""

import imaplib
import smtplib
import ssl
import sys

port, protocol = int(sys.argv[1]), sys.argv[2]
if protocol == "smtp":
    smtplib.SMTP("localhost", port).starttls(context=ssl.create_default_context())
else:
    imaplib.IMAP4_SSL("localhost", port, ssl_context=ssl.create_default_context())

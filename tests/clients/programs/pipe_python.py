"""Connects to localhost with Python's ssl and what ssl.create_default_context() sets.

The port is the argument, and a second one the ciphers, if they are to be others. What comes in goes
there, and what comes from there goes out, until either ends.
"""

import os
import socket
import ssl
import sys
import threading

context = ssl.create_default_context()
context.check_hostname = False  # it is led here, whatever the server is called
if sys.argv[2:]:
    context.set_ciphers(sys.argv[2])
    context.maximum_version = ssl.TLSVersion.TLSv1_2


def back(tls: ssl.SSLSocket) -> None:
    while said := tls.recv(1 << 14):
        os.write(1, said)
    os.close(1)


raw = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
with raw, context.wrap_socket(raw, server_hostname="localhost") as tls:
    threading.Thread(target=back, args=(tls,), daemon=True).start()
    while said := os.read(0, 1 << 14):
        tls.sendall(said)

"""Connects to localhost with wolfSSL's default client. The port is the argument.

What comes in goes there, and what comes from there goes out, until either ends.
"""

import ctypes
import os
import select
import socket
import sys

wolf = ctypes.CDLL("libwolfssl.so.35")
for name in ("wolfSSLv23_client_method", "wolfSSL_CTX_new", "wolfSSL_new"):
    getattr(wolf, name).restype = ctypes.c_void_p
wolf.wolfSSL_Init()
context = ctypes.c_void_p(wolf.wolfSSL_CTX_new(ctypes.c_void_p(wolf.wolfSSLv23_client_method())))
wolf.wolfSSL_CTX_set_verify(context, 0, None)
session = ctypes.c_void_p(wolf.wolfSSL_new(context))
wolf.wolfSSL_UseSNI(session, 0, b"localhost", 9)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    wolf.wolfSSL_set_fd(session, connection.fileno())
    if wolf.wolfSSL_connect(session) != 1:
        sys.exit(1)
    room = ctypes.create_string_buffer(1 << 14)  # a record at most, so none is left behind
    while True:
        ready, _, _ = select.select([connection.fileno(), 0], [], [])
        if connection.fileno() in ready:
            if (size := wolf.wolfSSL_read(session, room, len(room))) <= 0:
                break
            os.write(1, room.raw[:size])
        if 0 in ready:
            if not (said := os.read(0, 1 << 14)):
                break
            wolf.wolfSSL_write(session, said, len(said))

"""Connects to localhost with wolfSSL's default client. The port is the argument."""

import ctypes
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
    sys.exit(wolf.wolfSSL_connect(session) != 1)

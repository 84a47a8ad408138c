"""Mail logs as numbers: lines, what they say of TLS, and tables. No I/O but in `read` and `work`."""

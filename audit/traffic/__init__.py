"""Mail logs as numbers: lines, what they say of TLS, and tables."""

"""TLS reports (RFC 8460): what others met when they sent to us, and what we tell others."""

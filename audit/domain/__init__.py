"""A mail domain as others see it: what DNS and its policy host say. The network I/O is here."""

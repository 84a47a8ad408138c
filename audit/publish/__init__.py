"""The records of our own domains: made, published, and changed without a gap."""

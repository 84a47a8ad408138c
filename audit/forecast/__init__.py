"""What a client and a server would agree on: an offer times a server gives an outcome. No I/O."""

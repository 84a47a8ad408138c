"""MTA-STS on the side that sends (RFC 8461). It runs on mail hosts: standard library only."""

"""The only network I/O: endpoints in, facts out."""

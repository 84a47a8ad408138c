"""Bytes and dialogues of the wire, without I/O."""

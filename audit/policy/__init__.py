"""Policies: what they say, how they are read, and what they compile to."""

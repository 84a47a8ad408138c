"""Real mail daemons in namespaces of their own, and what they must look like from the wire."""

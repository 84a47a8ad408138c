"""The built-in staging cluster: mail hosts as Linux namespaces on one cached Debian root."""

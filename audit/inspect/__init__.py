"""The only I/O on hosts: one script a host, turned into facts."""

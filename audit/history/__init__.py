"""The history of runs: what every audit found, kept so that the next can be compared with it.

Importing this package is cheap: the database is loaded by who opens it.
"""

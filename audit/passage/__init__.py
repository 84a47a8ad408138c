"""A real login at, and a real mail through, every endpoint of an inventory.

The prober never logs in and never sends mail; this does, when somebody asks for it.
"""

"""Who would a change of policy hurt? What logs say of clients, weighed by another policy."""

"""`mailseal staging`: the candidate is tried on a staging cluster before production gets it."""

"""The steps, each named by the edition that it leads to."""

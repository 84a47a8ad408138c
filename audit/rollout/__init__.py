"""Rollouts as they were recorded: what is written while one runs, and what is read of it later."""

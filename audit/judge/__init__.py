"""Policy times facts gives findings. Pure functions, one module a subject."""

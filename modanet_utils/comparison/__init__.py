"""Notebooks 02 and 03: what a loss gives, and what it costs."""

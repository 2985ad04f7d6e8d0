"""Notebook 06: what repairs it, and what the loss is really worth."""

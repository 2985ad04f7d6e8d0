"""Notebook 01: how rare is rare, and why."""

"""Notebook 04: where the errors are; `causes` says why."""

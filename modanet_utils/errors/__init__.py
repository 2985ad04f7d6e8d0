"""Notebooks 04 and 05: where the errors are; `causes` says why."""

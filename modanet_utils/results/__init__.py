"""What a series of notebooks found: ``results.json``, its claims, and how it is told. Loads no torch."""

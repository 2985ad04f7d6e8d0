"""The report: executes the notebooks, writes pages, README and the other generated texts."""

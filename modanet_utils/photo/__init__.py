"""Notebook 07: one's own photo, from a file or an array to label maps, overlays and a model card."""

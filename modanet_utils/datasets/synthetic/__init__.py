"""Drawn people with known truth: the data set that works anywhere and needs nothing."""

from modanet_utils.datasets.synthetic.drawn import VERSION, generate, main

__all__ = ["VERSION", "generate", "main"]

"""Helpers behind the numbered notebooks: clothing segmentation under class imbalance."""

__version__ = "0.1.0"

"""Helpers behind the numbered notebooks: clothing segmentation under class imbalance."""

import importlib
import warnings

import cv2

__version__ = "0.1.0"

# OpenCV's threads do not survive a fork: a process that loads data would wait for them forever. The cores
# belong to the network anyway.
cv2.setNumThreads(0)

# A library draws its progress bars with ipywidgets, which the project does not need, and complains in notebooks.
warnings.filterwarnings("ignore", message="IProgress not found")


def __getattr__(name: str) -> object:
    if name == "segment":
        return importlib.import_module("modanet_utils.photo.network").segment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Class weights from pixel shares, and what each scheme implies."""

import difflib
from collections.abc import Iterable

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets import Dataset

SCHEMES: tuple[str, ...] = ("none", "inverse_sqrt", "median_frequency", "effective_number", "inverse")


def image_pixels(dataset: Dataset, ids: Iterable[int]) -> np.ndarray:
    """Pixels per image and class, ``(images, 14) int64``; hair and skin count as background."""
    pixels = np.stack([dataset.pixels(image_id) for image_id in ids])
    pixels[:, 0] += pixels[:, len(CLASSES) :].sum(1)
    return pixels[:, : len(CLASSES)]


def class_weights(pixels: np.ndarray, scheme: str, beta: float = 0.999) -> np.ndarray:
    """One weight per class, mean 1.

    Args:
        pixels: ``(images, 14)`` integer, from `image_pixels` over the training part.
        scheme: One of `SCHEMES`. With share f_c of all pixels:
            ``none`` 1; ``inverse_sqrt`` f_c^-1/2; ``inverse`` 1/f_c;
            ``median_frequency`` median(g)/g_c, g_c = pixels of c / pixels of the images that contain c (Eigen
            and Fergus, ICCV 2015); ``effective_number`` (1 - beta)/(1 - beta^n_c), n_c = images that contain c
            (Cui et al., CVPR 2019, whose samples are images).
        beta: For ``effective_number``.

    Returns:
        ``(14,) float64``. A class that never occurs gets the largest weight of those that do.

    Raises:
        ValueError: Unknown scheme (the nearest valid one is named), or no pixels.
    """
    pixels = np.asarray(pixels)
    if scheme not in SCHEMES:
        near = difflib.get_close_matches(str(scheme), SCHEMES, 1, 0)[0]
        raise ValueError(f"class_weights {scheme!r} is unknown; did you mean {near!r}? Valid: {', '.join(SCHEMES)}.")
    if pixels.ndim != 2 or not pixels.sum():
        raise ValueError(f"pixels has shape {pixels.shape}: give pixels per image and class, not all zero.")
    images = (pixels > 0).sum(0)
    seen = images > 0
    share = pixels.sum(0) / pixels.sum()
    share_where_present = pixels.sum(0) / np.maximum(1, ((pixels > 0) * pixels.sum(1, keepdims=True)).sum(0))
    with np.errstate(divide="ignore"):
        weights = {
            "none": np.ones(len(share)),
            "inverse_sqrt": share**-0.5,
            "inverse": 1 / share,
            "median_frequency": np.median(share_where_present[seen]) / share_where_present,
            "effective_number": (1 - beta) / (1 - beta ** images.astype(float)),
        }[scheme]
    weights = np.where(seen, weights, weights[seen].max())
    return weights / weights.mean()


def posterior_threshold(weights: np.ndarray) -> np.ndarray:
    """Posterior at which weighted cross-entropy makes a class win over background, ``(C,)``.

    The weighted loss is least where the output is proportional to weight times posterior, so class c beats
    background (index 0) above w_0 / (w_0 + w_c); without weights that is 0.5.
    """
    weights = np.asarray(weights, float)
    return weights[0] / (weights[0] + weights)


RARE_SHARE = 0.005
"""A class is called rare below this share of all training pixels (fixed before any training)."""


def rare_classes(pixels: np.ndarray) -> list[str]:
    """Clothing classes whose share of the pixels ``(images, 14)`` is below `RARE_SHARE`, rarest first."""
    share = np.asarray(pixels).sum(0) / np.asarray(pixels).sum()
    rare = [label for label in range(1, len(CLASSES)) if share[label] < RARE_SHARE]
    return [CLASSES[label] for label in sorted(rare, key=lambda label: share[label])]

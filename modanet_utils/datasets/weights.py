"""Class weights from pixel shares, and what each scheme implies."""

from collections.abc import Iterable, Mapping

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import Dataset
from modanet_utils.metrics import fold_body
from modanet_utils.project import ProjectError, did_you_mean
from modanet_utils.thresholds import RARE_SHARE

SCHEMES: tuple[str, ...] = ("none", "inverse_sqrt", "median_frequency", "effective_number", "inverse")


def folded(pixels: np.ndarray) -> np.ndarray:
    """Pixels per label ``(..., 16)`` as pixels per class ``(..., 14)``: hair and skin count as background.

    >>> folded(np.arange(16)).tolist()[:3]
    [29, 1, 2]
    """
    return fold_body(pixels[..., None], len(CLASSES))[..., 0]


def image_pixels(dataset: Dataset, ids: Iterable[int]) -> np.ndarray:
    """Pixels per image and class, ``(images, 14) int64``; hair and skin count as background."""
    return folded(np.stack([dataset.pixels(image_id) for image_id in ids]))


def class_weights(pixels: np.ndarray, scheme: str | Mapping[str, float], beta: float = 0.999) -> np.ndarray:
    """One weight per class, ``(14,) float64``, mean 1; a class that never occurs gets the largest of the others.

    Args:
        pixels: ``(images, 14)`` integer, from `image_pixels` over the training part.
        scheme: One of `SCHEMES`. With share f_c of all pixels:
            ``none`` 1; ``inverse_sqrt`` f_c^-1/2; ``inverse`` 1/f_c;
            ``median_frequency`` median(g)/g_c, g_c = pixels of c / pixels of the images that contain c (Eigen
            and Fergus, ICCV 2015); ``effective_number`` (1 - beta)/(1 - beta^n_c), n_c = images that contain c
            (Cui et al., CVPR 2019, whose samples are images). Or weights by name: a class that is not named weighs 1.

    Raises:
        ValueError: Unknown scheme, or no pixels.

    >>> class_weights([[90, 10]], "inverse").round(2).tolist()
    [0.2, 1.8]
    >>> class_weights([[90, 10]], {"background": 2, "bag": 14}).round(2).tolist()[:3]
    [1.0, 7.0, 0.5]
    """
    pixels = np.asarray(pixels)
    if isinstance(scheme, Mapping):
        if unknown := [name for name in scheme if name not in CLASSES]:
            raise ProjectError(f"class_weights name {unknown[0]!r}: {did_you_mean(unknown[0], CLASSES)}")
        weights = np.array([scheme.get(name, 1.0) for name in CLASSES])
        return weights / weights.mean()
    if scheme not in SCHEMES:
        raise ProjectError(f"class_weights {scheme!r} is unknown: {did_you_mean(scheme, SCHEMES)}")
    if pixels.ndim != 2 or not pixels.sum():
        raise ValueError(f"pixels has shape {pixels.shape}: give pixels per image and class, not all zero.")
    images, share = (pixels > 0).sum(0), pixels.sum(0) / pixels.sum()
    seen = images > 0
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

    The weighted loss is least where the output is proportional to weight times posterior: class c beats background
    (index 0) above w_0 / (w_0 + w_c).

    >>> posterior_threshold([1, 3]).tolist()
    [0.5, 0.25]
    """
    weights = np.asarray(weights, float)
    return weights[0] / (weights[0] + weights)


def rare_classes(pixels: np.ndarray) -> list[str]:
    """Clothing classes whose share of the pixels ``(images, 14)`` is below `RARE_SHARE`, rarest first.

    >>> rare_classes([[997, 1] + [20] * 12])
    ['bag']
    """
    share = np.asarray(pixels).sum(0) / np.asarray(pixels).sum()
    return [CLASSES[label] for label in np.argsort(share, kind="stable") if label and share[label] < RARE_SHARE]

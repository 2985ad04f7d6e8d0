"""The claims of notebook 01."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils.classes import LABELS
from modanet_utils.imbalance.scan import Counts, Scan
from modanet_utils.metrics import ratio
from modanet_utils.results.claims import Claim
from modanet_utils.statistics import Estimate, bootstrap
from modanet_utils.thresholds import INFREQUENT, REFERENCE, SMALL

SMALL_THINGS = ("sunglasses", "belt")
INFREQUENT_THINGS = ("boots", "shorts", "headwear", "scarf & tie")


@dataclass(frozen=True)
class Evidence:
    """What the claims are decided on: the scan of all images; the training part's ``(images, 14)`` for weights."""

    scan: Scan
    training_pixels: Counts

    @property
    def truth(self) -> Counts:
        return self.scan.pixels


def interval(counts: Counts, measure: Callable[[NDArray], NDArray]) -> Estimate:
    """A measure of sums ``(..., K)``, with its 95% bootstrap interval over images, of counts ``(images, K)``."""
    return bootstrap(counts[:, :, None], lambda summed: measure(np.asarray(summed, np.float64)[..., 0]))


def background_share(pixels: NDArray) -> NDArray:
    """Share of background of pixels ``(..., 14)``."""
    return ratio(pixels[..., 0], pixels.sum(-1))


def _rarest(pixels: NDArray) -> NDArray:
    """Pixels of the rarest clothing class that occurs, infinite if none does; ``(..., 14)``."""
    return np.where(pixels[..., 1:] > 0, pixels[..., 1:], np.inf).min(-1)


def rarest_to_commonest(pixels: NDArray) -> NDArray:
    """Pixels of the rarest clothing class that occurs, divided by those of the commonest; ``(..., 14)``."""
    return ratio(_rarest(pixels), pixels[..., 1:].max(-1))


def inverse_threshold(pixels: NDArray) -> NDArray:
    """Lowest posterior at which clothing wins over background with raw inverse weights; ``(..., 14)``.

    With weights 1 / share the threshold w_0 / (w_0 + w_c) is n_c / (n_c + n_0), n the pixels.
    """
    with np.errstate(invalid="ignore"):
        return _rarest(pixels) / (_rarest(pixels) + pixels[..., 0])


def shares(counts: NDArray) -> NDArray:
    """Shares ``(..., K)`` from pairs (yes, no): ``(..., 2 K)`` as yes, no, yes, no, ..."""
    return ratio(counts[..., 0::2], counts[..., 0::2] + counts[..., 1::2])


def image_counts(scan: Scan, names: Sequence[str]) -> Counts:
    """Per image 1, 0 where it shows a class and 0, 1 where not, for each class: ``(images, 2 K)``."""
    shown = scan.pixels[:, [LABELS.index(name) for name in names]] > 0
    known = np.asarray(shown.any(axis=0))[:, None]  # a class that no image shows has no share
    return (np.stack([shown, ~shown], -1) * known).reshape(len(shown), -1).astype(np.int64)


def small_counts(scan: Scan, names: Sequence[str], below: float = SMALL) -> Counts:
    """Per image a class's objects with fewer pixels than that in `REFERENCE`, and the others: ``(images, 2 K)``."""
    counted = scan.objects.assign(small=scan.objects["scaled"] < below).groupby(["image", "label", "small"]).size()
    cells = pd.MultiIndex.from_product([scan.ids, [LABELS.index(name) for name in names], [True, False]])
    return counted.reindex(cells, fill_value=0).to_numpy(np.int64).reshape(len(scan.ids), -1)


_SMALL = f"share of their objects below {SMALL} pixels at {REFERENCE[0]}x{REFERENCE[1]}, the"

CLAIMS: tuple[Claim, ...] = (
    Claim("imbalance", "The classes are severely imbalanced.",
          "pixels of the rarest clothing class divided by those of the commonest",
          lambda e: interval(e.scan.image_pixels(), rarest_to_commonest), below=0.05),
    Claim("background-dominates", "Background dominates.", "share of background among all pixels",
          lambda e: interval(e.scan.image_pixels(), background_share), above=0.5),
    Claim("small-things", "Sunglasses and belts are small.", f"{_SMALL} lower of the two",
          lambda e: interval(small_counts(e.scan, SMALL_THINGS), lambda c: shares(c).min(-1)), above=0.5),
    Claim("small-not-infrequent", "Sunglasses and belts are not infrequent.",
          "share of the images that show them, the lower of the two",
          lambda e: interval(image_counts(e.scan, SMALL_THINGS), lambda c: shares(c).min(-1)), above=INFREQUENT),
    Claim("infrequent-things", "Boots, shorts, headwear and scarves are infrequent.",
          "share of the images that show them, the highest of the four",
          lambda e: interval(image_counts(e.scan, INFREQUENT_THINGS), lambda c: shares(c).max(-1)), below=INFREQUENT),
    Claim("infrequent-not-small", "Boots, shorts, headwear and scarves are not small.", f"{_SMALL} highest of the four",
          lambda e: interval(small_counts(e.scan, INFREQUENT_THINGS), lambda c: shares(c).max(-1)), below=0.5),
    Claim("inverse-is-extreme", "Weights of one over the share let a rare class win on next to no evidence.",
          "lowest probability at which a class wins over background with these weights, training part",
          lambda e: interval(e.training_pixels, inverse_threshold), below=0.01),
)  # fmt: skip

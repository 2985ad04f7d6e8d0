"""Images chosen by rule, and what is wrong where in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modanet_utils.classes import HAIR, HEADWEAR, IGNORE, SKIN
from modanet_utils.metrics import fold_labels, image_mean_iou, ratio

ERROR_KINDS: dict[str, str] = {
    "right": "#f2f2ef",
    "clothing missed": "#0072b2",
    "one garment for another": "#cc79a7",
    "background called clothing": "#e69f00",
    "hair called clothing": "#000000",
    "skin called clothing": "#d55e00",
    "ignored": "#bdbdbd",
}
"""What can be wrong with a pixel, in the order of `error_map`'s values, each with its colour in figures."""


def error_map(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is wrong where: ``(H, W) uint8``, values as in `ERROR_KINDS`."""
    expected = fold_labels(truth)
    wrong = prediction != expected
    kinds = np.zeros(truth.shape, np.uint8)
    kinds[wrong & (expected > 0)] = 2
    kinds[wrong & (expected > 0) & (prediction == 0)] = 1
    for kind, label in ((3, 0), (4, HAIR), (5, SKIN)):
        kinds[wrong & (truth == label)] = kind
    kinds[truth == IGNORE] = 6
    return kinds


@dataclass(frozen=True)
class Cases:
    """Ids of images chosen by rule: lowest mean IoU first, drawn from all, most hair called headwear first.

    ``scores`` is the mean IoU of every image; see `metrics.image_mean_iou`.
    """

    worst: list[int]
    random: list[int]
    hair: list[int]
    scores: dict[int, float]

    @property
    def all(self) -> list[int]:
        return sorted({*self.worst, *self.random, *self.hair})


def choose_cases(ids: Sequence[int], counts: NDArray, number: int = 4, seed: int = 0) -> Cases:
    """The images that the galleries show; ties go to the smaller position in ``ids``."""
    scores = image_mean_iou(counts)
    leaked = ratio(counts[:, HAIR, HEADWEAR], counts.sum(axis=(1, 2)))
    worst = [at for at in np.argsort(scores, kind="stable")[:number] if not np.isnan(scores[at])]
    drawn = np.random.default_rng(seed).choice(len(ids), min(number, len(ids)), replace=False)
    hair = [at for at in np.argsort(-leaked, kind="stable")[:number] if leaked[at] > 0]
    first, second, third = ([ids[at] for at in positions] for positions in (worst, drawn, hair))
    return Cases(first, second, third, dict(zip(ids, scores.tolist(), strict=True)))

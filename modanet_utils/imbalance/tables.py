"""What the scan counted, arranged: how rare each class is and in which way, and the weights that follow."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets.weights import SCHEMES, class_weights, posterior_threshold
from modanet_utils.imbalance.scan import Scan
from modanet_utils.thresholds import INFREQUENT, SMALL


def class_table(scan: Scan) -> pd.DataFrame:
    """One row per label (16).

    Returns:
        ``share`` of all pixels as painted; ``images`` that show the label and their ``image_share``; ``objects``
        and, over these, the ``median``, ``q10`` and ``q90`` of their pixels as annotated, the same scaled to
        `REFERENCE` (``scaled_median``, ...); NaN where there is no object.
    """
    table = pd.DataFrame(index=pd.Index(LABELS, name="class"))
    table["share"] = scan.pixels.sum(0) / scan.pixels.sum()
    table["images"] = (scan.pixels > 0).sum(0)
    table["image_share"] = table["images"] / len(scan.ids)
    groups = scan.objects.assign(label=[LABELS[label] for label in scan.objects["label"]]).groupby("label")
    table["objects"] = groups.size().reindex(LABELS, fill_value=0)
    for column, prefix in (("pixels", ""), ("scaled", "scaled_")):
        for name, level in (("median", 0.5), ("q10", 0.1), ("q90", 0.9)):
            table[prefix + name] = groups[column].quantile(level).reindex(LABELS)
    return table


def co_occurrence(scan: Scan) -> pd.DataFrame:
    """Images that show both classes, clothing x clothing (13, 13); the diagonal holds the images of one."""
    shown = (scan.pixels[:, 1 : len(CLASSES)] > 0).astype(np.int64)
    return pd.DataFrame(shown.T @ shown, index=list(CLOTHING), columns=list(CLOTHING))


def two_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Why each clothing class of `class_table` is rare: it is in few images, its objects are small, both, or neither.

    Returns:
        Fewest pixels first: ``share``, ``image_share``, ``scaled_median``, ``kind`` ("absent": without objects).
    """
    kinds = table.loc[list(CLOTHING), ["share", "image_share", "scaled_median"]].copy()
    small, infrequent = kinds["scaled_median"] < SMALL, kinds["image_share"] < INFREQUENT
    conditions = [kinds["scaled_median"].isna(), small & infrequent, small, infrequent]
    kinds["kind"] = np.select(conditions, ["absent", "small and infrequent", "small", "infrequent"], "neither")
    return kinds.sort_values("share", kind="stable")


def weight_table(pixels: np.ndarray) -> pd.DataFrame:
    """Class weights, 14 classes x schemes, of mean 1, from pixels per image and class ``(images, 14)``."""
    return pd.DataFrame({scheme: class_weights(pixels, scheme) for scheme in SCHEMES}, index=list(CLASSES))


def threshold_table(weights: pd.DataFrame) -> pd.DataFrame:
    """The posterior above which each class wins over background, for the weights of `weight_table`."""
    return weights.apply(posterior_threshold)


def typical_images(scan: Scan, labels: Sequence[int]) -> dict[int, int]:
    """For each label that occurs the image with the (lower) median of its pixels, of equals the smallest id."""
    chosen = {}
    for label in labels:
        pixels = scan.pixels[:, label]
        if pixels.any():
            middle = np.quantile(pixels[pixels > 0], 0.5, method="lower")
            chosen[label] = scan.ids[int((pixels == middle).argmax())]
    return chosen

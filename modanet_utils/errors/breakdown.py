"""Errors broken down: by outline, by size, by kind, and by part of the body; tables with intervals over images."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLOTHING
from modanet_utils.errors.places import KINDS, OUTLINES, PARTS
from modanet_utils.errors.tables import called_share, compared, estimates, share
from modanet_utils.metrics import ratio
from modanet_utils.statistics import Estimate, bootstrap
from modanet_utils.thresholds import FOUND_SHARE, SMALL_SHARE

SIZES: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Shares of the picture between which segments are sorted by size."""


def outline_table(outlines: NDArray) -> pd.DataFrame:
    """Boundary IoU per class, the columns of `OUTLINES` with intervals, from ``outlines`` of `places.examine`."""
    flat = outlines.swapaxes(1, 2).reshape(len(outlines), -1, 2)
    return estimates(pd.Index(CLOTHING, name="class"), list(OUTLINES), flat, share)


def fineness(outlines: NDArray, names: tuple[str, ...], against: str) -> Estimate:
    """Boundary IoU of some classes, pooled, minus that of something else in `OUTLINES`; with interval."""
    chosen = outlines[:, [CLOTHING.index(name) for name in names]].sum(axis=1)
    at = list(OUTLINES).index(against)
    return bootstrap(chosen, lambda summed: share(summed)[..., 0] - share(summed)[..., at])


def size_counts(counts: NDArray, edges: tuple[float, ...] = SIZES) -> NDArray[np.int64]:
    """Segments by size, from counts ``(images, 16, 14)``: ``(images, sizes, 5)``; one equal to an edge is above it.

    A segment is all of one class in one picture: a pair of shoes is one. The five: pixels found, missed, and
    called the class elsewhere in that picture; segments of which `FOUND_SHARE` or more is found, and others.
    """
    folded = metrics.fold_body(counts)
    hits, support, called = (a[:, 1:] for a in (np.diagonal(folded, axis1=1, axis2=2), folded.sum(2), folded.sum(1)))
    found = hits >= FOUND_SHARE * support
    values = np.stack([hits, support - hits, called - hits, found, ~found], axis=-1).astype(np.int64)
    table = np.zeros((len(counts), len(edges) + 1, 5), np.int64)
    rows, classes = np.nonzero(support > 0)
    size = (support / folded.sum(axis=(1, 2))[:, None])[rows, classes]
    np.add.at(table, (rows, np.searchsorted(edges, size, side="right")), values[rows, classes])
    return table


def size_table(counts: NDArray) -> pd.DataFrame:
    """A row a size: ``segments`` (number), ``iou``, ``recall`` and ``missed`` (hardly found), with intervals."""

    def measure(sizes: NDArray) -> NDArray:
        scores = share(sizes[..., :3]), share(sizes[..., :2]), share(sizes[..., 3:], 1)
        return np.concatenate(scores, axis=-1)

    table = size_counts(counts)
    edges = [f"{100 * edge:g}" for edge in SIZES]
    names = [f"{low}–{high}%" for low, high in zip(("0", *edges), edges, strict=False)]
    frame = pd.DataFrame(index=pd.Index([*names, f"over {edges[-1]}%"], name="share of the picture"))
    frame["segments"] = table[..., 3:].sum(axis=(0, 2))
    return frame.join(estimates(frame.index, ("iou", "recall", "missed"), table, measure))


def small_missed(counts: NDArray) -> Estimate:
    """Share of small segments that are hardly found, minus that of the others; with interval."""
    table = size_counts(counts, (SMALL_SHARE,))[..., 3:]
    return bootstrap(table, lambda summed: called_share(summed)[..., 0] - called_share(summed)[..., 1])


def kind_table(kinds: NDArray) -> pd.DataFrame:
    """What mending one kind of error would bring, per class and on average, from ``kinds`` of `places.examine`.

    Returns:
        A row a class and "mean" last: ``iou``, then for every kind of `KINDS` ``KIND`` (gain of IoU from mending
        missed and false pixels of that kind), with ``_low`` and ``_high``, and ``missed_KIND``, ``false_KIND``
        (pixels, as a share of the class's true pixels).
    """

    def measure(summed: NDArray) -> NDArray:
        now, right, missed, false = share(summed), summed[..., 0], summed[..., 1:4], summed[..., 4:]
        mended = ratio(right[..., None] + missed, summed.sum(axis=-1)[..., None] - false) - now[..., None]
        values = np.stack([now, *np.moveaxis(mended, -1, 0)], axis=-2)
        defined = np.isfinite(values)
        means = ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))
        return np.concatenate([values, means[..., None]], axis=-1)

    table = estimates(pd.Index([*CLOTHING, "mean"], name="class"), ("iou", *KINDS), kinds, measure)
    pooled = kinds.sum(axis=0)
    for at, name in enumerate(KINDS):
        for side, first in (("missed", 1), ("false", 4)):
            table[f"{side}_{name}"] = [*ratio(pooled[:, first + at], pooled[:, :4].sum(axis=1)), np.nan]
    return table


def growth(counts: NDArray) -> NDArray[np.float64]:
    """Predicted area divided by true area of the clothing classes and of all clothing: ``(..., 14)``."""
    folded = metrics.fold_body(counts)
    predicted, true = folded.sum(axis=-2)[..., 1:], folded.sum(axis=-1)[..., 1:]
    total = ratio(predicted.sum(axis=-1), true.sum(axis=-1))
    return np.concatenate([ratio(predicted, true), total[..., None]], axis=-1)


def growth_table(before: NDArray, after: NDArray) -> pd.DataFrame:
    """`growth` of two trials: a row a class and "all clothing"; ``before`` and ``after`` with intervals."""
    index = pd.Index([*CLOTHING, "all clothing"], name="class")
    return estimates(index, ["before"], before, growth).join(estimates(index, ["after"], after, growth))


def part_table(before: NDArray, after: NDArray) -> pd.DataFrame:
    """Skin called clothing by part of the body, from ``parts`` of `places.examine` for two trials.

    A row a part of `PARTS`: ``skin`` (share of all skin), then the columns of `tables.compared`.
    """
    skin = ratio(after.sum(axis=(0, 2)), after.sum())
    return pd.DataFrame({"skin": skin, **compared(before, after, called_share)}, pd.Index(PARTS.values(), name="part"))

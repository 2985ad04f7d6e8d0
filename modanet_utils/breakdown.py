"""Errors broken down: by outline, by size, by kind, and by part of the body.

`examine` looks at one picture and is passed to `errors.scan`; everything else turns its counts, or those of a
run, into tables with intervals over images.
"""

from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, CLOTHING, IGNORE, LABELS, SKIN
from modanet_utils.errors import FOUND_SHARE, SHIFT
from modanet_utils.exploration import REFERENCE, SMALL
from modanet_utils.metrics import ratio
from modanet_utils.statistics import bootstrap, ends, paired_comparison

WIDTH = 2
"""Thickness of the band in boundary IoU, in pixels of the photo."""
OUTLINES: dict[str, str] = {
    "found": "the prediction",
    "limit": "resolution alone",
    "pixel": "truth shifted by a pixel",
    "network_pixel": "truth shifted by a pixel of the network",
}
"""What boundary IoU is measured of."""
PARTS: dict[str, str] = {"head": "face and neck", "middle": "arms, hands, trunk", "legs": "lower legs and feet"}
"""Parts of the body by position: the upper fifth of a person, what is between, the lower third."""
KINDS: dict[str, str] = {"boundary": "boundary", "extent": "extent", "segment": "whole pieces"}
"""Kinds of wrong pixels; see `kind_counts`."""
SIZES: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Shares of the picture between which segments are sorted by size."""
SMALL_SHARE: float = SMALL / (REFERENCE[0] * REFERENCE[1])
"""A segment is small below this share of the picture: the size that the report calls small everywhere."""

Box = tuple[slice, slice]


# --------------------------------------------------------------------------------------- one picture


def examine(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], limit: NDArray[np.uint8], pixel: float
) -> dict[str, NDArray[np.int64]]:
    """What depends on the place in one picture.

    Args:
        truth: ``(H, W) uint8`` label map.
        prediction: ``(H, W) uint8``.
        limit: The prediction that is perfect but for its resolution.
        pixel: Side of one of the network's pixels, in pixels of the picture.

    Returns:
        ``parts`` ``(3, 2)``: skin by `PARTS`, called clothing or not; ``outlines`` ``(13, 4, 2)``: per class and
        `OUTLINES`, pixels in both boundary bands and in one alone; ``kinds`` ``(13, 7)``: per class right pixels,
        then missed and false ones by `KINDS`.
    """
    prediction, limit = (np.where(truth == IGNORE, 0, one).astype(np.uint8) for one in (prediction, limit))
    found = {"parts": part_counts(truth, prediction)}
    outlines, kinds = np.zeros((len(CLOTHING), len(OUTLINES), 2), np.int64), np.zeros((len(CLOTHING), 7), np.int64)
    shifts = (1, max(1, round(pixel)))
    present = np.union1d(np.unique(truth), np.unique(prediction))
    for label in present[(present > 0) & (present < len(CLASSES))]:
        box = _box((truth == label) | (prediction == label) | (limit == label), WIDTH + 1 + shifts[1])
        parts = [(whole[box] == label).astype(np.uint8) for whole in (truth, prediction, limit)]
        outlines[label - 1] = _outline_counts(*parts, shifts)
        kinds[label - 1] = kind_counts(parts[0], parts[1], SHIFT * pixel)
    return found | {"outlines": outlines, "kinds": kinds}


def _box(mask: NDArray[np.bool_], margin: int) -> Box:
    """The box around a mask with a margin, as far as the picture goes."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, rows[0] - margin), rows[-1] + 1 + margin),
        slice(max(0, columns[0] - margin), columns[-1] + 1 + margin),
    )


def part_counts(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Skin by part of the body, called clothing or not: ``(3, 2)``.

    The person is all that is labelled; the upper fifth of its height is called face and neck, the lower third
    lower legs and feet, the rest arms, hands and trunk. That is right for somebody who stands, and rough.
    """
    person = np.flatnonzero(((truth > 0) & (truth < len(LABELS))).any(axis=1))
    counts = np.zeros((len(PARTS), 2), np.int64)
    skin = np.nonzero(truth == SKIN)
    if len(skin[0]):
        depth = (skin[0] - person[0] + 0.5) / (person[-1] - person[0] + 1)
        part = (depth >= 1 / 5).astype(int) + (depth >= 2 / 3)
        np.add.at(counts, (part, (prediction[skin] > 0).astype(int)), 1)
    return counts


def _outline_counts(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], limit: NDArray[np.uint8], shifts: tuple[int, int]
) -> NDArray[np.int64]:
    """Boundary bands of one class, ``(4, 2)``; a shift is both to the right and down, each counted."""
    band, counts = metrics.inner_band(truth, WIDTH), []
    for others in ([prediction], [limit], *([_moved(truth, 0, s), _moved(truth, s, 0)] for s in shifts)):
        bands = [metrics.inner_band(other, WIDTH) for other in others]
        counts.append([sum((band & b).sum() for b in bands), sum((band ^ b).sum() for b in bands)])
    return np.array(counts, np.int64)


def _moved(mask: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """The mask moved; what enters is empty."""
    out = np.zeros_like(mask)
    out[down:, right:] = mask[: mask.shape[0] - down, : mask.shape[1] - right]
    return out


def kind_counts(truth: NDArray[np.uint8], prediction: NDArray[np.uint8], reach: float) -> NDArray[np.int64]:
    """A class's right pixels, then those missed and those false by kind: ``(7,)``.

    *Whole pieces*: all pixels missed of a connected piece of the truth of which less than `FOUND_SHARE` is
    found; all false ones of a piece of the prediction of which less than that is true. Of the others, *boundary*:
    at most ``reach`` pixels from the true outline. *Extent*: the rest.

    Args:
        truth, prediction: ``(H, W) uint8``, 0 or 1.
        reach: In pixels.
    """
    right = (truth & prediction) > 0
    row = [int(right.sum())]
    for mine, other, outside in ((truth, prediction, truth), (prediction, truth, 1 - truth)):
        wrong = (mine > 0) & (other == 0)
        number, pieces = cv2.connectedComponents(mine, connectivity=8)
        sizes, hits = np.bincount(pieces.ravel(), minlength=number), np.bincount(pieces[right], minlength=number)
        lost = hits < FOUND_SHARE * sizes
        lost[0] = False
        segment = wrong & lost[pieces]
        # Missed pixels are measured from outside the class, false ones from the class itself.
        near = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach + 1e-4
        boundary = wrong & ~segment & near & (truth.max() > 0)
        row += [int(part.sum()) for part in (boundary, wrong & ~segment & ~boundary, segment)]
    return np.array(row, np.int64)


# --------------------------------------------------------------------------------------- outlines


def boundary_iou(counts: NDArray) -> NDArray[np.float64]:
    """``(..., 2)``, pixels in both bands and in one alone, to ``(...)``."""
    return ratio(counts[..., 0], counts.sum(axis=-1))


def outline_table(outlines: NDArray) -> pd.DataFrame:
    """Boundary IoU per class.

    Args:
        outlines: ``(images, 13, 4, 2)`` from `examine`.

    Returns:
        A row a class: the columns of `OUTLINES`, each with ``_low`` and ``_high``.
    """
    parts = bootstrap(outlines.reshape(len(outlines), -1, 2), boundary_iou)
    table = pd.DataFrame(index=pd.Index(CLOTHING, name="class"))
    for at, name in enumerate(OUTLINES):
        table = table.assign(**ends(name, [part.reshape(len(CLOTHING), -1)[:, at] for part in parts]))
    return table


def fineness(outlines: NDArray, names: tuple[str, ...], against: str) -> tuple[float, float, float]:
    """Boundary IoU of some classes, pooled, minus that of something else in `OUTLINES`; with interval."""
    chosen = outlines[:, [CLOTHING.index(name) for name in names]].sum(axis=1)
    at = list(OUTLINES).index(against)
    value, low, high = bootstrap(chosen, lambda summed: boundary_iou(summed)[..., 0] - boundary_iou(summed)[..., at])
    return value, low, high


# --------------------------------------------------------------------------------------- sizes


def size_counts(counts: NDArray, edges: tuple[float, ...] = SIZES) -> NDArray[np.int64]:
    """Segments by size: ``(images, sizes, 5)``.

    A segment is all of one class in one picture: a pair of shoes is one. The five: pixels found, missed, and
    called the class elsewhere in that picture; segments of which `FOUND_SHARE` or more is found, and others.

    Args:
        counts: ``(images, 16, 14)`` of a run.
        edges: Ascending shares of the picture; one equal to an edge belongs above it.
    """
    folded = metrics.fold_body(counts)
    hits, support, called = (a[:, 1:] for a in (np.diagonal(folded, axis1=1, axis2=2), folded.sum(2), folded.sum(1)))
    share = support / folded.sum(axis=(1, 2))[:, None]
    found = hits >= FOUND_SHARE * support
    values = np.stack([hits, support - hits, called - hits, found, ~found], axis=-1).astype(np.int64)
    table = np.zeros((len(counts), len(edges) + 1, 5), np.int64)
    rows, classes = np.nonzero(support > 0)
    np.add.at(table, (rows, np.searchsorted(edges, share[rows, classes], side="right")), values[rows, classes])
    return table


def size_table(counts: NDArray) -> pd.DataFrame:
    """IoU, recall and the share hardly found of segments by size.

    Args:
        counts: ``(images, 16, 14)`` of a run.

    Returns:
        A row a size: ``segments`` (number), ``iou``, ``recall``, ``missed``, each with ``_low`` and ``_high``.
    """
    table = size_counts(counts)
    edges = [f"{100 * edge:g}" for edge in SIZES]
    names = [f"{low}–{high}%" for low, high in zip(("0", *edges), edges, strict=False)]
    frame = pd.DataFrame(index=pd.Index([*names, f"over {edges[-1]}%"], name="share of the picture"))
    frame["segments"] = table[..., 3:].sum(axis=(0, 2))
    measures = {
        "iou": lambda s: ratio(s[..., 0], s[..., :3].sum(axis=-1)),
        "recall": lambda s: ratio(s[..., 0], s[..., :2].sum(axis=-1)),
        "missed": lambda s: ratio(s[..., 4], s[..., 3:].sum(axis=-1)),
    }
    for name, measure in measures.items():
        frame = frame.assign(**ends(name, bootstrap(table, measure)))
    return frame


def small_missed(counts: NDArray) -> tuple[float, float, float]:
    """Share of small segments that are hardly found, minus that of the others; with interval."""
    table = size_counts(counts, (SMALL_SHARE,))[..., 3:]

    def measure(summed: NDArray) -> NDArray:
        missed = ratio(summed[..., 1], summed.sum(axis=-1))
        return missed[..., 0] - missed[..., 1]

    return bootstrap(table, measure)


# --------------------------------------------------------------------------------------- kinds of error


def _iou(kinds: NDArray) -> NDArray[np.float64]:
    return ratio(kinds[..., 0], kinds.sum(axis=-1))


def _fixed(kinds: NDArray, missed: bool, false: bool, at: int) -> NDArray:
    """Counts ``(..., 7)`` as they would be without one kind of error."""
    out = kinds.copy()
    if missed:
        out[..., 0] += out[..., 1 + at]
        out[..., 1 + at] = 0
    if false:
        out[..., 4 + at] = 0
    return out


def kind_table(kinds: NDArray) -> pd.DataFrame:
    """What mending one kind of error would bring, per class and on average.

    Args:
        kinds: ``(images, 13, 7)`` from `examine`.

    Returns:
        A row a class and "mean" last: ``iou``, then for every kind of `KINDS` ``KIND`` (gain of IoU from mending
        missed and false pixels of that kind), with ``_low`` and ``_high``, and ``missed_KIND``, ``false_KIND``
        (pixels, as a share of the class's true pixels).
    """

    def measure(summed: NDArray) -> NDArray:
        now = _iou(summed)
        gains = [_iou(_fixed(summed, True, True, at)) - now for at in range(len(KINDS))]
        values = np.stack([now, *gains], axis=-2)
        defined = np.isfinite(values)
        means = ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))
        return np.concatenate([values, means[..., None]], axis=-1)

    parts = bootstrap(kinds, measure)
    table = pd.DataFrame(index=pd.Index([*CLOTHING, "mean"], name="class"))
    for at, name in enumerate(("iou", *KINDS)):
        table = table.assign(**ends(name, [part[at] for part in parts]))
    pooled = kinds.sum(axis=0)
    support = pooled[:, :4].sum(axis=1)
    for at, name in enumerate(KINDS):
        for side, first in (("missed", 1), ("false", 4)):
            table[f"{side}_{name}"] = [*ratio(pooled[:, first + at], support), np.nan]
    return table


# --------------------------------------------------------------------------------------- growth, body


def growth(counts: NDArray) -> NDArray[np.float64]:
    """Predicted area divided by true area of the clothing classes and of all clothing: ``(..., 14)``."""
    folded = metrics.fold_body(counts)
    predicted, true = folded.sum(axis=-2)[..., 1:], folded.sum(axis=-1)[..., 1:]
    total = ratio(predicted.sum(axis=-1), true.sum(axis=-1))
    return np.concatenate([ratio(predicted, true), total[..., None]], axis=-1)


def growth_table(before: NDArray, after: NDArray) -> pd.DataFrame:
    """`growth` of two trials: a row a class and "all clothing"; ``before`` and ``after`` with intervals."""
    table = pd.DataFrame(index=pd.Index([*CLOTHING, "all clothing"], name="class"))
    for name, counts in (("before", before), ("after", after)):
        table = table.assign(**ends(name, bootstrap(counts, growth)))
    return table


def part_table(before: NDArray, after: NDArray) -> pd.DataFrame:
    """Skin called clothing by part of the body.

    Args:
        before, after: ``(images, 3, 2)`` of two trials, from `examine`.

    Returns:
        A row a part of `PARTS`: ``skin`` (share of all skin), then ``before``, ``after`` and ``difference`` with
        ``_low`` and ``_high``.
    """

    def measure(summed: NDArray) -> NDArray:
        return ratio(summed[..., 1], summed.sum(axis=-1))

    table = pd.DataFrame(index=pd.Index(PARTS.values(), name="part"))
    table["skin"] = ratio(after.sum(axis=(0, 2)), after.sum())
    estimates: dict[str, Any] = {"before": bootstrap(before, measure), "after": bootstrap(after, measure)}
    estimates["difference"] = paired_comparison(before, after, measure)[:3]
    for name, parts in estimates.items():
        table = table.assign(**ends(name, parts))
    return table

"""What depends on the place in a picture, counted into integers as the confusion is, for the same statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, CLOTHING, IGNORE, LABELS, SKIN
from modanet_utils.thresholds import FOUND_SHARE, SHIFT, WIDTH

LabelMap = NDArray[np.uint8]  # (H, W)
EDGES: tuple[int, ...] = (2, 4, 8, 16, 32)
"""Distances from clothing, in pixels, between which skin is counted."""
OUTLINES: dict[str, str] = {
    "found": "the prediction",
    "limit": "best at this resolution",
    "pixel": "ground truth shifted by a pixel",
    "network_pixel": "ground truth shifted by a pixel of the network",
}
KINDS: dict[str, str] = {"boundary": "boundary", "extent": "extent", "segment": "whole pieces"}


@dataclass(frozen=True)
class Scan:
    """What a look at every test image gave."""

    counts: NDArray[np.int64]  # of the run's predictions, made again: (images, 16, 14)
    found: dict[str, NDArray[np.int64]]  # what the look counted, (images, ...) by name
    predictions: dict[int, LabelMap]  # by id, of the images that were to be kept

    def changed(self, counts: NDArray) -> float:
        """Share of all pixels whose place in the counts is not that of another's, such as the run's own."""
        return float(np.abs(self.counts - counts).sum() / 2 / counts.sum())


def on_the_body(truth: LabelMap, prediction: LabelMap, limit: LabelMap, pixel: float) -> dict[str, NDArray[np.int64]]:
    """What is called clothing where on the body, in one picture.

    ``limit`` is the best prediction at the network's resolution, `scan.resolution_limit`; ``pixel`` the side of one of
    the network's pixels, in the photo's. Returns ``depth`` and ``coarse``, `depth_counts` by `EDGES` and by two of the
    network's pixels, both also of the limit (``limit_depth``, ``limit_coarse``), whose counts are ``limit (16, 14)``.
    """
    found = {"limit": metrics.confusion_counts(truth, limit)}
    for prefix, called in (("", prediction), ("limit_", limit)):
        for name, edges in (("depth", EDGES), ("coarse", (SHIFT * pixel,))):
            found[prefix + name] = depth_counts(truth, called, edges)
    return found


def depth_counts(truth: LabelMap, prediction: LabelMap, edges: Sequence[float]) -> NDArray[np.int64]:
    """Pixels of skin by distance from the nearest true clothing: ``(len(edges) + 1, 2)``, the last: called clothing.

    The edges ascend, in pixels; a distance equal to one belongs below it, that of a neighbour is 1. Without clothing
    everything is far away.
    """
    skin, outside = truth == SKIN, (metrics.fold_labels(truth) == 0).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[skin]
    # The transform is exact but for rounding in float32; 2 must not become 2.0000001.
    bins = np.searchsorted(np.asarray(edges, np.float64) + 1e-4, distance + (np.inf if outside.all() else 0))
    key = 2 * bins + (prediction[skin] > 0)
    return np.bincount(key, minlength=2 * (len(edges) + 1)).reshape(-1, 2).astype(np.int64)


def of_the_shapes(truth: LabelMap, prediction: LabelMap, limit: LabelMap, pixel: float) -> dict[str, NDArray[np.int64]]:
    """How outlines and pieces fit in one picture; arguments as for `on_the_body`.

    Returns ``outlines (13, 4, 2)``, per class and `OUTLINES` pixels in both boundary bands and in one alone, and
    ``kinds (13, 7)``, per class right pixels, then missed and false ones by `KINDS`.
    """
    prediction, limit = (np.where(truth == IGNORE, 0, one).astype(np.uint8) for one in (prediction, limit))
    outlines, kinds = np.zeros((len(CLOTHING), len(OUTLINES), 2), np.int64), np.zeros((len(CLOTHING), 7), np.int64)
    shifts = (1, max(1, round(pixel)))
    present = np.union1d(np.unique(truth), np.unique(prediction))
    for label in present[(present > 0) & (present < len(CLASSES))]:
        box = box_around((truth == label) | (prediction == label) | (limit == label), WIDTH + 1 + shifts[1])
        true, found, limited = ((whole[box] == label).astype(np.uint8) for whole in (truth, prediction, limit))
        outlines[label - 1] = _outline_counts(true, found, limited, shifts)
        kinds[label - 1] = kind_counts(true, found, SHIFT * pixel)
    return {"outlines": outlines, "kinds": kinds}


def box_around(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice]:
    """The box around a mask with a margin, as far as the picture goes."""
    rows, columns = (slice(max(0, at.min() - margin), at.max() + 1 + margin) for at in np.nonzero(mask))
    return rows, columns


def labelled(truth: LabelMap) -> NDArray[np.bool_]:
    """Where a person is: neither background nor ignored."""
    return (truth > 0) & (truth < len(LABELS))


def _outline_counts(truth: LabelMap, prediction: LabelMap, limit: LabelMap, shifts: tuple[int, int]) -> NDArray:
    """Boundary bands of one class, ``(4, 2)``; a shift is both to the right and down, each counted."""
    band, counts = metrics.inner_band(truth, WIDTH), []
    moved = [[np.pad(truth, ((0, 0), (s, 0)))[:, :-s], np.pad(truth, ((s, 0), (0, 0)))[:-s]] for s in shifts]
    for others in ([prediction], [limit], *moved):
        bands = [metrics.inner_band(other, WIDTH) for other in others]
        counts.append([sum((band & b).sum() for b in bands), sum((band ^ b).sum() for b in bands)])
    return np.array(counts, np.int64)


def kind_counts(truth: LabelMap, prediction: LabelMap, reach: float) -> NDArray[np.int64]:
    """A class's right pixels, then those missed and those false by kind: ``(7,)``.

    *Whole pieces*: all pixels missed of a connected piece of the truth of which less than `FOUND_SHARE` is
    found; all false ones of a piece of the prediction of which less than that is true. Of the others, *boundary*:
    at most ``reach`` pixels from the true outline. *Extent*: the rest. Both masks are ``(H, W) uint8``, 0 or 1.
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

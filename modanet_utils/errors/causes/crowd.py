"""Is it the second person? Pairs of people composed on one background."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.errors.causes.pictures import Cutout, Pair, compose, cut_out, evenly, without_person
from modanet_utils.errors.causes.questions import CROWD
from modanet_utils.errors.causes.stage import Stage, labels
from modanet_utils.errors.places import labelled
from modanet_utils.errors.tables import estimates
from modanet_utils.progress import Progress

OVERLAPS: tuple[float, ...] = (0.0, 0.1, 0.3)
"""Shares of the rear person that the front one covers."""


def figures(one: Stage) -> list[int]:
    """Test images whose person can be cut out: most of the picture high, and hardly any padding beside it."""
    usable = []
    for image_id, (_, truth) in one.scenes.items():
        rows = np.flatnonzero(labelled(truth).any(axis=1))
        tall = len(rows) and rows[-1] - rows[0] >= 0.6 * len(truth)
        if tall and (truth == IGNORE).mean() < 0.05 and (truth == 0).mean() > 0.3:
            usable.append(image_id)
    return usable


def composed(one: Stage, ids: Sequence[int], pair: int, number: int) -> list[Pair]:
    """A pair of people on a third photo's background, once for every overlap of `OVERLAPS`."""
    rear, front, behind = (one.scenes[ids[(pair + at * number) % len(ids)]] for at in range(3))
    first, second = (cast(Cutout, cut_out(person, range(1, len(LABELS)))) for person in (rear, front))
    background = without_person(behind)
    return [compose(background, first, second, overlap) for overlap in OVERLAPS]


def crowd_counts(one: Stage, number: int = 20, quiet: bool = False) -> NDArray[np.int64]:
    """People of composed pictures: ``(pairs, overlaps, 5, 16, 14)``.

    The five: the rear person alone, with the front one, with a silhouette; the front person alone, with the rear one.
    Counted are, in every picture, the pixels of a person that are visible when both are there.
    """
    ids = figures(one)
    chosen = evenly(ids, 3 * number)
    pairs = len(chosen) // 3
    progress = Progress(pairs, quiet)
    counts = np.zeros((pairs, len(OVERLAPS), 5, len(LABELS), len(CLASSES)), np.int64)
    for pair in progress.over(range(pairs), "composing"):
        versions = composed(one, chosen, pair, pairs)
        parts = [part for version in versions for part in (version.together, version.silhouette, version.front)]
        alone, *others = labels(one.net, [part.photo for part in (versions[0].rear, *parts)])
        for at, version in enumerate(versions):
            both, plain, front = others[3 * at : 3 * at + 3]
            mine = np.where(version.rear_seen, version.rear.truth, IGNORE)
            yours = np.where(version.front_seen, version.front.truth, IGNORE)
            views = [(mine, alone), (mine, both), (mine, plain), (yours, front), (yours, both)]
            counts[pair, at] = [metrics.confusion_counts(*view) for view in views]
    progress.close(f"{pairs} pairs of people composed")
    return counts


def crowd_table(counts: NDArray) -> pd.DataFrame:
    """Mean IoU of both people ``alone`` and ``together`` and the comparisons of `CROWD`, by overlap, with intervals."""

    def measure(summed: NDArray) -> NDArray:
        views = summed.reshape(*summed.shape[:-2], 5, len(LABELS), len(CLASSES))
        rear, with_front, plain, front, with_rear = np.moveaxis(metrics.clothing_mean_iou(views), -1, 0)
        alone, together = (metrics.clothing_mean_iou(views[..., [a, a + 3], :, :].sum(axis=-3)) for a in (0, 1))
        differences = [with_front - rear, with_rear - front, together - alone, plain - rear, with_front - plain]
        return np.stack([alone, together, *differences], axis=-1)

    names, flat = ("alone", "together", *CROWD), counts.reshape(*counts.shape[:2], 5 * len(LABELS), len(CLASSES))
    rows = [estimates([overlap], names, flat[:, at], measure) for at, overlap in enumerate(OVERLAPS)]
    return pd.concat(rows).rename_axis("overlap")

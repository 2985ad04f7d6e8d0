"""Is it the place, is it the second person? Hats put on heads and beside them, and two people on one background."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, HEADWEAR, IGNORE, LABELS
from modanet_utils.errors.causes import pictures
from modanet_utils.errors.causes.pictures import Scene, cut_out, evenly
from modanet_utils.errors.causes.stage import PICTURES, Stage, hairy, look
from modanet_utils.errors.places import labelled
from modanet_utils.errors.tables import called_share, estimates
from modanet_utils.progress import spread

OVERLAPS: tuple[float, ...] = (0.0, 0.1, 0.3)
"""Shares of the rear person that the front one covers."""


def fitted(one: Stage, number: int = PICTURES) -> dict[int, tuple[Scene, Scene, NDArray[np.bool_]]]:
    """Test images with a hat of a training image: worn, beside, and the hair that stays; see `pictures.wear`.

    The hats go round in the order of the training images.
    """
    stock = pictures.hats(one.hat_scenes)
    heads = enumerate(hairy(one, None) if stock else ())
    worn = {i: made for at, i in heads if (made := pictures.wear(one.scenes[i], stock[at % len(stock)]))}
    return {image_id: worn[image_id] for image_id in evenly(list(worn), number)}


def hat_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Pixels of pasted hats and of the hair around: ``(images, 5, 2)``; the last says called headwear.

    The five: the hat worn, the hat beside; the hair without a hat, with it beside, with it worn.
    """
    pairs = fitted(one, number)

    def of_each(image_id: int) -> list[NDArray[np.int64]]:
        worn, beside, hair = pairs[image_id]
        plain, far, near = look(one.net, [one.scenes[image_id].photo, beside.photo, worn.photo]) == HEADWEAR
        hats_seen = (near, worn.truth == HEADWEAR), (far, beside.truth == HEADWEAR)
        masks = (*hats_seen, (plain, hair), (far, hair), (near, hair))
        return [np.bincount(called[mask], minlength=2) for called, mask in masks]

    rows = list(spread(of_each, pairs, "pasting hats", f"{len(pairs)} hats pasted", quiet))
    return np.array(rows, np.int64).reshape(-1, 5, 2)


def hat_table(counts: NDArray, real: NDArray) -> pd.DataFrame:
    """How much is called headwear, from `hat_counts` and the run's own counts ``(images, 16, 14)``.

    ``value``, ``low`` and ``high`` of hats that are really worn (``real``), pasted hats ``worn`` and ``beside``, the
    difference (``context``), the hair that stays visible without a hat (``hair_before``), with it beside and worn
    (``hair_beside``, ``hair_worn``), and worn minus without (``pull``).
    """

    def measure(summed: NDArray) -> NDArray:
        worn, beside, plain, far, near = np.moveaxis(called_share(summed), -1, 0)
        return np.stack([worn, beside, worn - beside, plain, far, near, near - plain], axis=-1)

    worn = estimates(["real"], ["value"], real, lambda summed: metrics.leak(summed, HEADWEAR, HEADWEAR))
    names = ["worn", "beside", "context", "hair_before", "hair_beside", "hair_worn", "pull"]
    return pd.concat([worn, estimates(names, ["value"], counts, measure)]).set_axis(["value", "low", "high"], axis=1)


def figures(one: Stage) -> list[int]:
    """Test images whose person can be cut out: most of the picture high, and hardly any padding beside it."""
    usable = []
    for image_id, (_, truth) in one.scenes.items():
        rows = np.flatnonzero(labelled(truth).any(axis=1))
        tall = len(rows) and rows[-1] - rows[0] >= 0.6 * len(truth)
        if tall and (truth == IGNORE).mean() < 0.05 and (truth == 0).mean() > 0.3:
            usable.append(image_id)
    return usable


def crowd_counts(one: Stage, number: int = 20, quiet: bool = False) -> NDArray[np.int64]:
    """People of composed pictures: ``(pairs, overlaps, 5, 16, 14)``.

    The five: the rear person alone, with the front one, with a silhouette; the front person alone, with the rear one.
    Counted are, in every picture, the pixels of a person that are visible when both are there.
    """
    chosen = evenly(figures(one), 3 * number)
    pairs = len(chosen) // 3

    def of_each(pair: int) -> list[list[NDArray[np.int64]]]:
        *people, behind = (one.scenes[chosen[pair + at * pairs]] for at in range(3))
        rear, front = (cut_out(person, range(1, len(LABELS))) for person in people)
        background = pictures.without_person(behind)
        versions = [pictures.compose(background, rear, front, overlap) for overlap in OVERLAPS]
        parts = [part for version in versions for part in (version.together, version.silhouette, version.front)]
        alone, *others = look(one.net, [part.photo for part in (versions[0].rear, *parts)])
        counts = []
        for at, version in enumerate(versions):
            both, plain, front = others[3 * at : 3 * at + 3]
            mine = np.where(version.rear_seen, version.rear.truth, IGNORE)
            yours = np.where(version.front_seen, version.front.truth, IGNORE)
            views = [(mine, alone), (mine, both), (mine, plain), (yours, front), (yours, both)]
            counts.append([metrics.confusion_counts(*view) for view in views])
        return counts

    counts = list(spread(of_each, range(pairs), "composing", f"{pairs} pairs of people composed", quiet))
    return np.array(counts, np.int64).reshape(-1, len(OVERLAPS), 5, len(LABELS), len(CLASSES))


def crowd_table(counts: NDArray) -> pd.DataFrame:
    """Mean IoU of composed people and its changes, by overlap, with intervals.

    Both people ``alone`` and ``together``; of the ``rear``, the ``front`` and ``both``, with the other minus alone; of
    the rear one behind a plain ``silhouette`` minus alone, and behind a ``person`` minus behind the silhouette.
    """

    def measure(summed: NDArray) -> NDArray:
        views = summed.reshape(*summed.shape[:-2], 5, len(LABELS), len(CLASSES))
        rear, with_front, plain, front, with_rear = np.moveaxis(metrics.clothing_mean_iou(views), -1, 0)
        alone, together = (metrics.clothing_mean_iou(views[..., [a, a + 3], :, :].sum(axis=-3)) for a in (0, 1))
        differences = [with_front - rear, with_rear - front, together - alone, plain - rear, with_front - plain]
        return np.stack([alone, together, *differences], axis=-1)

    names = ("alone", "together", "rear", "front", "both", "silhouette", "person")
    flat = counts.reshape(*counts.shape[:2], 5 * len(LABELS), len(CLASSES))
    rows = [estimates([overlap], names, flat[:, at], measure) for at, overlap in enumerate(OVERLAPS)]
    return pd.concat(rows).rename_axis("overlap")

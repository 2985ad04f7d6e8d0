"""Trials side by side: loss and weights apart, class by class, over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLASSES
from modanet_utils.results.text import score_text, value_text
from modanet_utils.thresholds import FOUND

CELLS: dict[tuple[str, str], str] = {
    ("cross-entropy", "no weights"): "cross_entropy",
    ("cross-entropy", "weights"): "weighted_cross_entropy",
    ("combined loss", "no weights"): "combined_unweighted",
    ("combined loss", "weights"): "combined",
}
"""Loss and class weights (inverse square root of the share of the pixels) to the trial that has both."""


def baseline(
    test: Mapping[str, Any], adjusted: Mapping[str, Any], pooled: ArrayLike, shares: ArrayLike
) -> pd.DataFrame:
    """Cross-entropy class by class, as a reader sees it, the commonest class on top.

    Args:
        test, adjusted: The "test" part of the trial, and of the same network after logit adjustment.
        pooled: Counts ``(16, 14)`` of the trial.
        shares: Of the 14 classes among all pixels.
    """
    rows = {}
    for label in sorted(range(1, len(CLASSES)), key=lambda label: -np.asarray(shares)[label]):
        name = CLASSES[label]
        one = test["classes"][name]
        if one["iou"] is None:  # neither there nor predicted
            continue
        row = rows[f"{name} ({one['images']})"] = {"IoU": score_text(test, name), "recall": value_text(one["recall"])}
        own = np.asarray(pooled)[label]
        other = int(np.where(np.arange(len(own)) == label, -1, own).argmax())
        row["mostly called instead"] = f"{CLASSES[other]} ({own[other] / own.sum():.0%})" if own[other] else "–"
        row["IoU after logit adjustment"] = value_text(adjusted["classes"][name]["iou"])
    rows["mean"] = {"IoU": score_text(test), "IoU after logit adjustment": value_text(adjusted["mean_iou"])}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis(columns="class (its photos)")


def stacks(counts: Mapping[str, NDArray], position: int, level: str) -> tuple[NDArray, NDArray]:
    """Counts ``(2, images, 16, 14)`` of the trials of `CELLS` without a level of loss (0) or weights (1), and with."""
    with_it = [counts[name] for key, name in CELLS.items() if key[position] == level]
    without = [counts[name] for key, name in CELLS.items() if key[position] != level]
    return np.stack(without), np.stack(with_it)


def two_by_two(counts: Mapping[str, NDArray]) -> dict[str, Any]:
    """What the loss and what the weights buy, each on average over both settings of the other.

    Returns:
        ``cells``: loss and weights, ``mean_iou``, ``precision``, ``found``; ``effects``: "loss" and "weights" to the
        change of ``mean_iou`` and ``precision`` with ``_low`` and ``_high``; ``classes``: "loss" and "weights" to the
        change of the IoU of each class of clothing. Empty where one of the four trials (`CELLS`) is not there.
    """
    if not set(CELLS.values()) <= counts.keys():
        return {}
    found: dict[str, Any] = {"cells": [], "effects": {}, "classes": {}}
    scores = {"mean_iou": metrics.clothing_mean_iou, "precision": metrics.clothing_precision}
    for (loss, weights), name in CELLS.items():
        pooled = counts[name].sum(axis=0)
        cell = {score: float(measure(pooled)) for score, measure in scores.items()}
        classes = int((metrics.clothing_iou(pooled) >= FOUND).sum())
        found["cells"].append({"loss": loss, "weights": weights} | cell | {"found": classes})
    for factor, position, level in (("loss", 0, "combined loss"), ("weights", 1, "weights")):
        pair = stacks(counts, position, level)
        table = statistics.compare_trials(*pair)
        changes = {score: statistics.paired_comparison(*pair, measure)[:3] for score, measure in scores.items()}
        found["effects"][factor] = dict(i for name, one in changes.items() for i in statistics.ends(name, one).items())
        found["classes"][factor] = table[["iou", "iou_low", "iou_high"]].to_dict("index")
    return found


def all_background(counts: NDArray) -> NDArray:
    """Counts ``(images, 16, 14)`` of an answer of background everywhere on the same images."""
    nothing = np.zeros_like(counts)
    nothing[..., 0] = counts.sum(axis=-1)
    return nothing


def seed_spread(seeds: Mapping[str, Sequence[NDArray]]) -> pd.DataFrame:
    """How far the seeds of a trial (counts ``(images, 16, 14)``, one a training) lie apart, and how far photos move it.

    Returns:
        A row a trial: ``seeds`` (number), ``mean_iou`` (mean over the seeds) with ``_low`` and ``_high`` (over
        images), ``lowest`` and ``highest`` seed and ``seed_sd`` (standard deviation between seeds; NaN for one
        seed), and ``image_sd`` (standard error over images, from the width of the first seed's interval).
    """
    rows = {}
    for name, stack in {name: np.stack(counts) for name, counts in seeds.items()}.items():
        each = metrics.clothing_mean_iou(stack.sum(axis=1))
        first = statistics.bootstrap(stack[0], metrics.clothing_mean_iou)
        spread = (each.min(), each.max(), each.std(ddof=1)) if len(stack) > 1 else (np.nan,) * 3
        row = statistics.ends("mean_iou", statistics.bootstrap(stack, metrics.clothing_mean_iou))
        row |= dict(zip(("lowest", "highest", "seed_sd"), spread, strict=True))
        rows[name] = {"seeds": len(stack)} | row | {"image_sd": (first.high - first.low) / (2 * 1.96)}
    return pd.DataFrame.from_dict(rows, orient="index")

"""Trials side by side: over the epochs, against a reference, over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLOTHING
from modanet_utils.results.compared import texts
from modanet_utils.results.text import value_text
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import label_of

CLIMB = 1.2
"""A class still climbs if its last IoU is more than this many times that at half of the epochs."""


def learned(curves: pd.DataFrame) -> pd.DataFrame:
    """How each clothing class did over the epochs of a training, from `Run.curves`.

    Returns:
        A row a class that the data have: its validation IoU at the first, the middle and the last epoch, and
        ``state``: "at zero" (never `thresholds.FOUND` or more), "lost" (found once, not at the end), "still climbing"
        (see `CLIMB`) or "level".
    """
    middle = len(curves) // 2
    known = [name for name in CLOTHING if curves[name].notna().any()]
    table = curves.T.loc[known].iloc[:, sorted({0, middle, len(curves) - 1})]
    last, half, best = curves.iloc[-1], curves.iloc[middle], curves.max()
    cases = [~(best >= FOUND), ~(last >= FOUND), last > CLIMB * half]
    state = pd.Series(np.select(cases, ["at zero", "lost", "still climbing"], "level"), curves.columns)
    return table.round(3).assign(state=state[known])


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


def changes_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`statistics.compare_trials` as a reader sees it, without classes that are neither there nor predicted."""
    table = table[table["iou"].notna()]
    columns = {"change of IoU": texts(table, "iou", "+.3f"), "p, corrected": texts(table, "p_holm", ".4f")}
    columns |= {f"change of {score}": texts(table, score, "+.3f") for score in ("precision", "recall")}
    return pd.DataFrame(columns, index=table.index)


def spread_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`seed_spread` as a reader sees it."""
    ends = zip(table["lowest"], table["highest"], strict=True)
    columns = {"seeds": texts(table, "seeds", ".0f"), "mean IoU over seeds": texts(table, "mean_iou")}
    columns["lowest to highest seed"] = [f"{a:.3f} to {b:.3f}" if a == a else value_text(a) for a, b in ends]
    columns |= {"SD between seeds": texts(table, "seed_sd"), "standard error over photos": texts(table, "image_sd")}
    return pd.DataFrame(columns, index=[label_of(name) for name in table.index])

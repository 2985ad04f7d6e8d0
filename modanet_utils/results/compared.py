"""Trials beside each other on the same test images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLOTHING, HEADWEAR
from modanet_utils.results.text import row_text
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import label_of


def compared(
    counts: Mapping[str, NDArray],
    validation: Mapping[str, float] | None = None,
    reference: str | Mapping[str, str] = "combined",
) -> pd.DataFrame:
    """Trials on the same test images, each against one of them, or each against its own.

    Args:
        counts: Trial's name to its counts ``(images, 16, 14)``, the reference among them.
        validation: Trial's name to the mean IoU on validation that it was chosen by.
        reference: A trial's name, or each trial's name to its reference's.

    Returns:
        A row a trial: ``validation`` (NaN where unknown), ``mean_iou``, ``change`` (its mean IoU minus the
        reference's, paired; NaN for the reference, or where that is not there), each of the two with ``_low`` and
        ``_high``; ``precision`` (pooled, see `metrics.clothing_precision`), ``recall`` (mean over the 13 classes),
        ``headwear_recall``, ``hair_as_headwear`` (share of the hair) and ``found`` (classes with an IoU of
        `thresholds.FOUND` or more).
    """
    rows: dict[str, dict[str, Any]] = {}
    for name, own in counts.items():
        pooled = own.sum(axis=0)
        known = [name for label, name in enumerate(CLOTHING, 1) if pooled[label].any()]
        row: dict[str, Any] = {"validation": (validation or {}).get(name, np.nan)}
        row |= statistics.ends("mean_iou", statistics.bootstrap(own, metrics.clothing_mean_iou))
        rival = reference if isinstance(reference, str) else reference.get(name)
        paired = rival in counts and rival != name
        change = statistics.compare_mean_iou(counts[rival or ""], own)[:3] if paired else (np.nan,) * 3
        row |= statistics.ends("change", change)
        rows[name] = row | {
            "precision": float(metrics.clothing_precision(pooled)),
            "recall": float(metrics.mean_over(known, "recall")(pooled)),
            "headwear_recall": float(metrics.class_scores(pooled).recall[HEADWEAR]),
            "hair_as_headwear": float(metrics.hair_as_headwear(pooled)),
            "found": int((metrics.clothing_iou(pooled) >= FOUND).sum()),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def told(rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Numbers of trials with their intervals as texts, a row a trial; a column's title names number and format."""
    texts = {label_of(name): [row_text(row, *of) for of in columns.values()] for name, row in rows.items()}
    return pd.DataFrame.from_dict(texts, orient="index", columns=list(columns))


def compared_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`compared` as a reader sees it."""
    titles = {"mean_iou": "mean IoU", "change": "against the combined loss", "precision": "precision"}
    titles |= {"found": "classes found", "hair_as_headwear": "hair called headwear"}
    titles = {name: title for name, title in titles.items() if name in table}  # results recorded earlier lack some
    columns = {title: (name, ".0f" if name == "found" else ".3f") for name, title in titles.items()}
    shown = told(table.to_dict("index"), columns)
    if "found" in titles:
        never = (table["found"] == 0) & (table.index != "all_background")
        shown.loc[never.to_numpy(), titles["found"]] = "0, never above background"
    return shown

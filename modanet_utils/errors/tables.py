"""Where the errors are, as tables with intervals: confusions, hair against headwear, skin called clothing."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, CLOTHING, HEADWEAR, LABELS
from modanet_utils.errors.places import EDGES, KINDS, OUTLINES, Scan
from modanet_utils.metrics import leak, ratio
from modanet_utils.results.workspace import Workspace
from modanet_utils.statistics import Estimate, Measure, bootstrap, ends, paired_comparison
from modanet_utils.thresholds import ALARM_SHARE, FOUND_SHARE, SMALL_SHARE
from modanet_utils.trials import label_of

SIZES: tuple[float, ...] = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Shares of the picture between which segments are sorted by size."""
PAIR: dict[str, str] = {"before": label_of("cross_entropy"), "after": label_of("combined")}
"""The two trials whose errors are compared, by their columns in tables."""


def estimate(counts: NDArray, measure: Measure) -> Estimate:
    """As `statistics.bootstrap`, but without images everything is NaN instead of an error."""
    if len(counts):
        return bootstrap(counts, measure)
    return Estimate(*[np.full(np.shape(measure(counts.sum(axis=0))), np.nan)] * 3)


def estimates(index: Sequence[Any], names: Sequence[str], counts: NDArray, measure: Measure) -> pd.DataFrame:
    """A table of scores: the columns ``names``, each followed by ``NAME_low`` and ``NAME_high``.

    The measure makes of summed counts ``(..., names, rows)``, or the same one after another.
    """
    parts = [np.reshape(part, (len(names), len(index))) for part in estimate(counts, measure)]
    columns = [ends(name, [part[at] for part in parts]) for at, name in enumerate(names)]
    return pd.DataFrame({name: values for column in columns for name, values in column.items()}, index)


def compared(counts: Sequence[NDArray], measure: Measure) -> dict[str, Any]:
    """Two trials on the same images: ``before``, ``after`` and ``difference``, each with ``_low`` and ``_high``.

    The third counts are of what is possible at the network's resolution: ``limit``.
    """
    before, after, limit = counts
    found: dict[str, Any] = {"before": bootstrap(before, measure), "after": bootstrap(after, measure)}
    found["difference"] = paired_comparison(before, after, measure)[:3]
    row = {key: value for name, parts in found.items() for key, value in ends(name, parts).items()}
    return row | {"limit": float(measure(limit.sum(axis=0)))}


def share(counts: NDArray, at: int = 0) -> NDArray[np.float64]:
    """One of some counts as a share of all of them: ``(..., n)`` to ``(...)``."""
    return ratio(counts[..., at], counts.sum(axis=-1))


called_share = functools.partial(share, at=1)
"""The share that is called something: ``(..., 2)``, not called and called, to ``(...)``."""


def wrong_pixels(pooled: ArrayLike) -> NDArray[np.int64]:
    """Pooled counts ``(16, 14)`` without what is right: hair and skin should be called background."""
    wrong = np.array(pooled, np.int64)
    np.fill_diagonal(wrong[: len(CLASSES)], 0)
    wrong[len(CLASSES) :, 0] = 0
    return wrong


def origins(pooled: ArrayLike) -> pd.DataFrame:
    """What false headwear is in truth, of pooled counts ``(16, 14)``, as shares that sum to 1 or are NaN.

    The true labels but headwear, by ``false`` (of the pixels wrongly called headwear) and ``all`` (of all pixels): what
    the false ones would be if they fell just anywhere.
    """
    counts = np.asarray(pooled)
    columns = {"false": counts[:, HEADWEAR], "all": counts.sum(axis=1)}
    table = pd.DataFrame(columns, LABELS, dtype=float).drop(index="headwear")
    return table.apply(lambda column: ratio(column, column.sum()), raw=True)


def hatless(counts: NDArray) -> NDArray:
    """The counts with every image emptied that shows headwear; still one entry an image, so still paired."""
    return np.where((counts[:, HEADWEAR].sum(axis=-1) > 0)[:, None, None], 0, counts)


def alarms(counts: NDArray) -> NDArray[np.int64]:
    """Images instead of pixels: ``(images, 2, 2)``, ``[image, shows headwear, headwear is reported]``.

    On an image without headwear it is reported if `ALARM_SHARE` of the picture is called so; on an image with
    headwear if `FOUND_SHARE` of it is found.
    """
    hats, predicted = counts[:, HEADWEAR].sum(axis=-1), counts[:, :, HEADWEAR].sum(axis=-1)
    alarmed = predicted >= np.maximum(1, ALARM_SHARE * counts.sum(axis=(1, 2)))
    found = counts[:, HEADWEAR, HEADWEAR] >= FOUND_SHARE * hats
    table = np.zeros((len(counts), 2, 2), np.int64)
    shows = (hats > 0).astype(int)
    table[np.arange(len(counts)), shows, np.where(shows, found, alarmed).astype(int)] = 1
    return table


QUESTIONS: dict[str, tuple[Callable[[NDArray], NDArray], Measure]] = {
    "hair_as_headwear": (np.asarray, metrics.hair_as_headwear),
    "hair_as_headwear_hatless": (hatless, metrics.hair_as_headwear),
    "hair_as_clothing": (np.asarray, metrics.hair_as_clothing),
    "headwear_false_positives_on_hair": (np.asarray, metrics.headwear_false_positives_on_hair),
    "headwear_missed": (np.asarray, lambda counts: 1 - leak(counts, HEADWEAR, HEADWEAR)),
    "headwear_unseen": (alarms, lambda table: leak(table, 1, 0)),
    "headwear_alarms": (alarms, lambda table: leak(table, 0, 1)),
    "skin_as_clothing": (np.asarray, metrics.skin_as_clothing),
}
"""What is asked of every trial, by the name that results.json uses: what is resampled, and its score.

``headwear_unseen`` and ``headwear_alarms`` are shares of images, see `alarms`; the others are shares of pixels.
"""


def answers(before: NDArray, after: NDArray, limit: NDArray) -> pd.DataFrame:
    """Every question answered by counts ``(images, 16, 14)`` of two trials and of `scan.resolution_limit`.

    A row a question: the columns of `compared`. NaN where undefined.
    """
    rows = {name: compared([f(c) for c in (before, after, limit)], measure) for name, (f, measure) in QUESTIONS.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def skin_deeper(before: Scan, after: Scan) -> pd.DataFrame:
    """Further rows for `answers`, of scans of `places.on_the_body`: skin called clothing that is more than an edge."""
    found = [(before.found[p], after.found[p], after.found[f"limit_{p}"]) for p in ("depth", "coarse")]
    return pd.DataFrame([compared(one, deeper_share) for one in found], ["skin_deeper", "skin_deeper_coarse"])


def deeper_share(counts: NDArray) -> NDArray[np.float64]:
    """Share of what is called clothing beyond the first edge: ``(..., distances, 2)`` to ``(...)``."""
    called = counts[..., 1]
    return ratio(called[..., 1:].sum(axis=-1), called.sum(axis=-1))


def depth_table(counts: NDArray, edges: Sequence[float] = EDGES) -> pd.DataFrame:
    """Skin by distance from true clothing, a row a distance, from stacked `places.depth_counts`.

    ``skin`` and ``called`` (shares of all skin and of the skin called clothing that lie there), ``rate`` (share of the
    skin there that is called clothing) with interval.
    """
    pooled = counts.sum(axis=0)
    names = [f"{low:g} to {high:g}" for low, high in zip((0, *edges), edges, strict=False)]
    shares = {"skin": ratio(pooled.sum(axis=1), pooled.sum()), "called": ratio(pooled[:, 1], pooled[:, 1].sum())}
    table = pd.DataFrame(shares, pd.Index([*names, f"over {edges[-1]:g}"], name="pixels from clothing"))
    return table.join(estimates(table.index, ["rate"], counts, called_share))


def outline_table(outlines: NDArray) -> pd.DataFrame:
    """Boundary IoU per class, the columns of `OUTLINES` with intervals, from ``outlines`` of `places.of_the_shapes`."""
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
    """What fixing one kind of error would bring, per class and on average, from ``kinds`` of `places.of_the_shapes`.

    A row a class and "mean" last: ``iou``, then for every kind of `KINDS` ``KIND`` (gain of IoU from fixing missed and
    false pixels of that kind), with ``_low`` and ``_high``, and ``missed_KIND``, ``false_KIND`` (pixels, as a share of
    the class's true pixels).
    """

    def measure(summed: NDArray) -> NDArray:
        now, right, missed, false = share(summed), summed[..., 0], summed[..., 1:4], summed[..., 4:]
        fixed = ratio(right[..., None] + missed, summed.sum(axis=-1)[..., None] - false) - now[..., None]
        values = np.stack([now, *np.moveaxis(fixed, -1, 0)], axis=-2)
        return np.concatenate([values, metrics.defined_mean(values)[..., None]], axis=-1)

    table = estimates(pd.Index([*CLOTHING, "mean"], name="class"), ("iou", *KINDS), kinds, measure)
    pooled = kinds.sum(axis=0)
    for at, name in enumerate(KINDS):
        for side, first in (("missed", 1), ("false", 4)):
            table[f"{side}_{name}"] = [*ratio(pooled[:, first + at], pooled[:, :4].sum(axis=1)), np.nan]
    return table


def growth_of(counts: ArrayLike) -> NDArray[np.float64]:
    """Predicted area divided by true area of the clothing classes and of all clothing: ``(..., 14)``."""
    folded = metrics.fold_body(np.asarray(counts))
    predicted, true = folded.sum(axis=-2)[..., 1:], folded.sum(axis=-1)[..., 1:]
    total = ratio(predicted.sum(axis=-1), true.sum(axis=-1))
    return np.concatenate([ratio(predicted, true), total[..., None]], axis=-1)


def keep(workspace: Workspace, **parts: Any) -> None:
    """Put tables and arrays under "errors" in results.json, beside what is there; a table as rows, its index "row"."""
    rows = {
        name: part.rename_axis("row").reset_index().to_dict("records") if isinstance(part, pd.DataFrame) else part
        for name, part in parts.items()
    }
    workspace.record("errors", workspace.results.get("errors", {}) | rows)

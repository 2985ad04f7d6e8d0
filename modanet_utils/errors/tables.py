"""Where the errors are, as tables with intervals: flows between labels, hair against headwear, skin under clothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, CLOTHING, HAIR, HEADWEAR, LABELS, SKIN
from modanet_utils.errors.places import EDGES, Scan
from modanet_utils.metrics import leak, ratio
from modanet_utils.statistics import Estimate, Measure, bootstrap, ends, paired_comparison
from modanet_utils.thresholds import ALARM_SHARE, FOUND_SHARE, SHIFT
from modanet_utils.trials import label_of

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


def compared(before: NDArray, after: NDArray, measure: Measure) -> dict[str, Any]:
    """Two trials on the same images, as entries of a row or columns of a table.

    ``before``, ``after`` and ``difference``, each with ``_low`` and ``_high``.
    """
    found: dict[str, Any] = {
        name: bootstrap(counts, measure) for name, counts in (("before", before), ("after", after))
    }
    found["difference"] = paired_comparison(before, after, measure)[:3]
    return {key: value for name, parts in found.items() for key, value in ends(name, parts).items()}


def share(counts: NDArray, at: int = 0) -> NDArray[np.float64]:
    """One of some counts as a share of all of them: ``(..., n)`` to ``(...)``."""
    return ratio(counts[..., at], counts.sum(axis=-1))


def called_share(counts: NDArray) -> NDArray[np.float64]:
    """The share that is called something: ``(..., 2)``, not called and called, to ``(...)``."""
    return share(counts, 1)


def flow_shares(counts: ArrayLike, of: str) -> pd.DataFrame:
    """The whole confusion as shares, hair and skin as rows of their own; NaN where nothing is to be shared.

    Args:
        counts: Integers ``(images, 16, 14)`` or their sum ``(16, 14)``.
        of: "truth" (each row sums to 1) or "prediction" (each column sums to 1).
    """
    if of not in ("truth", "prediction"):
        raise ValueError(f"of is {of!r}: give 'truth' or 'prediction'.")
    pooled = metrics.checked_counts(counts).sum(axis=0)
    shares = ratio(pooled, pooled.sum(axis=1 if of == "truth" else 0, keepdims=True))
    return pd.DataFrame(shares, pd.Index(LABELS[: len(pooled)], name="true label"), list(CLASSES))


def largest_flows(counts: ArrayLike, number: int = 10) -> pd.DataFrame:
    """The wrong flows that hold most pixels, largest first, of counts ``(images, 16, 14)``.

    ``truth``, ``prediction`` (names), ``errors`` (share of all wrong pixels), then ``of_truth`` and ``of_prediction``
    (share of the true label's and of the predicted class's pixels) with intervals.
    """
    stack = metrics.checked_counts(counts)
    wrong = stack.sum(axis=0)
    np.fill_diagonal(wrong[: len(CLASSES)], 0)
    wrong[len(CLASSES) :, 0] = 0  # hair and skin should be called background
    order = np.argsort(-wrong, axis=None, kind="stable")[:number]
    order = order[wrong.ravel()[order] > 0]
    rows, columns = np.unravel_index(order, wrong.shape)

    def measure(summed: NDArray) -> NDArray:
        chosen, totals = summed[..., rows, columns], (summed.sum(-1)[..., rows], summed.sum(-2)[..., columns])
        return np.concatenate([ratio(chosen, total) for total in totals], axis=-1)

    table = pd.DataFrame({"truth": np.array(LABELS)[rows], "prediction": np.array(CLASSES)[columns]})
    table["errors"] = ratio(wrong[rows, columns], wrong.sum())
    return table.join(estimates(table.index, ("of_truth", "of_prediction"), stack, measure))


def origins(trials: Mapping[str, NDArray]) -> pd.DataFrame:
    """What headwear's false positives are in truth, and what they would be if they fell just anywhere.

    The true labels but headwear, by the trials (counts ``(images, 16, 14)`` of the same images) and "if spread evenly";
    a column sums to 1 or is NaN.
    """
    columns = {name: counts.sum(axis=0)[:, HEADWEAR] for name, counts in trials.items()}
    columns["if spread evenly"] = next(iter(trials.values())).sum(axis=(0, 2))
    table = pd.DataFrame(columns, LABELS, dtype=float).drop(index="headwear")
    return table.apply(lambda column: ratio(column, column.sum()), raw=True)


def receivers(counts: NDArray) -> pd.DataFrame:
    """The share of all skin that each clothing class takes: ``share``, ``share_low``, ``share_high``."""
    skin = counts[:, [SKIN]]
    return estimates(CLOTHING, ["share"], skin, lambda summed: ratio(summed, summed.sum(-1, keepdims=True))[..., 1:])


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


QUESTIONS: dict[str, tuple[str, Callable[[NDArray], NDArray], Measure]] = {
    "hair_as_headwear": ("hair called headwear, of all hair", np.asarray, metrics.hair_as_headwear),
    "hair_as_headwear_hatless": ("the same where nobody wears any", hatless, metrics.hair_as_headwear),
    "hair_as_clothing": ("hair called any clothing, of all hair", np.asarray, metrics.hair_as_clothing),
    "headwear_false_positives_on_hair":
        ("headwear's false positives that lie on hair", np.asarray, metrics.headwear_false_positives_on_hair),
    "headwear_missed":
        ("headwear missed, of all its pixels", np.asarray, lambda counts: 1 - leak(counts, HEADWEAR, HEADWEAR)),
    "headwear_unseen": ("images with headwear, hardly any found", alarms, lambda table: leak(table, 1, 0)),
    "headwear_alarms": ("images without headwear, some reported", alarms, lambda table: leak(table, 0, 1)),
    "skin_as_clothing": ("skin called clothing, of all skin", np.asarray, metrics.skin_as_clothing),
}  # fmt: skip
"""What the notebook asks of every trial, by the name that results.json uses: text, what is resampled, its score."""


def answers(before: NDArray, after: NDArray, limit: NDArray) -> pd.DataFrame:
    """Every question answered by counts ``(images, 16, 14)`` of two trials and of `scan.resolution_limit`.

    A row a question: ``text``, the columns of `compared`, and ``limit``. NaN where undefined.
    """
    asked = {
        name: _answer(text, select(before), select(after), select(limit), measure)
        for name, (text, select, measure) in QUESTIONS.items()
    }
    return pd.DataFrame.from_dict(asked, orient="index")


def _answer(text: str, before: NDArray, after: NDArray, limit: NDArray, measure: Measure) -> dict[str, Any]:
    return {"text": text, **compared(before, after, measure), "limit": float(measure(limit.sum(axis=0)))}


def skin_deeper(before: Scan, after: Scan) -> pd.DataFrame:
    """Further rows for `answers`: of the skin called clothing, the share that is more than an edge."""
    rows = {}
    for name, part, unit in (("skin_deeper", "depth", "pixels"), ("skin_deeper_coarse", "coarse", "network pixels")):
        first, second, limit = (getattr(places, part) for places in (before.found, after.found, after.limit))
        rows[name] = _answer(f"of that, over {SHIFT} {unit} from clothing", first, second, limit, deeper_share)
    return pd.DataFrame.from_dict(rows, orient="index")


def deeper_share(counts: NDArray) -> NDArray[np.float64]:
    """Share of what is called clothing beyond the first edge: ``(..., distances, 2)`` to ``(...)``."""
    called = counts[..., 1]
    return ratio(called[..., 1:].sum(axis=-1), called.sum(axis=-1))


def precision_ceiling(leak_share: ArrayLike, recall: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
    """The highest precision of a class into which another label leaks that has ``times`` its pixels."""
    recall = np.asarray(recall, np.float64)
    return ratio(recall, recall + np.asarray(times, np.float64) * np.asarray(leak_share, np.float64))


def ceiling_table(times: float, leaks: Iterable[float], recalls: Iterable[float]) -> pd.DataFrame:
    """`precision_ceiling` for some leaks (rows) and recalls (columns)."""
    return pd.DataFrame({r: {x: float(precision_ceiling(x, r, times)) for x in leaks} for r in recalls})


def arithmetic(trials: Mapping[str, NDArray]) -> pd.DataFrame:
    """Headwear's precision taken apart, a row a trial, from counts ``(images, 16, 14)``; NaN where undefined.

    ``times`` (hair's pixels in headwear's), ``recall``, ``leak`` (of hair into headwear), ``ceiling`` (the precision if
    hair were the only source of false positives), ``precision``, and ``without_hair`` (that if hair did not leak).
    """
    rows = {}
    for name, counts in trials.items():
        pooled = counts.sum(axis=0)
        hits, predicted = pooled[HEADWEAR, HEADWEAR], pooled[:, HEADWEAR].sum()
        times, recall = ratio(pooled[HAIR].sum(), pooled[HEADWEAR].sum()), leak(pooled, HEADWEAR, HEADWEAR)
        leaked = metrics.hair_as_headwear(pooled)
        precisions = ratio(hits, [predicted, predicted - pooled[HAIR, HEADWEAR]])
        rows[name] = [*map(float, (times, recall, leaked, precision_ceiling(leaked, recall, times), *precisions))]
    columns = ["times", "recall", "leak", "ceiling", "precision", "without_hair"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


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


def summary(
    trials: Mapping[str, NDArray],
    table: pd.DataFrame,
    depths: Mapping[str, NDArray],
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """What results.json keeps under "errors".

    Args:
        trials, depths: Trial's name to its counts ``(images, 16, 14)``, and to ``found.depth`` of its scan.
        table: Rows of `answers` and `skin_deeper`.
        tables: Those of `breakdown` and of `causes` by name; kept as lists of rows, the index in each as "row".
    """
    return {
        "counts": {name: counts.sum(axis=0) for name, counts in trials.items()},
        "largest_flows": {name: largest_flows(c).to_dict("records") for name, c in trials.items()},
        "answers": table.to_dict("index"),
        "arithmetic": arithmetic(trials).to_dict("index"),
        "skin_by_distance": {name: depth_table(d).reset_index().to_dict("records") for name, d in depths.items()},
    } | {name: one.rename_axis("row").reset_index().to_dict("records") for name, one in tables.items()}

"""Intervals, paired comparisons and verdicts, as pure functions of the counts.

The unit of resampling is the image: images are drawn with replacement, their counts summed, and the pooled
score recomputed. What the intervals hold is therefore the variation between images, not that between
trainings. Several trainings of one trial (seeds) may be passed together, counts
``(seeds, images, truths, predictions)``: the score is then the mean of the seeds' scores, and every resample
draws the same images for all of them.

Intervals are percentiles of the resampled scores, moved in two ways, because plain percentiles are too short
and too symmetric where few images carry a class: the 95% interval of the IoU of a class in nine of 150 images
holds the truth in about 85% of simulated datasets; moved, in 92 to 95%.

- Outwards, by the quotient of Student's t and the normal quantile: the *expanded* percentile interval of
  Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015. The
  degrees of freedom are those of the variance between the leave-one-out scores, matched to that variance's
  own spread: a class that lives in nine images gets few, one that lives in all about as many as there are.
- Towards the longer tail, by the acceleration of Efron, "Better Bootstrap Confidence Intervals", JASA 82,
  1987, from the skewness of the leave-one-out scores. His other term, which corrects the bias of the median,
  is left out: a mean of ratios is biased in resamples, and correcting for it makes mean IoU worse.
  Differences of two trials are moved outwards only: equal trials differ symmetrically, so the skewness seen
  is noise, and following it calls more than 5% of equal trials different.

An interval is NaN where less than two images carry the score (leaving one out would make it undefined), or
where it is undefined in more than half of the resamples; other undefined resamples are left out. A score that
is the same in every resample, such as an IoU of 0, has an interval of length 0: no resample shows what no
image does.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, CLOTHING

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Measure = Callable[[NDArray], Array]
"""Maps summed counts ``(..., truths, predictions)`` to ``(...)`` or ``(..., classes)``; see `metrics`."""

RESAMPLES = 2000
COMPARISON_RESAMPLES = 10_000
"""More than for an interval: Holm's correction divides 0.05 by 13, far out in the tail of the resamples."""
LEVEL = 0.95
"""Coverage that every interval aims at."""

_WEIGHTS_IN_MEMORY = 4_000_000


class Estimate(NamedTuple):
    """A value and its interval: floats, or arrays ``(classes,)`` if the measure has classes."""

    value: Any
    low: Any
    high: Any


class Comparison(NamedTuple):
    """A difference, its interval and two-sided p value: floats, or arrays ``(classes,)``."""

    difference: Any
    low: Any
    high: Any
    p: Any


def ends(name: str, estimate: Sequence[Any]) -> dict[str, Any]:
    """Value, low and high as entries of a row, or columns of a table: NAME, NAME_low, NAME_high."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))


def bootstrap(counts: ArrayLike, measure: Measure, resamples: int = RESAMPLES, seed: int = 0) -> Estimate:
    """A pooled score with its 95% interval over images; NaN as the module says.

    Args:
        counts: Integers ``([seeds,] images, truths, predictions)``.
        measure: Function of summed counts, such as `metrics.clothing_mean_iou`.
        resamples: At least 100.
        seed: The same seed and number of images draw the same images.

    ValueError if counts are no integers, negative, without images or of another shape, or resamples too few.

    >>> counts = np.array([[[8, 2], [1, 9]], [[6, 4], [3, 7]], [[9, 1], [0, 10]]])
    >>> [round(number, 2) for number in bootstrap(counts, metrics.accuracy)]
    [0.82, 0.65, 0.95]
    """
    stack = _stacked(counts, "counts")
    value, draws, left_out = _resampled([stack], lambda values: values[0], measure, resamples, seed)
    return Estimate(*map(_plain, (value, *_percentiles(draws, _tails(left_out)))))


def paired_comparison(
    counts_a: ArrayLike, counts_b: ArrayLike, measure: Measure, resamples: int = COMPARISON_RESAMPLES, seed: int = 0
) -> Comparison:
    """Score of trial b minus score of trial a on the same images, both recomputed on the same resamples.

    The p value belongs to the interval: it is 1 minus the level at which the interval begins to touch 0, with
    1 added to the resamples on the far side of 0 and to their total. It cannot be smaller than the number of
    resamples allows.

    Counts are integers ``([seeds,] images, truths, predictions)``, the same images in the same order; the number
    of seeds may differ. The rest is as for `bootstrap`. NaN where either score is undefined, or as the module says.
    ValueError as `bootstrap`, and if the two do not hold equally many images or labels.

    >>> a, b = np.array([[[8, 2], [4, 6]]] * 5), np.array([[[9, 1], [3, 7]]] * 5)
    >>> [round(number, 2) for number in paired_comparison(a, b, metrics.accuracy)[:3]]
    [0.1, 0.1, 0.1]
    """
    stacks = _pair(counts_a, counts_b)
    value, draws, left_out = _resampled(stacks, lambda values: values[1] - values[0], measure, resamples, seed)
    freedom = _tails(left_out).freedom
    tails = Tails(freedom, np.zeros_like(freedom))
    found = value, *_percentiles(draws, tails), _two_sided_p(draws, tails)
    return Comparison(*map(_plain, found))


def _resampled(
    stacks: list[Counts], combine: Callable[[list[Array]], Array], measure: Measure, resamples: int, seed: int
) -> tuple[Array, Array, Array]:
    """The value, its resamples ``(resamples, ...)`` and its leave-one-out values ``(images, ...)``."""
    if resamples < 100:
        raise ValueError(f"resamples is {resamples}; an interval needs at least 100.")

    def evaluate(summed: list[NDArray]) -> Array:
        with_seeds = [np.asarray(measure(each), dtype=np.float64) for each in summed]
        # Counts are (seeds, T, P) or (many, seeds, T, P): the mean over the seeds is taken behind `many`.
        return combine([values.mean(axis=each.ndim - 3) for values, each in zip(with_seeds, summed, strict=True)])

    totals = [stack.sum(axis=1) for stack in stacks]
    value = evaluate(totals)
    left_out = evaluate([total[None] - stack.swapaxes(0, 1) for total, stack in zip(totals, stacks, strict=True)])
    generator = np.random.default_rng(seed)
    images = stacks[0].shape[1]
    chunk = max(1, _WEIGHTS_IN_MEMORY // images)
    # One row per image: a resample's sum is one row of a matrix product, exact in float64 below 2**53 pixels.
    flat = [stack.swapaxes(0, 1).reshape(images, -1).astype(np.float64) for stack in stacks]
    draws = []
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        weights = generator.multinomial(images, np.full(images, 1 / images), size=size).astype(np.float64)
        sums = [(weights @ rows).reshape(size, s.shape[0], *s.shape[2:]) for rows, s in zip(flat, stacks, strict=True)]
        draws.append(evaluate(sums))
    return value, np.concatenate(draws), left_out


class Tails(NamedTuple):
    """What decides which percentiles bound an interval: arrays ``(...)``; NaN where there can be none."""

    freedom: Array
    acceleration: Array

    @property
    def expansion(self) -> Array:
        """What the bootstrap's standard error lacks when only ``freedom + 1`` images count."""
        return np.sqrt((self.freedom + 1) / self.freedom)


def _tails(left_out: Array) -> Tails:
    """Degrees of freedom and acceleration from leave-one-out values ``(images, ...)``.

    A sum of squares with mean m and variance v is like a chi-squared with 2 m^2 / v degrees of freedom
    (Satterthwaite). For normal values that is about the number of images; for values that are 0 but in a few
    images it is about their number. NaN where leaving one image out leaves nothing to score.
    """
    images = len(left_out)
    if images < 2:
        return Tails(*np.full((2, *left_out.shape[1:]), np.nan))
    influence = left_out.mean(axis=0) - left_out
    squares = (influence**2).sum(axis=0)
    spread = (influence**4).sum(axis=0) - squares**2 / images
    freedom = np.where(np.isnan(squares), np.nan, images - 1.0)
    np.divide(2 * squares**2, spread, out=freedom, where=spread > 0)
    acceleration = np.zeros_like(freedom)
    np.divide((influence**3).sum(axis=0), 6 * squares**1.5, out=acceleration, where=squares > 0)
    return Tails(np.minimum(freedom, images - 1), acceleration)


def _usable(draws: Array, tails: Tails) -> Counts:
    """How many draws are defined, or 0 where that is too few for an interval."""
    defined = (~np.isnan(draws)).sum(axis=0)
    return np.where(np.isnan(tails.freedom) | (2 * defined < len(draws)), 0, defined)


def _percentiles(draws: Array, tails: Tails) -> tuple[Array, Array]:
    """Lower and upper end of 95% per column of draws ``(resamples, ...)``; undefined draws are left out."""
    usable = _usable(draws, tails)
    last = np.maximum(usable - 1, 0)
    normal = special.stdtrit(tails.freedom, (1 - LEVEL) / 2) * tails.expansion
    ordered = np.sort(draws, axis=0)  # NaN last
    ends = []
    for score in (normal, -normal):
        share = np.nan_to_num(special.ndtr(score / np.maximum(1 - tails.acceleration * score, 1e-3)))
        position = np.clip(share * (usable + 1) - 1, 0, last)
        below = np.floor(position).astype(np.int64)
        lower = np.take_along_axis(ordered, below[None], axis=0)[0]
        upper = np.take_along_axis(ordered, np.minimum(below + 1, last)[None], axis=0)[0]
        # lower + weight * step keeps the interval of equal draws at exactly their number.
        ends.append(np.where(usable > 0, lower + (position - below) * (upper - lower), np.nan))
    return ends[0], ends[1]


def _two_sided_p(draws: Array, tails: Tails) -> Array:
    """The p value at which the interval, not accelerated, would touch 0; see `paired_comparison`."""
    usable = _usable(draws, tails)
    beyond = np.minimum((draws <= 0).sum(axis=0), (draws >= 0).sum(axis=0)) + 1
    normal = special.ndtri(np.minimum(beyond / (usable + 1), 0.5)) / tails.expansion
    return np.where(usable > 0, 2 * special.stdtr(tails.freedom, normal), np.nan)


def holm(p_values: ArrayLike) -> Array:
    """Holm's step-down adjustment of p values ``(tests,)``; NaN stays NaN and counts as no test.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statistics 6(2), 1979.
    ValueError if a p value lies outside 0 to 1 or the array has another than one dimension.

    >>> holm([0.01, 0.04, 0.5]).round(2).tolist()
    [0.03, 0.08, 0.5]
    """
    p = np.array(p_values, dtype=np.float64)
    if p.ndim != 1 or np.any((p < 0) | (p > 1)):
        raise ValueError("p_values must be one-dimensional and lie between 0 and 1 (or be NaN).")
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    steps = p[order] * (len(tests) - np.arange(len(tests)))
    p[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return p


def compare_mean_iou(
    counts_a: ArrayLike, counts_b: ArrayLike, resamples: int = COMPARISON_RESAMPLES, seed: int = 0
) -> Comparison:
    """The primary endpoint: mean IoU over the 13 clothing classes of trial b minus that of trial a."""
    return paired_comparison(counts_a, counts_b, metrics.clothing_mean_iou, resamples, seed)


def compare_trials(
    counts_a: ArrayLike, counts_b: ArrayLike, resamples: int = COMPARISON_RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Class by class, trial b minus trial a on the same images.

    The p values are corrected by Holm over the 13 classes, the intervals are not. The primary endpoint is
    `compare_mean_iou`. Counts are as for `paired_comparison`, with 14 predictions.

    Returns:
        A table indexed by the 13 clothing classes: the difference in IoU, ``iou``, with ``iou_low`` and ``iou_high``,
        ``p`` and ``p_holm``; NaN where undefined.
    """
    *iou, p = paired_comparison(counts_a, counts_b, metrics.clothing_iou, resamples, seed)
    return pd.DataFrame(ends("iou", iou) | {"p": p, "p_holm": holm(p)}, index=pd.Index(CLOTHING, name="class"))


def test_summary(counts: ArrayLike, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Any]:
    """The scores of one run on the test part ``(images, 16, 14)``, as results.json keeps them.

    Returns:
        Plain floats, integers, lists and None (undefined): ``mean_iou``, ``mean_iou_interval``,
        ``mean_iou_with_background``, ``mean_iou_per_image``, ``pixel_accuracy``, ``classes`` (the 14 classes:
        ``iou``, ``iou_interval``, ``precision``, ``recall``, ``f1``, ``support``, ``images``) and ``body``
        (three shares, each with ``value`` and ``interval``). Intervals are of 95%.
    """
    stack, table = np.asarray(counts), metrics.scores(counts)
    body = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing")

    def measure(summed: NDArray) -> Array:
        iou = metrics.class_scores(summed).iou
        others = [metrics.clothing_mean_iou(summed), *(getattr(metrics, name)(summed) for name in body)]
        return np.concatenate([iou, np.stack(others, axis=-1)], axis=-1)

    value, low, high = bootstrap(stack, measure, resamples, seed)
    intervals = [None if np.isnan(sum(pair)) else [*map(float, pair)] for pair in zip(low, high, strict=True)]
    classes = {
        name: {"iou": _number(row.iou), "iou_interval": interval}
        | {score: _number(getattr(row, score)) for score in ("precision", "recall", "f1")}
        | {"support": int(row.support), "images": int(row.images)}
        for (name, row), interval in zip(table.iterrows(), intervals, strict=False)
    }
    first = len(CLASSES)
    return {
        "mean_iou": _number(value[first]),
        "mean_iou_interval": intervals[first],
        "mean_iou_with_background": _number(metrics.defined_mean(value[:first])),
        "mean_iou_per_image": _number(metrics.defined_mean(metrics.image_mean_iou(stack))),
        "pixel_accuracy": _number(metrics.accuracy(stack.sum(axis=0))),
        "classes": classes,
        "body": {n: {"value": _number(value[i]), "interval": intervals[i]} for i, n in enumerate(body, first + 1)},
    }


def difference_over_seeds(scores_a: ArrayLike, scores_b: ArrayLike) -> Estimate:
    """Mean score of trial b over its seeds minus that of trial a, with Welch's interval over the seeds.

    The photos are the same for all: this is the variation between trainings, which intervals over images leave out.
    Scores are ``(seeds,)``; low and high are NaN where a trial has fewer than two.

    >>> [round(number, 3) for number in difference_over_seeds([0.40, 0.42, 0.41], [0.45, 0.44, 0.46])]
    [0.04, 0.017, 0.063]
    """
    a, b = np.asarray(scores_a, np.float64), np.asarray(scores_b, np.float64)
    value = float(b.mean() - a.mean())
    if min(len(a), len(b)) < 2:
        return Estimate(value, math.nan, math.nan)
    low, high = stats.ttest_ind(b, a, equal_var=False).confidence_interval(LEVEL)
    return Estimate(value, float(low), float(high))


def over_photos_and_seeds(counts: ArrayLike, measure: Measure) -> Estimate:
    """A score's mean over trainings, with an interval over photos and trainings together.

    The two variances, of the mean over photos (from its bootstrap interval) and over trainings (of their scores,
    divided by their number), are added; Satterthwaite's degrees of freedom give Student's quantile.

    Args:
        counts: Integers ``(seeds, images, truths, predictions)``.
        measure: As for `bootstrap`, one number.

    Returns:
        Low and high are NaN for one training, whose luck cannot be told.
    """
    stack = _stacked(counts, "counts")
    each = np.asarray(measure(stack.sum(axis=1)), np.float64)
    value, low, high = bootstrap(stack, measure)
    if len(each) < 2:
        return Estimate(value, math.nan, math.nan)
    photos = ((high - low) / 2 / stats.norm.ppf((1 + LEVEL) / 2)) ** 2
    seeds = each.var(ddof=1) / len(each)
    if not photos + seeds > 0:
        return Estimate(value, low, high)
    freedom = (photos + seeds) ** 2 / (photos**2 / max(1, stack.shape[1] - 1) + seeds**2 / (len(each) - 1))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(photos + seeds))
    return Estimate(value, value - reach, value + reach)


def share_interval(hits: int, total: int) -> Estimate:
    """A share of independent cases with Wilson's interval; NaN of none.

    >>> [round(number, 2) for number in share_interval(5, 20)]
    [0.25, 0.11, 0.47]
    """
    if not total:
        return Estimate(math.nan, math.nan, math.nan)
    return Estimate(hits / total, *map(float, stats.binomtest(hits, total).proportion_ci(LEVEL, "wilson")))


def rank_correlation_interval(value: float, pairs: int) -> tuple[float, float]:
    """95% interval of Spearman's rank correlation over the pairs it was computed from, here the classes.

    Resampled images would hold the classes fixed: with 13 of them that hides most of the uncertainty.

    Source: Fieller, Hartley and Pearson, "Tests for Rank Correlation Coefficients", Biometrika 44, 1957:
    atanh(value) is nearly normal with variance 1.06 / (pairs - 3). NaN gives NaN; pairs are at least 4.

    >>> [round(end, 2) for end in rank_correlation_interval(0.5, 13)]
    [-0.09, 0.83]
    """
    if pairs < 4:
        raise ValueError(f"pairs is {pairs}; an interval needs at least 4.")
    centre = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    half = special.ndtri(0.975) * np.sqrt(1.06 / (pairs - 3))
    return float(np.tanh(centre - half)), float(np.tanh(centre + half))


def verdict(interval: Sequence[float | None] | None, *, above: float | None = None, below: float | None = None) -> str:
    """What an interval says of the claim that a value lies above, or below, a threshold.

    "supported" if the whole interval (low, high) satisfies the claim, "refuted" if none of it does (a value equal to
    the threshold does not), else, and where None or NaN, "inconclusive". Exactly one of above and below is given.

    >>> verdict((0.1, 0.4), above=0), verdict((0.1, 0.4), below=0.2), verdict(None, above=0)
    ('supported', 'inconclusive', 'inconclusive')
    """
    if (above is None) == (below is None):
        raise ValueError("A verdict needs exactly one of above and below.")
    low, high = (None, None) if interval is None else interval
    if low is None or high is None or np.isnan(low) or np.isnan(high):
        return "inconclusive"
    if low > high:
        raise ValueError(f"The interval ({low}, {high}) ends before it begins.")
    if above is not None:
        supported, refuted = low > above, high <= above
    elif below is not None:
        supported, refuted = high < below, low >= below
    return "supported" if supported else "refuted" if refuted else "inconclusive"


def _stacked(counts: ArrayLike, name: str) -> Counts:
    """Checked counts as int64 ``(seeds, images, truths, predictions)``."""
    stack = metrics.integer_counts(counts, name)
    if stack.ndim not in (3, 4) or 0 in stack.shape:
        raise ValueError(f"{name} has shape {stack.shape}; expected ([seeds,] images, truths, predictions).")
    return stack if stack.ndim == 4 else stack[None]


def _pair(counts_a: ArrayLike, counts_b: ArrayLike) -> list[Counts]:
    """Both checked, and refused if they cannot be of the same images."""
    stacks = [_stacked(counts_a, "counts_a"), _stacked(counts_b, "counts_b")]
    shapes = [stack.shape[1:] for stack in stacks]
    if shapes[0] != shapes[1]:
        raise ValueError(f"counts_a has (images, truths, predictions) {shapes[0]}, counts_b {shapes[1]}.")
    truths = [stack[0].sum(axis=-1) for stack in stacks]
    if not np.array_equal(*truths):
        raise ValueError("counts_a and counts_b differ in their truth pixels: other images or another order.")
    return stacks


def _plain(array: Array) -> Any:
    """A float for a measure without classes, else the array."""
    return float(array) if np.ndim(array) == 0 else array


def _number(value: float | Array) -> float | None:
    return None if np.isnan(value) else float(value)

"""Where the errors are: flows between labels, hair against headwear, skin under clothing.

Nearly everything is read from the counts of a finished run, ``(images, 16, 14) int64``. What depends on where
in the picture a pixel lies is counted once, in `scan`, into small integer arrays of the same kind,
``(images, truths, predictions)``, so that `statistics` gives their intervals too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch
from IPython.display import Markdown
from numpy.typing import ArrayLike, NDArray
from torch.nn.functional import interpolate

from modanet_utils import metrics
from modanet_utils.answers import NOTHING, PENDING, Table
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, CLOTHING, HAIR, HEADWEAR, IGNORE, LABELS, SKIN
from modanet_utils.datasets import Dataset
from modanet_utils.metrics import leak, ratio
from modanet_utils.progress import Progress
from modanet_utils.results import TRIALS
from modanet_utils.statistics import Measure, bootstrap, ends, paired_comparison, verdict
from modanet_utils.training import Run, photo_and_truth, predict

ALARM_SHARE = 0.0005
"""Share of a picture that predicted headwear must cover to be an alarm: some 200 pixels of a 825x550 photo,
less than any hat."""
FOUND_SHARE = 0.1
"""Share of an image's headwear that must be found for the headwear not to count as missed entirely."""
EDGES: tuple[int, ...] = (2, 4, 8, 16, 32)
"""Distances from clothing, in pixels, between which skin is counted."""
SHIFT = 2
"""How far an outline may be off, in pixels, before an error is more than an uncertain edge: the first of
`EDGES`, and in pixels of the network's input the only edge of ``Places.coarse``."""

# ------------------------------------------------------------------------------------------- flows


def flow_shares(counts: ArrayLike, of: str) -> pd.DataFrame:
    """The whole confusion as shares, hair and skin as rows of their own.

    Args:
        counts: Integers ``(images, 16, 14)`` or their sum ``(16, 14)``.
        of: "truth" (each row sums to 1: what became of a true label's pixels) or "prediction" (each column
            sums to 1: what a predicted class's pixels are in truth).

    Returns:
        16 true labels by 14 classes; NaN where a label is not in the truth or a class never predicted.
    """
    if of not in ("truth", "prediction"):
        raise ValueError(f"of is {of!r}: give 'truth' or 'prediction'.")
    pooled = metrics.checked_counts(counts).sum(axis=0)
    shares = ratio(pooled, pooled.sum(axis=1 if of == "truth" else 0, keepdims=True))
    return pd.DataFrame(shares, pd.Index(LABELS[: len(pooled)], name="true label"), list(CLASSES))


def largest_flows(counts: ArrayLike, number: int = 10) -> pd.DataFrame:
    """The wrong flows that hold most pixels, each with its 95% intervals.

    Args:
        counts: Integers ``(images, 16, 14)``.
        number: Rows of the table.

    Returns:
        A row a flow, largest first: ``truth``, ``prediction`` (names), ``errors`` (share of all wrong
        pixels), then ``of_truth`` and ``of_prediction`` (share of the true label's and of the predicted
        class's pixels), each with ``_low`` and ``_high``.
    """
    stack = metrics.checked_counts(counts)
    pooled = stack.sum(axis=0)
    wrong = np.where(_right(len(pooled)), 0, pooled)
    order = np.argsort(-wrong, axis=None, kind="stable")[:number]
    order = order[wrong.ravel()[order] > 0]
    rows, columns = np.unravel_index(order, wrong.shape)

    def measure(summed: NDArray) -> NDArray:
        chosen, totals = summed[..., rows, columns], (summed.sum(-1)[..., rows], summed.sum(-2)[..., columns])
        return np.concatenate([ratio(chosen, total) for total in totals], axis=-1)

    table = pd.DataFrame({"truth": np.array(LABELS)[rows], "prediction": np.array(CLASSES)[columns]})
    table["errors"] = ratio(wrong[rows, columns], wrong.sum())
    parts = [np.split(part, 2) for part in bootstrap(stack, measure)]
    for at, name in enumerate(("of_truth", "of_prediction")):
        table = table.assign(**ends(name, [part[at] for part in parts]))
    return table


def _right(truths: int) -> NDArray[np.bool_]:
    """``(truths, 14)``: the pairs that are no error; hair and skin should be called background."""
    right = np.eye(truths, len(CLASSES), dtype=bool)
    right[len(CLASSES) :, 0] = True
    return right


def origins(trials: Mapping[str, NDArray], label: int = HEADWEAR) -> pd.DataFrame:
    """What a class's false positives are in truth, and what they would be if they fell just anywhere.

    Args:
        trials: Trial's label to its counts ``(images, 16, 14)`` of the same images.
        label: The class.

    Returns:
        The true labels but the class itself, by the trials and "if spread evenly" (the labels' own pixels);
        every column sums to 1 or is NaN.
    """
    columns = {name: counts.sum(axis=0)[:, label] for name, counts in trials.items()}
    columns["if spread evenly"] = next(iter(trials.values())).sum(axis=(0, 2))
    table = pd.DataFrame(columns)
    table = table.set_index(pd.Index(LABELS[: len(table)])).drop(index=CLASSES[label])
    return table.astype(float).apply(lambda column: ratio(column, column.sum()), raw=True)


def receivers(counts: NDArray, label: int = SKIN) -> pd.DataFrame:
    """The share of a true label's pixels that each clothing class takes: ``share``, ``low``, ``high``."""

    def measure(summed: NDArray) -> NDArray:
        row = summed[..., label, :]
        return ratio(row[..., 1:], row.sum(axis=-1, keepdims=True))

    value, low, high = bootstrap(counts, measure)
    return pd.DataFrame({"share": value, "low": low, "high": high}, index=list(CLOTHING))


# ---------------------------------------------------------------------------------------- questions


class Question(NamedTuple):
    """A question that counts answer: its text, what is resampled per image, and the score of its sum."""

    text: str
    select: Callable[[NDArray], NDArray]
    measure: Measure


def _all(counts: NDArray) -> NDArray:
    return counts


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


def _missed(counts: NDArray) -> NDArray:
    return 1 - leak(counts, HEADWEAR, HEADWEAR)


QUESTIONS: dict[str, Question] = {
    "hair_as_headwear": Question("hair called headwear, of all hair", _all, metrics.hair_as_headwear),
    "hair_as_headwear_hatless": Question("the same where nobody wears any", hatless, metrics.hair_as_headwear),
    "hair_as_clothing": Question("hair called any clothing, of all hair", _all, metrics.hair_as_clothing),
    "headwear_false_positives_on_hair": Question(
        "headwear's false positives that lie on hair", _all, metrics.headwear_false_positives_on_hair
    ),
    "headwear_missed": Question("headwear missed, of all its pixels", _all, _missed),
    "headwear_unseen": Question("images with headwear, hardly any found", alarms, lambda table: leak(table, 1, 0)),
    "headwear_alarms": Question("images without headwear, some reported", alarms, lambda table: leak(table, 0, 1)),
    "skin_as_clothing": Question("skin called clothing, of all skin", _all, metrics.skin_as_clothing),
}
"""What the notebook asks of every trial, by the name that results.json uses."""


def answers(before: NDArray, after: NDArray, limit: NDArray | None = None) -> pd.DataFrame:
    """Every question answered for two trials on the same images, with 95% intervals.

    Args:
        before, after: Counts ``(images, 16, 14)`` of two trials.
        limit: Counts of a network that is perfect but for its resolution; see `resolution_limit`.

    Returns:
        A row a question: ``text``, then ``before``, ``after`` and ``difference`` (after minus before, on the
        same resamples), each with ``_low`` and ``_high``, and ``limit``. NaN where undefined.
    """
    rows = {}
    for name, (text, select, measure) in QUESTIONS.items():
        row: dict[str, Any] = {"text": text}
        for column, counts in (("before", before), ("after", after)):
            row |= ends(column, bootstrap(select(counts), measure))
        row |= ends("difference", paired_comparison(select(before), select(after), measure)[:3])
        row["limit"] = np.nan if limit is None else float(measure(select(limit).sum(axis=0)))
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")


# --------------------------------------------------------------------------------------- arithmetic


def precision_ceiling(leak_share: ArrayLike, recall: ArrayLike, times: ArrayLike) -> NDArray[np.float64]:
    """The highest precision that a class can have when another label leaks into it.

    With P pixels of the class and ``times`` P of the other label, ``recall`` P pixels are right and
    ``leak_share times P`` are wrong, whatever else is.

    Args:
        leak_share: Share of the other label's pixels that is called the class.
        recall: Recall of the class.
        times: Pixels of the other label, in pixels of the class.
    """
    recall = np.asarray(recall, np.float64)
    return ratio(recall, recall + np.asarray(times, np.float64) * leak_share)


def ceiling_table(times: float, leaks: Iterable[float], recalls: Iterable[float]) -> pd.DataFrame:
    """`precision_ceiling` for some leaks (rows) and recalls (columns)."""
    return pd.DataFrame({r: {x: float(precision_ceiling(x, r, times)) for x in leaks} for r in recalls})


def arithmetic(trials: Mapping[str, NDArray]) -> pd.DataFrame:
    """Headwear's precision taken apart, a row a trial.

    Args:
        trials: Trial's label to its counts ``(images, 16, 14)``.

    Returns:
        ``times`` (hair's pixels in headwear's), ``recall``, ``leak`` (of hair into headwear), ``ceiling``
        (the precision if hair were the only source of false positives), ``precision``, and ``without_hair``
        (the precision if hair did not leak). NaN where undefined.
    """
    rows = {}
    for name, counts in trials.items():
        pooled = counts.sum(axis=0)
        hits, predicted = pooled[HEADWEAR, HEADWEAR], pooled[:, HEADWEAR].sum()
        times, recall = ratio(pooled[HAIR].sum(), pooled[HEADWEAR].sum()), leak(pooled, HEADWEAR, HEADWEAR)
        share = metrics.hair_as_headwear(pooled)
        values = (times, recall, share, precision_ceiling(share, recall, times), ratio(hits, predicted))
        rows[name] = [float(v) for v in (*values, ratio(hits, predicted - pooled[HAIR, HEADWEAR]))]
    columns = ["times", "recall", "leak", "ceiling", "precision", "without_hair"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


# ------------------------------------------------------------------------------------ where in the picture


def depth_counts(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], edges: Sequence[float] = EDGES, label: int = SKIN
) -> NDArray[np.int64]:
    """Pixels of a body label by their distance from the nearest true clothing.

    Args:
        truth: ``(H, W) uint8`` label map.
        prediction: ``(H, W) uint8``.
        edges: Ascending distances in pixels; a distance equal to an edge belongs below it. A pixel that
            touches clothing has distance 1.
        label: The body label.

    Returns:
        ``(len(edges) + 1, 2) int64``: ``[distance, called clothing]``. Without any clothing in the picture
        everything is far away.
    """
    body = truth == label
    clothing = (truth > 0) & (truth < len(CLASSES))
    if clothing.any():
        outside = (~clothing).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[body]
    else:
        distance = np.full(int(body.sum()), np.inf)
    # The transform is exact but for rounding in float32; 2 must not become 2.0000001.
    bins = np.searchsorted(np.asarray(edges, np.float64) + 1e-4, distance, side="left")
    key = 2 * bins + (prediction[body] > 0)
    return np.bincount(key, minlength=2 * (len(edges) + 1)).reshape(-1, 2).astype(np.int64)


def deeper_share(counts: NDArray) -> NDArray[np.float64]:
    """Share of what is called clothing beyond the first edge: ``(..., distances, 2)`` to ``(...)``."""
    called = counts[..., 1]
    return ratio(called[..., 1:].sum(axis=-1), called.sum(axis=-1))


def depth_table(counts: NDArray, edges: Sequence[float] = EDGES) -> pd.DataFrame:
    """Skin by distance from true clothing, a row a distance.

    Args:
        counts: ``(images, len(edges) + 1, 2)`` from `depth_counts`.

    Returns:
        ``skin`` (share of all skin that lies there), ``called`` (share of the skin called clothing that lies
        there), ``rate`` (share of the skin there that is called clothing) with ``rate_low``, ``rate_high``.
    """
    pooled = counts.sum(axis=0)
    names = [f"{low:g} to {high:g}" for low, high in zip((0, *edges), edges, strict=False)]
    names.append(f"over {edges[-1]:g}")
    table = pd.DataFrame(index=pd.Index(names, name="pixels from clothing"))
    table["skin"] = ratio(pooled.sum(axis=1), pooled.sum())
    table["called"] = ratio(pooled[:, 1], pooled[:, 1].sum())
    rate = bootstrap(counts, lambda summed: ratio(summed[..., 1], summed.sum(axis=-1)))
    table["rate"], table["rate_low"], table["rate_high"] = rate
    return table


def resolution_limit(truth: NDArray[np.uint8], letterbox: Letterbox) -> NDArray[np.uint8]:
    """The best prediction at the network's resolution: the truth made small and enlarged as its output is.

    Args:
        truth: ``(H, W) uint8`` label map.
        letterbox: Network input size.

    Returns:
        ``(H, W) uint8``, 0-13; body labels and ignored pixels are background.
    """
    top, left, height, width = letterbox.box(*truth.shape)
    small = letterbox.label_map(truth)[top : top + height, left : left + width]
    small = np.where(small < len(CLASSES), small, 0)
    present = np.unique(small)
    layers = torch.from_numpy((small[None] == present[:, None, None]).astype(np.float32))[None]
    large = interpolate(layers, truth.shape, mode="bilinear", align_corners=False)[0]
    return present[large.argmax(0).numpy()].astype(np.uint8)


class Places(NamedTuple):
    """What was counted of the predictions for all test images.

    Attributes:
        counts: ``(images, 16, 14) int64``.
        depth: ``(images, 6, 2) int64``, skin by distance in pixels of the photo; see `depth_counts`.
        coarse: ``(images, 2, 2) int64``, the same with one edge at two pixels of the network's input.
    """

    counts: NDArray[np.int64]
    depth: NDArray[np.int64]
    coarse: NDArray[np.int64]


@dataclass(frozen=True)
class Scan:
    """What a look at every test image gave.

    Attributes:
        found: Of the run's predictions; ``found.counts`` are the run's own counts, made again.
        limit: Of a network that is perfect but for its resolution; see `resolution_limit`.
        predictions: Label maps of the images that were to be kept, by id.
        more: What else was counted of the predictions, ``(images, ...)`` by name; see `scan`.
    """

    found: Places
    limit: Places
    predictions: dict[int, NDArray[np.uint8]]
    more: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def changed(self, counts: NDArray) -> float:
        """Share of all pixels whose place in the counts is not that of another's, such as the run's own."""
        return float(np.abs(self.found.counts - counts).sum() / 2 / counts.sum())


Examine = Callable[[NDArray, NDArray, NDArray, float], dict[str, NDArray]]
"""Counts something of a picture: its truth, prediction and limit ``(H, W) uint8``, the side of a network's pixel."""


def scan(
    run: Run, dataset: Dataset, keep: Iterable[int] = (), quiet: bool = False, also: Examine | None = None
) -> Scan:
    """Predict every test image of a run once, and count what depends on the place in the picture.

    Args:
        run: A finished run that has its weights.
        dataset: The data it was scored on.
        keep: Ids of the images whose predictions are wanted; the others are not held in memory.
        quiet: Say nothing.
        also: Counts more of every picture, such as `breakdown.examine`.

    Raises:
        FileNotFoundError: The run was kept without its weights.
    """
    network = run.network()
    letterbox = Letterbox(run.config.image_height, run.config.image_width)
    places, predictions, more = [], {}, []
    wanted, progress = set(keep), Progress(len(run.ids), quiet)
    for number, image_id in enumerate(run.ids, 1):
        photo, truth = photo_and_truth(dataset, image_id)
        prediction = predict(network, photo, letterbox)
        pixel = truth.shape[0] / letterbox.box(*truth.shape)[2]  # one of the network's, in the photo's
        both = (prediction, resolution_limit(truth, letterbox))
        places.append([_places(truth, one, pixel) for one in both])
        if image_id in wanted:
            predictions[image_id] = prediction
        if also is not None:
            more.append(also(truth, *both, pixel))
        progress.step(number, "predicting")
    progress.close(f"{len(run.ids)} test images predicted")
    found, limit = (Places(*map(np.stack, zip(*one, strict=True))) for one in zip(*places, strict=True))
    return Scan(found, limit, predictions, {name: np.stack([one[name] for one in more]) for name in (more or [{}])[0]})


def _places(truth: NDArray[np.uint8], prediction: NDArray[np.uint8], pixel: float) -> Places:
    """One image of `Places`; ``pixel`` is the side of one of the network's pixels in the photo's."""
    depth, coarse = (depth_counts(truth, prediction, edges) for edges in (EDGES, (SHIFT * pixel,)))
    return Places(metrics.confusion_counts(truth, prediction), depth, coarse)


# -------------------------------------------------------------------------------------------- cases


ERROR_KINDS: dict[str, str] = {
    "right": "#f2f2ef",
    "clothing missed": "#0072b2",
    "one garment for another": "#cc79a7",
    "background called clothing": "#e69f00",
    "hair called clothing": "#000000",
    "skin called clothing": "#d55e00",
    "ignored": "#bdbdbd",
}
"""What can be wrong with a pixel, in the order of `error_map`'s values, each with its colour in figures."""


def error_map(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What is wrong where: ``(H, W) uint8``, values as in `ERROR_KINDS`."""
    expected = np.where(truth < len(CLASSES), truth, 0)
    wrong = prediction != expected
    kinds = np.zeros(truth.shape, np.uint8)
    kinds[wrong & (expected > 0)] = 2
    kinds[wrong & (expected > 0) & (prediction == 0)] = 1
    for kind, label in ((3, 0), (4, HAIR), (5, SKIN)):
        kinds[wrong & (truth == label)] = kind
    kinds[truth == IGNORE] = 6
    return kinds


def image_mean_iou(counts: NDArray) -> NDArray[np.float64]:
    """Every image's own mean IoU over the clothing in its truth: ``(images, 16, 14)`` to ``(images,)``."""
    table = metrics.class_scores(counts)
    present = table.support[:, 1:] > 0
    return ratio(np.where(present, table.iou[:, 1:], 0).sum(axis=1), present.sum(axis=1))


@dataclass(frozen=True)
class Cases:
    """Images chosen by rule, as ids.

    Attributes:
        worst: Lowest mean IoU first; see `image_mean_iou`.
        random: Drawn from all test images.
        hair: Most hair called headwear, as a share of the picture, first; only images that have some.
        scores: Mean IoU of every image.
    """

    worst: list[int]
    random: list[int]
    hair: list[int]
    scores: dict[int, float]

    @property
    def all(self) -> list[int]:
        return sorted({*self.worst, *self.random, *self.hair})


def choose_cases(ids: Sequence[int], counts: NDArray, number: int = 4, seed: int = 0) -> Cases:
    """The images that the galleries show; ties go to the smaller position in ``ids``."""
    scores = image_mean_iou(counts)
    leaked = ratio(counts[:, HAIR, HEADWEAR], counts.sum(axis=(1, 2)))
    worst = [at for at in np.argsort(scores, kind="stable")[:number] if not np.isnan(scores[at])]
    drawn = np.random.default_rng(seed).choice(len(ids), min(number, len(ids)), replace=False)
    hair = [at for at in np.argsort(-leaked, kind="stable")[:number] if leaked[at] > 0]
    chosen = ([ids[at] for at in positions] for positions in (worst, drawn, hair))
    return Cases(*chosen, dict(zip(ids, scores.tolist(), strict=True)))


# ------------------------------------------------------------------------------------------- report


def percent(value: float | None, low: float | None = None, high: float | None = None, sign: str = "") -> str:
    """A share and its interval as tables show them: ``2.1% [1.5, 2.9]``; undefined is a dash."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{100 * value:{sign}.1f}%"
    if low is None or high is None or not np.isfinite([low, high]).all():
        return text
    return f"{text} [{100 * low:{sign}.1f}, {100 * high:{sign}.1f}]"


def answers_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`answers` as a reader sees it: shares with their intervals, a column a trial.

    Args:
        table: Rows of `answers` and `skin_deeper`, or what results.json keeps of them.
    """
    columns = {"before": TRIALS["cross_entropy"], "after": TRIALS["combined"], "difference": "difference"}
    texts = {
        label: [percent(*(row.get(name + end) for end in ("", "_low", "_high")), "+" * (name == "difference"))
                for row in table.to_dict("records")]
        for name, label in columns.items()
    }  # fmt: skip
    texts["resolution alone"] = [percent(value) for value in table["limit"]]
    return pd.DataFrame(texts, index=list(table["text"]))


def flows_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`largest_flows` as a reader sees it, or what results.json keeps of it."""
    shares = [("errors", "of all errors"), ("of_truth", "of the true label"), ("of_prediction", "of the prediction")]
    columns = {"in truth": list(table["truth"]), "called": list(table["prediction"])}
    for name, label in shares:
        columns[label] = [
            percent(*(row.get(name + end) for end in ("", "_low", "_high"))) for row in table.to_dict("records")
        ]
    return pd.DataFrame(columns)


def recorded_answers(results: Mapping[str, Any]) -> Table:
    """The answers that results.json keeps, as `answers_texts` shows them."""
    if "errors" not in results:
        return NOTHING
    table = pd.DataFrame.from_dict(results["errors"]["answers"], orient="index")
    return answers_texts(table.astype({name: float for name in table.columns if name != "text"}))


def recorded_flows(results: Mapping[str, Any], trial: str) -> Table:
    """The largest flows that results.json keeps of a trial, as `flows_texts` shows them."""
    if "errors" not in results:
        return NOTHING
    return flows_texts(pd.DataFrame(results["errors"]["largest_flows"][trial]))


def answer(results: Mapping[str, Any]) -> Markdown:
    """The notebook's answer in two sentences."""
    if not {"errors", "dataset"} <= results.keys():
        return PENDING
    rows, dataset = results["errors"]["answers"], results["dataset"]

    def share(name: str, column: str = "after") -> str:
        return percent(*(rows[name][column + end] for end in ("", "_low", "_high")))

    return Markdown(
        f"**On real photos** ({dataset['name']}, {dataset['split']['test']} test images) "
        f"{share('hair_as_headwear', 'before')} of all hair is called headwear with cross-entropy and "
        f"{share('hair_as_headwear')} with the combined loss; there "
        f"{share('headwear_false_positives_on_hair')} of headwear's false positives lie on hair. "
        f"Of all skin {share('skin_as_clothing')} is called clothing by the combined loss, and of that "
        f"{share('skin_deeper')} lies more than {SHIFT} pixels from any true clothing."
    )


class Claim(NamedTuple):
    """A claim about one row of the answers: which column must lie above which threshold."""

    id: str
    statement: str
    measure: str
    row: str
    column: str
    above: float


CLAIMS: tuple[Claim, ...] = (
    Claim("hair-as-headwear", "Hair is taken for headwear.",
          "hair pixels called headwear, combined loss; above 1%", "hair_as_headwear", "after", 0.01),
    Claim("headwear-false-positives-on-hair", "Headwear's false positives lie mostly on hair.",
          "headwear's false positives, share on hair, combined loss; above 50%",
          "headwear_false_positives_on_hair", "after", 0.5),
    Claim("combined-loss-leak", "The combined loss makes more hair into headwear than cross-entropy does.",
          "hair pixels called headwear, combined loss minus cross-entropy; above 0",
          "hair_as_headwear", "difference", 0.0),
    Claim("skin-as-clothing", "The body is over-segmented: skin is called clothing.",
          "skin pixels called clothing, combined loss; above 5%", "skin_as_clothing", "after", 0.05),
    Claim("skin-beyond-the-edge", "What is called clothing on skin is more than uncertain edges.",
          f"skin called clothing, share over {SHIFT} pixels from any true clothing, combined loss; above 50%",
          "skin_deeper", "after", 0.5),
    Claim("skin-beyond-the-networks-edge", "What is called clothing on skin is more than coarse edges.",
          f"skin called clothing, share over {SHIFT} of the network's pixels from any true clothing, "
          "combined loss; above 50%",
          "skin_deeper_coarse", "after", 0.5),
)  # fmt: skip
"""Claims on hair, headwear and skin; thresholds were chosen before the combined loss was scored on real photos."""

THRESHOLDS: dict[str, float] = {claim.row: claim.above for claim in CLAIMS if claim.column == "after"}
"""Question to the threshold of the claim about it."""


def skin_deeper(before: Scan, after: Scan) -> pd.DataFrame:
    """Further rows for `answers`: of the skin called clothing, the share that is more than an edge.

    Args:
        before, after: `scan` of two trials on the same images.
    """
    rows = {}
    for name, part, unit in (("skin_deeper", "depth", "pixels"), ("skin_deeper_coarse", "coarse", "network pixels")):
        first, second, limit = (getattr(places, part) for places in (before.found, after.found, after.limit))
        row: dict[str, Any] = {"text": f"of that, over {SHIFT} {unit} from clothing"}
        for column, depth in (("before", first), ("after", second)):
            row |= ends(column, bootstrap(depth, deeper_share))
        row |= ends("difference", paired_comparison(first, second, deeper_share)[:3])
        rows[name] = row | {"limit": float(deeper_share(limit.sum(axis=0)))}
    return pd.DataFrame.from_dict(rows, orient="index")


def claims(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The claims as ``Workspace.record_claim`` takes them, with verdicts.

    Args:
        table: Rows of `answers` and `skin_deeper`.
    """
    found = []
    for claim in CLAIMS:
        value, low, high = (float(table.loc[claim.row, claim.column + end]) for end in ("", "_low", "_high"))
        entry = {"id": claim.id, "statement": claim.statement, "measure": claim.measure, "value": value}
        entry |= {"interval": (low, high), "verdict": verdict((low, high), above=claim.above)}
        found.append(entry)
    return found


def summary(
    trials: Mapping[str, NDArray], table: pd.DataFrame, depths: Mapping[str, NDArray], number: int = 10
) -> dict[str, Any]:
    """What results.json keeps under "errors".

    Args:
        trials: Trial's name to its counts ``(images, 16, 14)``.
        table: Rows of `answers` and `skin_deeper`.
        depths: Trial's name to ``(images, distances, 2)`` from `scan`.
        number: Flows kept for every trial.

    Returns:
        ``counts`` (16 by 14, pooled over the images), ``largest_flows``, ``arithmetic`` and ``skin_by_distance``
        by trial, ``answers`` by question.
    """
    return {
        "counts": {name: counts.sum(axis=0) for name, counts in trials.items()},
        "largest_flows": {name: largest_flows(c, number).to_dict("records") for name, c in trials.items()},
        "answers": table.to_dict("index"),
        "arithmetic": arithmetic(trials).to_dict("index"),
        "skin_by_distance": {name: depth_table(d).reset_index().to_dict("records") for name, d in depths.items()},
    }

"""Confusion counts and every score that follows from them.

One array is behind every number: ``counts[image, truth, prediction]``, int64 pixels, truth over the 16
labels (hair and skin kept apart), prediction over the 14 classes. Two kinds of function read it:

- *Measures* (`class_scores`, `clothing_mean_iou`, `accuracy`, `leak`, ...) take summed counts
  ``(..., truths, predictions)``, of any number dtype and with any leading dimensions, and return an array
  ``(...)`` or ``(..., classes)``. Leading dimensions are never summed, so thousands of bootstrap resamples
  are scored in one call.
- `scores` takes the integer counts of one image ``(16, 14)`` or of many ``(images, 16, 14)``, checks them, pools
  over the images, and returns a table.

Undefined is NaN: precision of a class that was never predicted, recall of a class that is absent from
the truth, IoU and F1 of a class that is neither in the truth nor predicted.

>>> counts = np.array([[8, 3], [1, 9]])  # two classes: background and one garment
>>> [round(float(f(counts)), 2) for f in (accuracy, background_share, clothing_mean_iou, clothing_precision)]
[0.81, 0.52, 0.69, 0.75]
>>> anything = np.ones((16, 14), int)  # every label is called every class once
>>> [round(float(f(anything)), 2) for f in (hair_as_headwear, hair_as_clothing, skin_as_clothing)]
[0.07, 0.93, 0.93]
>>> perfect = np.eye(14, dtype=int)
>>> [round(float(f(perfect)), 2) for f in (clothing_mean_iou, accuracy, background_share)]
[1.0, 1.0, 0.07]
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, LABELS, SKIN

CLOTHING_LABELS: range = range(1, len(CLASSES))
Array = NDArray[np.float64]


class ClassScores(NamedTuple):
    """Scores per class, arrays ``(..., 14)``; NaN where undefined, ``support`` in pixels."""

    iou: Array
    precision: Array
    recall: Array
    f1: Array
    support: NDArray


def confusion_counts(
    truth: ArrayLike, prediction: ArrayLike, truths: int = len(LABELS), predictions: int = len(CLASSES)
) -> NDArray[np.int64]:
    """Count the pixels of every pair (true label, predicted label).

    Args:
        truth: Integer labels of any shape, ``0 .. truths - 1`` or 255, which is ignored. A numpy array or
            a torch tensor on the CPU; ``uint8`` is the fast case.
        prediction: Integer labels of the same shape, ``0 .. predictions - 1``, also where truth is ignored.
        truths, predictions: Numbers of labels, at most 255 each.

    Returns:
        ``(truths, predictions)`` int64: element ``[t, p]`` counts pixels of label t predicted as p.

    Raises:
        ValueError: If the arguments are no integers, differ in shape, or hold a label out of range.

    >>> confusion_counts([0, 1, 1, 255], [0, 1, 0, 0], 2, 2).tolist()
    [[1, 0], [1, 1]]
    """
    for name, number in (("truths", truths), ("predictions", predictions)):
        if not 1 <= number <= IGNORE:
            raise ValueError(f"{name} is {number}; it must lie between 1 and {IGNORE}.")
    truth, prediction = _labels("truth", truth), _labels("prediction", prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"truth has shape {truth.shape}, prediction {prediction.shape}; they must be equal.")
    # 16-bit keys with one bin for every possible pair: labels out of range land in bins of their own, so
    # that the check costs no pass over the pixels.
    keys = truth.astype(np.uint16)
    keys <<= 8
    keys |= prediction
    table = np.bincount(keys.ravel(), minlength=1 << 16).reshape(256, 256)
    counts = table[:truths, :predictions].astype(np.int64)
    if int(counts.sum() + table[IGNORE, :predictions].sum()) != truth.size:
        _refuse_labels(table, truths, predictions)
    return counts


def _labels(name: str, values: ArrayLike) -> NDArray[np.uint8]:
    """Return the labels as uint8 and refuse what cannot be a label."""
    try:
        labels = np.asarray(values)
    except (TypeError, RuntimeError, ValueError) as error:  # torch: other devices, bfloat16, gradients
        raise ValueError(f"{name} cannot be read as an integer array on the CPU: {error}") from error
    if labels.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integer labels, but its dtype is {labels.dtype}.")
    if labels.dtype == np.uint8 or labels.size == 0:
        return labels.astype(np.uint8, copy=False)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high > IGNORE:
        raise ValueError(f"{name} holds label {low if low < 0 else high}, which is no label.")
    return labels.astype(np.uint8)


def _refuse_labels(table: NDArray, truths: int, predictions: int) -> None:
    """Name the argument and the first label that is out of range."""
    true, predicted = (np.flatnonzero(table.sum(axis=axis)) for axis in (1, 0))
    if (wrong := true[(true >= truths) & (true != IGNORE)]).size:
        raise ValueError(f"truth holds label {wrong[0]}; allowed are 0 to {truths - 1} and {IGNORE}.")
    wrong = predicted[predicted >= predictions]
    raise ValueError(f"prediction holds label {wrong[0]}; allowed are 0 to {predictions - 1}.")


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Array:
    """Divide elementwise; NaN where the denominator is 0.

    >>> ratio([1, 0], [2, 0]).tolist()
    [0.5, nan]
    """
    above, below = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    undefined = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    return np.divide(above, below, out=undefined, where=below != 0)


def fold_body(counts: NDArray, classes: int | None = None) -> NDArray:
    """Add the rows of hair and skin, which no class predicts, to background, in a copy.

    ``(..., truths, predictions)`` to ``(..., classes, predictions)``; as many rows as predictions where None.

    >>> fold_body(np.array([[5, 0], [1, 2], [3, 4]])).tolist()
    [[8, 4], [1, 2]]
    """
    classes = counts.shape[-1] if classes is None else classes
    folded = counts[..., :classes, :].copy()
    folded[..., 0, :] += counts[..., classes:, :].sum(axis=-2)
    return folded


def fold_labels(label_map: NDArray) -> NDArray:
    """A label map of any shape as the classes see it: hair, skin and ignored pixels are background.

    >>> fold_labels(np.array([9, HAIR, SKIN, IGNORE])).tolist()
    [9, 0, 0, 0]
    """
    return np.where(label_map < len(CLASSES), label_map, 0)


def class_scores(counts: NDArray) -> ClassScores:
    """Scores per class from summed counts ``(..., truths, predictions)``; hair and skin are background.

    >>> class_scores(np.array([[8, 3], [1, 9]])).recall.round(2).tolist()
    [0.73, 0.9]
    """
    folded = fold_body(counts)
    hits = np.diagonal(folded, axis1=-2, axis2=-1)
    support, predicted = folded.sum(axis=-1), folded.sum(axis=-2)
    return ClassScores(
        iou=ratio(hits, support + predicted - hits),
        precision=ratio(hits, predicted),
        recall=ratio(hits, support),
        f1=ratio(2 * hits, support + predicted),
        support=support,
    )


def clothing_iou(counts: NDArray) -> Array:
    """IoU of the 13 clothing classes: ``(..., truths, predictions)`` to ``(..., 13)``."""
    return class_scores(counts).iou[..., 1:]


def clothing_mean_iou(counts: NDArray) -> Array:
    """Mean IoU over the clothing classes where it is defined: ``(..., truths, predictions)`` to ``(...)``.

    A class that is neither in the truth nor predicted is left out; one that is predicted without being in the truth
    counts as 0. NaN if no class is left.
    """
    return defined_mean(clothing_iou(counts))


def accuracy(counts: NDArray) -> Array:
    """Share of pixels with the right class, hair and skin being background: ``(...)``."""
    folded = fold_body(counts)
    return ratio(np.trace(folded, axis1=-2, axis2=-1), folded.sum(axis=(-2, -1)))


def background_share(counts: NDArray) -> Array:
    """Share of background pixels, hair and skin included: ``(...)``."""
    return ratio(fold_body(counts)[..., 0, :].sum(axis=-1), counts.sum(axis=(-2, -1)))


def leak(counts: NDArray, truth_labels: ArrayLike, predicted_labels: ArrayLike) -> Array:
    """Share of the pixels of one true label or several that is predicted as one class or several: ``(...)``.

    NaN where no pixel has one of the true labels, or the counts do not tell these labels apart.

    >>> float(leak(np.array([[8, 2], [1, 9]]), 0, 1))
    0.2
    """
    rows = np.atleast_1d(truth_labels)
    if rows.max() >= counts.shape[-2]:
        return np.full(counts.shape[:-2], np.nan)
    selected = counts[..., rows, :].sum(axis=-2)
    return ratio(selected[..., np.atleast_1d(predicted_labels)].sum(axis=-1), selected.sum(axis=-1))


def hair_as_headwear(counts: NDArray) -> Array:
    """Hair pixels predicted as headwear, divided by hair pixels: ``(...)``."""
    return leak(counts, HAIR, HEADWEAR)


def hair_as_clothing(counts: NDArray) -> Array:
    """Hair pixels predicted as any of the 13 classes, divided by hair pixels: ``(...)``."""
    return leak(counts, HAIR, CLOTHING_LABELS)


def skin_as_clothing(counts: NDArray) -> Array:
    """Skin pixels predicted as any of the 13 classes, divided by skin pixels: ``(...)``."""
    return leak(counts, SKIN, CLOTHING_LABELS)


def headwear_false_positives_on_hair(counts: NDArray) -> Array:
    """Headwear predicted on hair, divided by headwear predicted wherever there is none: ``(...)``.

    NaN where no pixel is hair: then the truth does not know hair.
    """
    if counts.shape[-2] <= HAIR:
        return np.full(counts.shape[:-2], np.nan)
    predicted = counts[..., :, HEADWEAR]
    share = ratio(predicted[..., HAIR], predicted.sum(axis=-1) - predicted[..., HEADWEAR])
    return np.where(counts[..., HAIR, :].sum(axis=-1) > 0, share, np.nan)


def defined_mean(values: Array) -> Array:
    """Mean over the last dimension of what is not NaN; NaN, without a warning, where nothing is left."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def integer_counts(counts: ArrayLike, name: str = "counts") -> NDArray[np.int64]:
    """Return counts of any shape as int64; ValueError if they are no integers or one is negative."""
    array = np.asarray(counts)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers, but the dtype is {array.dtype}.")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} holds a negative count ({array.min()}).")
    return array.astype(np.int64, copy=False)


def scores(counts: ArrayLike) -> pd.DataFrame:
    """The score table, pooled over images.

    Args:
        counts: Integers ``(images, 16, 14)``, or ``(16, 14)`` of one image or of a sum. Truth rows beyond
            the 14 classes (hair, skin) are scored as background.

    Returns:
        A table indexed by the 14 classes: ``iou``, ``precision``, ``recall``, ``f1`` (NaN where undefined),
        ``support`` (int64, pixels of the truth) and ``images`` (int64, images whose truth has the class;
        for counts without an image dimension 1 or 0).

    Raises:
        ValueError: If the counts are no integers, negative, or of another shape.

    >>> scores(np.ones((16, 14), int)).loc["bag", ["iou", "support"]].round(3).tolist()
    [0.034, 14.0]
    """
    array, classes, labels = integer_counts(counts), len(CLASSES), len(LABELS)
    if array.ndim not in (2, 3) or array.shape[-1] != classes or not classes <= array.shape[-2] <= labels:
        raise ValueError(f"counts has shape {array.shape}; not ([images,] {labels}, {classes}).")
    stack = array if array.ndim == 3 else array[None]
    pooled = class_scores(stack.sum(axis=0))
    table = pd.DataFrame(pooled._asdict(), index=pd.Index(CLASSES, name="class"))
    table["images"] = (fold_body(stack).sum(axis=-1) > 0).sum(axis=0).astype(np.int64)
    return table


def image_mean_iou(counts: NDArray) -> Array:
    """Every image's own mean IoU over the clothing in its truth: ``(images, truths, 14)`` to ``(images,)``.

    A class predicted where it is absent lowers only the IoU of the classes whose pixels it took; an image without
    clothing has NaN.
    """
    own = class_scores(counts)
    return defined_mean(np.where(own.support[:, 1:] > 0, own.iou[:, 1:], np.nan))


def inner_band(mask: NDArray, width: int) -> NDArray[np.bool_]:
    """The pixels of a mask ``(H, W)``, bool or 0 and 1, at most ``width`` from its outside."""
    mask, square = np.asarray(mask, np.uint8), np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    return (mask > 0) & (cv2.erode(mask, square, borderType=cv2.BORDER_CONSTANT, borderValue=0) == 0)


def mean_over(names: Sequence[str], score: str = "iou") -> Callable[[NDArray], Array]:
    """A measure: the mean of one score over some classes, undefined counted as 0.

    A class that is never predicted has no precision; counting it as 0 keeps the set of classes the same in
    every resample and for both trials of a comparison. The mean over no class is NaN.

    >>> float(mean_over(["bag", "belt"])(np.diag([5, 2, 0])))
    0.5
    """
    labels = [CLASSES.index(name) for name in names]

    def measure(counts: NDArray) -> Array:
        if not labels:
            return np.full(counts.shape[:-2], np.nan)
        return np.nan_to_num(getattr(class_scores(counts), score)[..., labels]).mean(axis=-1)

    return measure


def clothing_precision(counts: NDArray) -> Array:
    """Of all pixels called a garment, the share that is that garment ``(...)``; NaN where none is called one."""
    folded = fold_body(counts)[..., 1:]
    hits = np.trace(folded[..., 1:, :], axis1=-2, axis2=-1)
    return ratio(hits, folded.sum(axis=(-2, -1)))

"""Scores beside those of torchmetrics and scikit-learn."""

import statistics

import numpy as np
import pandas as pd
import torch

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, IGNORE
from tests.bench.turns import Entry, Options, agree, compared, in_turns


def score(options: Options) -> Entry:
    dataset = options.photo_dataset()
    ids = options.parts(dataset)["test"][:150]
    rng = np.random.default_rng(0)
    truths = [dataset.label_map(image_id) for image_id in ids]
    folded = [np.where(truth < len(CLASSES), truth, 0).astype(np.uint8) for truth in truths]
    predictions = [_blurred(truth, rng) for truth in folded]

    def ours() -> pd.DataFrame:
        counts = np.stack([metrics.confusion_counts(*pair) for pair in zip(truths, predictions, strict=True)])
        return metrics.scores(counts)

    contestants = {
        "ours": ours,
        "torchmetrics": lambda: _torchmetrics(folded, predictions),
        "scikit-learn": lambda: _sklearn(folded, predictions),
    }
    expected = ours()[["iou", "precision", "recall", "f1"]].fillna(0)  # torchmetrics calls 0 what is undefined
    for name in ("torchmetrics", "scikit-learn"):
        agree(np.allclose(expected, np.nan_to_num(contestants[name]()), rtol=1e-5, atol=1e-7), name)
    seconds = in_turns(contestants, options.rounds)
    fastest = min(("torchmetrics", "scikit-learn"), key=lambda name: statistics.median(seconds[name]))
    return compared(
        f"IoU, precision, recall and F1 per class, pooled over images; the same numbers; {fastest} is the faster one",
        f"{len(ids)} label maps at their own size ({dataset.name}), predictions: the truth moved and speckled",
        seconds,
        fastest,
        "ours",
    )


def _blurred(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A prediction that is wrong along edges and at random: every class is hit, missed and made up."""
    moved = np.roll(truth, (3, -2), (0, 1))
    speckles = rng.random(truth.shape) < 0.02
    moved[speckles] = rng.integers(0, len(CLASSES), np.count_nonzero(speckles))
    return moved


def _torchmetrics(truths: list[np.ndarray], predictions: list[np.ndarray]) -> np.ndarray:
    from torchmetrics import MetricCollection
    from torchmetrics import classification as of

    kinds = (of.MulticlassJaccardIndex, of.MulticlassPrecision, of.MulticlassRecall, of.MulticlassF1Score)
    collection = MetricCollection([kind(len(CLASSES), average=None, ignore_index=IGNORE) for kind in kinds])
    for truth, prediction in zip(truths, predictions, strict=True):
        collection.update(torch.from_numpy(prediction).long(), torch.from_numpy(truth).long())
    found = collection.compute()
    return np.stack([found[kind.__name__].numpy() for kind in kinds], 1)


def _sklearn(truths: list[np.ndarray], predictions: list[np.ndarray]) -> np.ndarray:
    from sklearn.metrics import confusion_matrix

    table = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for truth, prediction in zip(truths, predictions, strict=True):
        table += confusion_matrix(truth.ravel(), prediction.ravel(), labels=np.arange(len(CLASSES)))
    hits, support, predicted = np.diag(table), table.sum(1), table.sum(0)
    with np.errstate(invalid="ignore"):
        iou, f1 = hits / (support + predicted - hits), 2 * hits / (support + predicted)
        return np.stack([iou, hits / predicted, hits / support, f1], 1)

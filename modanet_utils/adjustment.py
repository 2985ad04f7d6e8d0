"""Logit adjustment: the rival that needs no training.

A network trained with plain cross-entropy learns logits of posteriors. Taking tau times the logarithm of each
class's share off them moves every decision towards rare classes; with tau = 1 it is the decision for classes
that were all equally common (Menon et al., "Long-Tail Learning via Logit Adjustment", ICLR 2021). A weighted
loss has to beat this curve, not only its end at tau = 0.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets import Dataset
from modanet_utils.metrics import class_scores, clothing_mean_iou, confusion_counts
from modanet_utils.progress import Progress
from modanet_utils.training import WEIGHTS, Run, photo_and_truth, predict_logits, winners

TAUS: tuple[float, ...] = tuple(round(0.1 * step, 1) for step in range(11))
"""The values of tau that are tried; 0 is the run as it is."""
FILE = "adjusted.npz"


@dataclass(frozen=True)
class Adjusted:
    """A run's counts under logit adjustment.

    Attributes:
        taus: The values of tau.
        validation: ``(taus, 16, 14) int64``, pooled over the validation part.
        test: ``(taus, images, 16, 14) int64``, test images in the order of ``Run.ids``.
    """

    taus: tuple[float, ...]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]

    @property
    def best(self) -> int:
        """Position of the tau with the highest mean IoU on the validation part; of equals the smallest tau."""
        return int(np.argmax(clothing_mean_iou(self.validation)))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Test counts ``(images, 16, 14)`` at the tau that validation chose."""
        return self.test[self.best]

    def curve(self, part: str = "test") -> dict[str, NDArray[np.float64]]:
        """Precision, recall and IoU of every class against tau, each ``(taus, 14)``; NaN where undefined."""
        pooled = self.test.sum(axis=1) if part == "test" else self.validation
        return {name: getattr(class_scores(pooled), name) for name in ("precision", "recall", "iou")}


def adjusted_logits(logits: torch.Tensor, shares: NDArray, tau: float) -> torch.Tensor:
    """Logits minus tau log(share).

    Args:
        logits: ``(14, ...)``.
        shares: Each class's share of the training pixels ``(14,)``. A class without pixels is taken for as
            rare as the rarest that has some: its logarithm would be infinite.
        tau: 0 changes nothing, 1 makes all classes equally common.
    """
    shares = np.asarray(shares, np.float64)
    if shares.shape != (len(logits),) or shares.min() < 0 or not shares.any():
        raise ValueError(f"shares must be {len(logits)} numbers, none negative and not all 0; got {shares}.")
    log = torch.from_numpy(np.log(np.maximum(shares, shares[shares > 0].min()))).to(logits)
    return logits - tau * log.view(-1, *[1] * (logits.ndim - 1))


def adjust(run: Run, dataset: Dataset, parts: dict[str, list[int]], shares: NDArray, quiet: bool = False) -> Adjusted:
    """Score a finished run at every tau of `TAUS`, on the validation and on the test part.

    The counts are kept in the run's folder, and read from there the next time.

    Args:
        run: A finished run; its weights are needed if its folder does not hold the counts yet.
        dataset: The data it was trained on.
        parts: As `splits.split` returns it.
        shares: Each class's share of the training pixels ``(14,)``.
    """
    file = run.folder / FILE
    if file.is_file():
        with np.load(file) as kept:
            return Adjusted(tuple(kept["taus"].tolist()), kept["validation"], kept["test"])
    network, letterbox = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    progress, done = Progress(len(parts["val"]) + len(run.ids), quiet), 0
    counts: dict[str, Any] = {}
    for part, ids in (("validation", parts["val"]), ("test", run.ids)):
        counts[part] = np.zeros((len(TAUS), len(ids), len(LABELS), len(CLASSES)), np.int64)
        for row, image_id in enumerate(ids):
            photo, truth = photo_and_truth(dataset, image_id)
            logits = predict_logits(network, photo, letterbox)
            for at, tau in enumerate(TAUS):
                prediction = winners(adjusted_logits(logits, shares, tau)).to("cpu", torch.uint8)
                counts[part][at, row] = confusion_counts(truth, prediction)
            done += 1
            progress.step(done, "adjusting logits")
    progress.close(f"{done} images scored at {len(TAUS)} values of tau")
    adjusted = Adjusted(TAUS, counts["validation"].sum(axis=1), counts["test"])
    _save(file, adjusted)
    return adjusted


def adjust_seeds(runs: Sequence[Run], dataset: Dataset, parts: dict[str, list[int]], shares: NDArray) -> list[Adjusted]:
    """`adjust` for every seed of a trial that still can be: a run kept without weights needs its counts beside it."""
    able = [run for run in runs if (run.folder / FILE).is_file() or (run.folder / WEIGHTS).is_file()]
    return [adjust(run, dataset, parts, shares, quiet=True) for run in able]


def _save(file: Path, adjusted: Adjusted) -> None:
    partial = file.with_name(f".{os.getpid()}.{file.name}")  # numpy adds .npz to any other ending
    np.savez_compressed(partial, taus=np.array(adjusted.taus), validation=adjusted.validation, test=adjusted.test)
    partial.replace(file)


def adjusted_entry(entry: dict[str, Any], adjusted: Adjusted, summary: dict[str, Any]) -> dict[str, Any]:
    """What ``results.json`` keeps of it: the run's own entry, with the chosen tau and the scores there."""
    tau = adjusted.taus[adjusted.best]
    return entry | {"config": entry["config"] | {"logit_adjustment": tau}, "test": summary}

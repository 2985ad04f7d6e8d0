"""Logit adjustment: the rival that needs no training.

Plain cross-entropy teaches logits of posteriors. Taking tau times the logarithm of each class's share off them moves
every decision towards rare classes; with tau = 1 it is the decision for classes that were all equally common (Menon et
al., "Long-Tail Learning via Logit Adjustment", ICLR 2021). A weighted loss has to beat this curve, not only its end.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from modanet_utils.augment import Letterbox
from modanet_utils.datasets.coco import Dataset
from modanet_utils.metrics import class_scores, clothing_mean_iou, confusion_counts
from modanet_utils.progress import watched
from modanet_utils.project import write_whole
from modanet_utils.training.predict import predict_logits, winners
from modanet_utils.training.runs import Run
from modanet_utils.training.samples import photo_and_truth
from modanet_utils.training.weights import WEIGHTS

TAUS: tuple[float, ...] = tuple(round(0.1 * step, 1) for step in range(11))
"""The values of tau that are tried; 0 is the run as it is."""
FILE = "adjusted.npz"


@dataclasses.dataclass(frozen=True)
class Adjusted:
    """A run's counts under logit adjustment.

    Attributes:
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

    def curve(self) -> dict[str, NDArray[np.float64]]:
        """Precision, recall and IoU of every class on the test part, each ``(taus, 14)``; NaN where undefined."""
        return {name: getattr(class_scores(self.test.sum(axis=1)), name) for name in ("precision", "recall", "iou")}


def adjusted_logits(logits: torch.Tensor, shares: NDArray, tau: float) -> torch.Tensor:
    """Logits ``(14, ...)`` minus tau log(share).

    ``shares`` ``(14,)`` are of the training pixels. A class without pixels, whose logarithm would be infinite, is taken
    for as rare as the rarest that has some.
    """
    shares = np.asarray(shares, np.float64)
    if shares.shape != (len(logits),) or shares.min() < 0 or not shares.any():
        raise ValueError(f"shares must be {len(logits)} numbers, none negative and not all 0; got {shares}.")
    log = torch.from_numpy(np.log(np.maximum(shares, shares[shares > 0].min()))).to(logits)
    return logits - tau * log.view(-1, *[1] * (logits.ndim - 1))


def adjust(run: Run, dataset: Dataset, parts: dict[str, list[int]], shares: NDArray, quiet: bool = False) -> Adjusted:
    """Score a finished run at every tau of `TAUS`, on the validation and on the test part.

    The counts are kept in the run's folder and read from there the next time, when no weights are needed.
    ``shares`` ``(14,)`` are the classes' of the training pixels.
    """
    file = run.folder / FILE
    if file.is_file():
        with np.load(file) as kept:
            return Adjusted(tuple(kept["taus"].tolist()), kept["validation"], kept["test"])
    network, letterbox = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    ids, scored = [*parts["val"], *run.ids], []
    for image_id in watched(ids, "adjusting logits", f"{len(ids)} images scored at {len(TAUS)} values of tau", quiet):
        photo, truth = photo_and_truth(dataset, image_id)
        logits = predict_logits(network, photo, letterbox)
        chosen = (winners(adjusted_logits(logits, shares, tau)).to("cpu", torch.uint8) for tau in TAUS)
        scored.append([confusion_counts(truth, prediction) for prediction in chosen])
    validation, test = np.split(np.stack(scored, axis=1), [len(parts["val"])], axis=1)
    adjusted = Adjusted(TAUS, validation.sum(axis=1), test)
    write_whole(file, lambda path: np.savez_compressed(path, **dataclasses.asdict(adjusted)))
    return adjusted


def adjust_seeds(runs: Sequence[Run], dataset: Dataset, parts: dict[str, list[int]], shares: NDArray) -> list[Adjusted]:
    """`adjust` for every seed of a trial that still can be: a run kept without weights needs its counts beside it."""
    able = [run for run in runs if (run.folder / FILE).is_file() or (run.folder / WEIGHTS).is_file()]
    return [adjust(run, dataset, parts, shares, quiet=True) for run in able]


def adjusted_entry(entry: dict[str, Any], adjusted: Adjusted, summary: dict[str, Any]) -> dict[str, Any]:
    """What ``results.json`` keeps of it: the run's own entry, with the chosen tau and the scores there."""
    tau = adjusted.taus[adjusted.best]
    return entry | {"config": entry["config"] | {"logit_adjustment": tau}, "test": summary}

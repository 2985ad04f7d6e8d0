"""Images chosen by rule, and what is wrong where in them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, LABELS
from modanet_utils.datasets.coco import Dataset
from modanet_utils.errors.places import LabelMap, box_around, labelled
from modanet_utils.errors.tables import wrong_pixels
from modanet_utils.metrics import fold_labels, image_mean_iou, ratio

DISPUTED: dict[str, dict[int, str]] = {
    "Clothing Co-Parsing": {
        243: "the hood is labelled outer",
        287: "blouse and skirt are labelled top and dress",
        325: "the open cardigan is labelled top",
        379: "tights without a label, a tunic labelled top",
        502: "skirt or dress, the jacket hides which",
        618: "a denim shirt: top or outer",
        987: "knee-length trousers: pants or shorts",
    }
}
"""Data set to images whose label can be argued with: judged by eye, of the photos that the gallery chose by rule."""


def choose_cases(ids: Sequence[int], counts: NDArray, number: int = 4, seed: int = 0) -> dict[str, list[int]]:
    """Ids by rule: drawn from all ("random"), lowest mean IoU ("worst"), most hair called headwear first ("hair").

    Ties go to the smaller position in ``ids``.
    """
    scores, leaked = image_mean_iou(counts), ratio(counts[:, HAIR, HEADWEAR], counts.sum(axis=(1, 2)))
    worst = [at for at in np.argsort(scores, kind="stable")[:number] if not np.isnan(scores[at])]
    drawn = np.random.default_rng(seed).choice(len(ids), min(number, len(ids)), replace=False)
    hair = [at for at in np.argsort(-leaked, kind="stable")[:number] if leaked[at] > 0]
    return {name: [ids[at] for at in chosen] for name, chosen in (("random", drawn), ("worst", worst), ("hair", hair))}


@dataclass(frozen=True)
class Case:
    """One image: ground truth and prediction ``(H, W) uint8``, its photo ``(H, W, 3)`` if that may be shown.

    ``dispute`` says why its label can be argued with, if it can.
    """

    id: int
    truth: LabelMap
    prediction: LabelMap
    photo: NDArray[np.uint8] | None = None
    dispute: str = ""

    @property
    def counts(self) -> NDArray[np.int64]:
        return metrics.confusion_counts(self.truth, self.prediction)

    @property
    def score(self) -> float:
        """Its mean IoU over the classes in its ground truth."""
        return float(image_mean_iou(self.counts[None])[0])

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Where the prediction is wrong; ignored pixels are not."""
        return (self.prediction != fold_labels(self.truth)) & (self.truth != IGNORE)

    def box(self, head: bool = False) -> tuple[slice, slice]:
        """The box around the person, or around hair and headwear, in truth and prediction, with a margin."""
        mask = labelled(self.truth) | (self.prediction > 0)
        if head:
            mask = (self.truth == HAIR) | (self.truth == HEADWEAR) | (self.prediction == HEADWEAR)
        return box_around(mask, round(0.02 * len(mask))) if mask.any() else (slice(None), slice(None))

    @property
    def hair_called_headwear(self) -> float:
        """Share of its hair; NaN without any."""
        return float(metrics.hair_as_headwear(self.counts))

    def caption(self, head: bool = False) -> str:
        """Its score and its largest confusion, or how much of its hair is called headwear; a star: see `disputes`."""
        star = " *" * bool(self.dispute)
        if head:
            return f"image {self.id}{star}\n{self.hair_called_headwear:.0%} of the hair"
        wrong = wrong_pixels(self.counts)
        truth, prediction = np.unravel_index(wrong.argmax(), wrong.shape)
        most = f"{LABELS[truth]} called {CLASSES[prediction]}" if wrong.any() else "nothing is wrong"
        return f"image {self.id}, IoU {self.score:.2f}{star}\n{most}"


def cases_of(
    dataset: Dataset, chosen: Mapping[str, Sequence[int]], predictions: Mapping[int, LabelMap], photos: bool
) -> dict[str, list[Case]]:
    """The chosen images, with what was predicted for them, and with their photos where these may be shown."""
    known, maps = DISPUTED.get(dataset.name, {}), dataset.label_map
    images = {i: dataset.image(i) if photos else None for ids in chosen.values() for i in ids}
    cases = {i: Case(i, maps(i), predictions[i], photo, known.get(i, "")) for i, photo in images.items()}
    return {name: [cases[i] for i in ids] for name, ids in chosen.items()}


def disputes(cases: Iterable[Case]) -> str:
    """Why the labels of some cases can be argued with, as a sentence; empty where none can."""
    shown = list(cases)
    told = [f"{case.id} ({case.dispute})" for case in shown if case.dispute]
    if not told:
        return ""
    return (
        f"\\* In {len(told)} of these {len(shown)} photos the label itself can be argued with, judged by eye: "
        f"{'; '.join(told)}. What counts as an error there is partly an argument about the label."
    )

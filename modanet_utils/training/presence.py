"""What a network finds on photos with tags only: predicted pixels per class, beside what is worn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.progress import watched
from modanet_utils.project import write_whole
from modanet_utils.training.predict import predict
from modanet_utils.training.pseudo import halves
from modanet_utils.training.runs import Run

FILE = "tagged.npz"


@dataclass(frozen=True)
class Presence:
    """Of the measuring half of the tagged photos.

    Attributes:
        ids: Their image ids.
        worn: ``(images, 14) bool``: what the tags name.
        pixels: ``(images, 14) int64``: predicted pixels per class, at the photo's own resolution.
    """

    ids: list[int]
    worn: np.ndarray
    pixels: np.ndarray


def measure(run: Run, tagged: str | Path, labelled: str | Path, quiet: bool = True) -> Presence:
    """Predict the measuring half of the tagged photos, and keep what was found in the run's folder.

    Args:
        run: With weights.
        tagged, labelled: Folders of the tagged and of the pixel-labelled photos, see `pseudo.halves`.
    """
    photos = open_dataset(tagged)
    ids = halves(photos, open_dataset(labelled))["measure"]
    net, box = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    worn, pixels = np.zeros((2, len(ids), len(CLASSES)), np.int64)
    for row, image_id in enumerate(watched(ids, "tagged photos", f"{len(ids):,} photos measured", quiet)):
        worn[row, [label for label in photos.present(image_id) if label < len(CLASSES)]] = 1
        labels = predict(net, photos.image(image_id), box)
        pixels[row] = np.bincount(labels.ravel(), minlength=len(CLASSES))
    found = Presence(ids, worn.astype(bool), pixels)
    write_whole(run.folder / FILE, lambda path: np.savez_compressed(path, ids=ids, worn=found.worn, pixels=pixels))
    return found


def measured(run: Run) -> Presence | None:
    """What `measure` kept in the run's folder; None where it has not been measured."""
    file = run.folder / FILE
    if not file.is_file():
        return None
    with np.load(file) as arrays:
        return Presence(arrays["ids"].tolist(), arrays["worn"], arrays["pixels"])

"""Every object of a data set looked at once."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils.classes import IGNORE
from modanet_utils.datasets.coco import Dataset
from modanet_utils.datasets.weights import folded
from modanet_utils.progress import Progress
from modanet_utils.thresholds import REFERENCE

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Scan:
    """What was counted while every object was looked at once.

    Attributes:
        ids: The images, in the order of the rows below.
        pixels: Pixels per image and label ``(images, 16) int64`` of the painted label maps.
        objects: A row an object, in painting order: ``image``, ``label``, ``pixels`` (of its mask) and ``scaled``
            (``pixels`` times the square of the factor by which the picture is shrunk to fit `REFERENCE`).
        problems: What was left out when the data set was opened, and how often.
    """

    ids: list[int]
    pixels: Counts
    objects: pd.DataFrame
    problems: Counter[str]

    def image_pixels(self, ids: Iterable[int] | None = None) -> Counts:
        """As `weights.image_pixels` of these images (all where None), ``(images, 14) int64``, not counted again."""
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        return folded(self.pixels if ids is None else self.pixels[[row[image_id] for image_id in ids]])


def scan(dataset: Dataset, quiet: bool = False) -> Scan:
    """Count every object of a data set. Photos are not read."""
    progress = Progress(len(dataset.ids), quiet)
    pixels, objects = [], []
    for image_id in progress.over(dataset.ids, "counting objects"):
        (height, width), things = dataset.size(image_id), dataset.things(image_id)
        pixels.append(dataset.pixels(image_id, things))
        scale = min(REFERENCE[0] / height, REFERENCE[1] / width) ** 2
        # What is ignored covers others, but is no object of a class.
        objects += [(image_id, one.label, one.area, one.area * scale) for one in things if one.label != IGNORE]
    kinds = {"image": int, "label": int, "pixels": int, "scaled": float}
    progress.close(f"{len(objects):,} objects in {len(dataset.ids):,} images")
    table = pd.DataFrame(objects, columns=list(kinds)).astype(kinds)
    return Scan(dataset.ids, np.array(pixels, np.int64), table, dataset.problems)

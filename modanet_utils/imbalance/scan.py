"""Every object of a data set looked at once, and what covers what."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from modanet_utils.classes import IGNORE
from modanet_utils.datasets.coco import Dataset, Thing
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
        claims: Per image ``(images, 2) int64``: pixels that one object claims (also an ignored one), and two or more.
        objects: A row an object, in painting order: ``image``, ``label``, ``pixels`` (of its mask),
            ``visible`` (those that carry its label once all is painted, largest object first),
            ``file_order`` (the same, had the objects been painted as the file lists them) and ``scaled``
            (``pixels`` times the square of the factor by which the picture is shrunk to fit `REFERENCE`).
        overlaps: A row a pair of labels of an image whose objects overlap: ``image``, ``first``, ``second``
            (labels, first <= second), ``pixels`` (summed over the pairs of objects).
        problems: What was left out when the data set was opened, and how often.
    """

    ids: list[int]
    pixels: Counts
    claims: Counts
    objects: pd.DataFrame
    overlaps: pd.DataFrame
    problems: Counter[str] = field(default_factory=Counter)

    def image_pixels(self, ids: Iterable[int] | None = None) -> Counts:
        """As `weights.image_pixels` of these images (all where None), ``(images, 14) int64``, not counted again."""
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        return folded(self.pixels if ids is None else self.pixels[[row[image_id] for image_id in ids]])


def scan(dataset: Dataset, quiet: bool = False) -> Scan:
    """Count every object of a data set, and what covers what. Photos are not read."""
    progress = Progress(len(dataset.ids), quiet)
    pixels, claims, objects, overlaps = [], [], [], []
    for number, image_id in enumerate(dataset.ids):
        (height, width), things = dataset.size(image_id), dataset.things(image_id)
        counts, claimed, common = _counted(things)
        pixels.append(dataset.pixels(image_id, things))
        claims.append(claimed)
        scale = min(REFERENCE[0] / height, REFERENCE[1] / width) ** 2
        # What is ignored covers and is covered, but is no object of a class; count[1]: the object's pixels.
        objects += [(image_id, *count, count[1] * scale) for count in counts if count[0] != IGNORE]
        overlaps += [(image_id, *pair, count) for pair, count in common.items() if IGNORE not in pair]
        progress.step(number + 1, "counting objects")
    kinds = dict.fromkeys(["image", "label", "pixels", "visible", "file_order"], int) | {"scaled": float}
    progress.close(f"{len(objects):,} objects in {len(dataset.ids):,} images")
    return Scan(
        ids=dataset.ids,
        pixels=np.array(pixels, np.int64),
        claims=np.array(claims, np.int64),
        objects=pd.DataFrame(objects, columns=list(kinds)).astype(kinds),
        overlaps=pd.DataFrame(overlaps, columns=["image", "first", "second", "pixels"], dtype=np.int64),
        problems=dataset.problems,
    )


def _counted(things: list[Thing]) -> tuple[list[tuple[int, ...]], list[int], dict[tuple[int, int], int]]:
    """Of one image's objects, on run lengths without decoding them: (label, pixels, visible, visible in file
    order) per object, the two numbers of `Scan.claims`, and the pixels that pairs of objects have in common, by
    pair of labels (the smaller first)."""
    if not things:
        return [], [0, 0], {}
    claimed = _area([thing.rle for thing in things])
    if claimed == sum(thing.area for thing in things):  # nothing overlaps
        return [(thing.label, *[thing.area] * 3) for thing in things], [claimed, 0], {}
    shared = _shared(things)
    pairs = {pair: shared[pair] for pair in sorted(shared) if pair[0] < pair[1]}
    common: Counter[tuple[int, int]] = Counter()
    for pair, rle in pairs.items():
        first, second = sorted(things[n].label for n in pair)
        common[first, second] += _area([rle])
    listed = sorted(range(len(things)), key=lambda n: things[n].position)
    visible, as_listed = _visible(things, range(len(things)), shared), _visible(things, listed, shared)
    objects = [(thing.label, thing.area, visible[n], as_listed[n]) for n, thing in enumerate(things)]
    return [*objects], [claimed, _area(list(pairs.values()))], dict(common)


def _area(rles: Sequence[Any], intersect: bool = False) -> int:
    """Pixels of the union, or of the intersection, of run-length masks."""
    return int(coco_mask.area(rles[0] if len(rles) == 1 else coco_mask.merge(rles, intersect)))


def _shared(things: list[Thing]) -> dict[tuple[int, int], Any]:
    """Masks of what two objects share, by their numbers in both orders, where that is anything; of an object
    with itself all of it."""
    shared: dict[tuple[int, int], Any] = {}
    for b, second in enumerate(things):
        for a, first in enumerate(things[:b]):
            one, two = first.box, second.box
            if all(one[k] < two[k] + two[k + 2] and two[k] < one[k] + one[k + 2] for k in (0, 1)):
                rle = coco_mask.merge([first.rle, second.rle], True)
                if coco_mask.area(rle):
                    shared[a, b] = shared[b, a] = rle
        shared[b, b] = second.rle
    return shared


def _visible(things: list[Thing], order: Sequence[int], shared: dict[tuple[int, int], Any]) -> dict[int, int]:
    """Pixels of each object that carry its label once all are painted in this order.

    Those are the pixels whose topmost object has the same label. What an object shows of another that it
    shares pixels with is what they share, less what lies under a third.
    """
    visible: dict[int, int] = dict.fromkeys(order, 0)
    for place, top in enumerate(order):
        above = [things[n].rle for n in order[place + 1 :] if (top, n) in shared]
        union = coco_mask.merge(above) if above else None
        for n in order[: place + 1]:
            if (top, n) in shared and things[n].label == things[top].label:
                part = shared[top, n]
                visible[n] += _area([part]) - (_area([part, union], True) if above else 0)
    return visible

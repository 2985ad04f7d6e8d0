"""Drawn figures changed as the experiments change photos: what a reader sees of them where photos may not be shown."""

import functools

import numpy as np

from modanet_utils.augment import Letterbox
from modanet_utils.classes import HAIR, HEADWEAR, LABELS
from modanet_utils.datasets.synthetic.drawn import draw
from modanet_utils.errors.causes import pictures
from modanet_utils.errors.causes.pasting import OVERLAPS
from modanet_utils.errors.causes.pictures import Photo, Scene
from modanet_utils.errors.causes.recoloring import STEPS, recolored
from modanet_utils.errors.places import box_around

IMAGES = 12
"""Of the drawn set that the pictures are looked for in: by rule, the first in which a change is possible."""


@functools.cache
def _scenes() -> list[Scene]:
    drawn, box = (draw(0, index) for index in range(IMAGES)), Letterbox(288, 192)
    maps = ((picture, np.array([0, *labels], np.uint8)[instances]) for picture, instances, labels, _ in drawn)
    return [Scene(box.image(picture), box.label_map(truth)) for picture, truth in maps]


def _head(one: Scene) -> tuple[slice, slice]:
    return box_around(one.truth == HAIR, len(one.truth) // 9)


def worn_and_beside() -> dict[str, Photo]:
    """A hat put on a head, and the same hat beside the person."""
    hat, *_ = pictures.hats(_scenes())
    one, (worn, beside, _) = next((one, made) for one in _scenes() if (made := pictures.wear(one, hat)))
    rows, moved, hat_at = slice(start := _head(one)[0].start, start + 200), one.photo.copy(), beside.truth == HEADWEAR
    moved[np.roll(hat_at, -12, axis=1)] = beside.photo[hat_at]  # in from the edge, where it would look cut off
    return {"on the head": worn.photo[rows], "beside": moved[rows]}


def in_other_colours() -> dict[str, Photo]:
    """Hair and background recoloured, the farthest step of each."""
    one = next(one for one in _scenes() if (one.truth == HAIR).mean() > 0.01 and HEADWEAR not in one.truth)
    hats, hairs = (pictures.palette(_scenes(), label) for label in (HEADWEAR, HAIR))
    names, photos = ("as it is", "toward hats", "to other hair", "background"), recolored(one, hats, hairs)
    return {name: photos[at * len(STEPS)][_head(one)] for at, name in enumerate(names)}


def two_people() -> dict[str, Photo]:
    """A person alone, behind a plain silhouette and behind a second person."""
    rear, front = (pictures.cut_out(one, range(1, len(LABELS))) for one in _scenes()[:2])
    pair = pictures.compose(pictures.without_person(_scenes()[2]), rear, front, OVERLAPS[-1])
    return {"alone": pair.rear.photo, "silhouette": pair.silhouette.photo, "second person": pair.together.photo}

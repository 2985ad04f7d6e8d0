"""Drawn figures changed as the experiments change photos: what a reader sees of them where photos may not be shown."""

import functools
from typing import cast

import numpy as np

from modanet_utils.augment import Letterbox
from modanet_utils.classes import HAIR, HEADWEAR, LABELS
from modanet_utils.datasets.synthetic.drawn import draw
from modanet_utils.errors.causes.pasting import OVERLAPS
from modanet_utils.errors.causes.pictures import (
    Cutout,
    Photo,
    Scene,
    compose,
    cut_out,
    hats,
    palette,
    wear,
    without_person,
)
from modanet_utils.errors.causes.recoloring import STEPS, recolored
from modanet_utils.errors.places import box_around, labelled

SEED, IMAGES = 0, 12
"""Of the drawn set that the pictures are looked for in: by rule, the first in which a change is possible."""


@functools.cache
def _scenes() -> list[Scene]:
    drawn, box, found = [draw(SEED, index) for index in range(IMAGES)], Letterbox(288, 192), []
    for picture, instances, labels, _ in drawn:
        found.append(Scene(box.image(picture), box.label_map(np.array([0, *labels], np.uint8)[instances])))
    return found


def _around_the_head(one: Scene) -> tuple[slice, slice]:
    return box_around(one.truth == HAIR, len(one.truth) // 9)


def worn_and_beside() -> dict[str, Photo]:
    """A hat put on a head, and the same hat beside the person."""
    scenes = _scenes()
    (hat, *_) = hats(scenes)
    fitting = ((one, wear(one, hat)) for one in scenes)
    one, (worn, beside, _) = next((one, made) for one, made in fitting if made)
    top = _around_the_head(one)[0].start
    return {name: photo[top : top + 200] for name, photo in (("on the head", worn.photo), ("beside", beside.photo))}


def in_other_colours() -> dict[str, Photo]:
    """Hair and background recoloured, the farthest step of each."""
    scenes = _scenes()
    one = next(one for one in scenes if (one.truth == HAIR).mean() > 0.01 and HEADWEAR not in one.truth)
    photos = recolored(one, palette(scenes, HEADWEAR), palette(scenes, HAIR))
    names = ("as it is", "toward hats", "to other hair", "background")
    box = _around_the_head(one)
    return {name: photo[box] for name, photo in zip(names, photos[:: len(STEPS)], strict=True)}


def two_people() -> dict[str, Photo]:
    """A person alone, behind a plain silhouette and behind a second person."""
    people = [one for one in _scenes() if labelled(one.truth).any()]
    rear, front = (cast(Cutout, cut_out(one, range(1, len(LABELS)))) for one in people[:2])
    pair = compose(without_person(people[2]), rear, front, OVERLAPS[-1])
    return {"alone": pair.rear.photo, "silhouette": pair.silhouette.photo, "second person": pair.together.photo}

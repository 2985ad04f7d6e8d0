"""What a finished network makes of changed pictures: what the experiments work with.

Every experiment gives integer counts ``(images, ..., ...)``, from which `statistics` makes intervals over images; the
conditions of an experiment are of the same images, so that differences are paired.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from modanet_utils.augment import Letterbox
from modanet_utils.classes import HAIR, HEADWEAR
from modanet_utils.datasets.coco import Dataset
from modanet_utils.errors.causes.pictures import LEAST_SHARE, Colors, Scene, evenly, palette, scene
from modanet_utils.model import Net
from modanet_utils.progress import spread
from modanet_utils.training.predict import class_logits
from modanet_utils.training.runs import Run

PICTURES = 40
"""Test images that are recoloured and that get a hat, where there are so many."""
MOST_SCENES = 300
"""Test images, and images with hats, that are looked at at the most."""
BATCH = 8


@torch.inference_mode()
def look(net: Net, photos: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Predicted label maps ``(n, H, W) uint8``, in batches of `BATCH`."""
    maps = []
    for at in range(0, len(photos), BATCH):
        stack = torch.from_numpy(np.stack(photos[at : at + BATCH]).transpose(0, 3, 1, 2))
        stack = stack.to(next(net.parameters()).device).contiguous(memory_format=torch.channels_last)
        maps.append(class_logits(net(stack)).cpu().numpy().argmax(axis=1).astype(np.uint8))
    return np.concatenate(maps)


class Stage(NamedTuple):
    """A finished network, and test images by id.

    ``hat_scenes`` are training images that show headwear; ``hats`` and ``hairs`` the colours ``(n, 3)`` in Lab of
    headwear there, and of hair there and in as many without headwear, see `pictures.palette`.
    """

    net: Net
    scenes: dict[int, Scene]
    hat_scenes: list[Scene]
    hats: Colors
    hairs: Colors


def make_stage(run: Run, dataset: Dataset, train: Sequence[int] = ()) -> Stage:
    """Read what the experiments need once; ``train`` are the ids of the training part, for those with hats' colours."""
    box = Letterbox(run.config.image_height, run.config.image_width)
    hat_ids = evenly([i for i in train if HEADWEAR in dataset.present(i)], MOST_SCENES)
    hair_ids = [i for i in train if HAIR in dataset.present(i) and HEADWEAR not in dataset.present(i)]
    wanted = hat_ids, evenly(hair_ids, max(1, len(hat_ids))), evenly(run.ids, MOST_SCENES)
    every = [image_id for ids in wanted for image_id in ids]
    read = spread(lambda image_id: scene(dataset, image_id, box), every, "reading", quiet=True)
    hats, hairs, tested = ([next(read) for _ in ids] for ids in wanted)
    scenes = dict(zip(wanted[-1], tested, strict=True))
    return Stage(run.network(), scenes, hats, palette(hats, HEADWEAR), palette(hairs + hats, HAIR))


def hairy(one: Stage, number: int | None = PICTURES) -> list[int]:
    """Test images with enough hair and no headwear, evenly spaced where there are more than ``number``."""
    ids = [i for i, (_, t) in one.scenes.items() if (t == HAIR).mean() >= LEAST_SHARE and HEADWEAR not in t]
    return ids if number is None else evenly(ids, number)

"""Is it the place? Hats of other photos put on heads, and beside them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics
from modanet_utils.classes import HEADWEAR
from modanet_utils.errors.causes.pictures import Cutout, Scene, evenly, hats, wear
from modanet_utils.errors.causes.questions import PASTED
from modanet_utils.errors.causes.stage import PICTURES, Stage, hairy, labels
from modanet_utils.errors.tables import called_share, estimates
from modanet_utils.progress import Progress


def fitted(one: Stage, number: int = PICTURES) -> dict[int, tuple[Scene, Scene, NDArray[np.bool_]]]:
    """Test images with a hat of a training image: worn, beside, and the hair that stays; see `pictures.wear`.

    The hats go round in the order of the training images.
    """
    stock: list[Cutout] = hats(one.hat_scenes)
    tried = {i: wear(one.scenes[i], stock[at % len(stock)]) for at, i in enumerate(hairy(one, None))} if stock else {}
    worn = {image_id: scenes for image_id, scenes in tried.items() if scenes is not None}
    return {image_id: worn[image_id] for image_id in evenly(list(worn), number)}


def hat_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Pixels of pasted hats and of the hair around: ``(images, 5, 2)``; the last says called headwear.

    The five: the hat worn, the hat beside; the hair without a hat, with it beside, with it worn.
    """
    pairs = fitted(one, number)
    progress, rows = Progress(len(pairs), quiet), []
    for image_id, (worn, beside, hair) in progress.over(pairs.items(), "pasting hats"):
        plain, far, near = labels(one.net, [one.scenes[image_id].photo, beside.photo, worn.photo]) == HEADWEAR
        hats_seen = (near, worn.truth == HEADWEAR), (far, beside.truth == HEADWEAR)
        masks = (*hats_seen, (plain, hair), (far, hair), (near, hair))
        rows.append([np.bincount(called[mask], minlength=2) for called, mask in masks])
    progress.close(f"{len(rows)} hats pasted")
    return np.array(rows, np.int64).reshape(-1, 5, 2)


def hat_table(counts: NDArray, real: NDArray) -> pd.DataFrame:
    """`PASTED` answered by `hat_counts` and the run's own counts ``(images, 16, 14)``: ``value``, ``low``, ``high``."""

    def measure(summed: NDArray) -> NDArray:
        worn, beside, plain, far, near = np.moveaxis(called_share(summed), -1, 0)
        return np.stack([worn, beside, worn - beside, plain, far, near, near - plain], axis=-1)

    first, *others = PASTED
    worn = estimates([first], ["value"], real, lambda summed: metrics.leak(summed, HEADWEAR, HEADWEAR))
    table = pd.concat([worn, estimates(others, ["value"], counts, measure)]).set_axis(["value", "low", "high"], axis=1)
    return table.assign(text=list(PASTED.values()))

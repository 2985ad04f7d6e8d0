"""Every test photo predicted once, and what depends on the place in the picture counted."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from modanet_utils.augment import Letterbox
from modanet_utils.datasets.coco import Dataset
from modanet_utils.errors.places import Scan
from modanet_utils.metrics import confusion_counts, fold_labels
from modanet_utils.progress import spread
from modanet_utils.training.predict import predict, winners
from modanet_utils.training.runs import Run
from modanet_utils.training.samples import photo_and_truth


def resolution_limit(truth: NDArray[np.uint8], letterbox: Letterbox) -> NDArray[np.uint8]:
    """The best prediction at the network's resolution: the truth made small and enlarged as its output is.

    Both ``(H, W) uint8``; body labels and ignored pixels become background.
    """
    top, left, height, width = letterbox.box(*truth.shape)
    small = fold_labels(letterbox.label_map(truth)[top : top + height, left : left + width])
    present = np.unique(small)
    layers = torch.from_numpy((small[None] == present[:, None, None]).astype(np.float32))[None]
    large = interpolate(layers, truth.shape, mode="bilinear", align_corners=False)[0]
    return present[winners(large).numpy()].astype(np.uint8)


def scan(run: Run, dataset: Dataset, look: Callable[..., dict], keep: Iterable[int] = (), quiet: bool = False) -> Scan:
    """Predict every test image of a run once, and count what depends on the place in the picture.

    ``look`` says what is counted: `places.on_the_body` or `places.of_the_shapes`. ``keep`` are the ids of the images
    whose predictions are wanted. FileNotFoundError where the run was kept without its weights.
    """
    network, letterbox = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    wanted, last = set(keep), f"{len(run.ids)} test images predicted"

    def one(image_id: int) -> tuple[NDArray, dict[str, Any], NDArray | None]:
        photo, truth = photo_and_truth(dataset, image_id)
        prediction = predict(network, photo, letterbox)
        pixel = truth.shape[0] / letterbox.box(*truth.shape)[2]  # one of the network's, in the photo's
        seen = look(truth, prediction, resolution_limit(truth, letterbox), pixel)
        return confusion_counts(truth, prediction), seen, prediction if image_id in wanted else None

    counts, found, kept = zip(*spread(one, run.ids, "predicting", last, quiet), strict=True)
    stacked = {name: np.stack([each[name] for each in found]) for name in found[0]}
    return Scan(np.stack(counts), stacked, {i: p for i, p in zip(run.ids, kept, strict=True) if p is not None})

"""A second reading of the same predictions: what the labels cannot say is left out of the score.

Clothing Co-Parsing labels stockings and tights, ModaNet has no class for them, so they count as background. A network
that calls them pants or boots errs by that definition alone.
"""

from pathlib import Path

import numpy as np

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.datasets import ccp
from modanet_utils.datasets.coco import Dataset
from modanet_utils.metrics import confusion_counts
from modanet_utils.progress import watched
from modanet_utils.project import write_whole
from modanet_utils.training.predict import predict
from modanet_utils.training.runs import Run

NAMES: tuple[str, ...] = ("stockings", "tights")
FILE = "stockings.npz"


def measure(run: Run, dataset: Dataset, source: str | Path, quiet: bool = True) -> np.ndarray:
    """Confusion counts of the test photos ``(images, 16, 14) int64`` without the pixels of stockings and tights.

    Kept in the run's folder.

    Args:
        run: With weights.
        dataset: The converted data set.
        source: Clothing Co-Parsing's original layout, which alone knows these labels.
    """
    net, box = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    counts = np.zeros((len(run.ids), len(LABELS), len(CLASSES)), np.int64)
    last = f"{len(run.ids)} photos read a second time"
    for row, image_id in enumerate(watched(run.ids, "second reading", last, quiet)):
        truth = dataset.label_map(image_id)
        truth[ccp.mask_of(source, image_id, NAMES)] = IGNORE
        counts[row] = confusion_counts(truth, predict(net, dataset.image(image_id), box))
    write_whole(run.folder / FILE, lambda path: np.savez_compressed(path, ids=np.array(run.ids), counts=counts))
    return counts


def measured(run: Run) -> np.ndarray | None:
    """What `measure` kept in the run's folder; None where it has not been measured."""
    file = run.folder / FILE
    if not file.is_file():
        return None
    with np.load(file) as arrays:
        return arrays["counts"]

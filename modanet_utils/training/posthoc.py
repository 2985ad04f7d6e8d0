"""What a finished network gains without more training: the flipped picture averaged in, a threshold for each class."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets.coco import Dataset
from modanet_utils.metrics import clothing_mean_iou, confusion_counts
from modanet_utils.progress import watched
from modanet_utils.project import ProjectError, write_whole
from modanet_utils.splits import split
from modanet_utils.training.predict import predict_logits, winners
from modanet_utils.training.runs import Run

FILE = "posthoc.npz"
OFFSETS = np.linspace(-2, 2, 17)
"""What is tried on a class's log probability: from an eighth to the eightfold probability."""
EVERY, ROUNDS, PHOTOS = 5, 2, 500
"""Rows and columns that are looked at, how often each class is gone through, and validation photos at the most."""


def measure(run: Run, dataset: Dataset, quiet: bool = True) -> dict[str, np.ndarray]:
    """Predict validation and test anew, and keep what was found in the run's folder.

    Args:
        run: With weights.
        dataset: The converted data set that it was trained on.

    Returns:
        ``validation`` (3,): mean IoU on validation at every fifth row and column: as it is, flipped, shifted.
        ``offsets`` (14,): added to the log probabilities; chosen on validation. ``flipped`` and ``shifted``: confusion
        counts of the test photos, ``(images, 16, 14) int64``, averaged with the mirror image, and with the offsets.
    """
    net, box = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    seen: list[list[np.ndarray]] = []
    ids = split(dataset, run.config.split_seed)["val"]
    ids = ids[:: -(-len(ids) // PHOTOS)]
    for image_id in watched(ids, "validation", quiet=quiet):
        truth = dataset.label_map(image_id)[::EVERY, ::EVERY]
        plain, flipped = (at[:, ::EVERY, ::EVERY] for at in averaged(net, dataset.image(image_id), box))
        seen.append([truth.ravel(), plain.flatten(1).numpy(), winners(flipped).to(torch.uint8).numpy().ravel()])
    truth, scores, mirrored = (np.concatenate(parts, axis=-1) for parts in zip(*seen, strict=True))
    offsets = choose_offsets(scores, truth)
    ways = scores.argmax(0).astype(np.uint8), mirrored, (scores + offsets[:, None]).argmax(0).astype(np.uint8)
    validation = np.array([clothing_mean_iou(confusion_counts(truth, one)) for one in ways])
    counts = np.zeros((2, len(run.ids), len(LABELS), len(CLASSES)), np.int64)
    last = f"{len(ids) + len(run.ids)} photos predicted anew"
    for row, image_id in enumerate(watched(run.ids, "test", last, quiet)):
        truth, (plain, flipped) = dataset.label_map(image_id), averaged(net, dataset.image(image_id), box)
        for way, one in enumerate((flipped, plain + torch.from_numpy(offsets)[:, None, None])):
            counts[way, row] = confusion_counts(truth, winners(one).to(torch.uint8).numpy())
    found = {"validation": validation, "offsets": offsets, "flipped": counts[0], "shifted": counts[1]}
    write_whole(run.folder / FILE, lambda path: np.savez_compressed(path, ids=np.array(run.ids), **found))
    return found


def measured(folder: Path) -> dict[str, np.ndarray] | None:
    """What `measure` kept in a run's folder; None where it has not been measured, a ProjectError if it is damaged."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in ("validation", "offsets", "flipped", "shifted")}
        if found["offsets"].shape == (len(CLASSES),) and np.isfinite(found["offsets"]).all():
            return found
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        pass
    raise ProjectError(f"{file} is damaged: delete it, and the network predicts without thresholds.")


def choose_offsets(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Offsets of the log probabilities ``(14, pixels)`` with the highest mean IoU, a class at a time, ``(14,)``.

    >>> choose_offsets(np.log([[0.6, 0.9], [0.4, 0.1]]), np.array([1, 0], np.uint8)).tolist()  # the first is wrong
    [0.0, 0.5]
    """
    offsets = np.zeros(len(scores), scores.dtype)
    for label in list(range(1, len(scores))) * ROUNDS:
        moved = scores + offsets[:, None]
        others = np.delete(moved, label, axis=0)
        rival, ahead = others.argmax(0), others.max(0) - scores[label]
        rival = (rival + (rival >= label)).astype(np.uint8)
        order = sorted(OFFSETS, key=abs)  # of equal ones the least change
        gained = [clothing_mean_iou(confusion_counts(truth, np.where(at > ahead, label, rival))) for at in order]
        offsets[label] = order[int(np.argmax(gained))]
    return offsets


def averaged(net: nn.Module, photo: np.ndarray, box: Letterbox) -> tuple[Tensor, Tensor]:
    """Log probabilities ``(14, H, W)`` of a photo, as it is and averaged with those of its mirror image."""
    plain, mirrored = (logits.log_softmax(0).cpu() for logits in both_ways(net, photo, box))
    return plain, (plain + mirrored) / 2


def both_ways(net: nn.Module, photo: np.ndarray, box: Letterbox, fold: bool = True) -> Iterator[Tensor]:
    """Logits of a photo, and those of its mirror image, mirrored back; as `predict_logits`."""
    yield predict_logits(net, photo, box, fold)
    yield predict_logits(net, np.ascontiguousarray(photo[:, ::-1]), box, fold).flip(2)

"""From a photo to class logits, a label map and confusion counts."""

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.metrics import confusion_counts
from modanet_utils.progress import Progress
from modanet_utils.training.devices import sum_over_processes
from modanet_utils.training.samples import check_unread, left_out_text, photo_and_truth
from modanet_utils.trials import TrialConfig


def class_logits(logits: Tensor) -> Tensor:
    """Network output over the 14 classes, float32; of 16 outputs hair's and skin's probabilities go to background's."""
    logits = logits.float()
    if logits.shape[1] == len(CLASSES):
        return logits
    background = torch.logsumexp(torch.cat([logits[:, :1], logits[:, len(CLASSES) :]], 1), 1, keepdim=True)
    return torch.cat([background, logits[:, 1 : len(CLASSES)]], 1)


@torch.inference_mode()
def small_logits(net: nn.Module, photo: np.ndarray, letterbox: Letterbox, fold: bool = True) -> Tensor:
    """As `predict_logits`, but at the network's resolution, ``(1, outputs, h, w) float32``, without the padding."""
    top, left, height, width = letterbox.box(*photo.shape[:2])
    small = torch.from_numpy(letterbox.image(photo).transpose(2, 0, 1).copy())[None]
    small = small.to(next(net.parameters()).device).contiguous(memory_format=torch.channels_last)
    logits = net(small)
    return (class_logits(logits) if fold else logits.float())[:, :, top : top + height, left : left + width]


@torch.inference_mode()
def predict_logits(net: nn.Module, photo: np.ndarray, letterbox: Letterbox, fold: bool = True) -> Tensor:
    """Class logits ``(14, H, W) float32`` of a photo ``(H, W, 3) uint8``, RGB of any size, on the network's device.

    With ``fold=False`` those of every output, hair and skin included where the network has them.
    """
    logits = small_logits(net, photo, letterbox, fold)
    return nn.functional.interpolate(logits, photo.shape[:2], mode="bilinear", align_corners=False)[0]


def predict(net: nn.Module, photo: np.ndarray, letterbox: Letterbox) -> np.ndarray:
    """Predicted label map of one photo at its own resolution, ``(H, W) uint8``, 0-13."""
    return winners(predict_logits(net, photo, letterbox)).to("cpu", torch.uint8).numpy()


def winners(logits: Tensor) -> Tensor:
    """The class with the highest logit, ``(14, H, W)`` to ``(H, W) int64``."""
    return logits.max(0).indices  # on a CPU four times as fast as argmax over the first dimension


def test_counts(
    net: nn.Module,
    dataset: Photos,
    ids: list[int],
    config: TrialConfig,
    accelerator: Accelerator | None = None,
    quiet: bool = True,
) -> np.ndarray:
    """Confusion counts of every image at its own resolution, ``(images, 16, 14) int64``.

    A photo that cannot be read has no counts, its row is 0; beyond `UNREAD_SHARE` of them it is a DatasetError.
    """
    letterbox = Letterbox(config.image_height, config.image_width)
    rank, world = (accelerator.process_index, accelerator.num_processes) if accelerator else (0, 1)
    counts = np.zeros((len(ids), len(LABELS), len(CLASSES)), np.int64)
    progress = Progress(len(ids), quiet or rank > 0)
    net.eval()
    for row in range(rank, len(ids), world):
        photo, truth = photo_and_truth(dataset, ids[row])
        counts[row] = confusion_counts(truth, predict(net, photo, letterbox))
        if not counts[row].any():
            check_unread(dataset, [ids[at] for at in range(rank, row + 1, world) if not counts[at].any()], len(ids))
        progress.step(row + 1, "scoring")
    if accelerator:
        counts = sum_over_processes(counts, accelerator)
    unread = [ids[at] for at in np.flatnonzero(~counts.any((1, 2)))]
    check_unread(dataset, unread, len(ids))
    progress.close(f"{len(ids)} images scored{left_out_text(len(unread))}")
    return counts

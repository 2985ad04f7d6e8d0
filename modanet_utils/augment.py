"""Letterbox geometry and the training augmentation, seeded per sample."""

import os
import warnings
from dataclasses import dataclass

import albumentations as A
import cv2
import numpy as np

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise importing asks the network for a newer version

PADDING = (124, 116, 104)
"""ImageNet's mean colour (RGB): close to 0 after normalisation, whatever the encoder."""
WORN_OVER = [CLASSES.index(name) for name in ("belt", "boots", "sunglasses", "headwear", "scarf & tie")]
"""What is worn over something else, so that it can be put on a person without taking anything off."""


@dataclass(frozen=True)
class Letterbox:
    """Fits a picture of any size into ``(height, width)`` pixels, aspect ratio kept, centred, rest padded."""

    height: int
    width: int

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Where a ``height`` x ``width`` picture ends up: top, left, height, width inside the letterbox."""
        scale = min(self.height / height, self.width / width)
        inner = max(1, round(height * scale)), max(1, round(width * scale))
        return (self.height - inner[0]) // 2, (self.width - inner[1]) // 2, *inner

    def image(self, picture: np.ndarray) -> np.ndarray:
        """``(H, W, 3) uint8`` to ``(height, width, 3) uint8``, area-averaged when it shrinks."""
        top, left, height, width = self.box(*picture.shape[:2])
        shrinks = height < picture.shape[0]
        small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        out = np.full((self.height, self.width, 3), PADDING, np.uint8)
        out[top : top + height, left : left + width] = small
        return out

    def label_map(self, truth: np.ndarray) -> np.ndarray:
        """``(H, W) uint8`` to ``(height, width) uint8``, nearest pixel centre, padding 255 (ignored)."""
        top, left, height, width = self.box(*truth.shape)
        out = np.full((self.height, self.width), IGNORE, np.uint8)
        # INTER_NEAREST takes the upper left source pixel, half a pixel off; _EXACT takes the centre's.
        out[top : top + height, left : left + width] = cv2.resize(
            truth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT
        )
        return out


def training_transform() -> A.Compose:
    """Flip, small shift, scale and rotation, brightness, contrast, hue and saturation.

    What enters from outside the picture is padding colour in the image and 255 (ignored) in the label map.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # albumentations only warns about an argument it does not know
        return A.Compose(
            [
                A.HorizontalFlip(p=0.5),
                A.Affine(
                    scale=(0.8, 1.25),
                    translate_percent=(-0.06, 0.06),
                    rotate=(-8, 8),
                    interpolation=cv2.INTER_LINEAR,
                    mask_interpolation=cv2.INTER_NEAREST,
                    fill=PADDING,
                    fill_mask=IGNORE,
                    p=0.9,
                ),
                A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.8),
                A.HueSaturationValue(hue_shift_limit=6, sat_shift_limit=25, val_shift_limit=10, p=0.5),
            ]
        )


def augment(
    transform: A.Compose, image: np.ndarray, truth: np.ndarray, seed: int, epoch: int, index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Apply a transform with randomness that depends on ``(seed, epoch, index)`` alone.

    Worker processes, their number and the order of the samples change nothing.

    Args:
        image: ``(H, W, 3) uint8``.
        truth: ``(H, W) uint8`` label map.

    Returns:
        The augmented image and label map, same shapes and dtypes.
    """
    transform.set_random_seed(int(np.random.SeedSequence([seed, epoch, index]).generate_state(1)[0]))
    out = transform(image=image, mask=truth)
    return out["image"], out["mask"]


def paste(image: np.ndarray, truth: np.ndarray, other: np.ndarray, its_truth: np.ndarray, label: int) -> None:
    """Put a garment of another photo where this photo's person would wear it, in place; nothing where there is no room.

    The bodies' heights, from the face down, give size and height; the middles of what is near the garment its place
    across. Source: Ghiasi and others, Simple Copy-Paste, CVPR 2021, who paste anywhere.

    Args:
        image, other: ``(H, W, 3) uint8``; truth, its_truth: ``(H, W) uint8`` label maps of 16 labels.
        label: What is cut out of ``other``.
    """
    cut = its_truth == label
    rows = np.flatnonzero(cut.any(axis=1))
    (top, height), (its_top, its_height) = _body(truth), _body(its_truth)
    if not len(rows) or not min(height, its_height) or not 0.5 <= (scale := height / its_height) <= 2:
        return
    its_near = np.array([2 * rows[0] - rows[-1] - 2, 2 * rows[-1] - rows[0] + 2])
    middle, its_middle = _middle(truth, scale * (its_near - its_top) + top), _middle(its_truth, its_near)
    if middle is None or its_middle is None:
        return
    move = np.array([[scale, 0, middle - scale * its_middle], [0, scale, top - scale * its_top]])
    size = truth.shape[::-1]
    there = cv2.warpAffine(cut.astype(np.uint8), move, size, flags=cv2.INTER_NEAREST).astype(bool)
    image[there] = cv2.warpAffine(other, move, size, borderMode=cv2.BORDER_REPLICATE)[there]
    if label == CLASSES.index("boots"):
        truth[truth == CLASSES.index("footwear")] = IGNORE  # what of the shoes looks out
    truth[there] = label


def _body(truth: np.ndarray) -> tuple[int, int]:
    """First row and height of what is labelled, but for hair and hats, which differ in height."""
    rows = np.flatnonzero((~np.isin(truth, [0, HAIR, HEADWEAR, IGNORE])).any(axis=1))
    return (int(rows[0]), int(rows[-1] - rows[0] + 1)) if len(rows) else (0, 0)


def _middle(truth: np.ndarray, rows: np.ndarray) -> float | None:
    """Median column of what is labelled between two rows, but for bags; None where nothing is."""
    first, last = np.clip(np.round(rows).astype(int), 0, len(truth))
    columns = np.nonzero(~np.isin(truth[first:last], [0, CLASSES.index("bag"), IGNORE]))[1]
    return float(np.median(columns)) if len(columns) else None

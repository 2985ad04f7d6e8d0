"""Letterbox geometry and the training augmentation, seeded per sample."""

import os
import warnings
from dataclasses import dataclass

import albumentations as A
import cv2
import numpy as np

from modanet_utils.classes import IGNORE

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # otherwise importing asks the network for a newer version

PADDING = (124, 116, 104)
"""ImageNet's mean colour (RGB): close to 0 after normalisation, whatever the encoder."""


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

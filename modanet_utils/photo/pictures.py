"""Any picture as RGB bytes: files of cameras and programs, PIL images and arrays."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from modanet_utils.project import ProjectError


def read(photo: Any) -> np.ndarray:
    """A picture as ``(H, W, 3) uint8`` RGB, upright as its EXIF says; what is transparent shows white.

    Takes a file (of several frames the first), a PIL image of any mode, or an array ``(H, W)``, ``(H, W, 1)``,
    ``(H, W, 3)`` or ``(H, W, 4)`` of uint8, of uint16 (0 to 65535) or floating (0 to 1). ProjectError for what is no
    picture file, is damaged, has more than 89 megapixels (PIL's limit), is empty, or could mean several pictures.

    >>> read(np.float32([[0, 0.5, 1]])).tolist()
    [[[0, 0, 0], [128, 128, 128], [255, 255, 255]]]
    """
    return opened(photo)[0]


def opened(photo: Any) -> tuple[np.ndarray, bool]:
    """As `read`, and whether any of it is transparent."""
    if not isinstance(photo, str | Path):
        return _layers(photo)
    path = Path(photo).expanduser()
    if not path.is_file():
        what = "is a folder, and none of its own files is taken for a picture" if path.is_dir() else "does not exist"
        raise ProjectError(f"Photo {path} {what}: give a picture file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd EXIF or palettes, which do not matter here
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return _layers(ImageOps.exif_transpose(picture))
    except Image.UnidentifiedImageError:
        raise ProjectError(f"Photo {path} is no picture that can be read: save it as JPEG or PNG.") from None
    except Exception as error:  # decoders share no base, and a damaged file must not end a whole folder
        why = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        why = "it has more than 89 megapixels" if "decompression bomb" in why else why
        raise ProjectError(f"Photo {path} cannot be used ({why}): replace the file.") from None


def _layers(picture: Any) -> tuple[np.ndarray, bool]:
    try:
        if isinstance(picture, Image.Image) and picture.mode not in ("F", "I", "I;16", "I;16B", "I;16L"):
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        array = np.asarray(picture)
    except Exception:  # of a damaged or closed picture, a tensor on a GPU, a list of several
        raise ProjectError(f"A {type(picture).__name__} is no picture: give a file, a PIL image or an array.") from None
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        shape = tuple(np.shape(picture))
        raise ProjectError(f"A picture of shape {shape} cannot be used: give a file, (H, W), (H, W, 3) or (H, W, 4).")
    if array.dtype.kind == "f" and array.min() >= 0 and array.max() <= 1:  # neither is so of what is not a number
        array = (255 * array.astype(np.float32) + 0.5).astype(np.uint8)
    elif array.dtype.kind == "u" and array.itemsize == 2:
        array = ((array.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    elif array.dtype != np.uint8:
        known = "give uint8, uint16, or floating from 0 to 1."
        raise ProjectError(f"A picture of {array.dtype} with these values has more than one meaning: {known}")
    if clear := array.shape[2] == 4 and bool((array[..., 3] < 255).any()):
        alpha = array[..., 3:].astype(np.uint16)
        array = ((array[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(array[..., :3], (*array.shape[:2], 3))), clear

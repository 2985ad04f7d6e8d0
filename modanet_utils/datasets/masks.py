"""Polygons and run lengths: what is wrong with them, and the one run-length mask that they make."""

import math
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from modanet_utils.datasets.records import MAX_PIXELS, DatasetError

MAX_OUTLINE = 2_000_000
"""Pixels along the outline of one object: pycocotools walks it and would need 100 bytes for each."""

# In image sizes. pycocotools walks edges pixel by pixel: further polygons would fill memory and are cut there first.
_FAR = 4


def rle_of(segmentation: Any, height: int, width: int) -> dict[str, Any] | None:
    """One run-length mask of a polygon list or of a run-length encoding; None where nothing is usable."""
    if isinstance(segmentation, dict):
        if flaws(segmentation):
            return None
        counts = segmentation["counts"]
        if tuple(segmentation["size"]) != (height, width):
            raise DatasetError(f"A run-length mask of size {segmentation['size']} is on a {[height, width]} image.")
        return coco_mask.frPyObjects(segmentation, height, width) if isinstance(counts, list) else segmentation
    sound = [one for one in segmentation if not _flaw(one)] if isinstance(segmentation, list) else []
    polygons = [near for polygon in sound if len(near := _near(polygon, height, width)) >= 6]
    rles = coco_mask.frPyObjects(polygons, height, width) if polygons else [None]
    return rles[0] if len(rles) == 1 else coco_mask.merge(rles)


def _flaw(polygon: Any) -> str | None:
    """Why no mask can be made of a polygon; pycocotools would crash, exhaust memory or drop it in silence."""
    if not isinstance(polygon, list) or len(polygon) < 6:
        return "polygons with fewer than three corners"
    if len(polygon) % 2:
        return "polygons with an odd number of coordinates"
    try:
        return None if math.isfinite(sum(polygon)) else "polygons with a coordinate that is not finite"
    except OverflowError:
        return "polygons with a coordinate that is not finite"
    except TypeError:
        return "polygons with a coordinate that is not a number"


def is_plain(segmentation: Any) -> bool:
    """Whether it is some polygons of finite numbers, neither many nor long: what nearly all are, told in one go."""
    try:
        for one in segmentation:
            if not (type(one) is list and 6 <= len(one) <= 1000 and not len(one) % 2 and math.isfinite(sum(one))):
                return False
    except (OverflowError, TypeError):
        return False
    return 0 < len(segmentation) <= 20


def flaws(segmentation: Any) -> list[str]:
    """What no mask can be made of in a segmentation, one entry each."""
    if isinstance(segmentation, dict):
        known = {"size", "counts"} <= segmentation.keys()
        return [] if known else ["masks that are neither polygons nor run lengths"]
    if not segmentation:
        return ["annotations without a polygon"]
    return list(filter(None, map(_flaw, segmentation if isinstance(segmentation, list) else [segmentation])))


def reshaped(segmentation: Any) -> list[Any] | None:
    """A list of polygons of one flat polygon, of one list of [x, y] pairs, or of several; None if it is none of them.

    >>> reshaped([0, 0, 5, 0, 5, 5]) == reshaped([[0, 0], [5, 0], [5, 5]]) == reshaped([[[0, 0], [5, 0], [5, 5]]])
    True
    """
    if not isinstance(segmentation, list) or not segmentation:
        return None
    if all(type(value) in (int, float) for value in segmentation):
        return [segmentation]
    if all(map(_is_pair, segmentation)):
        return [[value for pair in segmentation for value in pair]]
    if all(isinstance(one, list) and one and all(map(_is_pair, one)) for one in segmentation):
        return [[value for pair in polygon for value in pair] for polygon in segmentation]
    return None


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) in (int, float) for one in value)


def too_long(segmentation: list[Any], height: int, width: int) -> bool:
    """Whether an object's outline is longer than `MAX_OUTLINE`, as a zigzag all over the picture is."""
    far, length = _FAR * max(height, width), 0.0
    for polygon in segmentation:
        if not _flaw(polygon):
            corners = np.clip(np.array(polygon, np.float64).reshape(-1, 2), -far, far)
            length += np.abs(corners - np.roll(corners, 1, 0)).max(1).sum()
    return length > MAX_OUTLINE


def run_flaw(mask: dict[str, Any], height: int, width: int) -> str | None:
    """Why run lengths (with "size" and "counts") do not give every pixel of an image once; None where they do."""
    counts = mask["counts"]
    if mask["size"] != [height, width]:
        return f"its run lengths are of size {str(mask['size'])[:40]}, the image's [height, width] is {[height, width]}"
    if isinstance(counts, str):
        runs = _runs(counts)
    else:
        numbers = isinstance(counts, list) and all(type(run) is int and 0 <= run <= MAX_PIXELS for run in counts)
        runs = np.array(counts, np.int64) if numbers else None
    if runs is None or not len(runs) or runs.min() < 0:
        return "its run lengths cannot be read"
    if runs.sum() != height * width:
        return f"its run lengths add up to {runs.sum():,} of the image's {height * width:,} pixels"
    return None


def _runs(text: str) -> np.ndarray | None:
    """COCO's compressed run lengths; None where the text is none. Source: rleFrString of pycocotools' maskApi.c.

    >>> mask = np.asfortranarray([[0, 1, 1], [0, 0, 1]], np.uint8)
    >>> _runs(coco_mask.encode(mask)["counts"].decode()).tolist()
    [2, 1, 1, 2]
    """
    codes = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] >= 32:
        return None
    last = np.flatnonzero(codes < 32)  # six bits: five of a number, the lowest first, and whether more follow
    lengths = np.diff(last, prepend=-1)
    first = last - lengths + 1
    if lengths.max() > 7:  # a 32-bit number takes at most seven
        return None
    numbers = np.add.reduceat((codes & 31) << 5 * (np.arange(len(codes)) - np.repeat(first, lengths)), first)
    numbers -= np.where(codes[last] & 16, 1 << 5 * lengths, 0)  # a negative number's highest bit
    for start in (1, 2):  # from the fourth on, a number is the difference from the last but one
        numbers[start::2] = np.cumsum(numbers[start::2])
    return numbers


def _near(polygon: list[float], height: int, width: int) -> list[float]:
    """The polygon, cut where it reaches further than a few image sizes away."""
    far = _FAR * max(height, width)
    if -far <= min(polygon) and max(polygon) <= far:
        return polygon
    from matplotlib import path, transforms  # hardly ever needed

    corners = np.array(polygon, np.float64).reshape(-1, 2)
    cut = path.Path(corners).clip_to_bbox(transforms.Bbox([[-far, -far], [far, far]]))
    return np.asarray(cut.vertices).ravel().tolist()

"""Writes a dataset folder, whole or not at all; finds photos that must not straddle a split."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from modanet_utils.classes import BODY, CLOTHING
from modanet_utils.datasets.coco import ANNOTATIONS, IMAGES, DatasetError, open_dataset
from modanet_utils.datasets.records import IGNORED
from modanet_utils.project import whole_folder

CATEGORIES: list[dict[str, Any]] = [
    *({"id": i, "name": name, "supercategory": "fashion"} for i, name in enumerate(CLOTHING, 1)),
    *({"id": i, "name": name, "supercategory": "body"} for i, name in enumerate(BODY, 14)),
]
MADE_FROM = "made_from.txt"
IGNORED_ID = len(CATEGORIES) + 1
"""The category id of what is ignored; listed where it is used."""
SAME_SCENE = 30.0
"""Root mean square difference (grey levels, 0-255) of 24x16 colour thumbnails below which photos count as one scene.
The seven such pairs of Clothing Co-Parsing show one person in one place; the nearest of different people is above."""


def write(
    destination: Path,
    info: dict[str, Any],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    photos: dict[str, Path],
    link: Path | None = None,
    made_from: str | None = None,
) -> Path:
    """Write ``annotations.json`` and ``images/``, whole or not at all.

    Args:
        photos: File name in ``images/`` to the photo to copy.
        made_from: Digest of the source, kept beside the annotations, so that a conversion knows when it is out of date.
        link: Folder that ``images`` links to instead of copying (for collections too large to copy).

    Raises:
        DatasetError: ``destination`` exists and is not a dataset of the same ``info``.
    """
    if any(destination.iterdir()) if destination.is_dir() else destination.exists():
        try:
            same = json.loads((destination / ANNOTATIONS).read_text()).get("info") == info
        except (OSError, ValueError, AttributeError):
            same = False
        if not same:
            raise DatasetError(f"{destination} already holds something else: give a folder that does not exist yet.")
    with whole_folder(destination) as folder:
        if link is None:
            (folder / IMAGES).mkdir()
            for name, photo in photos.items():
                shutil.copyfile(photo, folder / IMAGES / name)
        else:
            (folder / IMAGES).symlink_to(link.resolve(), target_is_directory=True)
        _mark_scenes(images, photos)
        used = any(one["category_id"] == IGNORED_ID for one in annotations)
        categories = [*CATEGORIES, *[{"id": IGNORED_ID, "name": IGNORED, "supercategory": "none"}] * used]
        content = {"info": info, "images": images, "annotations": annotations, "categories": categories}
        (folder / ANNOTATIONS).write_text(json.dumps(content, separators=(",", ":")))
        if made_from:
            (folder / MADE_FROM).write_text(f"{made_from}\n")
    return destination


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A photo ``(H, W, 3) uint8`` as 24x16 pixels in a row, ``(1152,) float32``."""
    return cv2.resize(pixels, (16, 24), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def mark_scenes(records: list[dict[str, Any]], thumbnails: np.ndarray, block: int = 512) -> list[int]:
    """Give COCO records of one scene's photos the same ``group``, the first one's id, in place.

    ``thumbnails`` is ``(photos, 1152) float32``; returns how many photos each scene with several has. ``block`` rows at
    a time are compared with all: 100 MB for the whole of ModaNet.

    >>> records = [{"id": 7}, {"id": 8}, {"id": 9}]
    >>> mark_scenes(records, np.float32([[0, 0, 0], [200, 200, 200], [9, 9, 9]])), records
    ([2], [{'id': 7, 'group': 7}, {'id': 8}, {'id': 9, 'group': 7}])
    """
    squares, limit = (thumbnails**2).sum(1), SAME_SCENE**2 * thumbnails.shape[1]
    pairs = []
    for start in range(0, len(thumbnails), block):
        rows = slice(start, start + block)
        distance = squares[rows, None] + squares[None, start:] - 2 * thumbnails[rows] @ thumbnails[start:].T
        pairs.append(np.argwhere(np.triu(distance < limit, 1)) + start)
    first, second = np.concatenate(pairs).T
    edges = coo_array((np.ones(len(first), bool), (first, second)), shape=2 * (len(records),))
    _, scene = connected_components(edges, directed=False)
    sizes = np.bincount(scene)
    group: dict[int, int] = {}
    for record, number in zip(records, scene, strict=True):
        record.pop("group", None)
        if sizes[number] > 1:
            record["group"] = group.setdefault(number, record["id"])
    return sizes[sizes > 1].tolist()


def _mark_scenes(images: list[dict[str, Any]], photos: dict[str, Path]) -> None:
    """`mark_scenes` for the photos that can be decoded."""
    known, thumbnails = [], []
    for record in images:
        photo = photos.get(record["file_name"])
        if photo and (pixels := cv2.imread(str(photo), cv2.IMREAD_REDUCED_COLOR_4)) is not None:
            known.append(record)
            thumbnails.append(thumbnail(pixels))
    if known:
        mark_scenes(known, np.stack(thumbnails))


def summary(folder: Path) -> str:
    """One line about a written dataset: how many images, annotated images, objects and shared scenes."""
    dataset = open_dataset(folder)
    objects = [len(found) for found in dataset.annotations.values()]
    groups = [record["group"] for record in dataset.images.values() if "group" in record]
    said = dataset.said()
    return (
        f"{folder}: {len(objects)} images, {objects.count(0)} of them without any foreground, {sum(objects)} objects; "
        f"{len(groups)} photos share {len(set(groups))} scenes and stay on one side of a split."
    ) + (said and f"\n{said}")


def command(
    name: str, about: str, takes: dict[str, str], make: Callable[..., object], arguments: Sequence[str] | None
) -> int:
    """``python -m modanet_utils.datasets.NAME``: make a dataset folder of the paths given, print ``make``'s answer."""
    parser = argparse.ArgumentParser(f"python -m modanet_utils.datasets.{name}", description=about)
    for place, text in takes.items():
        parser.add_argument(place, type=Path, help=text)
    options = parser.parse_args(arguments)
    try:
        print(make(**vars(options), quiet=False))
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0

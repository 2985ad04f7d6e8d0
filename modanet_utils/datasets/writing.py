"""Writes a dataset folder, whole or not at all; finds photos that must not straddle a split."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from modanet_utils.classes import BODY, CLOTHING
from modanet_utils.datasets.coco import ANNOTATIONS, IMAGES, DatasetError, open_dataset

CATEGORIES: list[dict[str, Any]] = [
    *({"id": i, "name": name, "supercategory": "fashion"} for i, name in enumerate(CLOTHING, 1)),
    *({"id": i, "name": name, "supercategory": "body"} for i, name in enumerate(BODY, 14)),
]

SAME_SCENE = 30.0
"""Root mean square difference (grey levels, 0-255) of 24x16 colour thumbnails below which two photos count as
one scene. On Clothing Co-Parsing the seven pairs below it all show the same person in the same place; the
nearest pair of different people is above it."""


def write(
    destination: Path,
    info: dict[str, Any],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    photos: dict[str, Path],
    link: Path | None = None,
) -> Path:
    """Write ``annotations.json`` and ``images/`` under a temporary name and rename.

    Args:
        photos: File name in ``images/`` to the photo to copy.
        link: Folder that ``images`` links to instead of copying (for collections too large to copy).

    Raises:
        DatasetError: ``destination`` exists and is not a dataset of the same ``info``.
    """
    if destination.exists() and any(destination.iterdir()) if destination.is_dir() else destination.exists():
        file = destination / ANNOTATIONS
        try:
            same = json.loads(file.read_text()).get("info") == info
        except (OSError, ValueError, AttributeError):
            same = False
        if not same:
            raise DatasetError(f"{destination} already holds something else: give a folder that does not exist yet.")
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".{destination.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        if link is None:
            (partial / IMAGES).mkdir()
            for name, photo in photos.items():
                shutil.copyfile(photo, partial / IMAGES / name)
        else:
            (partial / IMAGES).symlink_to(link.resolve(), target_is_directory=True)
        _mark_scenes(images, photos)
        content = {"info": info, "images": images, "annotations": annotations, "categories": CATEGORIES}
        (partial / ANNOTATIONS).write_text(json.dumps(content, separators=(",", ":")))
        shutil.rmtree(destination, ignore_errors=True)
        partial.rename(destination)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return destination


def thumbnail(photo: Path) -> np.ndarray | None:
    """A photo as 24x16 RGB, ``(1152,) float32``; None where it cannot be decoded."""
    picture = cv2.imread(str(photo), cv2.IMREAD_REDUCED_COLOR_4)
    if picture is None:
        return None
    return cv2.resize(picture, (16, 24), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def same_scene(thumbnails: np.ndarray, block: int = 2048) -> list[tuple[int, int]]:
    """Pairs of rows of ``(N, D) float32`` thumbnails that show one scene (see ``SAME_SCENE``), first < second."""
    squares = (thumbnails**2).sum(1)
    limit = SAME_SCENE**2 * thumbnails.shape[1]
    pairs = []
    for start in range(0, len(thumbnails), block):
        rows = slice(start, start + block)
        distance = squares[rows, None] + squares[None, start:] - 2 * thumbnails[rows] @ thumbnails[start:].T
        first, second = np.nonzero(np.triu(distance < limit, 1))
        pairs += [(int(a) + start, int(b) + start) for a, b in zip(first, second, strict=True)]
    return pairs


def _mark_scenes(images: list[dict[str, Any]], photos: dict[str, Path]) -> None:
    """Give photos of one scene the same ``group`` (the smallest id among them)."""
    known = [(record, thumbnail(photos[record["file_name"]])) for record in images if record["file_name"] in photos]
    known = [(record, small) for record, small in known if small is not None]
    if not known:
        return
    group = list(range(len(known)))
    for first, second in same_scene(np.stack([small for _, small in known])):
        old, new = max(group[first], group[second]), min(group[first], group[second])
        group = [new if value == old else value for value in group]
    size = np.bincount(group)
    for (record, _), value in zip(known, group, strict=True):
        if size[value] > 1:
            record["group"] = known[value][0]["id"]


def summary(folder: Path) -> str:
    """One line about a written dataset: how many images, annotated images, objects and shared scenes."""
    dataset = open_dataset(folder)
    annotated = sum(bool(a) for a in dataset.annotations.values())
    objects = sum(len(a) for a in dataset.annotations.values())
    groups = [record["group"] for record in dataset.images.values() if "group" in record]
    return (
        f"{folder}: {len(dataset.ids)} images, {len(dataset.ids) - annotated} of them without any foreground, "
        f"{objects} objects; {len(groups)} photos share {len(set(groups))} scenes and stay on one side of a split."
    )

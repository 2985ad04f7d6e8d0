"""Writes a dataset folder, whole or not at all; finds photos that must not straddle a split."""

import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from modanet_utils.classes import BODY, CLOTHING
from modanet_utils.datasets.coco import ANNOTATIONS, IMAGES, DatasetError
from modanet_utils.datasets.photos import decoded
from modanet_utils.datasets.records import IGNORED
from modanet_utils.project import check_folder, linked, whole_folder

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
MOST_ALIKE = 10
"""Where a scene would hold more photos, and more than one in so many, photos must be closer: half as far, and so on."""


def write(
    destination: Path,
    info: dict[str, Any],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    photos: dict[str, Path],
    link: Path | None = None,
    fill: Callable[[Path], None] | None = None,
    made_from: str | None = None,
) -> Path:
    """Write ``annotations.json`` and ``images/``, whole or not at all; files of others in the folder stay.

    ``photos``, by their file names in ``images/``, are copied, and scenes looked for among them; or ``images`` links to
    the folder ``link``, or ``fill`` puts photos into the folder it is given. ``made_from``, a digest of the source, is
    kept beside the annotations, so that a conversion knows when it is out of date. Errors as for `replaced`.
    """
    replaces = replaced(destination, info)
    with whole_folder(destination) as folder:
        if link is not None:
            (folder / IMAGES).symlink_to(link.resolve(), target_is_directory=True)
        else:
            (folder / IMAGES).mkdir()
            for name, photo in photos.items():
                shutil.copyfile(photo, folder / IMAGES / name)
            if fill is not None:
                fill(folder / IMAGES)
        if photos:
            mark_scenes_of(images, [photos[record["file_name"]] for record in images])
        used = any(one["category_id"] == IGNORED_ID for one in annotations)
        categories = [*CATEGORIES, *[{"id": IGNORED_ID, "name": IGNORED, "supercategory": "none"}] * used]
        content = {"info": info, "images": images, "annotations": annotations, "categories": categories}
        (folder / ANNOTATIONS).write_text(json.dumps(content, separators=(",", ":")))
        if replaces is not None:
            _keep_others_files(destination, folder, replaces)
        if made_from:
            (folder / MADE_FROM).write_text(f"{made_from}\n")
    return destination


def masks(labels: np.ndarray) -> list[tuple[int, dict[str, Any]]]:
    """Every label above 0 of a map ``(H, W) uint8`` with its COCO fields: area, bbox and run-length segmentation.

    >>> masks(np.uint8([[0, 9], [9, 9]]))[0][1]["area"]
    3
    """
    size, flat = list(labels.shape), labels.ravel(order="F")
    edges = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [flat.size]])
    values, found = flat[edges[:-1]], []  # all runs in one pass: large photos have few
    for label in np.unique(values[values > 0]).tolist():
        runs = np.flatnonzero(values == label)
        ends = np.stack([edges[runs], edges[runs + 1]], 1).ravel()
        counts = np.diff(ends, prepend=0, append=flat.size).tolist()
        rle = coco_mask.frPyObjects({"size": size, "counts": counts[:-1] if counts[-1] == 0 else counts}, *size)
        box = coco_mask.toBbox(rle).astype(int).tolist()
        mask = {"size": size, "counts": rle["counts"].decode("ascii")}
        found.append((label, {"area": int(coco_mask.area(rle)), "bbox": box, "segmentation": mask}))
    return found


def replaced(destination: Path, info: dict[str, Any]) -> set[str] | None:
    """Photos of the data set that writing here would replace, None where nothing is; asked before any work.

    DatasetError where ``destination`` holds anything but a dataset of the same ``info``, ProjectError where it is a
    link or the current folder.
    """
    check_folder(destination)
    if not destination.exists() or not any(destination.iterdir()):
        return None
    try:
        there = json.loads((destination / ANNOTATIONS).read_text())
        if there["info"] == info:
            return {os.path.normpath(one["file_name"]) for one in there["images"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise DatasetError(f"{destination} already holds something else: give a folder that does not exist yet.")


def _keep_others_files(before: Path, folder: Path, photos: set[str]) -> None:
    """Give the new folder, too, every file of the earlier one that is not the data set's own."""

    def ours(where: str, names: list[str]) -> list[str]:
        inside = Path(where).relative_to(before)
        if inside == Path():
            linked = [IMAGES] if (before / IMAGES).is_symlink() or (folder / IMAGES).is_symlink() else []
            return [ANNOTATIONS, *linked]
        return [name for name in names if os.path.relpath(inside / name, IMAGES) in photos]

    shutil.copytree(before, folder, symlinks=True, ignore=ours, copy_function=linked, dirs_exist_ok=True)


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A photo ``(H, W, 3) uint8`` as 24x16 pixels in a row, ``(1152,) uint8``."""
    return cv2.resize(pixels, (16, 24), interpolation=cv2.INTER_AREA).ravel()


def _scenes(thumbnails: np.ndarray, nearest: float) -> np.ndarray:
    """The number of each photo's scene, ``(photos,)``: chains of photos less than ``nearest`` apart."""
    limit, step = nearest**2 * thumbnails.shape[1], 1024
    starts, scene = range(0, len(thumbnails), step), np.arange(len(thumbnails))
    for start in starts:  # so many with so many: 60 MB, however many are alike
        rows = thumbnails[start : start + step].astype(np.float32)
        for other in starts[start // step :]:
            columns = thumbnails[other : other + step].astype(np.float32)
            squares = (np.einsum("ij,ij->i", block, block) for block in (rows, columns))
            distance = np.add.outer(*squares) - 2 * rows @ columns.T
            first, second = scene[np.argwhere(np.triu(distance < limit, 1 + start - other)) + (start, other)].T
            edges = coo_array((np.ones(len(first), bool), (first, second)), shape=2 * (len(scene),))
            scene = connected_components(edges, directed=False)[1][scene]
    return scene


def mark_scenes(records: list[dict[str, Any]], thumbnails: np.ndarray) -> list[int]:
    """Give COCO records of one scene's photos the same ``group``, the first one's id, in place.

    ``thumbnails`` is ``(photos, 1152) uint8``; returns how many photos each scene with several has.

    >>> records = [{"id": 7}, {"id": 8}, {"id": 9}]
    >>> mark_scenes(records, np.uint8([[0, 0, 0], [200, 200, 200], [9, 9, 9]])), records
    ([2], [{'id': 7, 'group': 7}, {'id': 8}, {'id': 9, 'group': 7}])
    """
    for closer in range(4):
        scene = _scenes(thumbnails, SAME_SCENE / 2**closer)
        if np.bincount(scene).max() <= max(MOST_ALIKE, len(records) / MOST_ALIKE):
            break  # else a background is alike everywhere, as in a shop, and says nothing of a scene
    sizes = np.bincount(scene)
    group: dict[int, int] = {}
    for record, number in zip(records, scene, strict=True):
        record.pop("group", None)
        if sizes[number] > 1:
            record["group"] = group.setdefault(number, record["id"])
    return sizes[sizes > 1].tolist()


def mark_scenes_of(records: list[dict[str, Any]], files: list[Path]) -> None:
    """`mark_scenes` for the records whose photo, each in its file, can be decoded."""
    read = (decoded(file.read_bytes(), cv2.IMREAD_REDUCED_COLOR_4)[0] for file in files)
    known = [(record, thumbnail(photo)) for record, photo in zip(records, read, strict=True) if photo is not None]
    if known:
        mark_scenes([record for record, _ in known], np.stack([small for _, small in known]))


def command(name: str, arguments: Sequence[str] | None = None) -> int:
    """A door of its own to ``modanet convert NAME``: its exit status."""
    main = importlib.import_module("modanet_utils.__main__").main  # upstairs: only for who comes in by this door
    return main(["convert", name, *(sys.argv[1:] if arguments is None else arguments)])

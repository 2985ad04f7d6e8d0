"""Reader of the project's dataset folder: COCO annotations in, label maps and photos out."""

import gc
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.project import ProjectError

ANNOTATIONS = "annotations.json"
IMAGES = "images"
IGNORED = "ignore"
"""Category whose pixels neither teach nor count, 255 in a label map."""

# In image sizes. pycocotools walks edges pixel by pixel: further polygons would fill memory and are cut there first.
_FAR = 4


class DatasetError(ProjectError):
    """A dataset that cannot be used; the message says what, where and what to do."""


def _cut_off(path: Path) -> bool:
    """Whether a JPEG lacks its end: OpenCV fills what is missing with grey and says nothing."""
    data = path.read_bytes()
    if not data.startswith(b"\xff\xd8"):
        return False
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":  # headers, and thumbnails inside of them
        at += 1 if data[at + 1 : at + 2] == b"\xff" else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(b"\xff\xd9", at) < 0  # anywhere: a camera may write something after the end


@dataclass(frozen=True)
class Thing:
    """One annotated object: its label, its run-length mask, its rasterised area in pixels, its box (left, top, width
    and height in whole pixels) and its place among the image's annotations in the file."""

    label: int
    rle: dict[str, Any]
    area: int
    box: tuple[int, int, int, int]
    position: int = 0

    def mask(self) -> np.ndarray:
        """The object's pixels inside its box, ``(height, width) bool``."""
        left, top, width, height = self.box
        return coco_mask.decode(self.rle)[top : top + height, left : left + width].astype(bool)


@dataclass(frozen=True)
class Dataset:
    """An opened dataset folder.

    Attributes:
        fingerprint: SHA-256 of ``annotations.json``, first 16 hexadecimal digits.
        images: Image id to its COCO record, in ascending order of id; the usable ones only.
        annotations: Image id to its COCO annotations in file order (possibly none).
        labels: Category id to label.
        problems: What was left out when the dataset was opened, and how often.

    >>> square = {"category_id": 9, "segmentation": [[0, 0, 2, 0, 2, 1, 0, 1]]}
    >>> dataset = Dataset("tiny", Path(), "", {1: {"height": 2, "width": 3}}, {1: [square]}, {9: 9})
    >>> dataset.label_map(1).tolist(), class_pixels(dataset).tolist()[:10]
    ([[9, 9, 0], [0, 0, 0]], [4, 0, 0, 0, 0, 0, 0, 0, 0, 2])
    """

    name: str
    root: Path
    fingerprint: str
    images: Mapping[int, dict[str, Any]]
    annotations: Mapping[int, list[dict[str, Any]]]
    labels: dict[int, int]
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def ids(self) -> list[int]:
        return list(self.images)

    def size(self, image_id: int) -> tuple[int, int]:
        """Height and width of an image in pixels."""
        record = self._record(image_id)
        return record["height"], record["width"]

    def things(self, image_id: int) -> list[Thing]:
        """The image's objects in the order in which they are painted: largest rasterised area first."""
        height, width = self.size(image_id)
        found = [(_rle(one["segmentation"], height, width), one) for one in self.annotations[image_id]]
        usable = [(at, rle, one) for at, (rle, one) in enumerate(found) if rle is not None]
        if not usable:  # pycocotools does not take an empty list
            return []
        rles = [rle for _, rle, _ in usable]
        areas, boxes = coco_mask.area(rles).tolist(), coco_mask.toBbox(rles).astype(int).tolist()
        things = [
            Thing(self.labels[one["category_id"]], rle, area, tuple(box), position)
            for (position, rle, one), area, box in zip(usable, areas, boxes, strict=True)
            if area
        ]
        # The sort is stable: of two equally large objects the later one in the file ends on top.
        return sorted(things, key=lambda thing: -thing.area)

    def label_map(self, image_id: int) -> np.ndarray:
        """The image's truth, ``(H, W) uint8``: 0 background, 1-13 clothing, 14 hair, 15 skin, 255 ignored.

        Objects are painted largest rasterised area first, so that the small thing on top survives.
        ModaNet's ``area`` field is the box's and not used.
        """
        truth = np.zeros(self.size(image_id), np.uint8)
        for thing in self.things(image_id):
            left, top, width, height = thing.box
            truth[top : top + height, left : left + width][thing.mask()] = thing.label
        return truth

    def pixels(self, image_id: int, things: list[Thing] | None = None) -> np.ndarray:
        """Pixels per label in the image's label map, ``(16,) int64``; ``things`` from `things`, where at hand.

        They are counted on run lengths, without painting: from the top down, each object shows as many pixels
        as it adds to the union of those above it.
        """
        pixels = np.zeros(len(LABELS), np.int64)
        union, covered = None, 0
        for thing in reversed(self.things(image_id) if things is None else things):
            union = thing.rle if union is None else coco_mask.merge([union, thing.rle])
            area = int(coco_mask.area(union))
            if thing.label != IGNORE:
                pixels[thing.label] += area - covered
            covered = area
        pixels[0] = math.prod(self.size(image_id)) - covered
        return pixels

    def image(self, image_id: int) -> np.ndarray:
        """The photo, ``(H, W, 3) uint8`` RGB, as stored: annotations know nothing of an EXIF rotation.

        Raises:
            DatasetError: The file is missing, cannot be decoded, or has another size than its annotation says.
        """
        path = self.root / IMAGES / self._record(image_id)["file_name"]
        if not path.is_file():
            raise DatasetError(f"Photo {path} is missing: put it there or open the dataset again without it.")
        try:
            photo = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        except cv2.error:  # a header that promises more pixels than OpenCV is willing to read
            photo = None
        if photo is None:
            raise DatasetError(f"Photo {path} cannot be decoded: replace the file.")
        if _cut_off(path):
            raise DatasetError(f"Photo {path} is cut off: replace the file.")
        if photo.shape[:2] != self.size(image_id):
            its, said = (f"{width}x{height}" for height, width in (photo.shape[:2], self.size(image_id)))
            raise DatasetError(f"Photo {path} is {its} pixels, but its annotation says {said}: replace the file.")
        return cv2.cvtColor(photo, cv2.COLOR_BGR2RGB)

    def check(self, image_id: int) -> None:
        """Raise DatasetError, which names file, image and annotation, if a run-length encoding of it is broken.

        Polygons were looked at when the data set was opened. pycocotools merges broken run lengths for ever.
        """
        for one in self.annotations[image_id]:
            try:
                if isinstance(one["segmentation"], dict) and (rle := _rle(one["segmentation"], *self.size(image_id))):
                    coco_mask.decode(rle)
            except (TypeError, ValueError, OverflowError) as error:
                which = f"annotation {one.get('id')} of image {image_id} ({self.images[image_id]['file_name']})"
                reason = f"{which} gives no mask ({str(error).rstrip('.')})"
                raise DatasetError(f"{self.root / ANNOTATIONS}: {reason}: correct or remove it.") from None

    def present(self, image_id: int) -> set[int]:
        """Labels that the image's annotations, or its tags, name (cheap: no mask is decoded)."""
        tags = {LABELS.index(name) for name in self.images[image_id].get("tags", ())}
        return tags | {self.labels[a["category_id"]] for a in self.annotations[image_id]}

    def _record(self, image_id: int) -> dict[str, Any]:
        try:
            return self.images[image_id]
        except KeyError:
            raise DatasetError(f"Image {image_id!r} is not in dataset {self.name!r}: see its .ids.") from None


def open_dataset(root: str | Path, annotations_only: bool = False) -> Dataset:
    """Open a dataset folder; what cannot be used of it is left out and counted in ``problems``.

    Args:
        root: Folder with ``annotations.json`` and ``images/``, or the path of a ``.json`` file whose photos,
            if any, are in ``images/`` beside it.
        annotations_only: Photos are neither needed nor looked for.

    Raises:
        FileNotFoundError: The folder or its annotation file does not exist.
        DatasetError: Not JSON, not COCO, other categories, or no photo at all.
    """
    root = Path(root).expanduser()
    file = root if root.suffix == ".json" else root / ANNOTATIONS
    if not root.exists():
        raise FileNotFoundError(f"Data root {root} does not exist: give the folder that holds {ANNOTATIONS}.")
    if not file.is_file():
        raise FileNotFoundError(f"Data root {root} holds no {ANNOTATIONS}: convert the source first (see README).")
    enabled = gc.isenabled()
    gc.disable()  # or it would search a full-size file's million lists again and again for nothing
    try:
        return _opened(file, root.stem, annotations_only)
    finally:
        if enabled:
            gc.enable()


def _opened(file: Path, name: str, annotations_only: bool) -> Dataset:
    coco, fingerprint = _parsed(file)
    labels = _labels(coco["categories"], file)
    problems: Counter[str] = Counter()
    images = {record["id"]: record for record in sorted(coco["images"], key=lambda record: record["id"])}
    if len(images) != len(coco["images"]):
        raise DatasetError(f"{file} lists two images with the same id: give each its own.")
    if not annotations_only:
        images = _with_photo(images, file.parent / IMAGES, problems)
    annotations: dict[int, list[dict[str, Any]]] = {image_id: [] for image_id in images}
    for annotation in coco["annotations"]:
        if annotation["image_id"] not in annotations:
            problems["annotations of images that are not used"] += 1
        elif annotation["category_id"] not in labels:
            which = f"annotation {annotation.get('id')} has category {annotation['category_id']!r}"
            raise DatasetError(f"{file}: {which}, which the file's categories do not list: correct the annotation.")
        else:
            problems.update(_unusable(annotation["segmentation"]))
            annotations[annotation["image_id"]].append(annotation)
    info = coco.get("info") or {}
    name = str(info.get("name") or info.get("description") or name)
    return Dataset(name, file.parent, fingerprint, images, annotations, labels, problems)


def joined(first: Dataset, second: Dataset) -> Dataset:
    """The first data set with the second's images; DatasetError where both have an id or number classes differently."""
    if shared := first.images.keys() & second.images.keys():
        raise DatasetError(f"{first.root} and {second.root} both have image {min(shared)}: give each its own ids.")
    labels = first.labels | second.labels
    if labels != second.labels | first.labels:
        raise DatasetError(f"{first.root} and {second.root} number their categories differently: convert both anew.")
    folder = (second.root / IMAGES).resolve()
    images = {key: record | {"file_name": str(folder / record["file_name"])} for key, record in second.images.items()}
    return replace(
        first,
        images={**first.images, **images},
        annotations={**first.annotations, **second.annotations},
        labels=labels,
        problems=first.problems + second.problems,
    )


def class_pixels(dataset: Dataset, ids: Iterable[int] | None = None) -> np.ndarray:
    """Pixels per label over the images, ``(16,) int64`` (all images where ``ids`` is None)."""
    return sum(map(dataset.pixels, dataset.ids if ids is None else ids), np.zeros(len(LABELS), np.int64))


class _Integers(dict[str, int]):
    """Integers by their digits: corners share them, which takes a third off the memory of a full-size file."""

    def __missing__(self, digits: str) -> int:
        number = int(digits)
        if len(digits) < 5:
            self[digits] = number
        return number


def _parsed(file: Path) -> tuple[dict[str, Any], str]:
    """The checked content of a COCO file, and its fingerprint."""
    content = file.read_bytes()
    fingerprint = hashlib.sha256(content).hexdigest()[:16]
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        del content  # a full-size file counts: the text alone is held while it is parsed
        coco = json.loads(text, parse_int=_Integers().__getitem__)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} is not JSON ({error}): download or export it again.") from None
    needed = {
        "images": {"id", "file_name", "width", "height"},
        "annotations": {"image_id", "category_id", "segmentation"},
        "categories": {"id", "name"},
    }
    for part, keys in needed.items():
        if not isinstance(coco, dict) or not isinstance(coco.get(part), list):
            raise DatasetError(f"{file} is not a COCO file: it has no list {part!r}.")
        for record in coco[part]:
            if not isinstance(record, dict) or not keys <= record.keys():
                one_of = ", ".join(sorted(keys))
                raise DatasetError(f"{file} is not a COCO file: a record of {part!r} lacks one of {one_of}.")
    if not coco["images"]:
        raise DatasetError(f"{file} lists no images: there is nothing to open.")
    return coco, fingerprint


def _labels(categories: list[dict[str, Any]], file: Path) -> dict[int, int]:
    """Category id to label: clothing by ModaNet's number (its name is checked), hair and skin by name."""
    labels = {}
    for category in categories:
        number, name = category["id"], str(category["name"]).strip().lower()
        if name in LABELS[len(CLASSES) :]:
            labels[number] = LABELS.index(name)
        elif name == IGNORED:
            labels[number] = IGNORE
        elif number in range(1, len(CLASSES)) and _spelling(name) == _spelling(CLASSES[number]):
            labels[number] = number
        else:
            known = f"this format knows 1-13 as ModaNet numbers them ({', '.join(CLASSES[1:])}), hair and skin"
            raise DatasetError(f"{file}: category {number} is {category['name']!r}; {known}: rename or renumber it.")
    return labels


def _spelling(name: str) -> str:
    """ModaNet's file says "scarf/tie", its paper "scarf & tie"."""
    return "".join(filter(str.isalnum, name))


def files_below(folder: Path) -> set[str]:
    """Names of all files in a folder and its folders, relative to it."""
    start = len(str(folder)) + 1
    return {f"{base}{os.sep}{name}"[start:] for base, _, names in os.walk(folder) for name in names}


def _with_photo(images: dict[int, dict[str, Any]], folder: Path, problems: Counter[str]) -> dict[int, dict[str, Any]]:
    if not folder.is_dir():
        raise DatasetError(f"{folder} does not exist: put the photos there (or open with annotations_only=True).")
    there = files_below(folder)
    found = {key: record for key, record in images.items() if os.path.normpath(record["file_name"]) in there}
    if not found:
        count = len(images)
        raise DatasetError(f"{folder} holds none of the {count} photos that the annotations name: put them there.")
    if len(found) < len(images):
        problems["images without a photo"] = len(images) - len(found)
    return found


def _rle(segmentation: Any, height: int, width: int) -> dict[str, Any] | None:
    """One run-length mask of a polygon list or of a run-length encoding; None where nothing is usable."""
    if isinstance(segmentation, dict):
        if _unusable(segmentation):
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


def _unusable(segmentation: Any) -> list[str]:
    """What no mask can be made of in a segmentation."""
    if isinstance(segmentation, dict):
        known = {"size", "counts"} <= segmentation.keys()
        return [] if known else ["masks that are neither polygons nor run lengths"]
    if not segmentation:
        return ["annotations without a polygon"]
    return list(filter(None, map(_flaw, segmentation if isinstance(segmentation, list) else [segmentation])))


def _near(polygon: list[float], height: int, width: int) -> list[float]:
    """The polygon, cut (Sutherland-Hodgman) where it reaches further than a few image sizes away."""
    low, high = -_FAR * max(height, width), _FAR * max(height, width)
    if low <= min(polygon) and max(polygon) <= high:
        return polygon
    points = [(float(x), float(y)) for x, y in zip(polygon[::2], polygon[1::2], strict=True)]
    for axis, sign, limit in ((0, 1, low), (0, -1, -high), (1, 1, low), (1, -1, -high)):
        kept: list[tuple[float, float]] = []
        for before, point in zip(points[-1:] + points[:-1], points, strict=True):
            d0, d1 = sign * before[axis] - limit, sign * point[axis] - limit
            if (d0 >= 0) != (d1 >= 0):
                t = d0 / (d0 - d1)
                kept.append(tuple(b + t * (p - b) for b, p in zip(before, point, strict=True)))  # type: ignore[arg-type]
            if d1 >= 0:
                kept.append(point)
        points = kept
    return [float(np.clip(value, low, high)) for point in points for value in point]

"""Reader of the project's dataset folder: COCO annotations in, label maps and photos out."""

import contextlib
import gc
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from modanet_utils.classes import IGNORE, LABELS
from modanet_utils.datasets import masks, photos, records
from modanet_utils.datasets.records import DatasetError, Record, short

ANNOTATIONS = "annotations.json"
IMAGES = "images"
TOLERATED = 0.05
"""Share of the photos, or of the annotations, that may be left out where masks are needed; beyond, data are refused."""
_LOOKED_AT = 200  # images of which all is looked at before they are used, evenly chosen
_COMPARED = 10_000  # photos; a larger file that knows scenes is a converter's, which has compared them all


@dataclass(frozen=True)
class Thing:
    """One annotated object: its label, its run-length mask, its rasterised area in pixels, and its box (left, top,
    width and height in whole pixels)."""

    label: int
    rle: dict[str, Any]
    area: int
    box: tuple[int, int, int, int]

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
        notes: What was understood otherwise than it is written, and how often.
        examples: The first case of each of these.
        listed: Images and annotations in the file, and how many of these annotations are left out as a whole.
        unused: Which annotations are left out, as a whole or in part, by why.

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
    notes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    listed: tuple[int, int, int] = (0, 0, 0)
    unused: dict[str, list[str]] = field(default_factory=dict)

    def said(self) -> str:
        """One line: what is used, what is left out and why, what was understood otherwise; "" where all is used."""
        told = {"left out": self._with_examples(self.problems), "read as meant": self._with_examples(self.notes)}
        found = "; ".join(f"{what}: {cases}" for what, cases in told.items() if cases)
        used = f"{len(self.images):,} images and {self.listed[1] - self.listed[2]:,} annotations are used"
        return found and f"{self.name}: {used}; {found}."

    def _with_examples(self, counted: Counter[str]) -> str:
        return ", ".join(f"{count:,} {what} ({self.examples.get(what, '')})" for what, count in counted.items())

    @property
    def ids(self) -> list[int]:
        return list(self.images)

    def size(self, image_id: int) -> tuple[int, int]:
        """Height and width of an image in pixels."""
        record = self._record(image_id)
        return record["height"], record["width"]

    def things(self, image_id: int) -> list[Thing]:
        """The image's objects in the order in which they are painted: largest rasterised area first."""
        size, its = self.size(image_id), self.annotations[image_id]
        found = [(self.labels[one["category_id"]], masks.rle_of(one["segmentation"], *size)) for one in its]
        usable = [one for one in found if one[1] is not None]
        if not usable:  # pycocotools does not take an empty list
            return []
        labels, rles = map(list, zip(*usable, strict=True))
        areas, boxes = coco_mask.area(rles).tolist(), map(tuple, coco_mask.toBbox(rles).astype(int).tolist())
        things = (Thing(*one) for one in zip(labels, rles, areas, boxes, strict=True))
        # The sort is stable: of two equally large objects the later one in the file ends on top.
        return sorted((thing for thing in things if thing.area), key=lambda thing: -thing.area)

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
        """The photo, ``(H, W, 3) uint8`` RGB, turned as its EXIF orientation says where its annotated size fits that.

        DatasetError where it is missing, damaged, or of another size than its annotation says.
        """
        return photos.read_photo(self.root / IMAGES / self._record(image_id)["file_name"], self.size(image_id))

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

    ``root`` holds ``annotations.json`` and ``images/``, or is a ``.json`` file beside ``images/``. With
    ``annotations_only`` photos are neither needed nor looked for. FileNotFoundError where there is no such file;
    DatasetError for one that is not JSON, not COCO, of other categories, or without any photo.
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
    coco, fingerprint = records.parsed(file)
    info = coco["info"] if isinstance(coco.get("info"), dict) else {}
    name = str(info.get("name") or info.get("description") or name)
    labels, listed = records.category_labels(coco, file), records.image_records(coco, file)
    told = _Told()
    images = listed if annotations_only else _with_photo(listed, file.parent / IMAGES, told)
    kept: dict[int, list[Record]] = {image_id: [] for image_id in images}
    for annotation in coco["annotations"]:
        image_id, category = annotation["image_id"], annotation["category_id"]
        if type(image_id) is not int:
            image_id = annotation["image_id"] = records.whole(annotation, "image_id", file, "annotation")
        if type(category) is not int:
            category = annotation["category_id"] = records.whole(annotation, "category_id", file, "annotation")
        if image_id not in kept:
            what = "images that are not used" if image_id in listed else "images that the file does not list"
            told.left_out(f"annotations of {what}", annotation)
        elif category not in labels:
            which = f"annotation {short(annotation.get('id'))} has category {category}"
            raise DatasetError(f"{file}: {which}, which the file's categories do not list: correct the annotation.")
        else:
            if not masks.is_plain(annotation["segmentation"]):  # only others are looked at closely
                _check_mask(annotation, images[image_id], file, told)
            kept[image_id].append(annotation)
    counts = len(listed), len(coco["annotations"]), told.lost
    return Dataset(name, file.parent, fingerprint, images, kept, labels, *told.all, counts, told.unused)


class _Told:
    """Gathers what is left out, and what is read otherwise than written, with the first case of each."""

    def __init__(self) -> None:
        self.all: tuple[Counter[str], Counter[str], dict[str, str]] = Counter(), Counter(), {}
        self.lost, self.unused = 0, dict[str, list[str]]()

    def left_out(self, what: str, annotation: Record, lost: bool = True) -> None:
        self.note(what, _which(annotation), problem=True)
        self.unused.setdefault(what, []).append(_which(annotation))
        self.lost += lost

    def note(self, what: str, example: str, problem: bool = False, count: int = 1) -> None:
        problems, notes, examples = self.all
        (problems if problem else notes)[what] += count
        examples.setdefault(what, f"{example} for one")


def _which(annotation: Record) -> str:
    return f"annotation {short(annotation.get('id'))} of image {annotation['image_id']}"


def _check_mask(annotation: Record, image: Record, file: Path, told: _Told) -> None:
    """Count the flaws of an annotation's mask; DatasetError for run lengths that are not the image's."""
    mask = annotation["segmentation"]
    found = masks.flaws(mask)
    if isinstance(mask, dict) and not found:
        if flaw := masks.run_flaw(mask, image["height"], image["width"]):
            raise DatasetError(f"{file}: {_which(annotation)} cannot be used, as {flaw}: export it again or remove it.")
    elif found and (other := masks.reshaped(mask)) and len(masks.flaws(other)) < len(other):
        annotation["segmentation"] = mask = other
        found = masks.flaws(mask)
        told.note("outlines listed otherwise than COCO does", _which(annotation))
    if found:
        nothing_left = not isinstance(mask, list) or len(found) >= len(mask)
        for at, flaw in enumerate(found):
            told.left_out(flaw, annotation, lost=nothing_left and at == 0)
    if isinstance(mask, list) and masks.too_long(mask, image["height"], image["width"]):
        annotation["segmentation"] = []
        told.left_out(f"outlines of more than {masks.MAX_OUTLINE:,} pixels", annotation)


def with_masks(dataset: Dataset, annotations_only: bool = False) -> Dataset:
    """The data set, where its masks can be learnt from or counted.

    DatasetError where it has no mask that can be used, where more than `TOLERATED` of its photos or annotations are
    left out, or of the objects of 200 images, evenly chosen, lie outside of these; where none of three photos is read.
    """
    images, annotations, lost = dataset.listed
    where, left_out = dataset.root, f"left out are {dataset._with_examples(dataset.problems)}"
    objects = sum(map(len, dataset.annotations.values()))
    if not objects and not lost:
        needed = "annotations of its photos, which are needed here: annotate outlines, or give another data set"
        raise DatasetError(f"{where} has no {needed}.")
    if annotations and lost == annotations:
        raise DatasetError(f"{where} has no mask to learn from; {left_out}: give polygons or run lengths, not boxes.")
    shares = {"photos": 1 - len(dataset.images) / max(1, images), "annotations": lost / max(1, annotations)}
    for what, share in shares.items():
        if images and share > TOLERATED:
            more = f"{share:.0%} of the {what} in {where} cannot be used, more than {TOLERATED:.0%}; {left_out}"
            raise DatasetError(f"{more}: correct or remove them.")
    filled = [image_id for image_id, found in dataset.annotations.items() if found]
    some = filled[:: -(-len(filled) // _LOOKED_AT)]
    drawn, all_of_them = (sum(len(of(i)) for i in some) for of in (dataset.things, dataset.annotations.__getitem__))
    if drawn < (1 - TOLERATED) * all_of_them - lost:
        outside = f"{all_of_them - drawn} of {all_of_them} objects looked at have no pixel inside of their image"
        raise DatasetError(f"{where}: {outside}: give coordinates in pixels of the image's annotated size.")
    if annotations_only:
        return dataset
    for image_id in dataset.ids[:: -(-len(dataset.ids) // 3)]:
        try:
            dataset.image(image_id)
            return dataset
        except DatasetError as error:
            said = error
    raise DatasetError(f"None of the photos of {where} that were looked at can be read: {said}")


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
        notes=first.notes + second.notes,
        examples=second.examples | first.examples,
        listed=(*map(sum, zip(first.listed, second.listed, strict=True)),),  # type: ignore[arg-type]
    )


def is_drawn(name: str) -> bool:
    """Whether a data set is of drawn figures, by the name that its annotation file gives it, not by the profile's."""
    return name == "synthetic" or name.startswith("synthetic, ")  # as `own.convert` calls a copy


def class_pixels(dataset: Dataset, ids: Iterable[int] | None = None) -> np.ndarray:
    """Pixels per label over the images, ``(16,) int64`` (all images where ``ids`` is None)."""
    return sum(map(dataset.pixels, dataset.ids if ids is None else ids), np.zeros(len(LABELS), np.int64))


def _with_photo(images: dict[int, Record], folder: Path, told: _Told) -> dict[int, Record]:
    """The records of the images whose photo is there, with the name of its file; identical photos in one group."""
    if not folder.is_dir():
        raise DatasetError(f"{folder} does not exist: put the photos there (or open with annotations_only=True).")
    files = photos.matched((record["file_name"] for record in images.values()), photos.files_below(folder))
    lost = [record["file_name"] for record in images.values() if record["file_name"] not in files]
    if not files:
        named = f"photos that the annotations name, {short(lost[0])} for one"
        raise DatasetError(f"{folder} holds none of the {len(images)} {named}: put them there.")
    if lost:
        told.note("images without a photo", short(lost[0]), problem=True, count=len(lost))
    found = {}
    for image_id, record in images.items():
        if file := files.get(record["file_name"]):
            found[image_id] = record
            if (name := record["file_name"]) != file and os.path.normpath(name) != file:
                found[image_id] = record | {"file_name": file}
                told.note("file names spelled otherwise than their photos", short(name))
    if len(found) <= _COMPARED or not any("group" in record for record in found.values()):
        _group_identical(found, folder, told)
    looked_at = list(found.values())[:: -(-len(found) // _LOOKED_AT)]
    among = f" (of {len(looked_at):,} looked at)" if len(looked_at) < len(found) else ""
    for record in looked_at:
        size = record["height"], record["width"]
        with contextlib.suppress(DatasetError):  # a damaged photo is told of when it is read
            stored, orientation = photos.header(folder / record["file_name"])
            if photos.is_turned(stored, orientation, size):
                unsure = "as viewers show them, which their size cannot prove right"
                why = "which fits their annotated size" if stored != size else unsure
                told.note(f"photos{among} turned by their EXIF orientation, {why}", f"image {record['id']}")
    return found


def _group_identical(images: dict[int, Record], folder: Path, told: _Told) -> None:
    """Give images of one photo one group, in place, so that a split keeps them together; scenes are kept whole."""
    scenes = {image_id: record.get("group", image_id) for image_id, record in images.items()}
    for same in photos.identical({image_id: record["file_name"] for image_id, record in images.items()}, folder):
        if len(joined := {scenes[image_id] for image_id in same}) > 1:
            told.note("images that show the same photo as another", f"{same[1]}, as {same[0]},", count=len(same) - 1)
            for image_id in [one for one, scene in scenes.items() if scene in joined]:
                scenes[image_id] = scenes[same[0]]
                images[image_id] = images[image_id] | {"group": scenes[image_id]}

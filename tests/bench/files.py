"""Annotation files: counted, opened, and how cost grows with their size."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import class_pixels, open_dataset
from tests.bench import resampled
from tests.bench.turns import MEASURED, Entry, Options, agree, compared, in_turns, measured, spread


def usual_loop(coco: Any) -> np.ndarray:
    """Pixels per class as it is usually written: a mask an annotation, a comparison a class and image."""
    total = np.zeros(len(CLASSES), np.int64)
    for image_id in coco.getImgIds():
        record = coco.loadImgs(image_id)[0]
        truth = np.zeros((record["height"], record["width"]), np.uint8)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        masks = [(coco.annToMask(one), one["category_id"]) for one in annotations]
        for mask, label in sorted(masks, key=lambda pair: -np.count_nonzero(pair[0])):
            truth[mask == 1] = label
        for label in range(len(CLASSES)):
            total[label] += (truth == label).sum()
    return total


def scan(options: Options) -> Entry:
    from pycocotools.coco import COCO

    file = options.annotation_file()
    dataset = open_dataset(file, annotations_only=True)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(file))
    agree(np.array_equal(class_pixels(dataset)[: len(CLASSES)], usual_loop(coco)), "pixels per class")
    seconds = in_turns({"COCO loop": lambda: usual_loop(coco), "ours": lambda: class_pixels(dataset)}, options.rounds)
    return compared(
        "pixels per class of all images, largest objects painted first; the same counts",
        f"{len(dataset.ids):,} images, {sum(map(len, dataset.annotations.values())):,} annotations ({dataset.name})",
        seconds,
        "COCO loop",
        "ours",
    )


OPEN_COCO = MEASURED.format(
    imports="from pycocotools.coco import COCO",
    stages="""coco = timed("open", lambda: COCO(file))
found = [len(coco.imgs), len(coco.anns)]""",
)
OPEN_OURS = MEASURED.format(
    imports="from modanet_utils.datasets import open_dataset",
    stages="""dataset = timed("open", lambda: open_dataset(file, annotations_only=True))
found = [len(dataset.ids), sum(map(len, dataset.annotations.values()))]""",
)
ALL_STAGES = MEASURED.format(
    imports="""from modanet_utils.datasets import class_pixels, open_dataset
from modanet_utils.imbalance.scan import scan
from modanet_utils.splits import split""",
    stages="""dataset = timed("open", lambda: open_dataset(file, annotations_only=True))
parts = timed("split", lambda: split(dataset))
pixels = timed("class pixels", lambda: class_pixels(dataset))
explored = timed("exploration", lambda: scan(dataset, quiet=True))
assert (explored.pixels.sum(0) == pixels).all() and sum(map(len, parts.values())) == len(dataset.ids)
found = [len(dataset.ids), len(explored.objects)]""",
)


def _large_file(options: Options, images: int) -> Path:
    file = options.scratch / f"{options.annotation_file().stem}-{images}.json"
    if not file.is_file():
        resampled.write(file, images, open_dataset(options.annotation_file(), annotations_only=True))
    return file


def opening(options: Options) -> Entry:
    file = _large_file(options, options.sizes[-1])
    said: dict[str, list[dict[str, Any]]] = {"COCO()": [], "ours": []}
    programs = {"COCO()": OPEN_COCO, "ours": OPEN_OURS}
    in_turns(
        {name: lambda name=name: said[name].append(measured(programs[name], file)) for name in said}, options.rounds
    )
    agree(said["COCO()"][0]["found"] == said["ours"][0]["found"], "images and annotations")
    images, annotations = said["ours"][0]["found"]
    seconds = {name: [one["seconds"]["open"] for one in told[1:]] for name, told in said.items()}  # the first: warm-up
    entry = compared(
        "opening and indexing an annotation file, ours with all its checks; a process each",
        f"{images:,} images, {annotations:,} annotations, {file.stat().st_size / 1e6:.0f} MB, drawn from an excerpt",
        seconds,
        "COCO()",
        "ours",
    )
    entry["peak_mebibytes"] = {name: max(one["peak"] for one in told) for name, told in said.items()}
    return entry


def scale(options: Options) -> Entry:
    rows = {}
    for images in options.sizes:
        file = _large_file(options, images)
        told = measured(ALL_STAGES, file)
        total = sum(told["seconds"].values())
        rows[images] = told["seconds"] | {
            "total": total,
            "milliseconds_per_image": 1000 * total / images,
            "peak_mebibytes": told["peak"],
            "megabytes": file.stat().st_size / 1e6,
            "objects": told["found"][1],
        }
    costs = [rows[images]["milliseconds_per_image"] for images in options.sizes]
    largest, smallest = rows[options.sizes[-1]], rows[options.sizes[0]]
    return {
        "what": "opening, checking, splitting and scanning annotation files of growing size, one process, one core",
        "ratio_is": f"cost per image at {options.sizes[-1]:,} images / at {options.sizes[0]:,}",
        "ratio": spread([cost / costs[0] for cost in costs[1:]] or [1.0]) | {"median": costs[-1] / costs[0]},
        "seconds": {f"{options.sizes[-1]:,} images": largest["total"], f"{options.sizes[0]:,}": smallest["total"]},
        "data": f"files of up to {largest['megabytes']:.0f} MB, drawn from an excerpt of ModaNet",
        "sizes": {str(images): row for images, row in rows.items()},
    }

"""Annotation files of any size with the statistics of a real one, to measure how cost grows with size.

``python -m tests.bench.resampled FILE --images N --like EXCERPT [--seed S]`` writes N images, each a
random image of EXCERPT with all its polygons: mirrored or not, scaled and moved a little. So the classes of an
image, the corners and sizes of its polygons and what overlaps what are those of real annotations; each image is
another one. There are no photos to it. The same arguments write the same bytes.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from modanet_utils.classes import LABELS
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.project import write_whole

MODANET_IMAGES = 52_377
"""Images that ModaNet's file lists."""

_SCALE = 0.05
"""A person is at most this much larger or smaller than in the original, ..."""
_SHIFT = 0.03
"""... and moved by at most this share of the picture's width and height."""


def write(file: str | Path, images: int, like: Dataset, seed: int = 0) -> Path:
    """Write an annotation file.

    Args:
        file: Where; missing folders are made. It appears once it is complete.
        images: How many images it lists.
        like: Annotations with polygons to draw from, opened with ``annotations_only=True``.
        seed: Any integer that is not negative.

    Raises:
        ValueError: Fewer than one image, or nothing to draw from.
    """
    if images < 1:
        raise ValueError(f"images is {images}: give at least 1.")
    if not any(like.annotations.values()):
        raise ValueError(f"{like.name!r} holds no annotations: there is nothing to draw from.")
    file = Path(file).expanduser()
    write_whole(file, lambda path: _fill(path, images, like, seed))
    return file


def _fill(file: Path, images: int, like: Dataset, seed: int) -> None:
    drawn = np.random.default_rng([seed, 0]).choice(like.ids, images)
    with file.open("w", encoding="utf-8") as stream:
        head = {"info": {"name": f"{images:,} images like {like.name}"}, "categories": _categories(like)}
        stream.write(json.dumps(head)[:-1] + ', "images": [\n')
        for number, source in enumerate(drawn.tolist(), 1):
            height, width = like.size(source)
            record = {"id": number, "file_name": f"{number}.jpg", "width": width, "height": height}
            _write(stream, record, number == 1)
        stream.write('], "annotations": [\n')
        last = 0
        for number, source in enumerate(drawn.tolist(), 1):
            for one in _moved(like, source, np.random.default_rng([seed, number])):
                last += 1
                _write(stream, {"id": last, "image_id": number, **one}, last == 1)
        stream.write("]}\n")


def _write(stream: TextIO, record: dict[str, Any], first: bool) -> None:
    stream.write(("" if first else ",\n") + json.dumps(record, separators=(",", ":")))


def _categories(like: Dataset) -> list[dict[str, Any]]:
    return [{"id": number, "name": LABELS[label]} for number, label in like.labels.items()]


def _moved(like: Dataset, image_id: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The annotations of an image, as ModaNet writes them, all moved in the same way; whole pixels."""
    height, width = like.size(image_id)
    size = np.array([width, height])
    scale = 1 + rng.uniform(-_SCALE, _SCALE)
    shift = rng.uniform(-_SHIFT, _SHIFT, 2) * size
    mirrored = rng.random() < 0.5
    moved = []
    for one in like.annotations[image_id]:
        polygons = []
        for polygon in one["segmentation"]:
            corners = np.array(polygon, float).reshape(-1, 2)
            if mirrored:
                corners[:, 0] = width - corners[:, 0]
            corners = (corners - size / 2) * scale + size / 2 + shift
            polygons.append(np.clip(np.rint(corners), 0, size).astype(int))
        low, high = (edge(np.concatenate(polygons), 0) for edge in (np.min, np.max))
        box = [*low.tolist(), *(high - low).tolist()]
        moved.append(
            {
                "category_id": one["category_id"],
                "segmentation": [corners.ravel().tolist() for corners in polygons],
                "area": box[2] * box[3],  # ModaNet's field is the box's area
                "bbox": box,
                "iscrowd": 0,
            }
        )
    return moved


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.bench.resampled", description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path, help="annotation file to write")
    parser.add_argument("--like", type=Path, required=True, help="annotation file (polygons) to draw from")
    parser.add_argument(
        "--images", type=int, default=MODANET_IMAGES, help="images to list; ModaNet's number by default"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        file = write(options.file, options.images, open_dataset(options.like, True), options.seed)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{file}: {options.images:,} images, {file.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""ModaNet (Zheng et al., ACM Multimedia 2018; annotations CC BY-NC 4.0): 13 classes on street photos.

``python -m modanet_utils.datasets.modanet ANNOTATIONS PHOTOS DESTINATION`` makes a dataset folder of the
official annotation file and a folder of PaperDoll photos. The photos may not be passed on, so the reader
brings them; they stay where they are and ``images`` is a symbolic link. The official validation file has no
annotations: the split is made from the train file.
"""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import IMAGES, Dataset, DatasetError, open_dataset
from modanet_utils.progress import Progress

OFFICIAL_BYTES = 105_924_292
OFFICIAL_MD5 = "96478657d20e322e9d3282c6d73c0c4c"
"""Size and MD5 of the official train annotations (52,377 images listed, 52,254 of them annotated)."""

_ROWS = 512  # photos compared with all others at a time: 100 MB for the whole of ModaNet


@dataclass(frozen=True)
class Report:
    """What was found, and what the dataset folder holds; as text, five lines or more.

    Every listed image is annotated or not; an annotated one's photo is found or missing; a found photo is
    usable, unreadable or of another size than its annotation says.
    """

    folder: Path
    official: bool
    why: str
    """Why the file is, or is not, the official one."""
    listed: int
    annotated: int
    found: int
    missing: int
    unreadable: int
    wrong_size: int
    usable: int
    objects: int
    """Annotations of the usable images."""
    problems: dict[str, int]
    """What no mask can be made of in the annotation file, and how often; label maps leave it out."""
    scenes: int
    in_scenes: int
    largest_scene: int
    """Scenes with several photos, photos in them, and photos in the largest (see ``writing.SAME_SCENE``)."""

    def __str__(self) -> str:
        lines = [
            f"official file: {'yes' if self.official else 'no'} ({self.why})",
            f"images: {self.listed:,} listed, {self.annotated:,} of them annotated",
            f"photos of annotated images: {self.found:,} found, {self.missing:,} missing",
            f"photos found: {self.usable:,} usable, {self.unreadable:,} unreadable, "
            f"{self.wrong_size:,} of the wrong size",
            *(f"left out: {count:,} {what}" for what, count in sorted(self.problems.items())),
            f"{self.folder}: {self.usable:,} images, {self.objects:,} objects; "
            f"{self.in_scenes:,} photos share {self.scenes:,} scenes (at most {self.largest_scene:,} in one) "
            f"and stay on one side of a split.",
        ]
        return "\n".join(lines)


def prepare(annotations: str | Path, photos: str | Path, destination: str | Path, quiet: bool = True) -> Report:
    """Make a dataset folder of an annotation file and the reader's photos (whole or not at all).

    An image is used if it is annotated and its photo is there, can be decoded and has the annotation's size.
    Photos of one scene keep one ``group``, so that a split holds them on one side.

    Args:
        annotations: The official file, or another with its schema such as an excerpt.
        photos: Folder that the annotations' file names refer to; ``images`` becomes a link to it.
        destination: Dataset folder; it may exist if it was made by this function from the same kind of file.
        quiet: Show no progress.

    Raises:
        FileNotFoundError: The annotation file or the photo folder does not exist.
        DatasetError: Not JSON, not COCO, no usable image, or ``destination`` holds something else.
    """
    file, photos, destination = (Path(path).expanduser() for path in (annotations, photos, destination))
    _check_places(file, photos, destination)
    official, why = _official(file)
    source = open_dataset(file, annotations_only=True)
    annotated = [record for image_id, record in source.images.items() if source.annotations[image_id]]
    verdicts = Counter({"missing": 0, "unreadable": 0, "of the wrong size": 0})
    images, thumbnails = [], []
    for record, (verdict, small) in _inspected(annotated, photos, quiet):
        verdicts[verdict] += 1
        if small is not None:
            images.append(dict(record))
            thumbnails.append(small)
    if not images:
        raise DatasetError(
            f"{photos} holds no usable photo of the {len(annotated)} annotated images in {file} "
            f"({', '.join(f'{count} {what}' for what, count in verdicts.items())}): give the folder whose "
            f"files are named as in the annotations."
        )
    scenes = _mark_scenes(images, np.stack(thumbnails))
    kept = _renumbered(source, images)
    # No photos are handed over: nothing is copied, and the scenes are known from the decoding above.
    folder = writing.write(destination, _info(official), images, kept, photos={}, link=photos)
    return Report(
        folder=folder,
        official=official,
        why=why,
        listed=len(source.images),
        annotated=len(annotated),
        found=len(annotated) - verdicts["missing"],
        missing=verdicts["missing"],
        unreadable=verdicts["unreadable"],
        wrong_size=verdicts["of the wrong size"],
        usable=len(images),
        objects=len(kept),
        problems=dict(source.problems),
        scenes=len(scenes),
        in_scenes=sum(scenes),
        largest_scene=max(scenes, default=0),
    )


def _check_places(file: Path, photos: Path, destination: Path) -> None:
    if not file.is_file():
        raise FileNotFoundError(f"Annotation file {file} does not exist: give ModaNet's train annotations.")
    if file.suffix != ".json":
        raise DatasetError(f"Annotation file {file} does not end in .json: give ModaNet's train annotations.")
    if not photos.is_dir():
        raise FileNotFoundError(f"Photo folder {photos} does not exist: give the folder of PaperDoll photos.")
    # Writing replaces an earlier folder as a whole: photos that someone put into it would be lost.
    inside = photos.resolve().is_relative_to(destination.resolve())
    if inside or ((destination / IMAGES).is_dir() and not (destination / IMAGES).is_symlink()):
        raise DatasetError(f"{destination} already holds photos: give a folder that does not exist yet.")


def _official(file: Path) -> tuple[bool, str]:
    size = file.stat().st_size
    if size != OFFICIAL_BYTES:
        return False, f"{size:,} bytes instead of {OFFICIAL_BYTES:,}"
    with file.open("rb") as stream:
        md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != OFFICIAL_MD5:
        return False, f"the size is right, but MD5 is {md5} instead of {OFFICIAL_MD5}"
    return True, f"{OFFICIAL_BYTES:,} bytes and MD5 {OFFICIAL_MD5}"


def _info(official: bool) -> dict[str, Any]:
    return {
        "name": "ModaNet" if official else "ModaNet (not the official file)",
        "description": "ModaNet's train annotations on PaperDoll photos",
        "license": "annotations CC BY-NC 4.0; photos belong to their owners and may not be passed on",
        "url": "github.com/eBay/modanet",
    }


def _inspected(
    records: list[dict[str, Any]], photos: Path, quiet: bool
) -> Iterator[tuple[dict[str, Any], tuple[str, np.ndarray | None]]]:
    """Every record with its photo's verdict and thumbnail, in order; several photos are decoded at a time."""
    # The reader of the dataset folder looks photos up in the same way: what is found here is found there.
    there = {os.path.join(base, name) for base, _, names in os.walk(photos) for name in names}
    progress = Progress(len(records), quiet)

    def inspect(record: dict[str, Any]) -> tuple[str, np.ndarray | None]:
        photo = os.path.join(photos, os.path.normpath(str(record["file_name"])))
        return _inspect(photo, (record["width"], record["height"])) if photo in there else ("missing", None)

    with ThreadPoolExecutor() as pool:
        for done, (record, found) in enumerate(zip(records, pool.map(inspect, records), strict=True), 1):
            progress.step(done, "reading photos")
            yield record, found
    progress.close(f"{len(records):,} photos looked up")


def _inspect(photo: str, size: tuple[int, int]) -> tuple[str, np.ndarray | None]:
    """Verdict on a photo of expected (width, height) and, if usable, its 24x16 thumbnail ``(1152,) float32``.

    One decode, at a quarter of the size for JPEG. Pillow refuses a truncated file; OpenCV fills it with grey.
    """
    try:
        with Image.open(photo) as picture:
            if picture.size != size:
                return "of the wrong size", None
            picture.draft("RGB", (size[0] // 4, size[1] // 4))
            pixels = np.asarray(picture.convert("RGB"))
    except Exception:  # a damaged file can make a decoder raise nearly anything
        return "unreadable", None
    if not cv2.haveImageReader(photo):  # training reads photos with OpenCV
        return "unreadable", None
    return "usable", cv2.resize(pixels, (16, 24), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def _mark_scenes(images: list[dict[str, Any]], thumbnails: np.ndarray) -> list[int]:
    """Give photos of one scene the same ``group`` (their smallest id); returns how many each scene has."""
    pairs = np.array(writing.same_scene(thumbnails, _ROWS), int).reshape(-1, 2)
    edges = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=2 * (len(images),))
    _, scene = connected_components(edges, directed=False)
    sizes, smallest = np.bincount(scene), {}
    for record, number in zip(images, scene, strict=True):  # ascending ids
        smallest.setdefault(number, record["id"])
        if sizes[number] > 1:
            record["group"] = smallest[number]
        else:
            record.pop("group", None)
    return [int(size) for size in sizes if size > 1]


def _renumbered(source: Dataset, images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The images' annotations with the category numbers that every written dataset has."""
    return [
        annotation | {"category_id": source.labels[annotation["category_id"]]}
        for record in images
        for annotation in source.annotations[record["id"]]
    ]


def main(arguments: list[str]) -> int:
    if len(arguments) != 3:
        usage = "usage: python -m modanet_utils.datasets.modanet ANNOTATIONS PHOTOS DESTINATION"
        print(usage, file=sys.stderr)
        return 2
    try:
        report = prepare(*arguments, quiet=False)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

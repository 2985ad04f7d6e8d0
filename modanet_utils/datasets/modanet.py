"""ModaNet (Zheng et al., ACM Multimedia 2018; annotations CC BY-NC 4.0): 13 classes on street photos.

``python -m modanet_utils.datasets.modanet ANNOTATIONS PHOTOS DESTINATION`` makes a dataset folder of the official train
annotations (the validation file has none) and the reader's PaperDoll photos, which may not be passed on: they stay
where they are, and ``images`` is a symbolic link.
"""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import IMAGES, DatasetError, open_dataset
from modanet_utils.datasets.photos import files_below, is_turned, matched
from modanet_utils.progress import Progress

Verdict = tuple[str, np.ndarray | None]
OFFICIAL_BYTES = 105_924_292
OFFICIAL_MD5 = "96478657d20e322e9d3282c6d73c0c4c"
"""Size and MD5 of the official train annotations (52,377 images listed, 52,254 of them annotated)."""


@dataclass(frozen=True)
class Report:
    """What was found, and what the dataset folder holds; as text, five lines or more.

    Attributes:
        why: Why the file is, or is not, the official one.
        objects: Annotations of the usable images.
        problems: What no mask can be made of in the annotation file, and how often; label maps leave it out.
        scenes: Photos in each scene that has several (see ``writing.SAME_SCENE``).
    """

    folder: Path
    official: bool
    why: str
    listed: int
    annotated: int
    missing: int
    unreadable: int
    wrong_size: int
    usable: int
    objects: int
    problems: dict[str, int]
    scenes: list[int]

    @property
    def found(self) -> int:
        return self.annotated - self.missing

    def __str__(self) -> str:
        lines = [
            f"official file: {'yes' if self.official else 'no'} ({self.why})",
            f"images: {self.listed:,} listed, {self.annotated:,} of them annotated",
            f"photos of annotated images: {self.found:,} found, {self.missing:,} missing",
            f"photos found: {self.usable:,} usable, {self.unreadable:,} unreadable, "
            f"{self.wrong_size:,} of the wrong size",
            *(f"left out: {count:,} {what}" for what, count in sorted(self.problems.items())),
            f"{self.folder}: {self.usable:,} images, {self.objects:,} objects; "
            f"{sum(self.scenes):,} photos share {len(self.scenes):,} scenes "
            f"(at most {max(self.scenes, default=0):,} in one) and stay on one side of a split.",
        ]
        return "\n".join(lines)


def prepare(annotations: str | Path, photos: str | Path, destination: str | Path, quiet: bool = True) -> Report:
    """Make a dataset folder of an annotation file and the reader's photos (whole or not at all).

    An image is used if it is annotated and its photo is there, can be decoded and has the annotation's size.

    Args:
        annotations: The official file, or another with its schema such as an excerpt.
        photos: Folder that the annotations' file names refer to; ``images`` becomes a link to it.
        destination: Dataset folder; it may exist if it was made by this function from the same kind of file.

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
        why = ", ".join(f"{count} {what}" for what, count in verdicts.items())
        raise DatasetError(
            f"{photos} holds no usable photo of the {len(annotated)} annotated images in {file} ({why}): "
            f"give the folder whose files are named as in the annotations."
        )
    scenes = writing.mark_scenes(images, np.stack(thumbnails))
    theirs = [annotation for record in images for annotation in source.annotations[record["id"]]]
    # With the category numbers that every written dataset has.
    kept = [one | {"category_id": source.labels[one["category_id"]]} for one in theirs]
    info = {
        "name": "ModaNet" if official else "ModaNet (not the official file)",
        "description": "ModaNet's train annotations on PaperDoll photos",
        "license": "annotations CC BY-NC 4.0; photos belong to their owners and may not be passed on",
        "url": "github.com/eBay/modanet",
    }
    # No photos are handed over: nothing is copied, and the scenes are known from the decoding above.
    folder = writing.write(destination, info, images, kept, photos={}, link=photos)
    held = {"listed": len(source.images), "annotated": len(annotated), "usable": len(images), "objects": len(kept)}
    lost = {"missing": verdicts["missing"], "unreadable": verdicts["unreadable"]}
    lost["wrong_size"] = verdicts["of the wrong size"]
    return Report(folder, official, why, **held, **lost, problems=dict(source.problems), scenes=scenes)


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


def _inspected(records: list[dict[str, Any]], photos: Path, quiet: bool) -> Iterator[tuple[dict[str, Any], Verdict]]:
    """Every record with its photo's verdict and thumbnail, in order; several photos are decoded at a time."""
    files = matched((record["file_name"] for record in records), files_below(photos))
    progress = Progress(len(records), quiet)

    def inspect(record: dict[str, Any]) -> Verdict:
        if not (file := files.get(record["file_name"])):
            return "missing", None
        if os.path.normpath(record["file_name"]) != file:
            record["file_name"] = file
        return _inspect(f"{photos}{os.sep}{file}", (record["width"], record["height"]))

    with ThreadPoolExecutor() as pool:
        yield from progress.over(zip(records, pool.map(inspect, records), strict=True), "reading photos")
    progress.close(f"{len(records):,} photos looked up")


def _inspect(photo: str, size: tuple[int, int]) -> Verdict:
    """Verdict on a photo of expected (width, height) and, if usable, its 24x16 thumbnail ``(1152,) float32``.

    One decode, at a quarter of the size for JPEG. Pillow refuses a truncated file; OpenCV fills it with grey.
    """
    try:
        with Image.open(photo) as picture:
            turned = is_turned(
                picture.size, picture.getexif().get(0x0112, 1) if picture.format in ("JPEG", "MPO") else 1, size
            )
            if picture.size != size and not turned:
                return "of the wrong size", None
            picture.draft("RGB", (picture.width // 4, picture.height // 4))
            pixels = np.asarray((ImageOps.exif_transpose(picture) if turned else picture).convert("RGB"))
    except Exception:  # a damaged file can make a decoder raise nearly anything
        return "unreadable", None
    if not cv2.haveImageReader(photo):  # training reads photos with OpenCV
        return "unreadable", None
    return "usable", writing.thumbnail(pixels)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m modanet_utils.datasets.modanet``: the exit status."""
    about = "Make a dataset folder of ModaNet's annotations and your PaperDoll photos, which stay where they are. "
    about += "Example: %(prog)s modanet_instances_train.json photos data/modanet"
    takes = {
        "annotations": "ModaNet's train annotations (.json)",
        "photos": "folder of the photos that the annotations name",
        "destination": "folder to create; it links to the photos",
    }
    return writing.command("modanet", about, takes, prepare, arguments)


if __name__ == "__main__":
    sys.exit(main())

"""ModaNet (Zheng et al., ACM Multimedia 2018; annotations CC BY-NC 4.0): 13 classes on street photos.

``python -m modanet_utils.datasets.modanet ANNOTATIONS PHOTOS DESTINATION`` makes a dataset folder of the official train
annotations (the validation file has none) and the reader's PaperDoll photos, which may not be passed on. Those in a
folder stay where they are, and ``images`` is a symbolic link; of PaperDoll's LMDB (40 GB, all of its photos) the ones
that are used are copied out of it.
"""

import functools
import hashlib
import sys
from pathlib import Path

from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import IMAGES, DatasetError, open_dataset
from modanet_utils.datasets.sources import counted, is_database, name_unused, open_photos, save, usable

OFFICIAL_BYTES = 105_924_292
OFFICIAL_MD5 = "96478657d20e322e9d3282c6d73c0c4c"
"""Size and MD5 of the official train annotations (52,377 images listed, 52,254 of them annotated)."""


def prepare(annotations: str | Path, photos: str | Path, destination: str | Path, quiet: bool = True) -> str:
    """Make a dataset folder of an annotation file and the reader's photos, whole or not at all, and say what was found.

    An image is used if it is annotated and its photo is there, can be decoded and has the annotation's size. Arguments
    are those of ``modanet convert modanet``; how photos are found, `sources.Photos` says. FileNotFoundError where file
    or photos do not exist, else a ProjectError, with one sentence.
    """
    file, photos, destination = (Path(path).expanduser() for path in (annotations, photos, destination))
    _check_places(file, photos, destination)
    official, why = _official(file)
    info = {
        "name": "ModaNet" if official else "ModaNet (not the official file)",
        "description": "ModaNet's train annotations on PaperDoll photos",
        "license": "annotations CC BY-NC 4.0; photos belong to their owners and may not be passed on",
        "url": "github.com/eBay/modanet",
    }
    if is_database(photos):
        info["photos"] = "copied out of PaperDoll's LMDB"
    writing.replaced(destination, info)
    source = open_dataset(file, annotations_only=True)
    annotated = [record for image_id, record in source.images.items() if source.annotations[image_id]]
    there = open_photos((photos, annotated))
    images, verdicts, scenes = usable(there, annotated, quiet)
    theirs = [annotation for record in images for annotation in source.annotations[record["id"]]]
    # With the category numbers that every written dataset has.
    kept = [one | {"category_id": source.labels[one["category_id"]]} for one in theirs]
    # Nothing is copied from a folder, and the scenes are known from the decoding above.
    link = None if is_database(photos) else photos
    folder = writing.write(destination, info, images, kept, {}, link, lambda into: save(there, images, into, quiet))
    there_twice, in_scenes = len(there.twice), f"{sum(scenes):,} photos share {len(scenes):,} scenes"
    lines = [
        f"official file: {'yes' if official else 'no'} ({why})",
        f"images: {len(source.images):,} listed, {len(annotated):,} of them annotated",
        f"photos of annotated images: {counted(verdicts)}",
        *[f"photos there twice: {there_twice:,}; one of each is used"] * (there_twice > 0),
        *(f"left out: {count:,} {what}" for what, count in sorted(source.problems.items())),
        *name_unused(folder, verdicts | source.unused),
        f"{folder}: {len(images):,} images, {len(kept):,} objects; {in_scenes} (at most {max(scenes, default=0):,} in "
        "one) and stay on one side of a split.",
    ]
    return "\n".join(lines)


def _check_places(file: Path, photos: Path, destination: Path) -> None:
    if not file.is_file():
        raise FileNotFoundError(f"Annotation file {file} does not exist: give ModaNet's train annotations.")
    if file.suffix != ".json":
        raise DatasetError(f"Annotation file {file} does not end in .json: give ModaNet's train annotations.")
    # A link would take the place of a folder of photos that somebody put there.
    inside = photos.resolve().is_relative_to(destination.resolve())
    images = destination / IMAGES
    if inside or (images.is_dir() and not images.is_symlink() and not is_database(photos)):
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


main = functools.partial(writing.command, "modanet")

if __name__ == "__main__":
    sys.exit(main())

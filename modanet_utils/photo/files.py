"""``modanet predict``: photos in, overlays, label maps and one ``predictions.json`` out."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from modanet_utils.classes import LABELS
from modanet_utils.datasets.writing import CATEGORIES, masks
from modanet_utils.photo import pictures
from modanet_utils.photo.network import Answer, Network, open_network
from modanet_utils.photo.plots import overlay
from modanet_utils.plots import PALETTE
from modanet_utils.progress import Progress
from modanet_utils.project import ProjectError, write_json, write_whole

RECORD = "predictions"
SPECK = 0.001
"""Share of a picture below which a label is not said, though written."""


def predict(photos: Sequence[Path], out: Path = Path("predictions"), run: str | None = None) -> list[str]:
    """Segment photos and write what was found into ``out``; returns a sentence for each that could not be.

    A photo NAME.jpg gives ``NAME.overlay.png`` and ``NAME.labels.png`` (a palette PNG whose pixel values are the
    labels), all of them one ``predictions.json`` (COCO). What is there stays: a name that is taken is numbered, as in
    NAME-2 and predictions-2.json.

    Args:
        photos: Files, and folders, of which the pictures directly in them are taken.
        run: As for `network.segment`.

    Raises:
        ProjectError: A run that cannot be used, or ``out`` is a file.
    """
    if out.exists() and not out.is_dir():
        raise ProjectError(f"{out} is a file: give --out a folder.")
    network = open_network(run)
    files, failed = _files(photos)
    for sentence in failed:
        print(sentence, file=sys.stderr)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    clock = Progress(len(files), quiet=True)
    try:
        for done, file in enumerate(files, 1):
            try:
                image, things = _one(network, file, out)
            except (OSError, ValueError) as error:
                failed.append(str(error))
                print(error, file=sys.stderr)
                continue
            finally:
                clock.step(done, "")
            images.append({"id": len(images) + 1} | image)
            annotations += [
                {"id": len(annotations) + i, "image_id": len(images)} | one for i, one in enumerate(things, 1)
            ]
            seen = [f"{name} {a['share']:.1%}" for name, a in image["classes"].items() if a["share"] >= SPECK]
            said = "; ".join([", ".join(seen) or "nothing was found", *image["notes"]])
            count = " · ".join(filter(None, [f"{done} of {len(files)}", clock.left()]))
            print(f"{count} · {file.name}: {said}", flush=True)
    finally:  # also what was done until somebody interrupted it
        if images:
            categories = CATEGORIES[: network.config.outputs - 1]
            about = {"description": f"Predicted by the run {network.folder.name}", "run": network.config.hash}
            record = out / f"{_free(out, RECORD, '.json')}.json"
            content = {"info": about, "images": images, "annotations": annotations, "categories": categories}
            write_json(record, content)
            print(f"{len(images)} of {len(images) + len(failed)} done: overlays and label maps are beside {record}")
    return failed


def _files(photos: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files that are named or in a named folder, each once, and a sentence for each folder without a picture."""
    files, failed = [], []
    for photo in photos:
        inside = (
            sorted(p for p in photo.iterdir() if p.suffix.lower() in pictures.ENDINGS) if photo.is_dir() else [photo]
        )
        files += inside
        if not inside:
            failed.append(f"Folder {photo} holds no picture ({', '.join(pictures.ENDINGS)}): give one that does.")
    return list(dict.fromkeys(files)), failed


def _free(out: Path, name: str, *endings: str) -> str:
    """The name, or the name with the first number from 2 on, under which no file with one of the endings is there."""
    number, free = 1, name
    while any((out / f"{free}{ending}").exists() for ending in endings):
        number += 1
        free = f"{name}-{number}"
    return free


def _one(network: Network, file: Path, out: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write what was found on a photo; its COCO record and annotations."""
    photo = pictures.read(file)
    answer = network.look(photo)
    name = _free(out, file.stem, ".overlay.png", ".labels.png")
    shown, labels = f"{name}.overlay.png", f"{name}.labels.png"
    write_whole(out / labels, lambda path: palette_image(answer).save(path))
    write_whole(out / shown, lambda path: overlay(photo, answer).save(path, compress_level=1))
    height, width = answer.labels.shape
    image = {"file_name": str(file), "height": height, "width": width, "overlay": shown, "labels": labels}
    things = [
        {"category_id": label, "iscrowd": 0, "score": answer.classes[LABELS[label]]["confidence"]} | mask
        for label, mask in masks(answer.labels)
    ]
    return image | {"classes": answer.classes, "notes": answer.notes}, things


def palette_image(answer: Answer) -> Image.Image:
    """The label map as a picture of mode P, whose pixel values are the labels and whose palette is the report's."""
    picture = Image.fromarray(answer.labels)
    picture.putpalette(PALETTE.tobytes())
    return picture

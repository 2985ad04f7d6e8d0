"""``modanet predict``: photos in, overlays, label maps and one ``predictions.json`` out."""

import functools
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from modanet_utils.classes import LABELS
from modanet_utils.datasets.sources import ENDINGS
from modanet_utils.datasets.writing import CATEGORIES, masks
from modanet_utils.photo.network import Network, open_network
from modanet_utils.photo.plots import overlay
from modanet_utils.plots import PALETTE
from modanet_utils.progress import Progress
from modanet_utils.project import ProjectError, plain_error, write_json, write_whole


def predict(photos: Sequence[Path], out: Path, run: str | None = None) -> bool:
    """Segment photos, and the pictures in folders, and write what was found, as the command's help says.

    Returns whether all could be; a sentence for each that could not is printed. ProjectError for a run that cannot be
    used, or where ``out`` is a file.
    """
    if out.exists() and not out.is_dir():
        raise ProjectError(f"{out} is a file: give --out a folder.")
    network = open_network(run)
    inside = {
        one: sorted(p for p in one.iterdir() if p.suffix.lower() in ENDINGS and not p.name.startswith("._"))  # of macOS
        for one in photos
        if one.is_dir()
    }
    files = list(dict.fromkeys(file for one in photos for file in inside.get(one) or [one]))
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    clock = Progress(len(files), quiet=True)
    try:
        for done, file in enumerate(files, 1):
            try:
                image, things = _one(network, file, out)
            except (OSError, ValueError) as error:
                print(plain_error(error), file=sys.stderr)
                continue
            images.append({"id": len(images) + 1} | image)
            for one in things:
                annotations.append({"id": len(annotations) + 1, "image_id": len(images)} | one)
            clock.step(done, "")
            seen = ", ".join(f"{n} {a['share']:.1%}" for n, a in image["classes"].items() if a["share"] >= 0.001)
            said = "; ".join([seen or "nothing was found", *image["notes"]])
            parts = filter(None, [f"{done} of {len(files)}", clock.left(), f"{file.name}: {said}"])
            print(" · ".join(parts), flush=True)
    finally:  # also what was done until somebody interrupted it
        if images:
            about = {"description": f"Predicted by the run {network.folder.name}", "run": network.config.hash}
            categories = CATEGORIES[: network.config.outputs - 1]
            record = out / f"{_free(out, 'predictions', '.json')}.json"
            write_json(record, {"info": about, "images": images, "annotations": annotations, "categories": categories})
            print(f"{len(images)} of {len(files)} done: look at {out / images[0]['overlay']}; numbers: {record}")
    return len(images) == len(files)


def _free(out: Path, name: str, *endings: str) -> str:
    """The name, or the name with the first number from 2 on, under which no file with one of the endings is there."""
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(one for one in names if not any((out / f"{one}{ending}").exists() for ending in endings))


def _one(network: Network, file: Path, out: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write what was found on a photo; its COCO record and annotations."""
    answer = network.look(file)
    name = _free(out, file.stem, ".overlay.png", ".labels.png")
    label_map = Image.fromarray(answer.labels)
    label_map.putpalette(PALETTE.tobytes())  # from here on of mode P: the pixel values stay
    write_whole(out / f"{name}.labels.png", label_map.save)
    write_whole(out / f"{name}.overlay.png", functools.partial(overlay(answer).save, compress_level=1))
    image = {"file_name": str(file), "height": len(answer.photo), "width": answer.photo.shape[1]}
    image |= {"overlay": f"{name}.overlay.png", "labels": f"{name}.labels.png"}
    image |= {"classes": answer.classes, "notes": answer.notes}
    scored = [(label, answer.classes[LABELS[label]]["confidence"], mask) for label, mask in masks(answer.labels)]
    return image, [{"category_id": label, "iscrowd": 0, "score": score} | mask for label, score, mask in scored]

"""Drawn street-fashion figures in ModaNet's annotation schema: the dataset that works anywhere.

``python -m modanet_utils.datasets.synthetic DESTINATION --images 240 --seed 0`` writes a dataset folder:
``annotations.json`` (COCO, categories 1-13 as ModaNet numbers them, 14 hair, 15 skin) and ``images/*.jpg``
of 400 x 600 pixels. Every pixel of an image belongs to exactly one drawn thing, so the truth is known; an
annotation is the polygon of what is visible of a thing.

Image number i depends on the seed and i only: not on the number of images, nor on the number of workers.
"""

import json
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from modanet_utils.classes import LABELS
from modanet_utils.datasets.coco import ANNOTATIONS, IMAGES, DatasetError
from modanet_utils.datasets.synthetic.drawing import Canvas, softened
from modanet_utils.datasets.synthetic.figures import draw_person
from modanet_utils.datasets.synthetic.scenes import Scene, cast_shadow, draw_background, photograph
from modanet_utils.datasets.synthetic.wardrobe import DRAWS, choose_outfit, even_draws
from modanet_utils.datasets.writing import command
from modanet_utils.progress import Progress
from modanet_utils.project import whole_folder

WIDTH, HEIGHT = 400, 600
VERSION = "2"
"""Raised whenever the same seed would draw different images."""

SMALLEST_FRAGMENT = 8  # pixels; smaller visible scraps are not worth an annotator's polygon
POLYGON_TOLERANCE = 0.6  # pixels; how far a polygon may leave the drawn outline


def generate(
    destination: Path, images: int = 240, seed: int = 0, workers: int | None = None, quiet: bool = True
) -> Path:
    """Write the synthetic dataset and return its folder.

    The folder appears under its name only when it is complete. A folder that already holds the dataset of
    the same parameters is left alone.

    Args:
        destination: folder to create; its parents are created as well.
        images: number of images, at least 1.
        seed: any non-negative integer.
        workers: processes that draw; all available cores if None. The bytes written do not depend on it.
        quiet: show no progress.

    Raises:
        DatasetError: a parameter is out of range, or ``destination`` holds something else.
    """
    if images < 1 or seed < 0 or (workers is not None and workers < 1):
        raise DatasetError(
            f"The synthetic dataset needs images >= 1, seed >= 0 and workers >= 1, "
            f"but got images={images}, seed={seed}, workers={workers}."
        )
    destination = Path(destination)
    info = {
        "name": "synthetic",
        "description": "Synthetic street fashion, drawn by modanet_utils; it shows no real person",
        "version": VERSION,
        "images": images,
        "seed": seed,
    }
    if _is_taken(destination, info):
        return destination
    # Another process may finish the same dataset meanwhile.
    with whole_folder(destination, unless=lambda: _is_taken(destination, info)) as folder:
        (folder / IMAGES).mkdir()
        progress = Progress(images, quiet)
        annotations = _draw_all(folder / IMAGES, images, seed, workers or _available_cores(), progress)
        progress.close()
        _write_annotations(folder / ANNOTATIONS, info, annotations)
    return destination


def _is_taken(destination: Path, info: dict) -> bool:
    """True if the complete dataset is there, False if nothing is; an error if it is something else."""
    if not destination.exists() or (destination.is_dir() and not any(destination.iterdir())):
        return False
    try:
        found = json.loads((destination / ANNOTATIONS).read_text(encoding="utf-8"))
        complete = all((destination / IMAGES / image["file_name"]).is_file() for image in found["images"])
        same = found["info"] == info and len(found["images"]) == info["images"] and complete
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if same:
        return True
    raise DatasetError(
        f"{destination} holds something other than the synthetic dataset of {info['images']} images with "
        f"seed {info['seed']}: choose another destination or remove it first."
    )


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _draw_all(folder: Path, images: int, seed: int, workers: int, progress: Progress) -> list[list[dict]]:
    """Draw images 0..images-1 into ``folder``; the annotations of each, in order."""
    task = partial(_draw_file, folder, seed)
    workers = min(workers, images)
    if workers == 1:
        return list(progress.over(map(task, range(images)), "drawing"))
    # spawn: a fork of a process that already runs threads (a notebook, torch) may hang
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        return list(progress.over(pool.map(task, range(images), chunksize=4), "drawing"))


def _draw_file(folder: Path, seed: int, index: int) -> list[dict]:
    image, instances, labels, quality = draw(seed, index)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError(f"OpenCV could not encode image {index} as JPEG.")
    (folder / _file_name(index)).write_bytes(encoded.tobytes())
    return annotate(instances, labels)


def draw(seed: int, index: int) -> tuple[np.ndarray, np.ndarray, list[int], int]:
    """Draw image ``index`` of the dataset of ``seed``.

    Returns:
        image (600, 400, 3) uint8 RGB; instances (600, 400) int16, 0 = background, k = k-th drawn thing;
        the label of each thing (entry k - 1 belongs to thing k); the JPEG quality to store it with.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    rng = np.random.default_rng([seed, index, 1])
    scene = draw_background(canvas, rng)
    _passers_by(canvas, scene, _places(seed, index)[-1], rng)
    _draw_people(canvas, seed, index, scene)
    image = photograph(canvas, scene, rng)
    return image, canvas.instances, canvas.labels, int(rng.integers(82, 94))


def draw_truth(seed: int, index: int) -> tuple[np.ndarray, list[int]]:
    """The instances and labels of ``draw``, several times as fast because nothing is coloured."""
    canvas = Canvas(WIDTH, HEIGHT, coloured=False)
    _draw_people(canvas, seed, index, None)
    return canvas.instances, canvas.labels


def _draw_people(canvas: Canvas, seed: int, index: int, scene: Scene | None) -> None:
    """Draw the annotated people; random numbers of their own keep the truth independent of the scene."""
    rng = np.random.default_rng([seed, index, 2])
    draws, places = even_draws(seed, index), _places(seed, index)
    for place in places:
        outfit = choose_outfit(draws if place is places[-1] else rng.random(DRAWS), rng)
        before = canvas.covered.copy()
        draw_person(canvas, outfit, place.foot, place.unit, rng)
        if scene is not None:
            cast_shadow(canvas, scene, canvas.covered - before, place.foot, place.unit)


@dataclass(frozen=True)
class _Place:
    """Where somebody stands."""

    foot: tuple[float, float]  # pixels
    unit: float  # height of the head, pixels


def _places(seed: int, index: int) -> list[_Place]:
    """Where the annotated people stand, the furthest first."""
    draws, rng = even_draws(seed, index), np.random.default_rng([seed, index, 3])
    unit = rng.uniform(61, 70)
    foot = HEIGHT * rng.uniform(0.94, 0.985)
    if draws[9] < 0.1:  # cut off at the shins or the knees
        unit = rng.uniform(76, 90)
        foot = HEIGHT * 0.05 + 7.75 * unit
    if draws[8] > 0.08:
        return [_Place((WIDTH * rng.uniform(0.38, 0.62), foot), unit)]
    apart = unit * rng.uniform(1.5, 2.3)
    behind = unit * rng.uniform(0.93, 1.0)
    return [
        _Place((WIDTH / 2 - apart / 2, foot - 0.12 * unit), behind),
        _Place((WIDTH / 2 + apart / 2, foot), unit),
    ]


def _passers_by(canvas: Canvas, scene: Scene, nearest: _Place, rng: np.random.Generator) -> None:
    """People in the background: out of focus and, as in ModaNet, not annotated."""
    eyes = nearest.foot[1] - 7.0 * nearest.unit  # on level ground everybody's eyes are at the horizon
    smallest = max((scene.ground + 8 - eyes) / 7.0, 22.0)
    far = smallest < 0.55 * nearest.unit
    largest = (0.62 if far else 0.85) * nearest.unit
    count = int(rng.integers(0, 3)) if far else int(rng.random() < 0.25)
    for unit in sorted(rng.uniform(smallest, largest, count)) if largest > smallest else ():
        x = nearest.foot[0] + WIDTH * rng.choice([-1, 1]) * rng.uniform(0.27 if far else 0.4, 0.5)
        place = _Place((x, eyes + rng.uniform(6.8, 7.1) * unit), unit)
        soft = rng.uniform(1.2, 2.2) if far else rng.uniform(2.2, 3.2)
        _passer_by(canvas, scene, place, soft, rng)


def _passer_by(canvas: Canvas, scene: Scene, place: _Place, soft: float, rng: np.random.Generator) -> None:
    """Draw one person on a layer of their own and lay it, blurred, over the background."""
    unit = place.unit
    left, top = int(place.foot[0] - 2.5 * unit), int(place.foot[1] - 8.4 * unit)
    layer = Canvas(int(5 * unit), int(9 * unit))
    layer.light, layer.ambient, layer.detailed = canvas.light, canvas.ambient, unit > 40
    outfit = choose_outfit(rng.random(DRAWS), rng)
    draw_person(layer, outfit, (place.foot[0] - left, place.foot[1] - top), unit, rng)
    alpha = softened(layer.covered, soft)
    colours = softened(layer.rgb * layer.covered[..., None], soft)

    w, h = layer.size
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, WIDTH), min(top + h, HEIGHT)
    if x1 <= x0 or y1 <= y0:
        return
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    figure = np.zeros((HEIGHT, WIDTH), np.float32)
    figure[y0:y1, x0:x1] = layer.covered[inside]
    cast_shadow(canvas, scene, figure, place.foot, unit)
    behind = canvas.rgb[y0:y1, x0:x1]
    canvas.rgb[y0:y1, x0:x1] = behind * (1 - alpha[inside][..., None]) + colours[inside]


def annotate(instances: np.ndarray, labels: Sequence[int]) -> list[dict]:
    """COCO annotations (without ids) of what is visible of each instance.

    Args:
        instances: (H, W) int, 0 = background, k = k-th drawn thing.
        labels: label of each instance, 1-15; entry k - 1 belongs to instance k.
    """
    sizes = np.bincount(instances.ravel(), minlength=len(labels) + 1)
    annotations = []
    for number, label in enumerate(labels, start=1):
        polygons = visible_polygons(instances, number, sizes) if sizes[number] >= SMALLEST_FRAGMENT else []
        if not polygons:
            continue
        points = np.concatenate([np.reshape(polygon, (-1, 2)) for polygon in polygons])
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        box = [left, top, right - left, bottom - top]
        annotations.append(
            {
                "segmentation": polygons,
                "area": box[2] * box[3],  # ModaNet's files hold the area of the bounding box
                "iscrowd": 0,
                "bbox": box,
                "category_id": label,
            }
        )
    return annotations


def visible_polygons(instances: np.ndarray, number: int, sizes: np.ndarray) -> list[list[int]]:
    """Outlines of instance ``number`` as flat lists x0, y0, x1, y1, ... on the pixels' edges.

    A hole is filled if what is seen through it is painted later (it is smaller); otherwise the outline is
    cut in two beside the hole, because a polygon cannot have one.
    """
    ys, xs = np.nonzero(instances == number)
    x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
    window = instances[y0:y1, x0:x1]
    pending = [(window == number).astype(np.uint8)]
    polygons = []
    while pending:
        mask = pending.pop()
        # Twice the size: an outline through pixel centres can then be rounded to the pixels' edges.
        double = cv2.copyMakeBorder(cv2.resize(mask, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST),
                                    2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0)  # fmt: skip
        contours, hierarchy = cv2.findContours(double, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        for k, contour in enumerate(contours):
            if hierarchy[0, k, 3] >= 0:
                continue
            hole = _first_real_hole(contours, hierarchy[0], k, window, sizes, number)
            if hole is not None:
                piece = cv2.drawContours(np.zeros_like(double), contours, k, 1, cv2.FILLED)[2:-2:2, 2:-2:2] & mask
                column = int(np.clip(hole, 1, mask.shape[1] - 1))
                left, right = piece.copy(), piece
                left[:, column:], right[:, :column] = 0, 0
                pending += [left, right]
                continue
            outline = np.round(cv2.approxPolyDP(contour, 2 * POLYGON_TOLERANCE, True)[:, 0] / 2 - 0.75)
            if len(outline) >= 3 and cv2.contourArea(outline.astype(np.float32)) >= SMALLEST_FRAGMENT:
                polygons.append((outline + (x0, y0)).astype(int).ravel().tolist())
    return sorted(polygons, key=len, reverse=True)


def _first_real_hole(contours, hierarchy, parent, window, sizes, number) -> int | None:  # noqa: ANN001
    """Column of the middle of a hole through which something larger or the background is seen."""
    child = hierarchy[parent, 2]
    while child >= 0:
        x, y, w, h = cv2.boundingRect(contours[child])
        if w * h > 4 * SMALLEST_FRAGMENT:
            inside = np.zeros((h, w), np.uint8)
            cv2.fillPoly(inside, [contours[child] - (x, y)], 1)
            rows, columns = np.nonzero(inside)
            seen = window[np.clip((rows + y - 2) // 2, 0, window.shape[0] - 1),
                          np.clip((columns + x - 2) // 2, 0, window.shape[1] - 1)]  # fmt: skip
            seen = seen[seen != number]
            larger = (seen == 0) | (sizes[seen] > sizes[number])
            if larger.sum() > 4 * SMALLEST_FRAGMENT:
                return (x + w // 2 - 2) // 2
        child = hierarchy[child, 0]
    return None


def _write_annotations(path: Path, info: dict, annotations: list[list[dict]]) -> None:
    categories = [
        {"supercategory": "fashion" if number <= 13 else "body", "id": number, "name": name}
        for number, name in enumerate(LABELS)
        if number
    ]
    categories[12]["name"] = "scarf/tie"  # as ModaNet's file spells it
    content = {
        "info": info,
        "licenses": [],
        "type": "instances",
        "categories": categories,
        "images": [
            {"id": index + 1, "file_name": _file_name(index), "width": WIDTH, "height": HEIGHT}
            for index in range(len(annotations))
        ],
        "annotations": [],
    }
    for index, of_image in enumerate(annotations):
        for annotation in of_image:
            number = len(content["annotations"]) + 1
            content["annotations"].append({**annotation, "image_id": index + 1, "id": number})
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def _file_name(index: int) -> str:
    return f"{index + 1:06d}.jpg"


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m modanet_utils.datasets.synthetic``: the exit status."""
    return command("synthetic", arguments)

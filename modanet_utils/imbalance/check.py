"""What a data set folder holds, and what of it would get in the way of a training."""

from pathlib import Path

import numpy as np

from modanet_utils.classes import CLOTHING, LABELS
from modanet_utils.datasets.coco import IMAGES, Dataset, open_dataset
from modanet_utils.datasets.records import IGNORED
from modanet_utils.datasets.sources import Photos, counted, usable
from modanet_utils.project import ProjectError
from modanet_utils.splits import PARTS, split


def check(root: Path, photos: bool = True, quiet: bool = False) -> str:
    """Look through a data set folder and say what was found, a line each; nothing is changed.

    Args:
        photos: Every photo is decoded, too: for damage, sizes and near-duplicates.

    Raises:
        FileNotFoundError, DatasetError: The folder cannot be opened, or no photo can be used.
    """
    dataset = open_dataset(root)
    sizes = [dataset.size(image_id) for image_id in dataset.ids]
    (low, high), (narrow, wide) = ((min(side), max(side)) for side in zip(*sizes, strict=True))
    lines = [f"{root}: {len(sizes):,} photos, {low} to {high} pixels high and {narrow} to {wide} wide"]
    lines += [f"left out: {count:,} {what}" for what, count in sorted(dataset.problems.items())]
    lines += _photos(dataset, quiet) if photos else []
    return "\n".join(lines + _labels(dataset, sizes))


def _photos(dataset: Dataset, quiet: bool) -> list[str]:
    records = list(dataset.images.values())
    images, verdicts, scenes = usable(Photos(dataset.root / IMAGES, records), records, quiet)
    apart = [one for one in images if "group" in one and "group" not in dataset.images[one["id"]]]
    marked = f"{len(apart):,} of them may end in different parts: convert the folder, which marks them"
    return [
        f"photos: {counted(verdicts)}",
        *(f"{what}: {names[0]} for one" for what, names in verdicts.items() if names and what != "usable"),
        f"near-duplicates: {sum(scenes):,} photos in {len(scenes):,} scenes" + f"; {marked}" * bool(apart),
    ]


def _labels(dataset: Dataset, sizes: list[tuple[int, int]]) -> list[str]:
    pixels = np.stack([dataset.pixels(image_id) for image_id in dataset.ids])
    total = sum(height * width for height, width in sizes)
    try:
        parts = split(dataset)
    except ProjectError as error:
        return [f"split: {error}"]
    row = {image_id: at for at, image_id in enumerate(dataset.ids)}
    shown = {part: (pixels[[row[one] for one in ids]] > 0).sum(0) for part, ids in parts.items()}
    lines = ["{:<12}{:>10}{:>9}".format("label", "pixels", "photos") + "".join(f"{part:>8}" for part in parts)]
    for label, name in enumerate(LABELS):
        counts = "".join(f"{shown[part][label]:>8,}" for part in parts)
        lines.append(f"{name:<12}{pixels[:, label].sum() / total:>10.3%}{(pixels[:, label] > 0).sum():>9,}{counts}")
    lines.append(f"{IGNORED:<12}{1 - pixels.sum() / total:>10.3%}{(pixels.sum(1) < np.prod(sizes, 1)).sum():>9,}")
    if (covered := 1 - pixels[:, 0].sum() / total) < 0.001:
        lines.append(f"only {covered:.3%} of the pixels have a label: outlines must be there, in pixels of the photos")
    for part in PARTS:
        if lacking := [name for label, name in enumerate(CLOTHING, 1) if not shown[part][label]]:
            lines.append(f"no photo of part {part} shows: {', '.join(lacking)}")
    return lines

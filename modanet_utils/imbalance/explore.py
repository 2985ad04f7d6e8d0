"""What notebook 01 records, counted from a file of annotations alone."""

from pathlib import Path
from typing import Any

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import open_dataset, with_masks
from modanet_utils.imbalance.claims import CLAIMS, Evidence
from modanet_utils.imbalance.scan import Scan, scan
from modanet_utils.imbalance.tables import class_table, co_occurrence, threshold_table, weight_table
from modanet_utils.results.claims import decide
from modanet_utils.results.workspace import Workspace
from modanet_utils.splits import split
from modanet_utils.thresholds import REFERENCE


def summary(scan: Scan, training_pixels: np.ndarray) -> dict[str, Any]:
    """What ``results.json`` keeps under ``exploration``: aggregated numbers only, nothing of a single image.

    The weights are made of `training_pixels`, ``(images, 14)`` of the training part.
    """
    weights = weight_table(training_pixels)
    return {
        "images": len(scan.ids),
        "problems": dict(scan.problems),
        "images_without_foreground": int((scan.pixels[:, 1:].sum(1) == 0).sum()),
        "objects": len(scan.objects),
        "reference_size": list(REFERENCE),
        "classes": class_table(scan).to_dict("index"),
        "co_occurrence": co_occurrence(scan).to_dict("index"),
        "training": {
            "images": len(training_pixels),
            "class_share": dict(zip(CLASSES, training_pixels.sum(0) / training_pixels.sum(), strict=True)),
            "weights": weights.to_dict(),
            "posterior_thresholds": threshold_table(weights).to_dict(),
        },
    }


def explore(annotations: Path, out: Path) -> str:
    """Count a data set and record it in ``OUT/results.json``, as notebook 01 does; photos are not needed.

    Args:
        annotations: ``annotations.json``, or its folder.
        out: Made if it is not there; its name stands as the profile.

    Returns:
        A sentence for the command line.

    Raises:
        FileNotFoundError, DatasetError: The annotations are not there or cannot be used.
    """
    dataset = with_masks(open_dataset(annotations, annotations_only=True), annotations_only=True)
    parts = split(dataset)
    workspace = Workspace(out.resolve().name, dataset, out, out / "results.json")
    found = scan(dataset)
    pixels = found.image_pixels(parts["train"])
    workspace.record_dataset(parts, found.pixels.sum(0))
    workspace.record("exploration", summary(found, pixels))
    workspace.record_claims(decide(CLAIMS, Evidence(found, pixels)), "01")
    counted = f"{workspace.results_path}: {len(found.ids):,} images, {len(found.objects):,} objects"
    return "\n".join(filter(None, [counted, dataset.said()]))

"""Photos with tags only: half of them teach by a trained network's labels, the others measure what it finds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.datasets import writing
from modanet_utils.datasets.coco import IMAGES, Dataset, DatasetError, open_dataset
from modanet_utils.model import Net
from modanet_utils.progress import watched
from modanet_utils.project import ProjectError, shown
from modanet_utils.splits import split
from modanet_utils.training.posthoc import both_ways
from modanet_utils.training.runs import Run
from modanet_utils.trials import TrialConfig

HALVES: Mapping[str, float] = {"teach": 0.5, "measure": 0.5}
TEACHER = "combined_body"
"""The trial whose network labels them."""
SURE = 0.7
"""Probability among the classes that the tags allow below which a pixel is ignored."""


def halves(tagged: Dataset, labelled: Dataset) -> dict[str, list[int]]:
    """Ids of the tagged photos that teach and that measure; what resembles a pixel-labelled photo does neither."""
    if not any("tags" in record for record in tagged.images.values()):
        raise DatasetError(f"{tagged.root} has no tags: convert them with 'modanet convert ccp-tags'.")
    both = [one.root / IMAGES / record["file_name"] for one in (labelled, tagged) for record in one.images.values()]
    records: list[dict[str, Any]] = [{"id": number} for number in range(len(both))]  # their own may both count from 1
    writing.mark_scenes_of(records, both)
    groups = [record.get("group") for record in records]
    known = set(groups[: len(labelled.ids)]) - {None}
    alike = {i for i, group in zip(tagged.ids, groups[len(labelled.ids) :], strict=True) if group in known}
    return {part: [i for i in ids if i not in alike] for part, ids in split(tagged, 0, HALVES).items()}


def write_pseudo_labels(
    run: Run, tagged: str | Path, labelled: str | Path, destination: str | Path, quiet: bool = True
) -> Path:
    """Label the teaching half of tagged photos by a run's network, and write them as a dataset folder.

    A pixel gets the most probable label among background, hair, skin and what the tags name, or is ignored where that
    is less probable than `SURE`. The probabilities are those of the photo and of its mirror image, averaged.

    Args:
        run: With weights, and hair and skin among its outputs.
        tagged: Folder that `ccp.convert_tagged` wrote.
        labelled: Folder of the pixel-labelled photos; a photo that resembles one of them does not teach.

    Raises:
        ProjectError: No tags, no weights, or a destination that holds something else.
    """
    if run.config.outputs != len(LABELS):
        raise ProjectError(f"{run.folder} does not predict hair and skin: give a run with outputs 16.")
    photos = open_dataset(tagged)
    ids = halves(photos, open_dataset(labelled))["teach"]
    net, box = run.network(), Letterbox(run.config.image_height, run.config.image_width)
    annotations: list[dict[str, Any]] = []
    for image_id in watched(ids, "labelling", f"{len(ids):,} photos labelled", quiet):
        allowed = photos.present(image_id) | {0, *range(len(CLASSES), len(LABELS))}
        for label, mask in writing.masks(pseudo_label_map(net, photos.image(image_id), box, allowed)):
            number = writing.IGNORED_ID if label == IGNORE else label
            one = {"id": len(annotations) + 1, "image_id": image_id, "category_id": number, "iscrowd": 0}
            annotations.append(one | mask)
    images = [{key: value for key, value in photos.images[i].items() if key != "tags"} for i in ids]
    info = {"name": f"{photos.name}, labelled by {run.folder.name}", "labelled_by": run.config.hash}
    files = {record["file_name"]: photos.root / IMAGES / record["file_name"] for record in images}
    return writing.write(Path(destination), info, images, annotations, files)


def missing(config: TrialConfig, teacher: Run | None, quiet: bool = True) -> str | None:
    """Make the labels that a trial needs where that is possible; else what is missing, in one sentence."""
    root = Path(config.data_root)
    tagged = root.with_name(f"{root.name}_tagged")
    if not config.pseudo_labels or (root.parent / config.pseudo_labels).exists():
        return None
    if not tagged.exists():
        return f"{shown(tagged)} is not there: make it with `modanet convert ccp-tags SOURCE {shown(tagged)}`."
    if teacher is None:
        return f"no run labels the photos in {shown(tagged)}: train {TEACHER} first."
    write_pseudo_labels(teacher, tagged, root, root.parent / config.pseudo_labels, quiet)
    return None


@torch.inference_mode()
def pseudo_label_map(net: Net, photo: np.ndarray, box: Letterbox, allowed: set[int]) -> np.ndarray:
    """Labels ``(H, W) uint8`` of a photo ``(H, W, 3) uint8`` among the allowed ones; 255 where none is sure."""
    both = torch.stack([logits.softmax(0) for logits in both_ways(net, photo, box, fold=False)]).sum(0)
    both[[label for label in range(len(LABELS)) if label not in allowed]] = 0
    most = both.max(0)
    unsure = most.values < SURE * both.sum(0)
    return most.indices.masked_fill(unsure, IGNORE).to("cpu", torch.uint8).numpy()

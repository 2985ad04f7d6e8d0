"""60/25/15 split: deterministic from ids and a seed, stratified on the presence of rare classes."""

import hashlib
from collections.abc import Mapping

from modanet_utils.classes import CLOTHING
from modanet_utils.datasets.coco import Dataset
from modanet_utils.project import ProjectError

PARTS: dict[str, float] = {"train": 0.60, "val": 0.25, "test": 0.15}


def split(dataset: Dataset, seed: int = 0, parts: Mapping[str, float] = PARTS) -> dict[str, list[int]]:
    """Split a dataset's images into train, val and test, or other parts with their shares.

    Greedy iterative stratification (Sechidis, Tsoumakas and Vlahavas, ECML-PKDD 2011): classes are served
    from the rarest to the commonest; each image that shows the class goes to the part that still lacks most
    of that class. Only ids, the classes an image's annotations name and the seed matter, not the file's order.
    Photos of one scene (the record's ``group``, set by the converters) always share a part.

    Args:
        dataset: An opened dataset; photos are not read.
        seed: Any integer; another seed gives another split.

    Returns:
        ``{"train": ids, "val": ids, "test": ids}``, each ascending, together all ids, sizes within the largest
        group of 60/25/15 by largest remainder.

    Raises:
        ProjectError: Fewer than three images, or scenes.
    """
    scenes: dict[int, list[int]] = {}
    for image_id, record in dataset.images.items():
        scenes.setdefault(record.get("group", image_id), []).append(image_id)
    if len(scenes) < len(parts):
        few = f"{len(scenes)} groups of photos that belong together"
        has = few if len(dataset.ids) >= len(parts) else f"{len(dataset.ids)} images"
        raise ProjectError(f"Dataset {dataset.name!r} has {has}; a split needs {len(parts)}: add other photos.")
    order = sorted(scenes, key=lambda scene: hashlib.sha256(f"{seed}:{scene}".encode()).digest())
    shows = {scene: set().union(*(dataset.present(i) for i in scenes[scene])) for scene in order}
    placed = _placed(order, shows, {scene: len(ids) for scene, ids in scenes.items()}, len(dataset.ids), parts)
    return {
        part: sorted(i for scene, where in placed.items() if where == part for i in scenes[scene]) for part in parts
    }


def _placed(
    order: list[int], shows: dict[int, set[int]], sizes: dict[int, int], images: int, parts: Mapping[str, float]
) -> dict[int, str]:
    """The part of each scene, served in this order, by the labels it shows and how many images it has."""
    room = _sizes(images, parts)
    holders = {label: [s for s in order if label in shows[s]] for label in range(1, len(CLOTHING) + 1)}
    lacks = {label: {part: share * len(held) for part, share in parts.items()} for label, held in holders.items()}
    placed: dict[int, str] = {}

    def place(scene: int, wanted: dict[str, float]) -> None:
        # Where it fits nowhere, the part with most room: so none ends further from its size than one scene.
        fitting = [part for part in parts if room[part] >= sizes[scene]] or [max(parts, key=lambda part: room[part])]
        part = max(fitting, key=lambda part: (wanted[part], room[part] / parts[part]))
        placed[scene] = part
        room[part] -= sizes[scene]
        for label in shows[scene]:
            if label in lacks:
                lacks[label][part] -= 1

    for label in sorted(holders, key=lambda label: (len(holders[label]), label)):
        for scene in holders[label]:
            if scene not in placed:
                place(scene, lacks[label])
    for scene in order:
        if scene not in placed:
            place(scene, {part: float(left) for part, left in room.items()})
    for part in [part for part in parts if part not in placed.values()]:  # a few large scenes can leave a part empty
        held = list(placed.values())
        richest = max(parts, key=held.count)
        placed[min((s for s in order if placed[s] == richest), key=sizes.__getitem__)] = part
    return placed


def _sizes(images: int, parts: Mapping[str, float]) -> dict[str, int]:
    """Images per part by largest remainder; no part is empty."""
    sizes = {part: int(share * images + 1e-9) for part, share in parts.items()}
    for part in sorted(parts, key=lambda part: sizes[part] - parts[part] * images)[: images - sum(sizes.values())]:
        sizes[part] += 1
    for part in parts:
        if sizes[part] == 0:
            sizes[part] = 1
            sizes[next(iter(parts))] -= 1
    return sizes

"""60/25/15 split: deterministic from ids and a seed, stratified on the presence of rare classes."""

import hashlib

from modanet_utils.classes import CLOTHING
from modanet_utils.datasets import Dataset

PARTS: dict[str, float] = {"train": 0.60, "val": 0.25, "test": 0.15}


def split(dataset: Dataset, seed: int = 0) -> dict[str, list[int]]:
    """Split a dataset's images into train, val and test.

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
        ValueError: Fewer than three images, or scenes.
    """
    if len(dataset.ids) < len(PARTS):
        raise ValueError(
            f"Dataset {dataset.name!r} has {len(dataset.ids)} images: a split needs at least {len(PARTS)}."
        )
    scenes: dict[int, list[int]] = {}
    for image_id, record in dataset.images.items():
        scenes.setdefault(record.get("group", image_id), []).append(image_id)
    if len(scenes) < len(PARTS):
        raise ValueError(
            f"Dataset {dataset.name!r} has {len(scenes)} groups of photos that belong together: a split needs at "
            f"least {len(PARTS)}."
        )
    order = sorted(scenes, key=lambda scene: hashlib.sha256(f"{seed}:{scene}".encode()).digest())
    shows = {scene: set().union(*(dataset.present(i) for i in scenes[scene])) for scene in order}
    holders = {label: [s for s in order if label in shows[s]] for label in range(1, len(CLOTHING) + 1)}

    room = _sizes(len(dataset.ids))
    lacks = {label: {part: share * len(held) for part, share in PARTS.items()} for label, held in holders.items()}
    placed: dict[int, str] = {}

    def place(scene: int, wanted: dict[str, float]) -> None:
        size = len(scenes[scene])
        # Where it fits nowhere, the part with most room: so none ends further from its size than one scene.
        fitting = [part for part in PARTS if room[part] >= size] or [max(PARTS, key=lambda part: room[part])]
        part = max(fitting, key=lambda part: (wanted[part], room[part] / PARTS[part]))
        placed[scene] = part
        room[part] -= size
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
    for part in [part for part in PARTS if part not in placed.values()]:  # a few large scenes can leave a part empty
        held = list(placed.values())
        richest = max(PARTS, key=held.count)
        placed[min((s for s in order if placed[s] == richest), key=lambda s: len(scenes[s]))] = part
    return {
        part: sorted(i for scene, where in placed.items() if where == part for i in scenes[scene]) for part in PARTS
    }


def _sizes(images: int) -> dict[str, int]:
    """Images per part by largest remainder; no part is empty."""
    sizes = {part: int(share * images + 1e-9) for part, share in PARTS.items()}
    for part in sorted(PARTS, key=lambda part: sizes[part] - PARTS[part] * images)[: images - sum(sizes.values())]:
        sizes[part] += 1
    for part in PARTS:
        if sizes[part] == 0:
            sizes[part] = 1
            sizes["train"] -= 1
    return sizes

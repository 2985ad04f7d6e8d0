"""How well ``modanet audit`` finds annotations that were exchanged: ``python -m tests.bench.exchanged [DATA]``.

In a hundred draws, a tenth of the test photos exchange their annotations in pairs of equal size. The area under the ROC
curve is the share of pairs (a photo with another's annotation, one with its own) of which the former scores lower: what
is wrong with the annotations as they are counts against it. Then the photos of one scene exchange theirs: one person in
two pictures. The record goes to reports/ccp/audit.json.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.photo.audit import MISFIT, RECORD, annotated, evidence, scores
from modanet_utils.photo.network import Network, open_network
from modanet_utils.project import ROOT, provenance, write_json
from modanet_utils.splits import split

DRAWS = 100


def pairs(sizes: list[tuple[int, int]], rng: np.random.Generator) -> list[tuple[int, int]]:
    """Places of photos that exchange their annotations: pairs of one size, a tenth of all photos at least."""
    free: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, size in enumerate(sizes):
        free[size].append(place)
    found: list[tuple[int, int]] = []
    while 20 * len(found) < len(sizes):
        able = [place for places in free.values() if len(places) > 1 for place in places]
        first = able[rng.integers(len(able))]
        places = free[sizes[first]]
        places.remove(first)
        found.append((first, places.pop(rng.integers(len(places)))))
    return found


def exchanged(fits: np.ndarray, found: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Scores after these exchanges, and which photos have taken part; ``fits`` is ``(photos, annotations)``."""
    order = np.arange(len(fits))
    for one, other in found:
        order[[one, other]] = other, one
    fits, moved = fits[:, order], order != np.arange(len(fits))
    others = np.where(np.eye(len(fits), dtype=bool), np.nan, fits)
    return scores(np.diagonal(fits), others, others.T), moved


def area(wrong: np.ndarray, right: np.ndarray) -> float:
    """Area under the ROC curve of low scores for what is wrong; a tie counts half."""
    return float(np.mean((wrong[:, None] < right) + 0.5 * (wrong[:, None] == right)))


def measured(dataset: Dataset, network: Network, draws: int) -> dict[str, Any]:
    """The record: of validation (where the score was chosen) and test, and of the scenes that are there twice."""
    parts, scenes = split(dataset), defaultdict[Any, list[int]](list)
    for image_id, record in dataset.images.items():
        if "group" in record:
            scenes[record["group"]].append(image_id)
    twice = [ids for ids in scenes.values() if len(ids) == 2]
    ids = [*parts["test"], *parts["val"], *(one for pair in twice for one in pair)]
    seen = {
        one: (evidence(network, dataset.image(one)), annotated(dataset.label_map(one))) for one in dict.fromkeys(ids)
    }
    about = {"run": network.folder.name, "config_hash": network.config.hash, "fingerprint": dataset.fingerprint}
    return {
        **about,
        "draws": draws,
        "threshold": MISFIT,
        "validation": _of_part(dataset, parts["val"], seen, draws),
        "test": _of_part(dataset, parts["test"], seen, draws),
        "same_scene": _same_scene(twice, parts, seen),
        "provenance": provenance(),
    }


Seen = dict[int, tuple[np.ndarray, np.ndarray]]


def _fits(seen: Seen, ids: list[int]) -> np.ndarray:
    return np.stack([seen[one][0] for one in ids]) @ np.stack([seen[one][1] for one in ids]).T


def _of_part(dataset: Dataset, ids: list[int], seen: Seen, draws: int) -> dict[str, Any]:
    fits, sizes = _fits(seen, ids), [dataset.size(image_id) for image_id in ids]
    areas, found, lost, until_all = (np.empty(draws) for _ in range(4))
    for draw in range(draws):
        drawn, moved = exchanged(fits, pairs(sizes, np.random.default_rng(draw)))
        wrong, right = drawn[moved], drawn[~moved]
        areas[draw], found[draw] = area(wrong, right), (wrong < MISFIT).mean()
        lost[draw], until_all[draw] = (right < MISFIT).mean(), (right <= wrong.max()).mean()
    return {
        "photos": len(ids),
        "exchanged": int(moved.sum()),
        "area_under_roc": _spread(areas),
        "found": _spread(found),
        "lost": _spread(lost),
        "lost_where_all_are_found": _spread(until_all),
        "below_threshold_as_they_are": int((exchanged(fits, [])[0] < MISFIT).sum()),
    }


def _same_scene(twice: list[list[int]], parts: dict[str, list[int]], seen: Seen) -> dict[str, Any]:
    """Of photos that exchange their annotation with the scene's other one, each held against the test part."""
    test = parts["test"]
    plain, found, common = exchanged(_fits(seen, test), [])[0], [], []
    for photo, other in [order for pair in twice for order in (pair, pair[::-1])]:
        speaks, claims = seen[photo][0], seen[other][1]
        rest = [seen[one] for one in test if one not in (photo, other)]
        others, elsewhere = (np.array(fits) for fits in zip(*((speaks @ c, s @ claims) for s, c in rest), strict=True))
        found.append(float(scores(speaks @ claims, others, elsewhere)))
        both = [seen[one][1].reshape(len(CLASSES), -1)[1:] for one in (photo, other)]
        common.append(float(np.minimum(*both).sum() / np.maximum(*both).sum()))
    return {
        "photos": len(found),
        "in_training": sum(one in set(parts["train"]) for pair in twice for one in pair),
        "found": int((np.array(found) < MISFIT).sum()),
        "area_under_roc": area(np.array(found), plain) if found else None,
        "iou_of_the_two_annotations": float(np.mean(common)) if found else None,
    }


def _spread(values: np.ndarray) -> dict[str, Any]:
    """Mean over the draws, and between what 95 of 100 draws lie."""
    return {"value": float(values.mean()), "interval": np.quantile(values, (0.025, 0.975)).tolist()}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=ROOT / "data" / "ccp")
    parser.add_argument("--run", help="default: the recommended one")
    given = parser.parse_args(arguments)
    record = measured(open_dataset(given.data), open_network(given.run), DRAWS)
    write_json(RECORD, record)
    print(record)
    return 0


if __name__ == "__main__":
    sys.exit(main())

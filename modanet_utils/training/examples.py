"""A few test photos chosen by rule, and what finished networks see on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from modanet_utils import plots
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import Dataset, is_drawn
from modanet_utils.metrics import image_mean_iou
from modanet_utils.project import write_whole
from modanet_utils.results.text import listed
from modanet_utils.training.predict import predict
from modanet_utils.training.runs import Run
from modanet_utils.training.samples import photo_and_truth
from modanet_utils.training.weights import WEIGHTS
from modanet_utils.trials import PREFERRED, TRIALS, label_of

TRUTH, DRAWN = "ground truth", "drawn figure"


@dataclass(frozen=True)
class Example:
    """A photo ``(H, W, 3) uint8`` with its label maps ``(H, W) uint8`` by heading, the ground truth first."""

    name: str
    photo: np.ndarray
    maps: dict[str, np.ndarray]


def choose(run: Run, rare: Sequence[str], number: int = 4) -> list[int]:
    """Ids of test photos spread evenly over a run's scores: neither its best nor its worst.

    Of the photos that show one of the classes ``rare`` (of all where none does) those at the quantiles 1/8, 3/8, ...
    of the photo's own mean IoU; of equals the earlier in the test part.
    """
    shown = (run.counts[:, [CLASSES.index(name) for name in rare]].sum(axis=2) > 0).any(axis=1)
    scores = image_mean_iou(run.counts)
    wanted = shown | ~shown.any()
    pool = [at for at in np.argsort(scores, kind="stable") if wanted[at]]
    number = min(number, len(pool))
    return [run.ids[pool[int((step + 0.5) / number * len(pool))]] for step in range(number)]


def networks(runs: Mapping[str, Run]) -> dict[str, Run]:
    """Of finished runs with their weights those that the strip shows: both losses, and the network that is preferred,
    or else the last remedy there is."""
    there = {name: run for name, run in runs.items() if name in TRIALS and (run.folder / WEIGHTS).is_file()}
    others = [name for name in TRIALS if TRIALS[name].part == "remedies"][::-1]
    best = [name for name in (*PREFERRED[:1], *others) if name in there][:1]
    return {name: there[name] for name in ("cross_entropy", "combined", *best) if name in there}


def predicted(runs: Mapping[str, Run], dataset: Dataset, ids: Sequence[int]) -> list[Example]:
    """Ground truth and every network's label map of some photos, at the photo's own size."""
    found = []
    for image_id in ids:
        photo, truth = photo_and_truth(dataset, image_id)
        name = DRAWN if is_drawn(dataset.name) else f"{dataset.name}, image"
        found.append(Example(f"{name} {image_id}", photo, {TRUTH: truth}))
    for name, run in runs.items():
        network, letterbox = run.network(), Letterbox(run.config.image_height, run.config.image_width)
        for one in found:
            one.maps[label_of(name)] = predict(network, one.photo, letterbox)
    return found


def strip(examples: Sequence[Example], rare: Sequence[str], photos: bool = False) -> tuple[Figure, str]:
    """The label maps side by side, below the photos where these are wanted, with alternative text.

    The title counts the rare garments of which each network finds a tenth of the pixels, and those that it makes up.
    """
    worn = [(one, CLASSES.index(name)) for one in examples for name in rare if CLASSES.index(name) in one.maps[TRUTH]]
    _, *names = examples[0].maps
    hits = [sum(not plots.lost(one.maps[TRUTH], one.maps[name], label) for one, label in worn) for name in names]
    told = listed([f"{name} {hit}" for name, hit in zip(names, hits, strict=True)])
    false = listed([str(sum(plots.made_up(one.maps[TRUTH], one.maps[name]) for one in examples)) for name in names])
    what = "figures drawn for this run" if examples[0].name.startswith(DRAWN) else "photos"
    title = f"Found of the {len(worn)} rare garments on these {what}: {told}; garments seen that nobody wears: {false}"
    columns = {one.name: one.maps for one in examples}
    figure = plots.strip(columns, title, [one.photo for one in examples] if photos else ())
    return figure, f"Label maps of {len(examples)} test photos, rows {', '.join(examples[0].maps)}. {title}."


def keep(examples: Sequence[Example], rare: Sequence[str], out: Path) -> None:
    """Write the strip, label maps only, into the folder of a report, for its README; never a photo."""
    image, _ = plots.picture(*strip(examples, rare))
    write_whole(out / "figures" / "strip.png", image.data)

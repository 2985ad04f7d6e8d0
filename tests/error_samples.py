"""Material of the tests about errors: counts of two trials, a network that knows hats by their colour, its tables."""

import functools

import numpy as np
import pandas as pd
import torch
from torch import nn

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, LABELS, SKIN
from modanet_utils.errors.causes.pasting import crowd_counts, crowd_table, hat_counts, hat_table
from modanet_utils.errors.causes.pictures import Scene, palette
from modanet_utils.errors.causes.recoloring import dose_response, explain_leak, recoloring_counts
from modanet_utils.errors.causes.stage import Stage
from modanet_utils.errors.places import EDGES, Scan
from modanet_utils.errors.sources import Source
from modanet_utils.errors.tables import answers, depth_table, kind_table, outline_table, size_table, skin_deeper
from modanet_utils.results.schema import plain

TOP = CLASSES.index("top")
EMPTY = np.zeros((len(LABELS), len(CLASSES)), np.int64)
BROWN, RED, GREY = (90, 60, 40), (200, 30, 40), (128, 128, 128)


def image(**flows: int) -> np.ndarray:
    """Counts of one image; ``hair_headwear=8`` are eight pixels of hair called headwear."""
    counts = EMPTY.copy()
    for flow, pixels in flows.items():
        truth, prediction = flow.split("_")
        counts[LABELS.index(truth), CLASSES.index(prediction)] = pixels
    return counts


def counts_before() -> np.ndarray:
    """Three images (10,000 pixels each) of a trial that never says headwear; the second shows some."""
    return np.stack(
        [
            image(background_background=9500, top_top=200, hair_background=200, skin_background=90, skin_top=10),
            image(background_background=9700, headwear_background=100, hair_background=150, skin_background=50),
            image(background_background=9900, hair_background=50, skin_background=50),
        ]
    )


def counts_after() -> np.ndarray:
    """The same images by a trial that says headwear too often."""
    return np.stack(
        [
            image(background_background=9490, background_headwear=10, top_top=180, top_dress=20)
            + image(hair_background=180, hair_headwear=20, skin_background=70, skin_top=30),
            image(background_background=9700, headwear_headwear=60, headwear_background=40)
            + image(hair_background=140, hair_headwear=10, skin_background=50),
            image(background_background=9898, background_headwear=2, hair_background=48, hair_headwear=2)
            + image(skin_background=50),
        ]
    )


def scan_of(counts: np.ndarray, called: int) -> Scan:
    """A scan of three images in which a tenth of the skin lies deep, and ``called`` of it is called clothing."""
    depth = np.zeros((3, len(EDGES) + 1, 2), np.int64)
    depth[:, 0], depth[:, 5] = (80, 10), (10 - called, called)
    coarse = np.stack([depth[:, :5].sum(axis=1), depth[:, 5]], axis=1)
    nothing = np.stack([depth.sum(axis=2), 0 * depth.sum(axis=2)], axis=2)
    found = {"depth": depth, "coarse": coarse, "limit": counts, "limit_depth": nothing}
    found["limit_coarse"] = np.stack([coarse.sum(axis=2), 0 * coarse.sum(axis=2)], axis=2)
    return Scan(counts, found, {})


def answer_table() -> pd.DataFrame:
    """Both trials' answers, with the rows about skin far from clothing."""
    before, after = counts_before(), counts_after()
    return pd.concat([answers(before, after, before), skin_deeper(scan_of(before, 0), scan_of(after, 10))])


class RedIsHeadwear(nn.Module):
    """Calls red pixels headwear and everything else background."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = nn.Module()
        self.unet.segmentation_head = nn.Conv2d(3, len(CLASSES), 1)
        with torch.no_grad():
            self.unet.segmentation_head.weight.zero_()
            self.unet.segmentation_head.bias.fill_(-100.0)
            self.unet.segmentation_head.bias[0] = 0.0
            self.unet.segmentation_head.weight[HEADWEAR] = torch.tensor([20.0, -20.0, 0.0]).view(3, 1, 1)
            self.unet.segmentation_head.bias[HEADWEAR] = -6.0  # red exceeds green by 0.3

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.unet.segmentation_head(photos.float() / 255)


def person(hair: tuple[int, int, int], hat: tuple[int, int, int] | None = None, seed: int = 0) -> Scene:
    truth = np.zeros((64, 64), np.uint8)
    truth[8:18, 24:34], truth[18:24, 25:33], truth[24:60, 22:36] = HAIR, SKIN, TOP
    if hat:
        truth[6:12, 22:36] = HEADWEAR
    photo = np.full((64, 64, 3), 230, np.uint8)
    for label, color in ((HAIR, hair), (SKIN, (220, 180, 150)), (TOP, (40, 60, 120)), (HEADWEAR, hat or GREY)):
        photo[truth == label] = color
    noise = np.random.default_rng(seed).integers(-6, 7, photo.shape)
    return Scene(np.clip(photo + noise, 0, 255).astype(np.uint8), truth)


@functools.cache
def make_stage() -> Stage:
    """Brown hair of several shades in the test images, red hats in the training images."""
    shades = [(80, 55, 40), (95, 65, 45), (70, 50, 35), (60, 40, 30), (110, 80, 55), (50, 35, 30)]
    scenes = {i: person(shade, seed=i) for i, shade in enumerate(shades * 2)}
    scenes[90], scenes[91] = person(BROWN, RED, 90), person(BROWN, RED, 91)
    hats = [person(shade, RED, 100 + i) for i, shade in enumerate(shades)]
    blond = [person(color, seed=200 + i) for i, color in enumerate([(200, 170, 110), (210, 180, 130), (190, 160, 100)])]
    return Stage(RedIsHeadwear(), scenes, hats, palette(hats, HEADWEAR), palette(blond + hats, HAIR))


@functools.cache
def make_tables() -> dict[str, pd.DataFrame]:
    """Every table that is recorded, by name; those of the experiments are of `make_stage`."""
    stage, rng = make_stage(), np.random.default_rng(0)
    counts = rng.integers(1, 50, (6, 16, 14))
    observed = pd.DataFrame(rng.uniform(0.1, 1, (20, 4)), columns=["leak", "distance", "area", "height"])
    return {
        "leak_model": explain_leak(observed),
        "recoloring": dose_response(recoloring_counts(stage, 3, quiet=True)),
        "pasted_hats": hat_table(hat_counts(stage, 3, quiet=True), counts),
        "crowd": crowd_table(crowd_counts(stage, 2, quiet=True)),
        "outlines": outline_table(rng.integers(1, 50, (6, 13, 4, 2))),
        "sizes": size_table(np.concatenate([counts, counts + 50_000 * (np.arange(16)[:, None] + np.arange(14) == 0)])),
        "kinds": kind_table(rng.integers(1, 50, (6, 13, 7))),
    }


def make_source(unit: float = 1, heading: str = "") -> Source:
    """Everything that notebooks 04 and 05 record, every number times ``unit``: NaN for data that define nothing."""
    errors: dict = {"counts": {}, "skin_by_distance": {}}
    for name, counts in (("cross_entropy", counts_before()), ("combined", counts_after())):
        errors["counts"][name] = counts.sum(axis=0) * (unit == 1)
        errors["skin_by_distance"][name] = depth_table(scan_of(counts, 5).found["depth"]).reset_index()
    tables = {name: table.rename_axis("row").reset_index() for name, table in make_tables().items()}
    tables["answers"] = answer_table().rename_axis("row").reset_index()
    for table in [*tables.values(), *errors["skin_by_distance"].values()]:
        numbers = [name for name in table.columns if name not in ("row", "text", "pixels from clothing")]
        table[numbers] = table[numbers] * unit
    errors["skin_by_distance"] = {name: one.to_dict("records") for name, one in errors["skin_by_distance"].items()}
    errors |= {name: table.to_dict("records") for name, table in tables.items()}
    dataset = {"name": "tiny", "images": 3, "split": {"test": 3}, "class_share": dict.fromkeys(CLASSES, 1 / 14)}
    return Source(plain({"errors": errors, "dataset": dataset}), heading)


def make_trials() -> dict[str, dict]:
    """Entries of results.json: the combined loss twice, once longer, and cross-entropy, that takes nothing for hats."""
    shares = {"cross_entropy": (15, 0.0, 0.1), "combined": (15, 0.2, 0.3), "combined-seed1": (15, 0.3, 0.4)}
    shares |= {"combined_long": (45, 0.02, 0.2), "all_background": (1, 0.0, 0.0)}
    return {
        name: {"epochs": epochs, "test": {"body": {"hair_as_headwear": {"value": hair, "interval": None},
               "skin_as_clothing": {"value": skin, "interval": None}}, "classes": {"headwear": {"iou": 0.1}}}}
        for name, (epochs, hair, skin) in shares.items()
    }  # fmt: skip

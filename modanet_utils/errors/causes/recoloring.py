"""Is it the colour? Observed over photos, and changed: hair recoloured toward hats, with two controls."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from modanet_utils.classes import HAIR, HEADWEAR, IGNORE
from modanet_utils.errors.causes.pictures import Scene, directions, distance_moved, mean_color, nearness, recolor
from modanet_utils.errors.causes.questions import ARMS
from modanet_utils.errors.causes.stage import BATCH, PICTURES, Stage, hairy, look
from modanet_utils.errors.tables import estimates
from modanet_utils.metrics import ratio
from modanet_utils.progress import Progress
from modanet_utils.statistics import RESAMPLES
from modanet_utils.training.runs import Run

STEPS: tuple[int, ...] = (6, 12, 18, 24, 30)
"""How far hair is recoloured, in Lab: from just visible to about half the way from black to blond."""
TOLERANCE = 0.5
"""By how much, in Lab, a recolouring may miss its distance: far less than the eye sees."""


def hair_colors(one: Stage, run: Run) -> pd.DataFrame:
    """Every hatless test image with hair: what of its hair is called headwear, and what might explain that.

    ``leak`` (of the run's counts, at the photo's resolution), ``distance`` (Lab, of the hair from hats' colours),
    ``area`` (hair's share of the picture) and ``height`` (its middle, 0 at the bottom and 1 at the top).
    """
    leaks = dict(zip(run.ids, ratio(run.counts[:, HAIR, HEADWEAR], run.counts[:, HAIR].sum(axis=-1)), strict=True))
    rows = {}
    for image_id in hairy(one, None) if len(one.hats) else []:
        photo, truth = one.scenes[image_id]
        hair = truth == HAIR
        distance = float(nearness(mean_color(photo, hair), one.hats))
        area, height = hair.sum() / (truth != IGNORE).sum(), 1 - np.nonzero(hair)[0].mean() / len(truth)
        rows[image_id] = leaks[image_id], distance, area, height
    return pd.DataFrame.from_dict(rows, orient="index", columns=["leak", "distance", "area", "height"])


def explain_leak(frame: pd.DataFrame) -> pd.DataFrame:
    """A linear model of the leak: how it changes with one standard deviation of a cause, the others held.

    Least squares over images; the area enters as its logarithm. Intervals are percentiles over resampled images.
    A row a cause: ``slope`` with ``_low`` and ``_high``, as a share of the hair, and ``unit``, the standard
    deviation. NaN where there are fewer than ten images, or something does not vary.
    """
    causes = ["distance", "area", "height"]
    table = pd.DataFrame(np.nan, causes, ["slope", "slope_low", "slope_high", "unit"])
    x = frame[causes].assign(area=np.log10(frame["area"].astype(float))).to_numpy(float)
    if len(x) < 10 or (x.std(axis=0) < 1e-9).any() or frame["leak"].std() < 1e-9:
        return table
    scaled = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])
    y = frame["leak"].to_numpy(float)
    drawn = np.random.default_rng(0).multinomial(len(x), np.full(len(x), 1 / len(x)), size=RESAMPLES)
    weights = np.concatenate([np.ones((1, len(x))), drawn])
    normal = np.einsum("rn,ni,nj->rij", weights, scaled, scaled)
    slopes = np.einsum("rij,rj->ri", np.linalg.pinv(normal), np.einsum("rn,ni,n->ri", weights, scaled, y))[:, 1:]
    table["slope"], table["unit"] = (
        slopes[0],
        [frame["distance"].std(ddof=0), x[:, 1].std(), frame["height"].std(ddof=0)],
    )
    table["slope_low"], table["slope_high"] = np.quantile(slopes[1:], [0.025, 0.975], axis=0)
    return table


def recolored(one: Stage, image_id: int) -> list[NDArray[np.uint8]]:
    """The photo unchanged, then every arm of `ARMS` at every step of `STEPS`.

    The background goes the way of the hair, or the opposite way where it is too bright or dark to go that as far.
    """
    photo, truth = one.scenes[image_id]
    hair, background = truth == HAIR, truth == 0
    toward = directions(mean_color(photo, hair), STEPS[-1], one.hats, one.hairs)
    farthest = recolor(photo, background, toward[0], STEPS[-1])
    short = background.any() and distance_moved(photo, farthest, background) < STEPS[-1] - TOLERANCE
    arms = ((hair, toward[0]), (hair, toward[1]), (background, -toward[0] if short else toward[0]))
    return [photo, *(recolor(photo, mask, way, step) for mask, way in arms for step in STEPS)]


def recoloring_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Hair of every image under every condition: ``(images, 1 + arms x steps, 3)``.

    The three: pixels not called headwear, those called so, and its probabilities added up, in thousandths.
    """
    ids = hairy(one, number) if len(one.hats) and len(one.hairs) else []
    progress, counts = Progress(len(ids), quiet), np.zeros((len(ids), 1 + len(ARMS) * len(STEPS), 3), np.int64)
    worst = 0.0
    for row, image_id in enumerate(progress.over(ids, "recolouring")):
        hair, photos = one.scenes[image_id].truth == HAIR, recolored(one, image_id)
        worst = max(worst, distance_error(photos, one.scenes[image_id]))
        for at in range(0, len(photos), BATCH):
            logits = look(one.net, photos[at : at + BATCH]).logits[:, :, hair]
            called = (logits.argmax(axis=1) == HEADWEAR).sum(axis=1)
            likely = np.rint(1000 * softmax(logits.astype(np.float64), axis=1)[:, HEADWEAR].sum(axis=1))
            counts[row, at : at + BATCH] = np.stack([hair.sum() - called, called, likely], axis=1)
    ways = f"{len(ids)} images recoloured in {counts.shape[1] - 1} ways"
    progress.close(f"{ways}; no distance missed by more than {worst:.1f}")
    return counts


def distance_error(photos: Sequence[NDArray[np.uint8]], scene: Scene) -> float:
    """By how much the recolourings of a photo, from `recolored`, miss their distances at the most, in Lab."""
    hair, background = scene.truth == HAIR, scene.truth == 0
    masks = np.repeat([hair, hair, background], len(STEPS), axis=0)
    moved = [distance_moved(scene.photo, photo, mask) for photo, mask in zip(photos[1:], masks, strict=True)]
    return float(np.abs(np.array(moved) - len(ARMS) * STEPS).max())


def dose_response(counts: NDArray) -> dict[str, pd.DataFrame]:
    """Hair called headwear by how far it, or the background, was recoloured, from `recoloring_counts`.

    "called" (the share of hair called headwear) and "probability" (of headwear, the mean over hair). Each a row a
    distance, 0 first: the arms of `ARMS`, ``difference`` (toward hats minus toward other hair) and
    ``against_background`` (toward hats minus the background recoloured), with intervals.
    """

    def measure(summed: NDArray, at: int, unit: int) -> NDArray:
        share = ratio(summed[..., at], unit * summed[..., :2].sum(axis=-1))
        hat, hair, background = (
            np.concatenate([share[..., :1], arm], axis=-1) for arm in np.split(share[..., 1:], len(ARMS), axis=-1)
        )
        return np.concatenate([hat, hair, background, hat - hair, hat - background], axis=-1)

    index, columns = pd.Index((0, *STEPS), name="distance"), (*ARMS, "difference", "against_background")
    units = {"called": (1, 1), "probability": (2, 1000)}
    return {
        name: estimates(index, columns, counts, partial(measure, at=at, unit=unit))
        for name, (at, unit) in units.items()
    }

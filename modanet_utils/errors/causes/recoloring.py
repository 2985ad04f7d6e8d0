"""Is it the colour? Observed over photos, and changed: hair recoloured toward hats, with two controls."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils.classes import HAIR, HEADWEAR, IGNORE
from modanet_utils.errors.causes.pictures import Scene, directions, distance_moved, mean_color, nearness, recolor
from modanet_utils.errors.causes.stage import PICTURES, Stage, hairy, look
from modanet_utils.errors.tables import estimates
from modanet_utils.metrics import ratio
from modanet_utils.progress import spread
from modanet_utils.statistics import RESAMPLES
from modanet_utils.training.runs import Run

STEPS: tuple[int, ...] = (6, 12, 18, 24, 30)
"""How far hair is recoloured, in Lab: from just visible to about half the way from black to blond."""
CONDITIONS = ("hat", "hair", "background")
"""What is recoloured: hair toward a hat's colour, and as controls hair toward other hair, and the background as far."""
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
    table["slope"] = slopes[0]
    table["unit"] = [frame["distance"].std(ddof=0), x[:, 1].std(), frame["height"].std(ddof=0)]
    table["slope_low"], table["slope_high"] = np.quantile(slopes[1:], [0.025, 0.975], axis=0)
    return table


def recolored(one: Scene, hats: NDArray, hairs: NDArray) -> list[NDArray[np.uint8]]:
    """The photo unchanged, then every condition of `CONDITIONS` at every step of `STEPS`.

    The background goes the way of the hair, or the opposite way where it is too bright or dark to go that as far.
    ``hats`` and ``hairs`` are the colours that there are, ``(n, 3)`` in Lab.
    """
    photo, truth = one
    hair, background = truth == HAIR, truth == 0
    toward = directions(mean_color(photo, hair), STEPS[-1], hats, hairs)
    farthest = recolor(photo, background, toward[0], STEPS[-1])
    short = background.any() and distance_moved(photo, farthest, background) < STEPS[-1] - TOLERANCE
    ways = ((hair, toward[0]), (hair, toward[1]), (background, -toward[0] if short else toward[0]))
    return [photo, *(recolor(photo, mask, way, step) for mask, way in ways for step in STEPS)]


def recoloring_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Hair of every image under every condition, pixels not called headwear and called so.

    ``(images, 1 + conditions x steps, 2)``.
    """
    ids = hairy(one, number) if len(one.hats) and len(one.hairs) else []
    changes = len(CONDITIONS) * len(STEPS)

    def of_each(image_id: int) -> NDArray[np.int64]:
        hair, photos = one.scenes[image_id].truth == HAIR, recolored(one.scenes[image_id], one.hats, one.hairs)
        called = (look(one.net, photos)[:, hair] == HEADWEAR).sum(axis=1)
        return np.stack([hair.sum() - called, called], axis=1)

    counts = list(spread(of_each, ids, "recolouring", f"{len(ids)} images recoloured in {changes} ways", quiet))
    return np.array(counts, np.int64).reshape(-1, 1 + changes, 2)


def dose_response(counts: NDArray) -> pd.DataFrame:
    """Share of the hair called headwear by how far it, or the background, was recoloured, from `recoloring_counts`.

    A row a distance, 0 first: the conditions of `CONDITIONS`, ``difference`` (toward hats minus toward other hair) and
    ``against_background`` (toward hats minus the background recoloured), with intervals.
    """

    def measure(summed: NDArray) -> NDArray:
        share = ratio(summed[..., 1], summed.sum(axis=-1))
        each = np.split(share[..., 1:], len(CONDITIONS), axis=-1)
        hat, hair, background = (np.concatenate([share[..., :1], own], axis=-1) for own in each)
        return np.concatenate([hat, hair, background, hat - hair, hat - background], axis=-1)

    index = pd.Index((0, *STEPS), name="distance")
    return estimates(index, (*CONDITIONS, "difference", "against_background"), counts, measure)

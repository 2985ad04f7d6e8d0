"""Is it in the features? A line through colours and features that tells hair from headwear."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from modanet_utils.classes import HAIR, HEADWEAR
from modanet_utils.errors.causes.pictures import Scene, to_lab
from modanet_utils.errors.causes.questions import PROBES
from modanet_utils.errors.causes.stage import PICTURES, Stage, hairy, look
from modanet_utils.errors.tables import estimates
from modanet_utils.metrics import ratio
from modanet_utils.progress import Progress

BINS = 200
"""Scores between 0 and 1 are counted in so many bins: enough that the area under a curve does not notice."""
SAMPLE = 60
"""Pixels of a label that the probe is fitted on, per image."""


def logistic(x: NDArray, y: NDArray, penalty: float = 1e-3, steps: int = 30) -> NDArray[np.float64]:
    """Logistic regression by Newton's method, both classes weighing the same: ``(d + 1,)``, the constant first.

    Args:
        x, y: ``(n, d)``, standardised, and ``(n,) bool``.
        penalty: Of the squared coefficients, the constant's excepted, on the mean loss.
    """
    x = np.column_stack([np.ones(len(x)), x])
    weight = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum())
    ridge = penalty * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
    beta = np.zeros(x.shape[1])
    for _ in range(steps):
        p = expit(x @ beta)
        slope = x.T @ (weight * (p - y)) + ridge @ beta
        bend = (x * (weight * p * (1 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(len(beta))
        step = np.linalg.solve(bend, slope)
        beta -= step
        if np.abs(step).max() < 1e-8:
            break
    return beta


def _inputs(scene: Scene, features: NDArray, at: tuple[NDArray, ...]) -> dict[str, NDArray]:
    """What the probes see of some pixels: colour with its squares and products, and decoder features."""
    lab = to_lab(scene.photo[at]) / 50 - [1, 0, 0]
    products = [lab[:, i] * lab[:, j] for i in range(3) for j in range(i, 3)]
    return {"color": np.column_stack([lab, *products]), "features": features[:, at[0], at[1]].T.astype(np.float64)}


def probe_counts(one: Stage, number: int = PICTURES, seed: int = 0, quiet: bool = False) -> NDArray[np.int64]:
    """How well hair and headwear of test images are told apart: ``(images, probes x 2, BINS)``.

    Rows 2k and 2k + 1 are hair and headwear by the score of probe k of `PROBES`; decided for headwear is the
    upper half of the bins. The probes are fitted on training images: those with headwear and as many without,
    `SAMPLE` random pixels of either label from each. They are tried on all test images with headwear, and on the
    hair of ``number`` without.
    """
    with_hats = [i for i, scene in one.scenes.items() if HEADWEAR in scene.truth]
    ids, train = sorted({*with_hats, *hairy(one, number)}), [*one.hat_scenes, *one.hair_scenes]
    if not with_hats or not len(one.hats) or not len(one.hairs):
        return np.zeros((0, 2 * len(PROBES), BINS), np.int64)
    rng, progress = np.random.default_rng(seed), Progress(len(train) + len(ids), quiet)
    seen: dict[str, list[NDArray]] = {"color": [], "features": []}
    truths = []
    for at, scene in enumerate(train):
        where = [rng.permutation(np.argwhere(scene.truth == label))[:SAMPLE] for label in (HAIR, HEADWEAR)]
        truths.append(np.repeat([False, True], [len(part) for part in where]))
        pixels = tuple(np.concatenate(where).T)
        for name, values in _inputs(scene, look(one.net, [scene.photo]).features[0], pixels).items():
            seen[name].append(values)
        progress.step(at + 1, "fitting probes")
    fits = {}
    for name, parts in seen.items():
        x = np.concatenate(parts)
        mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
        fits[name] = mean, scale, logistic((x - mean) / scale, np.concatenate(truths))
    counts = np.zeros((len(ids), 2 * len(PROBES), BINS), np.int64)
    for row, image_id in enumerate(ids):
        scene = one.scenes[image_id]
        view = look(one.net, [scene.photo])
        for half, label in enumerate((HAIR, HEADWEAR)):
            pixels = np.nonzero(scene.truth == label)
            if not len(pixels[0]):
                continue
            own, *others = np.roll(view.logits[0][:, *pixels], -HEADWEAR, axis=0)
            scores = {"network": own - np.max(others, axis=0)}  # above 0 it is decided for headwear
            for name, values in _inputs(scene, view.features[0], pixels).items():
                mean, scale, beta = fits[name]
                scores[name] = beta[0] + (values - mean) / scale @ beta[1:]
            for probe, name in enumerate(PROBES):
                bins = np.minimum((BINS * expit(scores[name])).astype(int), BINS - 1)
                counts[row, 2 * probe + half] = np.bincount(bins, minlength=BINS)
        progress.step(len(train) + row + 1, "probing")
    progress.close(f"probes fitted on {len(train)} training images and tried on {len(ids)} test images")
    return counts


def auc(hair: NDArray, headwear: NDArray) -> NDArray[np.float64]:
    """Area under the ROC curve of counts by score ``(..., bins)``: how often headwear scores above hair."""
    below = np.cumsum(hair, axis=-1) - hair
    return ratio((headwear * (below + hair / 2)).sum(-1), hair.sum(-1) * headwear.sum(-1))


def balanced(hair: NDArray, headwear: NDArray) -> NDArray[np.float64]:
    """Mean of the shares of hair below and of headwear above the middle of the bins ``(..., bins)``."""
    half = hair.shape[-1] // 2
    right = ratio(hair[..., :half].sum(-1), hair.sum(-1)), ratio(headwear[..., half:].sum(-1), headwear.sum(-1))
    return (right[0] + right[1]) / 2


def probe_table(counts: NDArray) -> pd.DataFrame:
    """`auc` and `balanced` of every probe and of features minus the network's, with intervals."""

    def measure(summed: NDArray) -> NDArray:
        values = np.stack([score(summed[..., 0::2, :], summed[..., 1::2, :]) for score in (auc, balanced)], axis=-2)
        return np.concatenate([values, values[..., 1:2] - values[..., 2:3]], axis=-1)

    table = estimates([*PROBES, "gain"], ("auc", "balanced"), counts, measure)
    return table.assign(text=[*PROBES.values(), "features minus the network's own"])

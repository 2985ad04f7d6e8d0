"""What a finished network makes of changed pictures, and what its features hold: nothing is trained but a line.

Pictures are those of `counterfactuals`, seen and scored at the network's own resolution. Every experiment gives
integer counts ``(images, ..., ...)``, from which `statistics` makes intervals over images; arms of an experiment
are of the same images, so that differences are paired.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import expit, softmax

from modanet_utils import counterfactuals as cf
from modanet_utils import metrics, statistics
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, IGNORE, LABELS
from modanet_utils.counterfactuals import Colors, Cutout, Pair, Scene
from modanet_utils.datasets import Dataset
from modanet_utils.metrics import ratio
from modanet_utils.model import Net
from modanet_utils.progress import Progress
from modanet_utils.statistics import Measure
from modanet_utils.training import Run, class_logits

STEPS: tuple[int, ...] = (6, 12, 18, 24, 30)
"""How far hair is recoloured, in Lab: from just visible to about half the way from black to blond."""
ARMS: dict[str, str] = {
    "hat": "hair, toward a hat's colour",
    "hair": "hair, toward other hair",
    "background": "background, as far",
}
"""What is recoloured: the treatment and its two controls."""
TOLERANCE = 0.5
"""By how much, in Lab, a recolouring may miss its distance: far less than the eye sees."""
OVERLAPS: tuple[float, ...] = (0.0, 0.1, 0.3)
"""Shares of the rear person that the front one covers."""
PICTURES = 40
"""Test images that are recoloured, that get a hat, and whose hair is probed, where there are so many."""
PAIRS = 20
"""Pairs of people that are composed."""
MOST_SCENES = 300
"""Test images, and images with hats, that are looked at at the most."""
BATCH = 8
BINS = 200
"""Scores between 0 and 1 are counted in so many bins: enough that the area under a curve does not notice."""
SAMPLE = 60
"""Pixels of a label that the probe is fitted on, per image."""


# ------------------------------------------------------------------------------------------- looking


class Look(NamedTuple):
    """A network's view of scenes: features ``(n, C, H, W) float32`` and logits ``(n, 14, H, W) float32``."""

    features: NDArray[np.float32]
    logits: NDArray[np.float32]


@torch.inference_mode()
def look(net: Net, photos: Sequence[NDArray[np.uint8]]) -> Look:
    """The last decoder feature map, which the segmentation head reads, and the class logits."""
    seen: list[torch.Tensor] = []
    hook = net.unet.segmentation_head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].float().cpu()))
    try:
        stack = torch.from_numpy(np.stack(photos).transpose(0, 3, 1, 2)).to(next(net.parameters()).device)
        logits = class_logits(net(stack.contiguous(memory_format=torch.channels_last))).cpu()
    finally:
        hook.remove()
    return Look(seen[0].numpy(), logits.numpy())


def labels(net: Net, photos: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Predicted label maps ``(n, H, W) uint8``, in batches of `BATCH`."""
    parts = [photos[at : at + BATCH] for at in range(0, len(photos), BATCH)]
    return np.concatenate([look(net, part).logits.argmax(axis=1).astype(np.uint8) for part in parts])


class Stage(NamedTuple):
    """What the experiments work with.

    Attributes:
        net: The finished network.
        scenes: Test images by id.
        hat_scenes, hair_scenes: Training images that show headwear, and as many that show hair and no headwear.
        hats, hairs: Their colours ``(n, 3)`` in Lab; see `counterfactuals.palette`.
    """

    net: Net
    scenes: dict[int, Scene]
    hat_scenes: list[Scene]
    hair_scenes: list[Scene]
    hats: Colors
    hairs: Colors


def stage(run: Run, dataset: Dataset, train: Sequence[int]) -> Stage:
    """Read everything that the experiments need once.

    Args:
        run: A finished run with its weights.
        dataset: Its data.
        train: Ids of the training part.
    """
    box = Letterbox(run.config.image_height, run.config.image_width)
    hat_ids = cf.evenly([i for i in train if HEADWEAR in dataset.present(i)], MOST_SCENES)
    hair_ids = [i for i in train if HAIR in dataset.present(i) and HEADWEAR not in dataset.present(i)]
    hats, hairs = (
        [cf.scene(dataset, i, box) for i in ids] for ids in (hat_ids, cf.evenly(hair_ids, max(1, len(hat_ids))))
    )
    scenes = {i: cf.scene(dataset, i, box) for i in cf.evenly(run.ids, MOST_SCENES)}
    network = run.network()
    return Stage(network, scenes, hats, hairs, cf.palette(hats, HEADWEAR), cf.palette(hairs + hats, HAIR))


def hairy(one: Stage, number: int | None = PICTURES) -> list[int]:
    """Test images with enough hair and no headwear, evenly spaced where there are more than ``number``."""
    ids = [
        i
        for i, (_, truth) in one.scenes.items()
        if (truth == HAIR).mean() >= cf.LEAST_SHARE and not (truth == HEADWEAR).any()
    ]
    return ids if number is None else cf.evenly(ids, number)


def estimate(counts: NDArray, measure: Measure) -> tuple[NDArray, NDArray, NDArray]:
    """As `statistics.bootstrap`, but without images everything is NaN instead of an error."""
    if len(counts):
        return tuple(np.asarray(part) for part in statistics.bootstrap(counts, measure))  # type: ignore[return-value]
    nothing = np.full(np.shape(measure(counts.sum(axis=0))), np.nan)
    return nothing, nothing, nothing


# ------------------------------------------------------------------------------------------- colour observed


def hair_colors(one: Stage, run: Run) -> pd.DataFrame:
    """Every hatless test image with hair: what of its hair is called headwear, and what might explain that.

    Returns:
        A row an image: ``leak`` (of the run's counts, at the photo's resolution), ``distance`` (Lab, of the hair
        from the colours of hats), ``area`` (hair's share of the picture) and ``height`` (its middle, 0 at the
        bottom and 1 at the top).
    """
    leaks = dict(zip(run.ids, ratio(run.counts[:, HAIR, HEADWEAR], run.counts[:, HAIR].sum(axis=-1)), strict=True))
    rows = {}
    for image_id in hairy(one, None) if len(one.hats) else []:
        photo, truth = one.scenes[image_id]
        hair, picture = truth == HAIR, truth != IGNORE
        distance = float(cf.nearness(cf.mean_color(photo, hair), one.hats))
        height = 1 - np.nonzero(hair)[0].mean() / len(truth)
        rows[image_id] = {"leak": leaks[image_id], "distance": distance}
        rows[image_id] |= {"area": hair.sum() / picture.sum(), "height": height}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["leak", "distance", "area", "height"])


def explain_leak(frame: pd.DataFrame, resamples: int = statistics.RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """A linear model of the leak: how it changes with one standard deviation of a cause, the others held.

    Least squares over images; the area enters as its logarithm. Intervals are percentiles over resampled images.

    Returns:
        A row a cause (distance, area, height): ``slope`` with ``_low`` and ``_high``, as a share of the hair, and
        ``unit``, the standard deviation. NaN where there are fewer than ten images, or something does not vary.
    """
    causes = ["distance", "area", "height"]
    table = pd.DataFrame({"slope": np.nan, "slope_low": np.nan, "slope_high": np.nan, "unit": np.nan}, index=causes)
    x = frame[causes].assign(area=np.log10(frame["area"].astype(float))).to_numpy(float)
    if len(x) < 10 or (x.std(axis=0) < 1e-9).any() or frame["leak"].std() < 1e-9:
        return table
    scaled = np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])
    y = frame["leak"].to_numpy(float)
    weights = np.random.default_rng(seed).multinomial(len(x), np.full(len(x), 1 / len(x)), size=resamples)
    weights = np.concatenate([np.ones((1, len(x))), weights])
    normal = np.einsum("rn,ni,nj->rij", weights, scaled, scaled)
    slopes = np.einsum("rij,rj->ri", np.linalg.pinv(normal), np.einsum("rn,ni,n->ri", weights, scaled, y))[:, 1:]
    table["slope"] = slopes[0]
    table["slope_low"], table["slope_high"] = np.quantile(slopes[1:], [0.025, 0.975], axis=0)
    table["unit"] = frame[causes].std(ddof=0).to_numpy()
    table.loc["area", "unit"] = x[:, 1].std()
    return table


# ------------------------------------------------------------------------------------------- colour changed


def recolored(one: Stage, image_id: int) -> list[NDArray[np.uint8]]:
    """The photo unchanged, then every arm of `ARMS` at every step of `STEPS`.

    The background goes the way of the hair; a background that is too bright or too dark to go it as far goes the
    opposite way.
    """
    photo, truth = one.scenes[image_id]
    hair, background = truth == HAIR, truth == 0
    toward = cf.directions(cf.mean_color(photo, hair), STEPS[-1], one.hats, one.hairs)
    farthest = cf.recolor(photo, background, toward[0], STEPS[-1])
    short = background.any() and cf.distance_moved(photo, farthest, background) < STEPS[-1] - TOLERANCE
    arms = ((hair, toward[0]), (hair, toward[1]), (background, -toward[0] if short else toward[0]))
    return [photo, *(cf.recolor(photo, mask, way, step) for mask, way in arms for step in STEPS)]


def recoloring_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Hair of every image under every condition: ``(images, 1 + arms x steps, 3)``.

    The three: pixels not called headwear, pixels called headwear, and the probabilities of headwear added up over
    all hair, in thousandths.
    """
    ids = hairy(one, number) if len(one.hats) and len(one.hairs) else []
    progress, counts = Progress(len(ids), quiet), np.zeros((len(ids), 1 + len(ARMS) * len(STEPS), 3), np.int64)
    worst = 0.0
    for row, image_id in enumerate(ids):
        hair, photos = one.scenes[image_id].truth == HAIR, recolored(one, image_id)
        worst = max(worst, distance_error(photos, one.scenes[image_id]))
        for at in range(0, len(photos), BATCH):
            logits = look(one.net, photos[at : at + BATCH]).logits[:, :, hair]
            called = (logits.argmax(axis=1) == HEADWEAR).sum(axis=1)
            likely = np.rint(1000 * softmax(logits.astype(np.float64), axis=1)[:, HEADWEAR].sum(axis=1))
            counts[row, at : at + BATCH] = np.stack([hair.sum() - called, called, likely], axis=1)
        progress.step(row + 1, "recolouring")
    progress.close(
        f"{len(ids)} images recoloured in {counts.shape[1] - 1} ways; no distance missed by more than {worst:.1f}"
    )
    return counts


def distance_error(photos: Sequence[NDArray[np.uint8]], scene: Scene) -> float:
    """By how much the recolourings of a photo, from `recolored`, miss their distances at the most, in Lab."""
    hair, background = scene.truth == HAIR, scene.truth == 0
    masks = np.repeat([hair, hair, background], len(STEPS), axis=0)
    moved = [cf.distance_moved(scene.photo, photo, mask) for photo, mask in zip(photos[1:], masks, strict=True)]
    return float(np.abs(np.array(moved) - len(ARMS) * STEPS).max())


def dose_response(counts: NDArray) -> dict[str, pd.DataFrame]:
    """Hair called headwear by how far it, or the background, was recoloured.

    Args:
        counts: From `recoloring_counts`.

    Returns:
        "called" (the share of hair called headwear) and "probability" (of headwear, the mean over hair). Each a
        row a distance, 0 first: the arms of `ARMS`, ``difference`` (toward hats minus toward other hair) and
        ``against_background`` (toward hats minus the background recoloured), both on the same resamples, all with
        ``_low`` and ``_high``.
    """
    tables = {}
    for name, at, unit in (("called", 1, 1), ("probability", 2, 1000)):

        def measure(summed: NDArray, at: int = at, unit: int = unit) -> NDArray:
            share = ratio(summed[..., at], unit * summed[..., :2].sum(axis=-1))
            start, *arms = np.split(share, [1, *(1 + len(STEPS) * k for k in range(1, len(ARMS)))], axis=-1)
            columns = [np.concatenate([start, arm], axis=-1) for arm in arms]
            return np.concatenate([*columns, columns[0] - columns[1], columns[0] - columns[2]], axis=-1)

        tables[name] = pd.DataFrame(index=pd.Index((0, *STEPS), name="distance"))
        parts = [np.split(part, len(ARMS) + 2) for part in estimate(counts, measure)]
        for place, column in enumerate((*ARMS, "difference", "against_background")):
            tables[name] = tables[name].assign(**statistics.ends(column, [part[place] for part in parts]))
    return tables


# ------------------------------------------------------------------------------------------- hats


PASTED: dict[str, str] = {
    "real": "hats found that people really wear",
    "worn": "pasted hats found, on the head",
    "beside": "the same hats found, beside the person",
    "context": "difference",
    "hair_before": "hair that stays visible called headwear, without the hat",
    "hair_beside": "the same with the hat beside the person",
    "hair_worn": "the same with the hat on the head",
    "pull": "difference, on the head minus without",
}
"""What is asked of pasted hats."""


def fitted(one: Stage, number: int = PICTURES) -> dict[int, tuple[Scene, Scene, NDArray[np.bool_]]]:
    """Test images with a hat of a training image: worn, beside, and the hair that stays; see `counterfactuals.wear`.

    The hats go round in the order of the training images.
    """
    stock: list[Cutout] = cf.hats(one.hat_scenes)
    tried = (
        {i: cf.wear(one.scenes[i], stock[at % len(stock)]) for at, i in enumerate(hairy(one, None))} if stock else {}
    )
    worn = {image_id: scenes for image_id, scenes in tried.items() if scenes is not None}
    return {image_id: worn[image_id] for image_id in cf.evenly(list(worn), number)}


def hat_counts(one: Stage, number: int = PICTURES, quiet: bool = False) -> NDArray[np.int64]:
    """Pixels of pasted hats and of the hair around: ``(images, 5, 2)``; the last says called headwear.

    The five: the hat worn, the hat beside; the hair without a hat, with it beside, with it worn.
    """
    pairs = fitted(one, number)
    progress, rows = Progress(len(pairs), quiet), []
    for image_id, (worn, beside, hair) in pairs.items():
        plain, far, near = labels(one.net, [one.scenes[image_id].photo, beside.photo, worn.photo]) == HEADWEAR
        masks = [(near, worn.truth == HEADWEAR), (far, beside.truth == HEADWEAR)]
        masks += [(plain, hair), (far, hair), (near, hair)]
        rows.append([[int((~called & mask).sum()), int((called & mask).sum())] for called, mask in masks])
        progress.step(len(rows), "pasting hats")
    progress.close(f"{len(rows)} hats pasted")
    return np.array(rows, np.int64).reshape(-1, 5, 2)


def hat_table(counts: NDArray, real: NDArray) -> pd.DataFrame:
    """`PASTED` answered: ``value``, ``low``, ``high``.

    Args:
        counts: From `hat_counts`.
        real: Counts ``(images, 16, 14)`` of the run, for the hats that are in the test images anyway.
    """

    def measure(summed: NDArray) -> NDArray:
        share = np.moveaxis(ratio(summed[..., 1], summed.sum(axis=-1)), -1, 0)
        worn, beside, plain, far, near = share
        return np.stack([worn, beside, worn - beside, plain, far, near, near - plain], axis=-1)

    table = pd.DataFrame({"text": list(PASTED.values())}, index=list(PASTED))
    worn = estimate(real, lambda summed: metrics.leak(summed, HEADWEAR, HEADWEAR))
    for column, first, parts in zip(("value", "low", "high"), worn, estimate(counts, measure), strict=True):
        table[column] = [float(first), *parts]
    return table


# ------------------------------------------------------------------------------------------- probe


PROBES: dict[str, str] = {
    "color": "colour of the pixel alone, fitted",
    "features": "last decoder features, fitted",
    "network": "the network's own output",
}
"""What tells hair from headwear."""


def logistic(x: NDArray, y: NDArray, penalty: float = 1e-3, steps: int = 30) -> NDArray[np.float64]:
    """Logistic regression by Newton's method, both classes weighing the same.

    Args:
        x: ``(n, d)``, standardised; a constant is added.
        y: ``(n,) bool``.
        penalty: Of the squared coefficients, the constant's excepted, on the mean loss.

    Returns:
        ``(d + 1,)``, the constant first.
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


def _inputs(scene: Scene, features: NDArray, at: tuple[NDArray, NDArray]) -> dict[str, NDArray]:
    """What the probes see of some pixels: colour with its squares and products, and decoder features."""
    lab = cf.to_lab(scene.photo[at]) / 50 - [1, 0, 0]
    products = [lab[:, i] * lab[:, j] for i in range(3) for j in range(i, 3)]
    return {"color": np.column_stack([lab, *products]), "features": features[:, at[0], at[1]].T.astype(np.float64)}


def _own(logits: NDArray, at: tuple[NDArray, NDArray]) -> NDArray:
    """By how much headwear's logit exceeds the best of the others: above 0 it is decided for."""
    chosen = logits[:, at[0], at[1]]
    return chosen[HEADWEAR] - np.delete(chosen, HEADWEAR, axis=0).max(axis=0)


def probe_counts(one: Stage, number: int = PICTURES, seed: int = 0, quiet: bool = False) -> NDArray[np.int64]:
    """How well hair and headwear of test images are told apart: ``(images, probes x 2, BINS)``.

    Rows 2k and 2k + 1 are hair and headwear by the score of probe k of `PROBES`; decided for headwear is the
    upper half of the bins. The probes are fitted on training images: those with headwear and as many without,
    `SAMPLE` random pixels of either label from each.

    Args:
        one: The stage.
        number: Hatless test images whose hair is used, beside all test images with headwear.
    """
    with_hats = [i for i, scene in one.scenes.items() if (scene.truth == HEADWEAR).any()]
    ids, train = sorted({*with_hats, *hairy(one, number)}), [*one.hat_scenes, *one.hair_scenes]
    empty = np.zeros((0, 2 * len(PROBES), BINS), np.int64)
    if not with_hats or not len(one.hats) or not len(one.hairs):
        return empty
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
    scale, fits, y = {}, {}, np.concatenate(truths)
    for name, parts in seen.items():
        x = np.concatenate(parts)
        scale[name] = x.mean(axis=0), x.std(axis=0) + 1e-9
        fits[name] = logistic((x - scale[name][0]) / scale[name][1], y)
    counts = np.zeros((len(ids), *empty.shape[1:]), np.int64)
    for row, image_id in enumerate(ids):
        scene = one.scenes[image_id]
        view = look(one.net, [scene.photo])
        for half, label in enumerate((HAIR, HEADWEAR)):
            pixels = np.nonzero(scene.truth == label)
            if not len(pixels[0]):
                continue
            scores = {"network": _own(view.logits[0], pixels)}
            for name, values in _inputs(scene, view.features[0], pixels).items():
                x = (values - scale[name][0]) / scale[name][1]
                scores[name] = fits[name][0] + x @ fits[name][1:]
            for number_, name in enumerate(PROBES):
                bins = np.minimum((BINS * expit(scores[name])).astype(int), BINS - 1)
                counts[row, 2 * number_ + half] = np.bincount(bins, minlength=BINS)
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
    """The probes compared.

    Args:
        counts: From `probe_counts`.

    Returns:
        A row a probe, then "gain" (features minus the network's own): ``auc`` and ``balanced``, each with
        ``_low`` and ``_high``.
    """
    table = pd.DataFrame({"text": [*PROBES.values(), "features minus the network's own"]}, index=[*PROBES, "gain"])
    for name, score in (("auc", auc), ("balanced", balanced)):

        def measure(summed: NDArray, score: Callable = score) -> NDArray:
            values = score(summed[..., 0::2, :], summed[..., 1::2, :])
            return np.concatenate([values, values[..., 1:2] - values[..., 2:3]], axis=-1)

        table = table.assign(**statistics.ends(name, estimate(counts, measure)))
    return table


# ------------------------------------------------------------------------------------------- crowd


CROWD: dict[str, str] = {
    "rear": "rear person, with the other minus alone",
    "front": "front person, with the other minus alone",
    "both": "both, together minus alone",
    "silhouette": "rear person, with a plain silhouette minus alone",
    "person": "rear person, with the other minus with the silhouette",
}
"""What is compared in composed pictures; all differences of the mean IoU over the same pixels."""


def figures(one: Stage) -> list[int]:
    """Test images whose person can be cut out: most of the picture high, and hardly any padding beside it."""
    usable = []
    for image_id, (_, truth) in one.scenes.items():
        rows = np.flatnonzero(((truth > 0) & (truth < len(LABELS))).any(axis=1))
        tall = len(rows) and rows[-1] - rows[0] >= 0.6 * len(truth)
        if tall and (truth == IGNORE).mean() < 0.05 and (truth == 0).mean() > 0.3:
            usable.append(image_id)
    return usable


def composed(one: Stage, ids: Sequence[int], pair: int, number: int) -> list[Pair]:
    """A pair of people on a third photo's background, once for every overlap of `OVERLAPS`."""
    rear, front, behind = (one.scenes[ids[(pair + at * number) % len(ids)]] for at in range(3))
    people = [cf.cut_out(person, range(1, len(LABELS))) for person in (rear, front)]
    background = cf.without_person(behind)
    return [cf.compose(background, *people, overlap) for overlap in OVERLAPS]


def crowd_counts(one: Stage, number: int = PAIRS, quiet: bool = False) -> NDArray[np.int64]:
    """People of composed pictures: ``(pairs, overlaps, 5, 16, 14)``.

    The five: the rear person alone, with the front one, with a silhouette; the front person alone, with the
    rear one. Only the pixels of a person that are visible when both are there are counted, in every picture.
    """
    ids = figures(one)
    chosen = cf.evenly(ids, 3 * number)
    pairs = len(chosen) // 3
    progress = Progress(pairs, quiet)
    counts = np.zeros((pairs, len(OVERLAPS), 5, len(LABELS), len(CLASSES)), np.int64)
    for pair in range(pairs):
        versions = composed(one, chosen, pair, pairs)
        photos = [versions[0].rear.photo]
        for version in versions:
            photos += [part.photo for part in (version.together, version.silhouette, version.front)]
        alone, *others = labels(one.net, photos)
        for at, version in enumerate(versions):
            both, plain, front = others[3 * at : 3 * at + 3]
            mine = np.where(version.rear_seen, version.rear.truth, IGNORE)
            yours = np.where(version.front_seen, version.front.truth, IGNORE)
            views = [(mine, alone), (mine, both), (mine, plain), (yours, front), (yours, both)]
            counts[pair, at] = [metrics.confusion_counts(*view) for view in views]
        progress.step(pair + 1, "composing")
    progress.close(f"{pairs} pairs of people composed")
    return counts


def crowd_table(counts: NDArray) -> pd.DataFrame:
    """`CROWD` by overlap.

    Args:
        counts: From `crowd_counts`.

    Returns:
        A row an overlap: ``alone`` (mean IoU of both people alone), ``together``, and the comparisons of `CROWD`,
        each with ``_low`` and ``_high``.
    """

    def measure(summed: NDArray) -> NDArray:
        views = summed.reshape(*summed.shape[:-2], 5, len(LABELS), len(CLASSES))
        rear, with_front, plain, front, with_rear = np.moveaxis(metrics.clothing_mean_iou(views), -1, 0)
        alone = metrics.clothing_mean_iou(views[..., 0, :, :] + views[..., 3, :, :])
        together = metrics.clothing_mean_iou(views[..., 1, :, :] + views[..., 4, :, :])
        differences = [with_front - rear, with_rear - front, together - alone, plain - rear, with_front - plain]
        return np.stack([alone, together, *differences], axis=-1)

    rows = []
    for at in range(len(OVERLAPS)):
        flat = counts[:, at].reshape(len(counts), 5 * len(LABELS), len(CLASSES))
        parts = estimate(flat, measure)
        row: dict[str, Any] = {}
        for place, name in enumerate(("alone", "together", *CROWD)):
            row |= statistics.ends(name, [float(part[place]) for part in parts])
        rows.append(row)
    return pd.DataFrame(rows, index=pd.Index(OVERLAPS, name="overlap"))


# ------------------------------------------------------------------------------------------- report


def examples(one: Stage) -> dict[str, Scene]:
    """One picture of every kind, by rule: the first of each experiment; empty where there is none."""
    shown: dict[str, Scene] = {}
    fits = fitted(one, 1)
    for image_id, (worn, beside, _) in fits.items():
        photos, truth = recolored(one, image_id), one.scenes[image_id].truth
        shown["unchanged"] = Scene(photos[0], truth)
        for at, arm in enumerate(("hair toward\nhats", "toward\nother hair", "background\nas far")):
            shown[arm] = Scene(photos[(at + 1) * len(STEPS)], truth)
        shown |= {"hat worn": worn, "hat beside": beside}
    ids = figures(one)
    if len(ids) >= 3:
        last = composed(one, ids, 0, len(ids) // 3)[-1]
        shown |= {"rear person\nalone": last.rear, "with a\nsilhouette": last.silhouette, "together": last.together}
    return shown

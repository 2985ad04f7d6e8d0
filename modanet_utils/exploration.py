"""What a data set holds: how rare each class is, in which way, and which class weights follow.

Every object's mask is decoded once, by `scan`; tables, figures and claims are made of what it counted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import statistics
from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets import Dataset
from modanet_utils.progress import Progress
from modanet_utils.provenance import ROOT
from modanet_utils.results import check_results, read_results
from modanet_utils.weights import SCHEMES, class_weights, posterior_threshold

REFERENCE: tuple[int, int] = (288, 192)
"""Height and width to which object sizes are scaled, so that data sets of other resolutions compare."""

SMALL = 256
"""A class is small if its median object has fewer pixels than this, a 16x16 square, in `REFERENCE`."""

INFREQUENT = 0.15
"""A class is infrequent if less than this share of the images shows it."""

KNOWN: dict[str, str] = {"ccp": "Clothing Co-Parsing", "modanet_excerpt": "ModaNet (excerpt)"}
"""Folders in ``reports/`` that hold the recorded numbers of real photos, and what tables call them."""

Counts = NDArray[np.int64]


# -------------------------------------------------------------------------------------------- the scan


@dataclass(frozen=True)
class Scan:
    """What was counted while every object was decoded once.

    Attributes:
        ids: The images, in the order of the rows below.
        pixels: Pixels per image and label ``(images, 16) int64`` of the painted label maps.
        claims: Per image ``(images, 2) int64``: pixels that at least one object claims, and at least two.
        objects: A row an object, in painting order: ``image``, ``label``, ``pixels`` (of its mask),
            ``visible`` (those that carry its label once all is painted) and ``scaled`` (``pixels`` times the
            square of the factor by which the picture is shrunk to fit into `REFERENCE`).
        overlaps: A row a pair of labels of an image whose objects overlap: ``image``, ``first``, ``second``
            (labels, first <= second), ``pixels`` (summed over the pairs of objects).
    """

    ids: list[int]
    pixels: Counts
    claims: Counts
    objects: pd.DataFrame
    overlaps: pd.DataFrame

    def image_pixels(self, ids: Iterable[int] | None = None) -> Counts:
        """As `weights.image_pixels` of these images (all where None), without decoding them again.

        Returns:
            ``(images, 14) int64``; hair and skin count as background.
        """
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        pixels = self.pixels if ids is None else self.pixels[[row[image_id] for image_id in ids]]
        folded = pixels[:, : len(CLASSES)].copy()
        folded[:, 0] += pixels[:, len(CLASSES) :].sum(1)
        return folded


def scan(dataset: Dataset, quiet: bool = False) -> Scan:
    """Decode every object of a data set once and count. Photos are not read."""
    progress = Progress(len(dataset.ids), quiet)
    pixels, claims, objects, overlaps = [], [], [], []
    for number, image_id in enumerate(dataset.ids):
        truth, claimed, things, common = _painted(dataset, image_id)
        pixels.append(np.bincount(truth.ravel(), minlength=len(LABELS)))
        claims.append([np.count_nonzero(claimed), np.count_nonzero(claimed > 1)])
        scale = min(REFERENCE[0] / truth.shape[0], REFERENCE[1] / truth.shape[1]) ** 2
        objects += [(image_id, *thing, thing[1] * scale) for thing in things]
        overlaps += [(image_id, *pair, count) for pair, count in common.items()]
        progress.step(number + 1, "decoding objects")
    progress.close(f"{len(objects):,} objects in {len(dataset.ids):,} images")
    return Scan(
        ids=dataset.ids,
        pixels=np.array(pixels, np.int64),
        claims=np.array(claims, np.int64),
        objects=pd.DataFrame(objects, columns=["image", "label", "pixels", "visible", "scaled"]),
        overlaps=pd.DataFrame(overlaps, columns=["image", "first", "second", "pixels"]),
    )


def _painted(
    dataset: Dataset, image_id: int
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, int]], dict[tuple[int, int], int]]:
    """The label map, the number of claims per pixel, (label, pixels, visible) per object, and `_common`."""
    things = dataset.things(image_id)
    labels, masks = [thing.label for thing in things], [thing.mask() for thing in things]
    places = [np.s_[top : top + h, left : left + w] for left, top, w, h in (thing.box for thing in things)]
    truth = np.zeros(dataset.size(image_id), np.uint8)
    claimed = np.zeros(truth.shape, np.uint16)
    for label, mask, place in zip(labels, masks, places, strict=True):  # as Dataset.label_map paints
        truth[place][mask] = label
        claimed[place] += mask
    counted = [
        (label, np.count_nonzero(mask), np.count_nonzero(truth[place][mask] == label))
        for label, mask, place in zip(labels, masks, places, strict=True)
    ]
    return truth, claimed, counted, _common(labels, masks, places, claimed > 1)


def _common(
    labels: list[int], masks: list[np.ndarray], places: list[tuple[slice, slice]], contested: np.ndarray
) -> dict[tuple[int, int], int]:
    """Pixels that pairs of objects have in common, by pair of labels (the smaller first).

    Only contested pixels, those that two or more objects claim, are looked at: they are few.
    """
    if not contested.any():
        return {}
    number = np.cumsum(contested).reshape(contested.shape) - 1  # of each contested pixel
    claims = np.zeros((len(labels), np.count_nonzero(contested)), np.float64)
    for row, mask, place in zip(claims, masks, places, strict=True):
        row[number[place][mask & contested[place]]] = 1
    shared = (claims @ claims.T).astype(np.int64)
    common: dict[tuple[int, int], int] = {}
    for a, b in zip(*np.nonzero(np.triu(shared, 1)), strict=True):
        pair = min(labels[a], labels[b]), max(labels[a], labels[b])
        common[pair] = common.get(pair, 0) + int(shared[a, b])
    return common


# -------------------------------------------------------------------------------------------- tables


def class_table(scan: Scan) -> pd.DataFrame:
    """One row per label (16).

    Returns:
        ``share`` of all pixels as painted; ``images`` that show the label and their ``image_share``;
        ``objects`` and, over these, the ``median``, ``q10`` and ``q90`` of their pixels as annotated, the
        same scaled to `REFERENCE` (``scaled_median``, ...), and ``visible``, the share of these pixels that
        keep the label after painting. NaN where there is no object.
    """
    table = pd.DataFrame(index=pd.Index(LABELS, name="class"))
    table["share"] = scan.pixels.sum(0) / scan.pixels.sum()
    table["images"] = (scan.pixels > 0).sum(0)
    table["image_share"] = table["images"] / len(scan.ids)
    groups = scan.objects.assign(label=[LABELS[label] for label in scan.objects["label"]]).groupby("label")
    table["objects"] = groups.size().reindex(LABELS, fill_value=0)
    for column, prefix in (("pixels", ""), ("scaled", "scaled_")):
        for name, level in (("median", 0.5), ("q10", 0.1), ("q90", 0.9)):
            table[prefix + name] = groups[column].quantile(level).reindex(LABELS)
    table["visible"] = (groups["visible"].sum() / groups["pixels"].sum()).reindex(LABELS)
    return table


def overlap_table(scan: Scan) -> pd.DataFrame:
    """Which pairs of classes claim the same pixels, most pixels first.

    Returns:
        Indexed by ``pair`` ("belt, pants"): ``pixels``, ``images``, and ``share`` of the pixels that two or
        more objects claim. A pixel that three claim counts for three pairs, so shares may exceed 1 in sum.
    """
    groups = scan.overlaps.groupby(["first", "second"])["pixels"]
    table = groups.agg(["sum", "size"]).set_axis(["pixels", "images"], axis=1)
    table.index = pd.Index([f"{LABELS[a]}, {LABELS[b]}" for a, b in table.index], name="pair", dtype=object)
    table["share"] = table["pixels"] / max(1, scan.claims[:, 1].sum())
    return table.sort_values(["pixels", "images"], ascending=False, kind="stable")


def co_occurrence(scan: Scan) -> pd.DataFrame:
    """Images that show both classes, clothing x clothing (13, 13); the diagonal holds the images of one."""
    shown = (scan.pixels[:, 1 : len(CLASSES)] > 0).astype(np.int64)
    return pd.DataFrame(shown.T @ shown, index=list(CLOTHING), columns=list(CLOTHING))


def two_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Why each clothing class is rare: it is in few images, its objects are small, both, or neither.

    Args:
        table: As `class_table` makes it.

    Returns:
        Indexed by clothing class, fewest pixels first: ``share``, ``image_share``, ``scaled_median``, and
        ``kind`` in words. A class without objects is "absent".
    """
    kinds = table.loc[list(CLOTHING), ["share", "image_share", "scaled_median"]].copy()
    small = kinds["scaled_median"] < SMALL
    infrequent = kinds["image_share"] < INFREQUENT
    words = np.select(
        [kinds["scaled_median"].isna(), small & infrequent, small, infrequent],
        ["absent", "small and infrequent", "small", "infrequent"],
        "–",
    )
    return kinds.assign(kind=words).sort_values("share", kind="stable")


def weight_table(pixels: np.ndarray) -> pd.DataFrame:
    """Class weights, 14 classes x schemes, of mean 1, from pixels per image and class ``(images, 14)``."""
    return pd.DataFrame({scheme: class_weights(pixels, scheme) for scheme in SCHEMES}, index=list(CLASSES))


def threshold_table(weights: pd.DataFrame) -> pd.DataFrame:
    """The posterior above which each class wins over background, for the weights of `weight_table`."""
    return weights.apply(posterior_threshold)


def typical_images(scan: Scan, labels: Sequence[int]) -> dict[int, int]:
    """For each label the image in which it has the (lower) median number of pixels, of those that show it.

    A rule instead of a choice. Of equal images the smallest id; labels that never occur are left out.
    """
    chosen = {}
    for label in labels:
        shown = np.flatnonzero(scan.pixels[:, label])
        if len(shown):
            order = shown[np.argsort(scan.pixels[shown, label], kind="stable")]
            middle = scan.pixels[order[(len(order) - 1) // 2], label]
            chosen[label] = next(scan.ids[row] for row in shown if scan.pixels[row, label] == middle)
    return chosen


# -------------------------------------------------------------------------------------------- claims


def interval(counts: np.ndarray, measure: Callable[[NDArray], NDArray]) -> statistics.Estimate:
    """A measure of summed counts with its 95% bootstrap interval over images.

    Args:
        counts: ``(images, K)`` integers, a row an image.
        measure: Function of sums ``(..., K)``, such as `background_share`.
    """
    stack = np.asarray(counts)[:, :, None]
    return statistics.bootstrap(stack, lambda summed: measure(np.asarray(summed, np.float64)[..., 0]))


def background_share(pixels: NDArray) -> NDArray:
    """Share of background of pixels ``(..., 14)``."""
    return pixels[..., 0] / pixels.sum(-1)


def rarest_to_commonest(pixels: NDArray) -> NDArray:
    """Pixels of the rarest clothing class that occurs, divided by those of the commonest; ``(..., 14)``."""
    clothing = pixels[..., 1:]
    rarest = np.where(clothing > 0, clothing, np.inf).min(-1)
    commonest = clothing.max(-1)
    return np.divide(rarest, commonest, out=np.full(rarest.shape, np.nan), where=commonest > 0)


def inverse_threshold(pixels: NDArray) -> NDArray:
    """Lowest posterior at which clothing wins over background with raw inverse weights; ``(..., 14)``.

    With weights 1 / share the threshold w_0 / (w_0 + w_c) is n_c / (n_c + n_0), n the pixels.
    """
    clothing = np.where(pixels[..., 1:] > 0, pixels[..., 1:], np.inf).min(-1)
    with np.errstate(invalid="ignore"):
        return clothing / (clothing + pixels[..., 0])


def largest_share(counts: NDArray) -> NDArray:
    """The largest of several shares, from pairs (yes, no): ``(..., 2 K)`` as yes, no, yes, no, ..."""
    return _shares(counts).max(-1)


def smallest_share(counts: NDArray) -> NDArray:
    """The smallest of several shares; as `largest_share`."""
    return _shares(counts).min(-1)


def _shares(counts: NDArray) -> NDArray:
    yes, no = counts[..., 0::2], counts[..., 1::2]
    return np.divide(yes, yes + no, out=np.full(yes.shape, np.nan), where=yes + no > 0)


def image_counts(scan: Scan, names: Sequence[str]) -> Counts:
    """Per image 1, 0 where it shows a class and 0, 1 where not, for each class: ``(images, 2 K)``."""
    shown = scan.pixels[:, [LABELS.index(name) for name in names]] > 0
    return np.stack([shown, ~shown], -1).reshape(len(shown), -1).astype(np.int64)


def small_counts(scan: Scan, names: Sequence[str], below: float = SMALL) -> Counts:
    """Per image how many objects of a class have fewer pixels than that in `REFERENCE`, and how many do not:
    ``(images, 2 K)``."""
    rows = pd.Index(scan.ids)
    columns = []
    for name in names:
        objects = scan.objects[scan.objects["label"] == LABELS.index(name)]
        for chosen in (objects["scaled"] < below, objects["scaled"] >= below):
            columns.append(objects[chosen].groupby("image").size().reindex(rows, fill_value=0).to_numpy())
    return np.stack(columns, -1).astype(np.int64)


# -------------------------------------------------------------------------------------------- records


def summary(scan: Scan, training_pixels: np.ndarray) -> dict[str, Any]:
    """What ``results.json`` keeps under ``exploration``: aggregated numbers only, nothing of a single image.

    Args:
        training_pixels: ``(images, 14)`` of the training part; the weights are made of these.
    """
    weights = weight_table(training_pixels)
    overlaps = overlap_table(scan)
    claimed, contested = (int(total) for total in scan.claims.sum(0))
    return {
        "images": len(scan.ids),
        "images_without_foreground": int((scan.claims[:, 0] == 0).sum()),
        "objects": len(scan.objects),
        "reference_size": list(REFERENCE),
        "classes": class_table(scan).to_dict("index"),
        "co_occurrence": co_occurrence(scan).to_dict("index"),
        "overlap": {
            "claimed_pixels": claimed,
            "claimed_twice": contested,
            "share": contested / max(1, claimed),
            "pairs": overlaps.reset_index().to_dict("records"),
        },
        "training": {
            "images": len(training_pixels),
            "class_share": dict(zip(CLASSES, training_pixels.sum(0) / training_pixels.sum(), strict=True)),
            "weights": weights.to_dict(),
            "posterior_thresholds": threshold_table(weights).to_dict(),
        },
    }


def recorded(name: str) -> dict[str, Any]:
    """The results in ``reports/NAME`` if they are there and hold an exploration; else an empty dictionary.

    Unlike `workspace.recorded` it takes a report without trials, as numbers that come from annotations alone.
    """
    path = ROOT / "reports" / name / "results.json"
    results = read_results(path) if path.exists() else {}
    check_results(results, complete=False)
    return results if "exploration" in results and "dataset" in results else {}


def side_by_side(results: Mapping[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """Results to be shown together, by what to call them: this run's, then those recorded of real photos.

    Args:
        results: This run's, with ``dataset`` and ``exploration``; recorded ones of the same data are left
            out. Where None or without these, only recorded ones.
    """
    results = results or {}
    shown, mine = {}, None
    if "dataset" in results and "exploration" in results:
        mine = results["dataset"]["fingerprint"]
        shown[f"{results['dataset']['name']} (this run)"] = dict(results)
    for key, title in KNOWN.items():
        other = recorded(key)
        if other and other["dataset"]["fingerprint"] != mine:
            shown[title] = other
    return shown


def answer(shown: Mapping[str, Mapping[str, Any]]) -> str:
    """The notebook's answer as Markdown, a paragraph per real data set of `side_by_side`."""
    paragraphs = []
    for title, results in shown.items():
        if results["profile"] == "synthetic":
            continue
        share = pd.Series(results["dataset"]["class_share"], dtype=float)
        clothing = share[list(CLOTHING)][lambda shares: shares > 0].sort_values()
        lowest = lowest_thresholds({title: results})[title]
        paragraphs.append(
            f"**{title}**, {results['dataset']['images']:,} images: background takes "
            f"{share['background']:.0%} of the pixels, {clothing.index[0]} {clothing.iloc[0]:.2%}, and the "
            f"commonest class of clothing, {clothing.index[-1]}, "
            f"{clothing.iloc[-1] / clothing.iloc[0]:.0f} times as much. With weights of one over the share "
            f"the rarest class would win over background at a probability of {lowest['inverse']:.2%}, with "
            f"their square root at {lowest['inverse_sqrt']:.1%}, without weights at {lowest['none']:.0%}."
        )
    return "\n\n".join(paragraphs) or "**On real photos:** nothing is recorded yet."


# -------------------------------------------------------------------------------------------- as read


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`class_table` as texts: a dash where there is no object, sizes in pixels as median (10% to 90%)."""

    def size(prefix: str) -> list[str]:
        columns = [table[prefix + name] for name in ("median", "q10", "q90")]
        return [
            "–" if np.isnan(median) else f"{median:,.0f} ({low:,.0f} to {high:,.0f})"
            for median, low, high in zip(*columns, strict=True)
        ]

    texts = pd.DataFrame(index=table.index)
    texts["share of pixels"] = table["share"].map("{:.3%}".format)
    texts["images"] = table["images"]
    texts["share of images"] = table["image_share"].map("{:.1%}".format)
    texts["objects"] = table["objects"]
    texts["object's pixels"] = size("")
    texts[f"at {REFERENCE[0]}x{REFERENCE[1]}"] = size("scaled_")
    texts["still visible"] = table["visible"].map(lambda share: "–" if np.isnan(share) else f"{share:.1%}")
    return texts


def share_table(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Share of all pixels, 14 classes x data sets, of `side_by_side`; hair and skin count as background."""
    shares = {title: results["dataset"]["class_share"] for title, results in shown.items()}
    return pd.DataFrame(shares, dtype=float)


def recorded_classes(results: Mapping[str, Any]) -> pd.DataFrame:
    """`class_table` as it was recorded."""
    return pd.DataFrame(results["exploration"]["classes"]).T.reindex(LABELS).astype(float)


def kinds_table(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """In which way each clothing class is rare, clothing classes x data sets, in words."""
    words = {title: two_kinds(recorded_classes(results))["kind"] for title, results in shown.items()}
    return pd.DataFrame(words).reindex(CLOTHING)


def overlap_summary(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """How much objects overlap, and whose, in texts; a row a data set of `side_by_side`."""
    rows = {}
    for title, results in shown.items():
        overlap = results["exploration"]["overlap"]
        pairs = [(entry["pair"].split(", "), entry["share"]) for entry in overlap["pairs"]]
        within = sum(share for (first, second), share in pairs if first == second)
        between = [(f"{first} and {second}", share) for (first, second), share in pairs if first != second]
        rows[title] = {
            "labelled pixels claimed twice": f"{overlap['share']:.2%}",
            "of these by one class": f"{within:.0%}" if pairs else "–",
            "commonest pair of two classes": f"{between[0][0]} ({between[0][1]:.1%})" if between else "–",
        }
    return pd.DataFrame(rows).T


def lowest_thresholds(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The lowest posterior at which a clothing class wins over background, schemes x data sets."""
    lowest = {
        title: {
            scheme: min(thresholds[name] for name in CLOTHING)
            for scheme, thresholds in results["exploration"]["training"]["posterior_thresholds"].items()
        }
        for title, results in shown.items()
    }
    return pd.DataFrame(lowest).reindex(SCHEMES)

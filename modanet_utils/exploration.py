"""What a data set holds: how rare each class is, in which way, and which class weights follow.

Every object is looked at once, by `scan`; tables, figures and claims are made of what it counted.

``python -m modanet_utils.exploration ANNOTATIONS OUT`` does so for annotations without photos, such as an
excerpt of ModaNet's, and writes OUT/results.json: aggregated numbers only, nothing of a single image. The
folders in `KNOWN` are shown beside every run.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from modanet_utils import statistics
from modanet_utils.classes import CLASSES, CLOTHING, LABELS
from modanet_utils.datasets import Dataset, Thing, open_dataset
from modanet_utils.progress import Progress
from modanet_utils.provenance import ROOT
from modanet_utils.results import check_results, markdown, read_results
from modanet_utils.splits import split
from modanet_utils.weights import SCHEMES, class_weights, posterior_threshold
from modanet_utils.workspace import NOTEBOOKS, Workspace

REFERENCE: tuple[int, int] = (288, 192)
"""Height and width to which object sizes are scaled, so that data sets of other resolutions compare."""

SMALL = 256
"""A class is small if its median object has fewer pixels than this, a 16x16 square, in `REFERENCE`."""

INFREQUENT = 0.15
"""A class is infrequent if less than this share of the images shows it."""

KNOWN: dict[str, str] = {"ccp": "Clothing Co-Parsing", "modanet_excerpt": "ModaNet (excerpt)"}
"""Folders in ``reports/`` that hold the recorded numbers of real photos, and what tables call them."""

SMALL_THINGS: tuple[str, ...] = ("sunglasses", "belt")
INFREQUENT_THINGS: tuple[str, ...] = ("boots", "shorts", "headwear", "scarf & tie")
"""The rare classes, by the kind of rare that the claims say of them."""

Counts = NDArray[np.int64]


# -------------------------------------------------------------------------------------------- the scan


@dataclass(frozen=True)
class Scan:
    """What was counted while every object was looked at once.

    Attributes:
        ids: The images, in the order of the rows below.
        pixels: Pixels per image and label ``(images, 16) int64`` of the painted label maps.
        claims: Per image ``(images, 2) int64``: pixels that at least one object claims, and at least two.
        objects: A row an object, in painting order: ``image``, ``label``, ``pixels`` (of its mask),
            ``visible`` (those that carry its label once all is painted, largest object first),
            ``file_order`` (the same, had the objects been painted as the file lists them) and ``scaled``
            (``pixels`` times the square of the factor by which the picture is shrunk to fit `REFERENCE`).
        overlaps: A row a pair of labels of an image whose objects overlap: ``image``, ``first``, ``second``
            (labels, first <= second), ``pixels`` (summed over the pairs of objects).
        problems: What was left out when the data set was opened, and how often.
    """

    ids: list[int]
    pixels: Counts
    claims: Counts
    objects: pd.DataFrame
    overlaps: pd.DataFrame
    problems: Counter[str] = field(default_factory=Counter)

    def image_pixels(self, ids: Iterable[int] | None = None) -> Counts:
        """As `weights.image_pixels` of these images (all where None), without counting them again.

        Returns:
            ``(images, 14) int64``; hair and skin count as background.
        """
        row = {image_id: number for number, image_id in enumerate(self.ids)}
        pixels = self.pixels if ids is None else self.pixels[[row[image_id] for image_id in ids]]
        folded = pixels[:, : len(CLASSES)].copy()
        folded[:, 0] += pixels[:, len(CLASSES) :].sum(1)
        return folded


def scan(dataset: Dataset, quiet: bool = False) -> Scan:
    """Count every object of a data set, and what covers what. Photos are not read."""
    progress = Progress(len(dataset.ids), quiet)
    pixels, claims, objects, overlaps = [], [], [], []
    for number, image_id in enumerate(dataset.ids):
        height, width = dataset.size(image_id)
        things = dataset.things(image_id)
        counts, claimed, common = _counted(things)
        pixels.append(dataset.pixels(image_id, things))
        claims.append(claimed)
        scale = min(REFERENCE[0] / height, REFERENCE[1] / width) ** 2
        objects += [(image_id, *count, count[1] * scale) for count in counts]  # count[1]: the object's pixels
        overlaps += [(image_id, *pair, count) for pair, count in common.items()]
        progress.step(number + 1, "counting objects")
    counted = ["image", "label", "pixels", "visible", "file_order"]
    progress.close(f"{len(objects):,} objects in {len(dataset.ids):,} images")
    return Scan(
        ids=dataset.ids,
        pixels=np.array(pixels, np.int64),
        claims=np.array(claims, np.int64),
        objects=pd.DataFrame(objects, columns=[*counted, "scaled"]).astype(
            dict.fromkeys(counted, int) | {"scaled": float}
        ),
        overlaps=pd.DataFrame(overlaps, columns=["image", "first", "second", "pixels"], dtype=np.int64),
        problems=dataset.problems,
    )


def _counted(
    things: list[Thing],
) -> tuple[list[tuple[int, int, int, int]], list[int], dict[tuple[int, int], int]]:
    """Of one image's objects, on run lengths without decoding them: (label, pixels, visible, visible in file
    order) per object, the two numbers of `Scan.claims`, and the pixels that pairs of objects have in common, by
    pair of labels (the smaller first)."""
    if not things:
        return [], [0, 0], {}
    claimed = _area([thing.rle for thing in things])
    if claimed == sum(thing.area for thing in things):  # nothing overlaps
        return [(thing.label, *[thing.area] * 3) for thing in things], [claimed, 0], {}
    shared = _shared(things)
    common: Counter[tuple[int, int]] = Counter()
    for (a, b), rle in sorted(shared.items(), key=lambda item: item[0]):
        if a < b:
            common[min(things[a].label, things[b].label), max(things[a].label, things[b].label)] += _area([rle])
    listed = sorted(range(len(things)), key=lambda n: things[n].position)
    visible, as_listed = _visible(things, range(len(things)), shared), _visible(things, listed, shared)
    objects = [(thing.label, thing.area, visible[n], as_listed[n]) for n, thing in enumerate(things)]
    contested = _area([rle for (a, b), rle in shared.items() if a < b])
    return objects, [claimed, contested], dict(common)


def _area(rles: Sequence[Any], intersect: bool = False) -> int:
    """Pixels of the union, or of the intersection, of run-length masks."""
    return int(coco_mask.area(rles[0] if len(rles) == 1 else coco_mask.merge(rles, intersect)))


def _shared(things: list[Thing]) -> dict[tuple[int, int], Any]:
    """Masks of what two objects share, by their numbers in both orders, where that is anything; of an object
    with itself all of it."""
    shared: dict[tuple[int, int], Any] = {}
    for b, second in enumerate(things):
        for a, first in enumerate(things[:b]):
            if all(
                first.box[k] < second.box[k] + second.box[k + 2] and second.box[k] < first.box[k] + first.box[k + 2]
                for k in (0, 1)
            ):
                rle = coco_mask.merge([first.rle, second.rle], True)
                if coco_mask.area(rle):
                    shared[a, b] = shared[b, a] = rle
        shared[b, b] = second.rle
    return shared


def _visible(things: list[Thing], order: Sequence[int], shared: dict[tuple[int, int], Any]) -> dict[int, int]:
    """Pixels of each object that carry its label once all are painted in this order.

    Those are the pixels whose topmost object has the same label. What an object shows of another that it
    shares pixels with is what they share, less what lies under a third.
    """
    visible: dict[int, int] = dict.fromkeys(order, 0)
    for place, top in enumerate(order):
        above = [things[n].rle for n in order[place + 1 :] if (top, n) in shared]
        union = coco_mask.merge(above) if above else None
        for n in order[: place + 1]:
            if (top, n) in shared and things[n].label == things[top].label:
                part = shared[top, n]
                visible[n] += _area([part]) - (_area([part, union], True) if above else 0)
    return visible


# -------------------------------------------------------------------------------------------- tables


def class_table(scan: Scan) -> pd.DataFrame:
    """One row per label (16).

    Returns:
        ``share`` of all pixels as painted; ``images`` that show the label and their ``image_share``;
        ``objects`` and, over these, the ``median``, ``q10`` and ``q90`` of their pixels as annotated, the
        same scaled to `REFERENCE` (``scaled_median``, ...); ``visible`` and ``file_order``, the share of these
        pixels that keep the label if objects are painted largest first, and as the file lists them. NaN where
        there is no object.
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
    for order in ("visible", "file_order"):
        table[order] = (groups[order].sum() / groups["pixels"].sum()).reindex(LABELS)
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
        "neither",
    )
    return kinds.assign(kind=words).sort_values("share", kind="stable")


def rarest(kinds: pd.DataFrame, number: int = 5) -> list[str]:
    """The clothing classes with the fewest pixels, of those that occur; from `two_kinds`."""
    return list(kinds.index[kinds["kind"] != "absent"][:number])


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
    every = pixels.sum(-1)
    return np.divide(pixels[..., 0], every, out=np.full(every.shape, np.nan), where=every > 0)


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


def claims(scan: Scan, training_pixels: np.ndarray) -> list[dict[str, Any]]:
    """The claims of notebook 01 with their numbers and verdicts, as `Workspace.record_claim` takes them.

    Args:
        training_pixels: ``(images, 14)`` of the training part; the last claim, on weights, is about these.
    """
    pixels = scan.image_pixels()
    size = f"{REFERENCE[0]}x{REFERENCE[1]}"
    stated = [
        ("imbalance", "The classes are severely imbalanced.",
         "pixels of the rarest clothing class divided by those of the commonest", {"below": 0.05},
         pixels, rarest_to_commonest),
        ("background-dominates", "Background dominates.",
         "share of background among all pixels", {"above": 0.5},
         pixels, background_share),
        ("small-things", "Sunglasses and belts are small.",
         f"share of their objects below {SMALL} pixels at {size}, the lower of the two", {"above": 0.5},
         small_counts(scan, SMALL_THINGS), smallest_share),
        ("small-not-infrequent", "Sunglasses and belts are not infrequent.",
         "share of the images that show them, the lower of the two", {"above": INFREQUENT},
         image_counts(scan, SMALL_THINGS), smallest_share),
        ("infrequent-things", "Boots, shorts, headwear and scarves are infrequent.",
         "share of the images that show them, the highest of the four", {"below": INFREQUENT},
         image_counts(scan, INFREQUENT_THINGS), largest_share),
        ("infrequent-not-small", "Boots, shorts, headwear and scarves are not small.",
         f"share of their objects below {SMALL} pixels at {size}, the highest of the four", {"below": 0.5},
         small_counts(scan, INFREQUENT_THINGS), largest_share),
        ("inverse-is-extreme", "Weights of one over the share let a rare class win on next to no evidence.",
         "lowest probability at which a class wins over background with these weights, training part",
         {"below": 0.01}, training_pixels, inverse_threshold),
    ]  # fmt: skip
    found = []
    for name, statement, measured, claimed, counts, measure in stated:
        value, *ends = interval(counts, measure)
        ((side, threshold),) = claimed.items()
        found.append(
            {
                "id": name,
                "statement": statement,
                "measure": f"{measured}, claimed to be {side} {threshold}",
                "value": value,
                "interval": tuple(ends),
                "verdict": statistics.verdict(ends, **claimed),
                "notebook": NOTEBOOKS[0],
            }
        )
    return found


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
        "problems": dict(scan.problems),
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
        results: This run's, with ``dataset`` and ``exploration``; recorded ones of the same data or profile
            are left out. Where None or without these, only recorded ones.
    """
    results = results or {}
    shown, profile, fingerprint = {}, None, None
    if "dataset" in results and "exploration" in results:
        profile, fingerprint = results["profile"], results["dataset"]["fingerprint"]
        shown[f"{results['dataset']['name']} (this run)"] = dict(results)
    for key, title in KNOWN.items():
        other = recorded(key)
        if other and key != profile and other["dataset"]["fingerprint"] != fingerprint:
            shown[title] = other
    return shown


def answer(shown: Mapping[str, Mapping[str, Any]]) -> Markdown:
    """The notebook's answer, a sentence per real data set of `side_by_side`; it says which are missing."""
    sentences = []
    for title, results in shown.items():
        if results["profile"] == "synthetic":
            continue
        share = pd.Series(results["dataset"]["class_share"], dtype=float)
        clothing = share[list(CLOTHING)][lambda shares: shares > 0].sort_values()
        lowest = lowest_thresholds({title: results})[title]
        sentences.append(
            f"**{title}** ({results['dataset']['images']:,} images): background takes "
            f"{share['background']:.0%} of the pixels, {clothing.index[0]} {clothing.iloc[0]:.2%}, "
            f"{clothing.iloc[-1] / clothing.iloc[0]:.0f} times less than {clothing.index[-1]}, the commonest "
            f"garment; with weights of one over the share the rarest class would win over background from a "
            f"probability of {lowest['inverse']:.2%} on, with their square root from "
            f"{lowest['inverse_sqrt']:.1%} on, without weights from {lowest['none']:.0%} on."
        )
    there = {results["profile"] for results in shown.values()}
    sentences += [f"**{title}**: nothing is recorded yet." for key, title in KNOWN.items() if key not in there]
    return Markdown("\n\n".join(sentences))


# -------------------------------------------------------------------------------------------- as read


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`class_table` as texts: a dash where there is no object, sizes in pixels as median (10%–90%)."""

    def size(prefix: str) -> list[str]:
        columns = [table[prefix + name] for name in ("median", "q10", "q90")]
        return [
            "–" if np.isnan(median) else f"{median:,.0f} ({low:,.0f}–{high:,.0f})"
            for median, low, high in zip(*columns, strict=True)
        ]

    texts = pd.DataFrame(index=table.index.rename(None)).rename_axis(columns="class")
    texts["share of pixels"] = table["share"].map("{:.3%}".format)
    texts["images"] = table["images"].map("{:,.0f}".format)
    texts["share of images"] = table["image_share"].map("{:.1%}".format)
    texts["objects"] = table["objects"].map("{:,.0f}".format)
    texts["object's pixels"] = size("")
    texts[f"at {REFERENCE[0]}x{REFERENCE[1]}"] = size("scaled_")
    return texts


def holdings(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """How many images and objects there are, in texts; a column a data set of `side_by_side`."""
    columns = {}
    for title, results in shown.items():
        parts, explored = results["dataset"]["split"], results["exploration"]
        problems = [f"{count:,} {what}" for what, count in explored["problems"].items()]
        columns[title] = {
            "images": f"{results['dataset']['images']:,}",
            "in training, validation, test": " / ".join(f"{parts[part]:,}" for part in ("train", "val", "test")),
            "images in which nothing is labelled": f"{explored['images_without_foreground']:,}",
            "objects": f"{explored['objects']:,}",
            "left out on opening": ", ".join(problems) or "nothing",
        }
    return pd.DataFrame(columns)


def share_table(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Share of all pixels, 14 classes x data sets, of `side_by_side`; hair and skin count as background."""
    shares = {title: results["dataset"]["class_share"] for title, results in shown.items()}
    return pd.DataFrame(shares, dtype=float)


def recorded_classes(results: Mapping[str, Any]) -> pd.DataFrame:
    """`class_table` as it was recorded."""
    return pd.DataFrame(results["exploration"]["classes"]).T.reindex(LABELS).astype(float)


def support(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """`readable` for every data set of `side_by_side`, one below the other: labels that occur, comparable sizes."""
    tables = {title: recorded_classes(results) for title, results in shown.items()}
    texts = {
        title: readable(table[table["images"] > 0]).drop(columns="object's pixels") for title, table in tables.items()
    }
    return pd.concat(texts) if texts else pd.DataFrame()


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
            "commonest pair of classes (share)": f"{between[0][0]} ({between[0][1]:.1%})" if between else "–",
        }
    return pd.DataFrame(rows).T


def order_table(shown: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """How much of each clothing class survives the painting, in texts: objects painted largest first, and as the
    file lists them. Only data sets of `side_by_side` in which objects overlap."""
    columns = {}
    for title, results in shown.items():
        if results["exploration"]["overlap"]["claimed_twice"]:
            classes = recorded_classes(results).loc[list(CLOTHING)]
            for column, order in (("visible", "largest first"), ("file_order", "in file order")):
                texts = classes[column].map(lambda share: "–" if np.isnan(share) else f"{share:.1%}")
                columns[f"{title}, {order}"] = texts
    return pd.DataFrame(columns)


def claims_beside(shown: Mapping[str, Mapping[str, Any]]) -> Markdown:
    """The claims of notebook 01, a column a data set of `side_by_side`: value, 95% interval, verdict."""
    rows: dict[str, dict[str, str]] = {}
    for title, results in shown.items():
        for claim in results.get("claims", []):
            if claim["notebook"] == NOTEBOOKS[0]:
                row = rows.setdefault(claim["id"], {"claim": claim["statement"], "measured by": claim["measure"]})
                row[title] = f"{_estimate(claim['value'], claim['interval'])} **{claim['verdict']}**"
    return Markdown(markdown(pd.DataFrame(list(rows.values())).fillna("–")) if rows else "No claim is recorded yet.")


def _estimate(value: float | None, ends: Sequence[float | None] | None) -> str:
    """A number and its interval with three digits that count, as shares here span four orders of magnitude."""
    text = "–" if value is None else f"{value:.3g}"
    return text if ends is None or None in ends else f"{text} [{ends[0]:.3g}, {ends[1]:.3g}]"


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


# -------------------------------------------------------------------------------------------- command


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python -m modanet_utils.exploration ANNOTATIONS OUT", file=sys.stderr)
        return 2
    file, out = (Path(argument).expanduser() for argument in arguments)
    try:
        dataset = open_dataset(file, annotations_only=True)
        parts = split(dataset)
        workspace = Workspace(out.resolve().name, dataset, out, out / "results.json")
        found = scan(dataset)
        pixels = found.image_pixels(parts["train"])
        workspace.record_dataset(parts, found.pixels.sum(0))
        workspace.record("exploration", summary(found, pixels))
        for claim in claims(found, pixels):
            workspace.record_claim(**claim)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{out / 'results.json'}: {len(found.ids):,} images, {len(found.objects):,} objects")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

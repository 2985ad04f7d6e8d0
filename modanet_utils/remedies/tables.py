"""What length, loss and weights, other seeds and each remedy bring, from the counts of finished trials."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from modanet_utils import metrics, statistics
from modanet_utils.classes import CLASSES, CLOTHING, HEADWEAR
from modanet_utils.results.compared import compared, told
from modanet_utils.results.text import row_text
from modanet_utils.thresholds import ALARM_SHARE
from modanet_utils.trials import TRIALS, label_of

Counts = Mapping[str, NDArray]
FEW = [name for name, trial in TRIALS.items() if trial.part != "remedies" or name == "recommended"]
"""The trials that a reader sees in long tables: the losses, longer or not, and the recommended."""


def against_their_own(counts: Counts, validation: Mapping[str, float], part: str) -> pd.DataFrame:
    """The trials of a part of the report, each against the trial that it differs from in one thing.

    As `compared`, which has the arguments, with ``against`` (a label, "" where it is not there), ``skin_as_clothing``,
    ``headwear_precision`` and ``headwear_iou``; ``counts`` may hold trials of other parts, too.
    """
    own = [name for name in counts if TRIALS[name].part == part]
    rivals = {name: TRIALS[name].against for name in own}
    shown = [name for name in counts if name in rivals or name in rivals.values()]
    table = compared({name: counts[name] for name in shown}, validation, rivals)
    table["against"] = [label_of(rivals[name]) if rivals.get(name) in counts else "" for name in shown]
    pooled = {name: counts[name].sum(axis=0) for name in shown}
    table["skin_as_clothing"] = [float(metrics.skin_as_clothing(pooled[name])) for name in shown]
    for score in ("precision", "iou"):
        found = [getattr(metrics.class_scores(pooled[name]), score)[HEADWEAR] for name in shown]
        table[f"headwear_{score}"] = np.array(found, float)
    return table


def tuning(counts: Counts, settings: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """`compared` of the trials that differ in one setting of the loss, by name."""
    names = [name for trials in settings.values() for name in trials if name in counts]
    return compared({name: counts[name] for name in names}, None, {}).to_dict("index")


def infrequent(counts: Counts, trials: Sequence[str]) -> dict[str, dict[str, float]]:
    """IoU of the classes that fewer than a third of the photos show, fewest first, by class and trial; and ``photos``,
    that show it. Empty where one of the trials, the first of which is the reference, is not there."""
    if not set(trials) <= counts.keys():
        return {}
    photos = {label: int((counts[trials[0]][:, label].sum(axis=1) > 0).sum()) for label in range(1, len(CLASSES))}
    kept = sorted((label for label, n in photos.items() if 0 < n < len(counts[trials[0]]) / 3), key=lambda c: photos[c])
    scores = {name: metrics.class_scores(counts[name].sum(axis=0)).iou for name in trials}
    return {CLASSES[c]: {"photos": photos[c], **{name: float(scores[name][c]) for name in trials}} for c in kept}


def infrequent_texts(rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """`infrequent` as a reader sees it."""
    table = pd.DataFrame.from_dict(rows, orient="index")
    scores = table.drop(columns="photos").map("{:.3f}".format).rename(columns=label_of)
    return pd.concat([table["photos"].map("{:.0f}".format), scores], axis=1)


def length_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`against_their_own` of the part "length" as a reader sees it."""
    columns = {"mean IoU": ("mean_iou", ".3f"), "gain": ("change", "+.3f"), "precision": ("precision", ".3f")}
    return told(table.to_dict("index"), columns | {"classes found": ("found", ".0f")})


def remedy_texts(table: pd.DataFrame) -> pd.DataFrame:
    """`against_their_own` of the part "remedies", with ``seconds`` (an epoch's), as a reader sees it."""
    columns = {"validation": ("validation", ".3f"), "mean IoU": ("score", ".3f"), "gain": ("change", "+.3f")}
    rows = table.assign(score=table["mean_iou"]).to_dict("index")
    return told(rows, columns | {"seconds an epoch": ("seconds", ".0f")})


CALLED = ("hair", "headwear"), ("skin", "clothing")


def every_remedy(table: pd.DataFrame) -> pd.DataFrame:
    """As `remedy_texts`, with all scores, where a table may be wide."""
    columns = {"precision": ("precision", ".3f"), "classes found": ("found", ".0f")}
    columns |= {f"{one} called {other}": (f"{one}_as_{other}", ".1%") for one, other in CALLED}
    rest = remedy_texts(table)
    rest.insert(0, "against", [name or "–" for name in table["against"]])
    return pd.concat([rest, told(table.to_dict("index"), columns)], axis=1)


def frame(rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A recorded table of numbers, undefined as NaN; texts stay."""
    table = pd.DataFrame.from_dict(rows, orient="index")
    numbers = [name for name in table.columns if name != "against"]
    return table.astype(dict.fromkeys(numbers, float))


def second_reading(counts: Counts, without: Counts) -> dict[str, dict[str, Any]]:
    """What scoring without stockings and tights changes: the same predictions, fewer pixels.

    ``counts`` and ``without`` hold counts ``(images, 16, 14)`` by trial, with all pixels and without those. Returns by
    trial ``mean_iou`` and ``again`` (without), ``change`` with ``_low`` and ``_high``, ``pixels`` (share of all that is
    left out), ``photos`` (that show them), ``errors`` (share of all wrong pixels that lie on them), and ``pants`` and
    ``boots``: share of the background called so that lies on them.
    """
    found = {}
    for name, second in without.items():
        first, left = counts[name], counts[name] - second
        right = [metrics.fold_body(each.sum(0), len(CLASSES)).trace() for each in (first, left)]
        wrong = first.sum() - right[0], left.sum() - right[1]
        row = {"mean_iou": float(metrics.clothing_mean_iou(first.sum(0))), "pixels": left.sum() / first.sum()}
        row |= {"again": float(metrics.clothing_mean_iou(second.sum(0)))}
        both = np.concatenate([first, second], axis=1)  # resampled together: the same photos
        row |= statistics.ends("change", statistics.bootstrap(both, _gain_of_the_second))
        row |= {"photos": int((left.sum((1, 2)) > 0).sum()), "errors": float(metrics.ratio(wrong[1], wrong[0]))}
        for label in ("pants", "boots"):
            called = [each[:, 0, CLASSES.index(label)].sum() for each in (left, first)]
            row[label] = float(metrics.ratio(*called))
        found[name] = row
    return found


def _gain_of_the_second(counts: NDArray) -> NDArray:
    """Mean IoU of the second 16 rows of counts ``(..., 32, 14)`` minus that of the first."""
    first, second = np.split(counts, 2, axis=-2)
    return np.asarray(metrics.clothing_mean_iou(second) - metrics.clothing_mean_iou(first))


def posthoc_scores(counts: Counts, found: Mapping[str, Counts]) -> dict[str, dict[str, Any]]:
    """What a finished network gains without more training, by trial, from what `posthoc.measure` kept.

    Each has ``validation`` (mean IoU as it is), and for ``flipped`` and ``shifted`` (thresholds) ``_validation``, and
    ``_change`` of the mean IoU on the test photos with ``_low`` and ``_high``, paired; ``offsets`` of those that moved.
    """
    rows = {}
    for name, one in found.items():
        row: dict[str, Any] = {"validation": float(one["validation"][0])}
        for number, way in enumerate(("flipped", "shifted"), 1):
            row[f"{way}_validation"] = float(one["validation"][number])
            row |= statistics.ends(f"{way}_change", statistics.compare_mean_iou(counts[name], one[way])[:3])
        moved = zip(CLASSES, one["offsets"].tolist(), strict=True)
        rows[name] = row | {"offsets": {label: offset for label, offset in moved if offset}}
    return rows


def posthoc_texts(found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """`posthoc_scores` as a reader sees it, a row a trial and change."""
    ways = {"flipped": "averaged with the flipped picture", "shifted": "thresholds per class, from validation"}
    rows = {
        (label_of(name), text): {
            "validation before": row_text(row, "validation"),
            "and after": row_text(row, f"{way}_validation"),
            "gain in mean IoU": row_text(row, f"{way}_change", "+.3f"),
        }
        for name, row in found.items()
        for way, text in ways.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def second_texts(found: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """`second_reading` of `FEW` as a reader sees it."""
    columns = {"mean IoU without them": ("again", ".3f"), "change": ("change", "+.3f")}
    columns |= {"wrong pixels that lie on them": ("errors", ".1%"), "of background called pants": ("pants", ".0%")}
    return told({name: found[name] for name in FEW if name in found}, columns)


OVER_SEEDS = {
    "mean IoU": metrics.clothing_mean_iou,
    "hair called headwear": metrics.hair_as_headwear,
    "skin called clothing": metrics.skin_as_clothing,
    "precision of clothing": metrics.clothing_precision,
}


def over_trainings(seeds: Mapping[str, Sequence[NDArray]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What follows from counts, over the trainings of each trial: name, measure, then mean, range and interval.

    Each entry has ``value`` (mean), ``lowest``, ``highest``, ``trainings``, and ``value_low`` and ``value_high``, the
    ends of an interval over photos and trainings together (`statistics.over_photos_and_seeds`; NaN for one training).
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for name, stack in {name: np.stack(counts) for name, counts in seeds.items()}.items():
        found[name] = {}
        for title, measure in OVER_SEEDS.items():
            each = np.asarray(measure(stack.sum(axis=1)))
            entry = {"trainings": len(each), "lowest": float(each.min()), "highest": float(each.max())}
            found[name][title] = entry | statistics.ends("value", statistics.over_photos_and_seeds(stack, measure))
    return found


def training_texts(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> pd.DataFrame:
    """`over_trainings` as a reader sees it: a row a trial and measure, of the trials with several trainings."""
    rows = []
    for name, measures in found.items():
        for title, row in ((title, row) for title, row in measures.items() if row["trainings"] > 1):
            form = ".3f" if title == "mean IoU" else ".1%"
            ends = f"{row['lowest']:{form}} to {row['highest']:{form}}"
            one = {"trial": label_of(name), "measure": title, "trainings": str(row["trainings"])}
            rows.append(one | {"mean": row_text(row, "value", form), "lowest to highest": ends})
    return pd.DataFrame(rows).set_index("trial") if rows else pd.DataFrame()


def presence_scores(worn: NDArray, pixels: NDArray) -> dict[str, Any]:
    """Is what is worn found, and is what is not worn predicted?

    ``worn`` is ``(images, 14) bool``, ``pixels`` the predicted ones ``(images, 14)``: a class is seen from
    `ALARM_SHARE` of the picture. Returns ``images``, ``mean_f1``, ``false_hats`` (share of the photos without a hat in
    which one is seen, with Wilson's interval, ``_low`` and ``_high``) and ``classes``: by clothing class ``images``
    (that wear it), ``precision``, ``recall`` and ``f1``, NaN where undefined.
    """
    seen = pixels > ALARM_SHARE * pixels.sum(axis=1, keepdims=True)
    hit, called, there = ((a & b).sum(axis=0) for a, b in ((seen, worn), (seen, seen), (worn, worn)))
    precision, recall = metrics.ratio(hit, called), metrics.ratio(hit, there)
    f1 = metrics.ratio(2 * hit, called + there)
    classes = {
        name: {"images": int(there[c]), "precision": precision[c], "recall": recall[c], "f1": f1[c]}
        for c, name in enumerate(CLASSES)
        if c
    }
    bare = ~worn[:, HEADWEAR]
    false = statistics.share_interval(int((seen[:, HEADWEAR] & bare).sum()), int(bare.sum()))
    mean = float(np.nanmean([classes[name]["f1"] for name in CLOTHING]))
    return {"images": len(worn), "mean_f1": mean, **statistics.ends("false_hats", false), "classes": classes}


def presence_texts(found: Mapping[str, Mapping[str, Any]], names: Sequence[str] = FEW) -> pd.DataFrame:
    """`presence_scores` of some trials as a reader sees them."""
    rows = {name: {**found[name], **found[name]["classes"]["headwear"]} for name in names if name in found}
    columns = {"mean F1 of the classes": ("mean_f1", ".3f"), "hats found": ("recall", ".0%")}
    columns |= {"hats right": ("precision", ".0%"), "photos without a hat in which one is seen": ("false_hats", ".0%")}
    return told(rows, columns)

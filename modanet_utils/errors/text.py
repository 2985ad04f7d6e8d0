"""What notebooks 04 and 05 say, made of the numbers that results.json keeps, with no number typed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from modanet_utils import metrics
from modanet_utils.classes import HAIR, HEADWEAR
from modanet_utils.errors.places import KINDS
from modanet_utils.errors.sources import Source
from modanet_utils.results.text import PENDING, bullets, mean_of, on_real_photos
from modanet_utils.thresholds import FOUND_SHARE
from modanet_utils.trials import TRIALS, label_of

MEASURES = {"hair": ("hair called headwear", 100), "skin": ("skin called clothing", 100), "iou": ("IoU of headwear", 1)}
"""What is compared over trainings: heading and unit."""
LENGTHS: tuple[str, ...] = ("cross_entropy", "cross_entropy_long", "combined_unweighted", "combined_unweighted_long")
LENGTHS += ("combined", "combined_long", "combined_body", "combined_body_tagged_long", "recommended")
"""The trials that are compared, by name."""


def entries(runs: Mapping[str, Any]) -> dict[str, Any]:
    """Finished runs as results.json keeps trials: what `trainings` takes."""
    return {name: {"epochs": len(run.history), "test": run.summary} for name, run in runs.items()}


def trainings(trials: Mapping[str, Any]) -> pd.DataFrame:
    """A row a training of `LENGTHS`, from entries of results.json: ``trial`` (its label), ``epochs``, `MEASURES`."""
    rows = []
    for trial in LENGTHS:
        for name, entry in trials.items():
            if name.split("-seed")[0] == trial:
                test = entry["test"]
                shares = (test["body"][key]["value"] for key in ("hair_as_headwear", "skin_as_clothing"))
                before = trials.get(TRIALS[trial].after, {}).get("epochs", 0)  # it goes on from another's network
                rows.append([label_of(trial), before + entry["epochs"], *shares, test["classes"]["headwear"]["iou"]])
    table = pd.DataFrame(rows, columns=["trial", "epochs", *MEASURES])
    return table.astype(dict.fromkeys(MEASURES, float))


def at_lengths(table: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of the combined loss, and of its longer training."""
    return [table[table["trial"] == label_of(name)] for name in ("combined", "combined_long")]


def answer(results: Mapping[str, Any], trials: Mapping[str, Any]) -> Markdown:
    """The answer of notebook 04 in three points: length of training, place and colour, skin."""
    one = Source(results)
    short, long = at_lengths(trainings(trials))
    if not one.has("answers", "after") or short["hair"].isna().all():
        return PENDING
    deep = one.table("answers")["after"]["skin_deeper_coarse"]
    far = ", most of it too far from any garment to be a blurred edge" * bool(deep > 0.5)
    skin = f"Of the skin {short['skin'].mean():.0%} is called clothing ({mean_of(len(short))}){far}"
    said = f"{skin}{_removed(short, long, 'skin')}."
    return bullets(on_real_photos(results), [length_effect(trials), place_and_colour(one), said])


def _removed(short: pd.DataFrame, long: pd.DataFrame, name: str) -> str:
    """How much of an error the longer training removes, as the end of a sentence; empty where that is not known."""
    if long.empty or not short[name].mean() > 0:
        return ""
    gone = 1 - long[name].mean() / short[name].mean()
    part = next((word for least, word in ((0.9, "nearly all"), (0.5, "most"), (0.1, "part")) if gone > least), "none")
    return f"; three times the training removes {part} of this error ({mean_of(len(long))})"


def length_effect(trials: Mapping[str, Any]) -> str:
    """How much of the hair is called headwear, and how much of that belongs to the short training."""
    short, long = at_lengths(trainings(trials))
    if short.empty:
        return "The combined loss has not been trained."
    after = "After a short training the" if len(long) else "The"
    hair = f"calls {short['hair'].mean():.0%} of the hair headwear ({mean_of(len(short))})"
    return f"{after} combined loss {hair}{_removed(short, long, 'hair')}."


def place_and_colour(one: Source) -> str:
    """Whether hats are known by their place, and what colour adds; empty where neither is defined."""
    said = ""
    if one.has("pasted_hats", "value", row="worn"):
        table, known = one.table("pasted_hats"), by_place(one)
        (worn, beside), real = table.loc[["worn", "beside"], "value"], table.loc["real"]
        like = "better than" if worn > real["high"] else "less well than" if worn < real["low"] else "about as well as"
        like = f" {like} a real one" if np.isfinite(real["value"]) else ""
        near = "hardly at all" if known and beside < FOUND_SHARE else "less well" if known else "not clearly less well"
        said = "The network knows hats by their place" if known else "Place alone does not decide what is a hat"
        said += f": a hat pasted on a head is found{like}, the same hat beside the person {near} ({beside:.0%}). "
    if one.has("leak_model", "slope"):
        height, colour = one.table("leak_model").filter(like="slope").loc[["height", "distance"]].to_numpy()
        first, second, more = (height, colour, "more") if abs(height[0]) > abs(colour[0]) else (colour, height, "less")
        counts = "counts" if first.prod() * first[0] > 0 and min(abs(first)) > max(abs(second)) else "seems to count"
        said += f"For hair, height in the picture {counts} {more} than likeness to hats in colour."
    return said.strip()


def by_place(one: Source) -> bool:
    """Whether a pasted hat is clearly found more often on a head than beside it."""
    return one.has("pasted_hats", "value", row="worn") and bool(one.table("pasted_hats").loc["context", "low"] > 0)


def hats_and_hair(one: Source) -> str:
    """How often hats are missed and seen where none is, and why a little hair is a large part of the headwear."""
    counts = np.array(one.errors["counts"]["combined"]) if one.has("answers", "after") else np.zeros((16, 14))
    if not (counts[:, HEADWEAR].any() and counts[HEADWEAR].any() and counts[HAIR].any()):
        return "No headwear is found, or no hair is labelled, so there is no precision to take apart."
    alarms, missed = one.table("answers")["after"][["headwear_alarms", "headwear_missed"]]
    times, recall, leak = counts[HAIR].sum() / counts[HEADWEAR].sum(), 1 - missed, metrics.hair_as_headwear(counts)
    return (
        f"The combined loss reports a hat in {alarms:.0%} of the photos without one and misses {missed:.0%} of the "
        f"headwear. Hair has {times:.1f} times the pixels of headwear: with {leak:.0%} of the hair called headwear, "
        f"headwear's precision cannot exceed {recall:.2f} / ({recall:.2f} + {times:.1f} × {leak:.2f}) = "
        f"{recall / (recall + times * leak):.2f}. It is {counts[HEADWEAR, HEADWEAR] / counts[:, HEADWEAR].sum():.2f}."
    )


def more_answer(results: Mapping[str, Any]) -> Markdown:
    """The answer of notebook 05 in three points: kinds of error, several people, small things."""
    one = Source(results)
    if not (one.has("kinds", "iou") and one.has("crowd", "both") and one.has("sizes", "recall")):
        return PENDING
    mean, row = one.table("kinds").loc["mean"], one.table("crowd").iloc[-1]
    first = max(KINDS, key=lambda kind: mean[kind])
    costs = f"costs the pair {-row['both']:.2f} of" if row["both_high"] < 0 else "does not clearly cost the pair"
    thing = "more than" if row["person_high"] < 0 else "not clearly more than"
    small: Mapping[str, Any] = next((one for one in results.get("claims", []) if one["id"] == "small-parts-missed"), {})
    are = {"supported": "are", "refuted": "are not"}.get(small.get("verdict", ""), "are not clearly")
    more = "" if small.get("value") is None else f" ({100 * small['value']:+.0f} points)"
    points = [
        f"Wrong {KINDS[first]} cost most: put right, they alone would add {mean[first]:.2f} to the mean IoU.",
        f"A second person partly in front {costs} mean IoU, {thing} a plain silhouette in the same place.",
        f"Small instances {are} missed more often than larger ones{more}.",
    ]
    return bullets(on_real_photos(results), points)

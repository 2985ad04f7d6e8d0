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
from modanet_utils.results.text import PENDING, bullets, on_real_photos, row_text, value_text
from modanet_utils.thresholds import SHIFT
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


def _mean(values: pd.Series, what: str = "") -> str:
    """The mean over trainings, of what it is, and the lowest and highest where there are several."""
    ends = f" (mean of {len(values)} trainings, {values.min():.0%} to {values.max():.0%})" if len(values) > 1 else ""
    return f"{values.mean():.{0 if values.mean() >= 0.1 else 1}%}{what}{ends}"


def answer(results: Mapping[str, Any], trials: Mapping[str, Any]) -> Markdown:
    """The answer of notebook 04 in three points: length of training, place and colour, skin."""
    one = Source(results)
    short, long = at_lengths(trainings(trials))
    if not one.has("answers", "after") or short["hair"].isna().all():
        return PENDING
    deep = one.table("answers")["after"]["skin_deeper"]
    where = f"; most of it lies more than {SHIFT} pixels from any clothing" if deep > 0.5 else ""
    skin = f"Of the skin {_mean(short['skin'], ' is called clothing')}{_longer(long, 'skin')}{where}."
    return bullets(on_real_photos(results), [length_effect(trials), place_and_colour(one), skin])


def _longer(long: pd.DataFrame, name: str) -> str:
    once = " (one training)" * (len(long) == 1)
    return f", after {long['epochs'].iloc[0]} epochs {_mean(long[name])}{once}" if len(long) else ""


def length_effect(trials: Mapping[str, Any]) -> str:
    """How much of the hair called headwear belongs to the short training."""
    short, long = at_lengths(trainings(trials))
    if short.empty:
        return "The combined loss has not been trained."
    hair = _mean(short["hair"], " of the hair headwear")
    said = f"After {short['epochs'].iloc[0]} epochs the combined loss calls {hair}"
    if long.empty or not short["hair"].mean() > 0:
        return f"{said}."
    gone = 1 - long["hair"].mean() / short["hair"].mean()
    part = "Most" if gone > 0.5 else "Part" if gone > 0.1 else "None"
    return f"{said}{_longer(long, 'hair')}: {part.lower()} of this error belongs to the short training."


def place_and_colour(one: Source) -> str:
    """Whether hats are known by their place, and what colour adds; empty where neither is defined."""
    said = ""
    if one.has("pasted_hats", "value", row="worn"):
        worn, beside = one.table("pasted_hats").loc[["worn", "beside"], "value"]
        said = f"{'Place comes first' if by_place(one) else 'Place alone does not decide'}: of a hat pasted on a head "
        said += f"{worn:.0%} is found, of the same hat beside the person {beside:.0%}. "
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
    costs = "costs" if row["both_high"] < 0 else "does not clearly cost"
    thing = "more than" if row["person_high"] < 0 else "not clearly more than"
    small: Mapping[str, Any] = next((one for one in results.get("claims", []) if one["id"] == "small-parts-missed"), {})
    are = {"supported": "are", "refuted": "are not"}.get(small.get("verdict", ""), "are not clearly")
    more = f" ({value_text(small.get('value'), small.get('interval'), '+.1%')})".replace(" (–)", "")
    gain, change = row_text(mean, first, ".2f"), row_text(row, "both", "+.2f")
    points = [
        f"Wrong {KINDS[first]} cost most: put right, they alone would add {gain} to the mean IoU.",
        f"A second person partly in front {costs} mean IoU ({change} for both together), {thing} a plain silhouette in "
        "the same place.",
        f"Small instances {are} missed more often than larger ones{more}.",
    ]
    return bullets(on_real_photos(results), points)

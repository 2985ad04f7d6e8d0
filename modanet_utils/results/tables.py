"""The tables that are made of ``results.json``."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import Markdown, display

from modanet_utils.classes import CLOTHING
from modanet_utils.results.claims import Claim
from modanet_utils.results.text import NOTHING, Table, escaped, score_text, the_classes, value_text
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import headline, label_of


def beside(results: Mapping[str, Any], tables: Mapping[str, Callable[[Mapping[str, Any]], Table]]) -> None:
    """Display tables of recorded results, each under its heading, if it has one; nothing where nothing is recorded."""
    for heading, table in tables.items():
        found = table(results) if results else NOTHING
        if found is not NOTHING:
            display(*[Markdown(heading)] * bool(heading), found)


def claims(results: Mapping[str, Any], notebook: str) -> Table:
    """The recorded claims of one notebook, by their verdicts."""
    table = claims_table(results, notebook)
    return NOTHING if table.empty else table.set_index("verdict").rename_axis(index=None, columns="verdict")


def _headline_tests(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    trials = results["trials"]
    return {name: trials[name]["test"] for name in headline() if name in trials}


def headline_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """The answer in one table: a row a measure, a column a trial, texts with 95% intervals."""
    tests = _headline_tests(results)
    mean = f"mean IoU, {the_classes(*tests.values())}"
    columns = {label_of(name): {mean: score_text(test), **_headline_column(test)} for name, test in tests.items()}
    return pd.DataFrame(columns).rename_axis(columns="test part")


def _headline_column(test: Mapping[str, Any]) -> dict[str, str]:
    headwear = test["classes"]["headwear"]
    leaks = {name: value_text(share["value"], share["interval"]) for name, share in test["body"].items()}
    present = [scores for name, scores in test["classes"].items() if name in CLOTHING and scores["support"]]
    found = sum((scores["iou"] or 0) >= FOUND for scores in present)
    sure = sum((scores["iou_interval"] or [0])[0] >= FOUND for scores in present)
    pixels = sum(scores["support"] for scores in test["classes"].values())
    background = test["classes"]["background"]["support"] / pixels if pixels else None
    return {
        "mean IoU with background": value_text(test["mean_iou_with_background"]),
        "mean IoU, average over images": value_text(test["mean_iou_per_image"]),
        "pixel accuracy (background everywhere)": f"{value_text(test['pixel_accuracy'])} ({value_text(background)})",
        f"classes found (IoU of {FOUND} or more)": f"{found} of {len(present)}, {sure} by the whole interval",
        "headwear IoU": score_text(test, "headwear"),
        "headwear precision": value_text(headwear["precision"]),
        "headwear recall": value_text(headwear["recall"]),
        "hair pixels called headwear": leaks["hair_as_headwear"],
        "skin pixels called clothing": leaks["skin_as_clothing"],
    }


def class_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """IoU per class with its interval: a row a clothing class, a column a trial, and its test images."""
    tests = _headline_tests(results)
    known = [one for one in CLOTHING if any(test["classes"][one]["iou"] is not None for test in tests.values())]
    table = pd.DataFrame(index=known).rename_axis(columns="class")
    if tests:
        table["test images"] = [next(iter(tests.values()))["classes"][name]["images"] for name in known]
    for trial, test in tests.items():
        table[f"IoU, {label_of(trial)}"] = [score_text(test, name) for name in known]
    return table


def score_table(test: Mapping[str, Any]) -> pd.DataFrame:
    """All scores of the "test" part of a trial, or ``Run.summary``: a row a class, texts; undefined is a dash.

    Classes that are neither there nor predicted have none.
    """
    rows = {
        name: {
            "IoU": score_text(test, name),
            **{score: value_text(scores[score.lower()]) for score in ("precision", "recall", "F1")},
            "support, pixels": f"{scores['support']:,}",
            "support, images": str(scores["images"]),
        }
        for name, scores in test["classes"].items()
        if scores["iou"] is not None
    }
    never = " (never above background)" * all((test["classes"][name]["iou"] or 0) < FOUND for name in CLOTHING)
    rows[f"mean of the {the_classes(test)}"] = {"IoU": score_text(test) + never}
    rows["mean with background"] = {"IoU": value_text(test["mean_iou_with_background"])}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis("class")


def claims_table(results: Mapping[str, Any], notebook: str | None = None) -> pd.DataFrame:
    """The claims of one notebook (of all where None), each with its verdict, its measure and its number."""
    rows = [
        (claim["verdict"], claim["statement"], claim["measure"], _claimed(claim["value"], claim["interval"]))
        for claim in results.get("claims", [])
        if notebook in (None, claim["notebook"])
    ]
    return pd.DataFrame(rows, columns=["verdict", "claim", "measured by", "value [95% interval]"])


def grouped_claims(found: Mapping[str, Mapping[str, Any]], groups: Mapping[str, Sequence[Claim]]) -> pd.DataFrame:
    """Claims by what they are about, with verdict and number on every set of results, by heading."""
    known = {heading: {claim["id"]: claim for claim in one.get("claims", [])} for heading, one in found.items()}
    rows = []
    for about, group in groups.items():
        for at, claim in enumerate(group):
            row = {"about": about if at == 0 else "", "claim": claim.statement, "measured by": claim.measure}
            for heading, claims in known.items():
                if one := claims.get(claim.id):
                    value = "" if one["value"] is None else f": {_claimed(one['value'], one['interval'])}"
                    row |= {heading or "verdict": one["verdict"] + value, "measured by": one["measure"]}
            rows.append(row)
    return pd.DataFrame(rows).fillna("–").set_index("about").rename_axis(index=None, columns="about")


def _claimed(value: float | None, interval: list[float | None] | None) -> str:
    """Three decimals, or as many as show two digits of a smaller number, five at the most."""
    digits = min(5, max(3, 1 - math.floor(math.log10(abs(value))))) if value else 3
    return value_text(value, interval, f".{digits}f")


def caption(results: Mapping[str, Any]) -> str:
    """One sentence under the headline table: which data, which images, how often."""
    dataset = results["dataset"]
    runs = max((len(results["trials"][name]["seeds"]) for name in _headline_tests(results)), default=1)
    images = f"{dataset['split']['test']} test images of {dataset['images']}"
    several = f"{runs} seeds" if runs > 1 else "one run"
    return f"{escaped(dataset['name'])}: {images}, {several} a trial; in brackets 95% bootstrap intervals over images."

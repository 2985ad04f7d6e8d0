"""``results.json``: what a series of notebooks found; its schema, and the tables that are made of it.

The file stands beside every executed series. Undefined is null. Whatever prose, README and index say in
numbers is read from here.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from modanet_utils.classes import CLASSES, CLOTHING

VERDICTS: tuple[str, ...] = ("supported", "refuted", "inconclusive")
TRIALS: dict[str, str] = {
    "cross_entropy": "cross-entropy",
    "cross_entropy_adjusted": "adjusted cross-entropy",
    "combined": "combined loss",
}
"""The trials that every finished series holds, and what tables call them."""
OTHER_LABELS: dict[str, str] = {
    "all_background": "background everywhere",
    "weighted_cross_entropy": "cross-entropy, weighted",
    "combined_unweighted": "combined, no weights",
    "combined_inverse": "combined, raw inverse weights",
    "combined_without_dice": "combined without Dice",
    "combined_without_focal": "combined without focal",
    "combined_without_lovasz": "combined without Lovász",
}
"""What tables call the trials beyond these."""

FOUND = 0.01
"""IoU below which a class counts as not found."""
LATER = "added after the results were seen"
"""What the measure of a claim says that came after its own number, or those that decide it."""

MEASURES: tuple[str, ...] = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing")


class ResultsError(ValueError):
    """Results that do not follow the schema, or are not there; the message says what and where."""


# ------------------------------------------------------------------------------------------ schema


def _number(value: Any) -> str | None:
    """The complaint about a value that is no finite number and not null (undefined)."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)):
        return None
    return "must be a finite number, or null where it is undefined"


def _share(value: Any) -> str | None:
    if _number(value) or (value is not None and not 0 <= value <= 1):
        return "must be a number from 0 to 1, or null where it is undefined"
    return None


def _count(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None
    return "must be a whole number that is not negative"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def _interval(value: Any) -> str | None:
    if value is None or value == [None, None]:
        return None
    if isinstance(value, list) and len(value) == 2 and not any(map(_number, value)) and None not in value:
        return None if value[0] <= value[1] else "must be [low, high] with low at most high"
    return "must be [low, high], or null where it is undefined"


def _verdict(value: Any) -> str | None:
    return None if value in VERDICTS else f"must be one of {', '.join(VERDICTS)}"


def _anything(value: Any) -> str | None:
    return None


class _Each(dict):
    """Stands in the schema for a dictionary with any keys and values of one kind."""


CLASS = {
    **dict.fromkeys(("iou", "precision", "recall", "f1"), _share),
    "iou_interval": _interval,
    "support": _count,
    "images": _count,
}
TRIAL = {
    "config": _Each(value=_anything),
    "config_hash": _text,
    "epochs": _count,
    "seconds_per_epoch": _number,
    "seeds": [_count],
    "test": {
        **dict.fromkeys(("mean_iou", "mean_iou_with_background", "mean_iou_per_image", "pixel_accuracy"), _share),
        "mean_iou_interval": _interval,
        "classes": dict.fromkeys(CLOTHING, CLASS),
        "body": dict.fromkeys(MEASURES, {"value": _share, "interval": _interval}),
    },
}
CLAIM = {
    **dict.fromkeys(("id", "statement", "measure", "notebook"), _text),
    "value": _number,
    "interval": _interval,
    "verdict": _verdict,
}
SCHEMA = {
    "profile": _text,
    "dataset": {
        "name": _text,
        "images": _count,
        "fingerprint": _text,
        "split": dict.fromkeys(("train", "val", "test"), _count),
        "class_share": dict.fromkeys(CLASSES, _share),
    },
    "trials": _Each(value=TRIAL),
    "claims": [CLAIM],
    "provenance": {"commit": _text, "versions": _Each(value=_text), "device": _text},
}


def check_results(results: Any, complete: bool = True) -> None:
    """Check results against the schema; keys beyond it are allowed.

    Args:
        results: The parsed content of a ``results.json``.
        complete: Every part must be there, with the trials in `TRIALS` and at least one claim. Otherwise only
            the parts that are there are checked.

    Raises:
        ResultsError: Names the first entry that is missing or wrong.
    """
    if not isinstance(results, dict):
        raise ResultsError("results.json must hold an object.")
    schema = SCHEMA if complete else {key: part for key, part in SCHEMA.items() if key in results}
    complaint = _complaint(results, schema, "")
    if complaint is None:
        complaint = _contradiction(results, complete)
    if complaint is not None:
        raise ResultsError(f"results.json: {complaint}.")


def _complaint(value: Any, kind: Any, where: str) -> str | None:
    """What is wrong with a value, with its place in the file; None if nothing is."""
    if isinstance(kind, Callable):
        complaint = kind(value)
        return complaint and f"{where} {complaint}, not {value!r}"
    if isinstance(kind, list):
        if not isinstance(value, list):
            return f"{where} must be a list"
        children = [(f"{where}[{i}]", item, kind[0]) for i, item in enumerate(value)]
    else:
        if not isinstance(value, dict):
            return f"{where} must be an object"
        if isinstance(kind, _Each):
            kind = dict.fromkeys(value, kind["value"])
        missing = [key for key in kind if key not in value]
        if missing:
            return f"{f'{where}.{missing[0]}'.lstrip('.')} is missing"
        children = [(f"{where}.{key}".lstrip("."), value[key], part) for key, part in kind.items()]
    return next(filter(None, (_complaint(item, part, place) for place, item, part in children)), None)


def _contradiction(results: dict[str, Any], complete: bool) -> str | None:
    """What does not fit together although every entry has the right kind."""
    ids = [claim["id"] for claim in results.get("claims", [])]
    if len(ids) != len(set(ids)):
        return f"two claims have the id {max(ids, key=ids.count)!r}"
    if "dataset" in results:
        dataset = results["dataset"]
        if sum(dataset["split"].values()) > dataset["images"]:
            return f"the split holds more than the {dataset['images']} images"
        shares = [share for share in dataset["class_share"].values() if share is not None]
        if abs(sum(shares) - 1) > 1e-6:
            return f"dataset.class_share adds up to {sum(shares):g}, not 1"
    if complete:
        for name in TRIALS:
            if name not in results["trials"]:
                return f"trial {name!r} is missing"
        if not ids:
            return "there are no claims"
    return None


# -------------------------------------------------------------------------------------- reading, writing


def plain(value: Any) -> Any:
    """The value as JSON holds it: numpy numbers and arrays become plain, NaN and infinities become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy scalars and arrays, torch tensors
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    raise ResultsError(f"A {type(value).__name__} cannot be recorded: give numbers, texts, lists or dictionaries.")


def read_results(path: Path) -> dict[str, Any]:
    """Read a ``results.json``.

    Raises:
        ResultsError: It is not there or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(f"There is no {path.name} in {path.parent}: execute the notebooks first.") from None
    except ValueError as error:
        raise ResultsError(f"{path} is not JSON ({error}): execute the notebooks again.") from None


def write_results(path: Path, results: Mapping[str, Any]) -> None:
    """Write a ``results.json`` whole or not at all; the same results give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(plain(results), indent=1, ensure_ascii=False, allow_nan=False)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


# ------------------------------------------------------------------------------------------ tables

pd.set_option("display.max_colwidth", None)  # a notebook shows claims whole, not their first 50 letters


def trial_label(name: str) -> str:
    """What tables call a trial."""
    return (TRIALS | OTHER_LABELS).get(name, name.replace("_", " "))


def number(value: float | None, digits: int = 3) -> str:
    """A number as tables show it; undefined is a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def with_interval(value: float | None, interval: list[float] | tuple[float, float] | None, digits: int = 3) -> str:
    """A number and its 95% interval as tables show them: ``0.412 [0.395, 0.430]``."""
    if interval is None or None in tuple(interval):
        return number(value, digits)
    return f"{number(value, digits)} [{number(interval[0], digits)}, {number(interval[1], digits)}]"


def headline_table(results: Mapping[str, Any], trials: list[str] | None = None) -> pd.DataFrame:
    """The answer in one table: a row a measure, a column a trial, texts with 95% intervals.

    Args:
        results: The content of a ``results.json``.
        trials: The trials to show; those in `TRIALS` where it is None.
    """
    names = [name for name in TRIALS if name in results["trials"]] if trials is None else trials
    columns = {trial_label(name): _headline(results["trials"][name]["test"]) for name in names}
    return pd.DataFrame(columns).rename_axis(columns="test part")


def _headline(test: Mapping[str, Any]) -> dict[str, str]:
    headwear = test["classes"]["headwear"]
    present = [scores for name, scores in test["classes"].items() if name in CLOTHING and scores["support"] > 0]
    found = sum((scores["iou"] or 0) >= FOUND for scores in present)
    support = [scores["support"] for scores in test["classes"].values()]
    background = test["classes"]["background"]["support"] / sum(support) if sum(support) else None
    sure = sum((scores["iou_interval"] or [0])[0] >= FOUND for scores in present)
    return {
        "mean IoU, 13 clothing classes": with_interval(test["mean_iou"], test["mean_iou_interval"]),
        "mean IoU with background": number(test["mean_iou_with_background"]),
        "mean IoU, average over images": number(test["mean_iou_per_image"]),
        "pixel accuracy (background everywhere)": f"{number(test['pixel_accuracy'])} ({number(background)})",
        f"classes found (IoU of {FOUND} or more)": f"{found} of {len(present)}, {sure} by the whole interval",
        "headwear IoU": with_interval(headwear["iou"], headwear["iou_interval"]),
        "headwear precision": number(headwear["precision"]),
        "headwear recall": number(headwear["recall"]),
        "hair pixels called headwear": _body(test, "hair_as_headwear"),
        "skin pixels called clothing": _body(test, "skin_as_clothing"),
    }


def _body(test: Mapping[str, Any], measure: str) -> str:
    return with_interval(test["body"][measure]["value"], test["body"][measure]["interval"])


def class_table(results: Mapping[str, Any], trials: list[str] | None = None) -> pd.DataFrame:
    """IoU per class with its interval: a row a clothing class, a column a trial, and its test images."""
    names = [name for name in TRIALS if name in results["trials"]] if trials is None else trials
    tests = {name: results["trials"][name]["test"]["classes"] for name in names}
    table = pd.DataFrame(index=list(CLOTHING)).rename_axis(columns="class")
    if tests:
        table["test images"] = [next(iter(tests.values()))[name]["images"] for name in CLOTHING]
    for trial, classes in tests.items():
        texts = [with_interval(classes[name]["iou"], classes[name]["iou_interval"]) for name in CLOTHING]
        table[f"IoU, {trial_label(trial)}"] = texts
    return table


def score_table(test: Mapping[str, Any]) -> pd.DataFrame:
    """All scores of one trial: a row a class, texts; undefined is a dash.

    Args:
        test: The "test" part of a trial, or ``Run.summary``.
    """
    rows = {
        name: {
            "IoU": with_interval(scores["iou"], scores["iou_interval"]),
            **{score: number(scores[score]) for score in ("precision", "recall")},
            "F1": number(scores["f1"]),
            "support, pixels": f"{scores['support']:,}",
            "support, images": str(scores["images"]),
        }
        for name, scores in test["classes"].items()
    }
    rows["mean of the 13 clothing classes"] = {"IoU": with_interval(test["mean_iou"], test["mean_iou_interval"])}
    rows["mean with background"] = {"IoU": number(test["mean_iou_with_background"])}
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis("class")


def claims_table(results: Mapping[str, Any], notebook: str | None = None) -> pd.DataFrame:
    """The claims, each with its measure, its number and its verdict.

    Args:
        results: The content of a ``results.json``.
        notebook: Only the claims of this notebook; all where it is None.
    """
    rows = [
        (
            claim["statement"],
            claim["measure"],
            with_interval(claim["value"], claim["interval"], _digits(claim["value"])),
            claim["verdict"],
        )
        for claim in results.get("claims", [])
        if notebook in (None, claim["notebook"])
    ]
    return pd.DataFrame(rows, columns=["claim", "measured by", "value [95% interval]", "verdict"])


def _digits(value: float | None) -> int:
    """Three decimals, or as many as show two digits of a smaller number, five at the most."""
    return 3 if not value else min(5, max(3, 1 - math.floor(math.log10(abs(value)))))


def with_index(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its index as first column, headed by the name of the columns if they have one."""
    if table.columns.name is None:
        return table
    return table.rename_axis(index=table.columns.name, columns=None).reset_index()


def markdown(table: pd.DataFrame) -> str:
    """A table of texts as Markdown; the index is the first column where `with_index` would make it one."""
    table = with_index(table)
    rows = [[str(value).replace("|", "\\|") for value in row] for row in (table.columns, *table.to_numpy())]
    rows.insert(1, ["---"] * len(table.columns))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def caption(results: Mapping[str, Any]) -> str:
    """One sentence under the headline table: which data, which images, how often."""
    dataset = results["dataset"]
    runs = {len(results["trials"][name]["seeds"]) for name in TRIALS if name in results["trials"]}
    several = f"{max(runs)} seeds" if runs and max(runs) > 1 else "one run"
    images = f"{dataset['split']['test']} test images of {dataset['images']}"
    return f"{dataset['name']}: {images}, {several} a trial; in brackets 95% bootstrap intervals over images."

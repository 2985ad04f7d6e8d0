"""The tables on speed, from ``reports/bench.json`` as ``make bench`` writes it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from modanet_utils.results.text import markdown, value_text

COMPARED = ("scan", "loss", "step", "trials", "loop", "epoch", "remedies", "score", "open", "predict", "scale", "lmdb")

Entry = dict[str, Any]


def recorded(path: Path) -> dict[str, Entry]:
    """What was measured, comparison to entry; nothing where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def three_digits(value: float) -> str:
    """Three digits that count, never in powers of ten.

    >>> three_digits(1234.5), three_digits(0.04365)
    ('1234', '0.0437')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio_text(ratio: Mapping[str, float]) -> str:
    """A ratio and its spread: ``12.3 [11.9, 12.8]``."""
    return f"{three_digits(ratio['median'])} [{three_digits(ratio['low'])}, {three_digits(ratio['high'])}]"


def sides(told: Mapping[str, float], unit: str = "") -> str:
    """Contestants and their values: ``COCO loop 2.56, ours 0.186``."""
    return ", ".join(f"{side} {three_digits(value)}{unit}" for side, value in told.items())


def text(results: Mapping[str, Entry]) -> str:
    """What was measured, as README.md quotes it."""
    if not results:
        return "Not measured yet."
    devices = sorted({entry["provenance"]["device"] for entry in results.values()})
    parts = [markdown(table(results)), f"Measured on: {', '.join(devices)}."]
    if "step" in results:
        parts.append(markdown(variants_table(results["step"], results.get("trials", {}).get("trials", {}))))
    return "\n\n".join(parts)


def table(results: Mapping[str, Entry]) -> pd.DataFrame:
    """Texts: a row a comparison that has a ratio."""
    rows = {
        name: {
            "compared": entry["what"],
            "ratio [lowest, highest]": f"{ratio_text(entry['ratio'])} = {entry['ratio_is']}",
            "seconds": sides(entry["seconds"]),
            "data": entry["data"],
        }
        for name, entry in ((name, results[name]) for name in COMPARED if "ratio" in results.get(name, {}))
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(columns="key")


def variants_table(entry: Entry, trials: Mapping[str, Any]) -> pd.DataFrame:
    """Each variant of the training step: seconds, their ratio to the step as it is, and what its trial scored."""
    rows = {
        name: {
            "seconds": three_digits(told["seconds"]),
            "the first step's": three_digits(told["first_step"]),
            "ratio [lowest, highest]": ratio_text(told["ratio"]),
            "mean IoU of a trial": value_text(*trials[name]["mean_iou"]) if name in trials else "–",
        }
        for name, told in entry["variants"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(columns="one training step")

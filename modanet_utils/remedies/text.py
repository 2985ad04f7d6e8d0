"""What notebook 06 says of a ``results.json``, with no number typed; where it lacks a part, it says so."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.remedies.tables import (
    frame,
    infrequent_texts,
    length_texts,
    posthoc_texts,
    presence_texts,
    remedy_texts,
    second_texts,
    training_texts,
)
from modanet_utils.results.text import NOTHING, PENDING, Table, bullets, listed, on_real_photos, row_text, value_text
from modanet_utils.trials import TRIALS, label_of


def _part(results: Mapping[str, Any], name: str) -> Any:
    return results.get("remedies", {}).get(name) or {}


def answer(results: Mapping[str, Any]) -> Markdown:
    """Three bullets: the best network, the remedies, loss and length."""
    said = _best(results), _remedies(results), _length(results)
    return bullets(on_real_photos(results), said) if any(said) else PENDING


def _best(results: Mapping[str, Any]) -> str:
    rows = _part(results, "remedies")
    if not (row := rows.get("recommended")) or not (before := rows.get("combined")):
        return ""
    hair, was = (value_text(one["hair_as_headwear"], form=".1%") for one in (row, before))
    seeds = results.get("trials", {}).get("recommended", {}).get("seeds", [0])
    once = "one training" if len(seeds) == 1 else f"the first of {len(seeds)} trainings"
    return (
        f"The recommended recipe reaches a mean IoU of {row_text(row, 'mean_iou')} ({once}), against "
        f"{value_text(before['mean_iou'])} of the combined loss; it calls {hair} of the hair headwear, against {was}."
    )


def _remedies(results: Mapping[str, Any]) -> str:
    tried = {name: row for name, row in _part(results, "remedies").items() if row["against"]}
    if not tried:
        return ""
    gains = {name: f"{label_of(name)} ({row_text(row, 'change', '+.3f')})" for name, row in tried.items()}
    helps = [gains[name] for name, row in tried.items() if row["change_low"] > 0]
    harms = [gains[name] for name, row in tried.items() if row["change_high"] < 0]
    most = max(tried, key=lambda name: tried[name]["change"])
    said = (
        f"Of {len(tried)} single changes {listed(helps) or 'none'} clearly raise{'s' * (len(helps) < 2)} the mean IoU"
    )
    said += f"; the largest gain is that of {gains[most]}" * (not helps)
    return f"{said}; {listed(harms)} clearly lower{'s' * (len(harms) < 2)} it." if harms else f"{said}."


def _length(results: Mapping[str, Any]) -> str:
    rows = _part(results, "length")
    pairs = [(name, TRIALS[name].against) for name in rows if TRIALS[name].part == "length"]
    told = [
        f"{label_of(short)} from {value_text(rows[short]['mean_iou'])} to {value_text(rows[long]['mean_iou'])}"
        for long, short in pairs
        if short in rows
    ]
    if not told:
        return ""
    ends = [rows.get(name, {}).get("hair_as_headwear") for name in ("combined", "combined_long")]
    short, long = (value_text(end, form=".1%") for end in ends)
    hair = f"; of the hair the combined loss then calls {long} headwear, not {short}"
    return f"Three times the training moves the mean IoU of {listed(told)}{hair if None not in ends else ''}."


def _told(part: str, texts: Callable[[Any], pd.DataFrame]) -> Callable[[Mapping[str, Any]], Table]:
    """A function from results to the table of a recorded part, or to the word that it is not there."""
    return lambda results: table if (found := _part(results, part)) and len(table := texts(found)) else NOTHING


length = _told("length", lambda rows: length_texts(frame(rows)))
trainings = _told("trainings", training_texts)
remedies = _told("remedies", lambda rows: remedy_texts(frame(rows)))
infrequent = _told("infrequent", infrequent_texts)
labels = _told("second_reading", second_texts)
presence = _told("presence", presence_texts)
posthoc = _told("posthoc", posthoc_texts)

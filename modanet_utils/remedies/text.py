"""What notebook 06 says of a ``results.json``, with no number typed; where it lacks a part, it says so."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.remedies import tables
from modanet_utils.results.text import NOTHING, PENDING, bullets, listed, mean_iou, mean_of, moves, on_real_photos
from modanet_utils.trials import label_of


def _part(results: Mapping[str, Any], name: str) -> Any:
    return results.get("remedies", {}).get(name) or {}


def answer(results: Mapping[str, Any]) -> Markdown:
    """Three bullets: the best network, the remedies, loss and length."""
    said = _best(results), _remedies(results), _length(results)
    return bullets(on_real_photos(results), said) if any(said) else PENDING


def _best(results: Mapping[str, Any]) -> str:
    reached, number = mean_iou(results, "recommended")
    recipe = "hair and skin as outputs, tagged photos, longer training, larger pictures, no class weights"
    return f"The recommended recipe ({recipe}) reaches a mean IoU of {reached:.3f} ({mean_of(number)})." * (number > 0)


def _remedies(results: Mapping[str, Any]) -> str:
    tried = {name: row for name, row in _part(results, "remedies").items() if row["against"]}
    if not tried:
        return ""
    helps = [label_of(name) for name, row in tried.items() if row["change_low"] > 0]
    harms = [label_of(name) for name, row in tried.items() if row["change_high"] < 0]
    said = f"Of {len(tried)} single changes {len(helps) or 'none'} clearly raise{'s' * (len(helps) < 2)} the mean IoU"
    said += f" ({listed(helps)})" * bool(helps)
    lower = f"; {len(harms)} clearly lower{'s' * (len(harms) == 1)} it: {listed(harms)}" * bool(harms)
    return f"{said}{lower}."


def _length(results: Mapping[str, Any]) -> str:
    rows = _part(results, "length")
    if not {"combined", "combined_long"} <= rows.keys():
        return ""
    short, long = (rows[name]["mean_iou"] for name in ("combined", "combined_long"))
    changes = [row["change"] for row in _part(results, "remedies").values() if row["against"]]
    more = " does more than any of them: it" * (bool(changes) and long - short > max(changes))
    return f"Three times the training{more} {moves(long - short)} the combined loss's mean IoU (one training each)."


def _told(part: str, texts: Callable[[Any], pd.DataFrame]) -> Callable[[Mapping[str, Any]], pd.DataFrame | Markdown]:
    """A function from results to the table of a recorded part, or to the word that it is not there."""
    return lambda results: table if (found := _part(results, part)) and len(table := texts(found)) else NOTHING


length = _told("length", lambda rows: tables.length_texts(tables.frame(rows)))
trainings = _told("trainings", tables.training_texts)
remedies = _told("remedies", lambda rows: tables.remedy_texts(tables.frame(rows)))
every_remedy = _told("remedies", lambda rows: tables.every_remedy(tables.frame(rows)))
infrequent = _told("infrequent", tables.infrequent_texts)
labels = _told("second_reading", tables.second_texts)
presence = _told("presence", tables.presence_texts)
every_presence = _told("presence", lambda rows: tables.presence_texts(rows, list(rows)))
posthoc = _told("posthoc", tables.posthoc_texts)

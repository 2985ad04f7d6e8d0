"""The tables of notebook 04, as ``results.json`` keeps them and as a reader sees them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils import breakdown, errors
from modanet_utils.answers import NOTHING, PENDING, Table
from modanet_utils.errors import percent
from modanet_utils.experiments import ARMS, CROWD, PASTED, PROBES
from modanet_utils.results import number, with_interval

CAUSES: dict[str, str] = {
    "distance": "distance of its colour from hats'",
    "area": "area of the hair (logarithm)",
    "height": "height in the picture",
}
"""What the model of the leak holds against each other."""

Column = tuple[str, str]
RECOLORED: dict[str, Column] = {arm: (text, "percent") for arm, text in ARMS.items()} | {
    "difference": ("hats minus other hair", "change"),
    "against_background": ("hats minus background", "change"),
}
SHOWN: dict[str, dict[str, Column]] = {
    "leak_model": {"slope": ("change of the leak for one standard deviation", "change")},
    "recoloring": RECOLORED,
    "recoloring_probability": RECOLORED,
    "pasted_hats": {"value": ("share", "percent")},
    "probes": {"auc": ("area under the ROC curve", "percent"), "balanced": ("balanced accuracy", "percent")},
    "growth": {"before": ("cross-entropy", "ratio"), "after": ("combined loss", "ratio")},
    "skin_by_part": {
        "skin": ("of all skin", "percent"),
        "before": ("cross-entropy", "percent"),
        "after": ("combined loss", "percent"),
        "difference": ("difference", "change"),
    },
    "crowd": {"alone": ("both alone", "ratio"), "together": ("both together", "ratio")}
    | {name: (text, "signed") for name, text in CROWD.items()},
    "outlines": {name: (text, "ratio") for name, text in breakdown.OUTLINES.items()},
    "sizes": {
        "segments": ("items", "count"),
        "iou": ("IoU", "percent"),
        "recall": ("recall", "percent"),
        "missed": ("hardly found", "percent"),
    },
    "kinds": {"iou": ("IoU now", "ratio")}
    | {kind: (f"gain, {text} mended", "signed") for kind, text in breakdown.KINDS.items()},
}
"""Table to its columns in the order shown: heading, and how a value is written."""

ROWS: dict[str, dict[str, str]] = {
    "leak_model": CAUSES,
    "pasted_hats": PASTED,
    "probes": PROBES | {"gain": "features minus the network's own"},
}
"""Tables whose rows are names, not texts, and what a reader calls them."""


def recordable(tables: Mapping[str, pd.DataFrame]) -> dict[str, list[dict[str, Any]]]:
    """Tables as results.json keeps them: name to a list of rows, the index in each as "row"."""
    return {
        name: [{"row": row} | values for row, values in zip(table.index, table.to_dict("records"), strict=True)]
        for name, table in tables.items()
    }


def texts(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table as a reader sees it, values with their intervals.

    Args:
        table: As the experiments give it, or as results.json keeps it.
        name: Which of `SHOWN` it is.
    """
    rows = table.to_dict("records")
    columns = {heading: [_text(row, column, style) for row in rows] for column, (heading, style) in SHOWN[name].items()}
    index = table.index.map(lambda row: _row_name(row, name))
    shown = pd.DataFrame(columns, index=index.rename(None))
    return shown.T if name == "crowd" else shown  # many comparisons, few overlaps


def _row_name(row: Any, name: str) -> str:
    if name == "crowd":
        return f"{100 * row:g}% covered"
    return ROWS.get(name, {}).get(row, str(row))


def _text(row: Mapping[str, Any], column: str, style: str) -> str:
    value, low, high = (row.get(column + end) for end in ("", "_low", "_high"))
    if column == "value":
        low, high = row.get("low"), row.get("high")
    if style == "count":
        return f"{int(value):,}"
    if style in ("percent", "change"):
        return percent(value, low, high, "+" * (style == "change"))
    if low is None or high is None or low != low or high != high:
        return number(value, 2)
    if style == "ratio":
        return with_interval(value, (low, high), 2)
    return _signed(value, low, high)


def answer(results: Mapping[str, Any]) -> Markdown:
    """The notebook's answer: how often, from `errors.answer`, then why, as far as the claims decide it."""
    often = errors.answer(results)
    claims = {claim["id"]: claim for claim in results.get("claims", [])}
    wanted = ("alike-colours-cause", "not-just-any-colour", "complex-scenes", "people-not-things")
    if often is PENDING or any(claims.get(name, {}).get("value") is None for name in wanted):
        return often
    verbs = {"supported": "", "refuted": "not ", "inconclusive": "not clearly "}
    hair, background, crowd, person = (
        (verbs[claim["verdict"]], claim["value"], *claim["interval"]) for claim in map(claims.get, wanted)
    )
    links = ["and" if claims[b]["verdict"] == claims[a]["verdict"] else "but" for a, b in (wanted[:2], wanted[2:])]
    return Markdown(
        f"{often.data} Hair recoloured toward hats is {hair[0]}called headwear more often than hair recoloured as far "
        f"toward other hair ({percent(*hair[1:], '+')} of the hair), {links[0]} {background[0]}more often than hair "
        f"before a background recoloured as far ({percent(*background[1:], '+')}). With a second person who covers 30% "
        f"of the first the mean IoU is {crowd[0]}lower ({_signed(*crowd[1:])}), {links[1]} behind a person it is "
        f"{person[0]}lower than behind a plain silhouette ({_signed(*person[1:])})."
    )


def _signed(value: float, low: float, high: float) -> str:
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def recorded(results: Mapping[str, Any], name: str) -> Table:
    """One of the tables that results.json keeps, as `texts` shows it."""
    if name not in results.get("errors", {}):
        return NOTHING
    return texts(pd.DataFrame(results["errors"][name]).set_index("row"), name)


RECORDED: dict[str, Callable[[Mapping[str, Any]], Table]] = {
    "How much of what is called what:": errors.recorded_answers,
    "The largest wrong flows of the combined loss:": partial(errors.recorded_flows, trial="combined"),
    "Hair recoloured, and what share of it is called headwear:": partial(recorded, name="recoloring"),
    "Hats put on:": partial(recorded, name="pasted_hats"),
    "Hair or headwear, told apart by a line through the features:": partial(recorded, name="probes"),
    "Two people (mean IoU):": partial(recorded, name="crowd"),
    "Items by their share of the picture:": partial(recorded, name="sizes"),
    "What mending would add:": partial(recorded, name="kinds"),
}
"""The tables that notebook 04 shows of results recorded elsewhere: heading to what makes it."""

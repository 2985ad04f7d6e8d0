"""What notebook 04 says: its tables as a reader sees them, as they are made or as ``results.json`` keeps them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.errors.causes.questions import ARMS, CROWD
from modanet_utils.errors.places import KINDS
from modanet_utils.errors.tables import PAIR
from modanet_utils.results.text import NOTHING, PENDING, Table, bullets, on_real_photos, row_text, value_text
from modanet_utils.thresholds import SHIFT

SHARE, CHANGE = ".1%", "+.1%"
SHOWN: dict[str, dict[str, tuple[str, str]]] = {
    "answers": {name: (label, SHARE) for name, label in PAIR.items()}
    | {"difference": ("difference", CHANGE), "limit": ("resolution alone", SHARE)},
    "largest_flows": {
        "errors": ("of all errors", SHARE),
        "of_truth": ("of the true label", SHARE),
        "of_prediction": ("of the prediction", SHARE),
    },
    "recoloring": {arm: (text, SHARE) for arm, text in ARMS.items()}
    | {"difference": ("hats minus other hair", CHANGE), "against_background": ("hats minus background", CHANGE)},
    "pasted_hats": {"value": ("share", SHARE)},
    "probes": {"auc": ("area under the ROC curve", SHARE), "balanced": ("balanced accuracy", SHARE)},
    "skin_by_part": {"skin": ("of all skin", SHARE)}
    | {name: (label, SHARE) for name, label in PAIR.items()}
    | {"difference": ("difference", CHANGE)},
    "crowd": {"alone": ("both alone", ".2f"), "together": ("both together", ".2f")}
    | {name: (text, "+.2f") for name, text in CROWD.items()},
    "sizes": {"segments": ("items", ",.0f")}
    | {name: (text, SHARE) for name, text in (("iou", "IoU"), ("recall", "recall"), ("missed", "hardly found"))},
    "kinds": {"iou": ("IoU now", ".2f")} | {kind: (f"gain, {text} mended", "+.2f") for kind, text in KINDS.items()},
}
"""Table to its columns in the order shown: heading, and the format of its numbers."""


def texts(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """A table of `SHOWN`, as it was made or as results.json keeps it, values with their intervals."""
    rows = table.rename(columns={"low": "value_low", "high": "value_high"}).to_dict("records")
    columns = {head: [row_text(row, column, form) for row in rows] for column, (head, form) in SHOWN[name].items()}
    if name == "largest_flows":
        return pd.DataFrame({"in truth": list(table["truth"]), "called": list(table["prediction"])} | columns)
    if name == "crowd":  # many comparisons, few overlaps
        return pd.DataFrame(columns, [f"{100 * overlap:g}% covered" for overlap in table.index]).T
    return pd.DataFrame(columns, list(table["text"] if "text" in table else table.index.map(str)))


def recorded(results: Mapping[str, Any], name: str, trial: str | None = None) -> Table:
    """One of the tables that results.json keeps, as `texts` shows it; of one trial where it is kept by trial."""
    kept = results.get("errors", {}).get(name)
    if kept is None:
        return NOTHING
    if trial is not None:
        return texts(pd.DataFrame(kept[trial]), name)
    if isinstance(kept, dict):
        return texts(pd.DataFrame.from_dict(kept, orient="index"), name)
    return texts(pd.DataFrame(kept).set_index("row"), name)


RECORDED: dict[str, Callable[[Mapping[str, Any]], Table]] = {
    "How much of what is called what:": partial(recorded, name="answers"),
    "The largest wrong flows of the combined loss:": partial(recorded, name="largest_flows", trial="combined"),
    "Hair recoloured, and what share of it is called headwear:": partial(recorded, name="recoloring"),
    "Hats put on:": partial(recorded, name="pasted_hats"),
    "Hair or headwear, told apart by a line through the features:": partial(recorded, name="probes"),
    "Two people (mean IoU):": partial(recorded, name="crowd"),
    "Items by their share of the picture:": partial(recorded, name="sizes"),
    "What mending would add:": partial(recorded, name="kinds"),
}
"""The tables that notebook 04 shows of results recorded elsewhere: heading to what makes it."""


def answer(results: Mapping[str, Any]) -> Markdown:
    """The notebook's answer: how often, then why, as far as the claims decide it."""
    if not {"errors", "dataset"} <= results.keys():
        return PENDING
    rows = results["errors"]["answers"]
    before = row_text(rows["hair_as_headwear"], "before", SHARE)
    hair, on_hair, skin, deeper = (
        row_text(rows[name], "after", SHARE)
        for name in ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing", "skin_deeper")
    )
    often = (
        f"{hair} of all hair is called headwear with the combined loss, {before} with cross-entropy; {on_hair} of "
        f"headwear's false positives lie on hair.{_over_trainings(results)}"
    )
    body = (
        f"Of all skin {skin} is called clothing by the combined loss, and of that {deeper} lies more than {SHIFT} "
        "pixels from any true clothing."
    )
    return bullets(on_real_photos(results), [often, *_why(results)[:1], body, *_why(results)[1:]])


def _over_trainings(results: Mapping[str, Any]) -> str:
    """How far trainings of the combined loss lie apart in it: what notebook 06 recorded."""
    trainings = results.get("remedies", {}).get("trainings", {}).get("combined", {})
    row = trainings.get("hair called headwear", {"trainings": 1})
    if row["trainings"] < 2:
        return ""
    ends = f"from {row['lowest']:.1%} to {row['highest']:.1%}"
    return f" Over {row['trainings']} trainings the share of hair goes {ends}."


def _why(results: Mapping[str, Any]) -> list[str]:
    claims = {claim["id"]: claim for claim in results.get("claims", []) if claim["value"] is not None}
    wanted = ("alike-colours-cause", "not-just-any-colour", "complex-scenes", "people-not-things")
    if not set(wanted) <= claims.keys():
        return []
    chosen = [claims[name] for name in wanted]
    verbs = {"supported": "", "refuted": "not ", "inconclusive": "not clearly "}
    hair, background, crowd, person = (verbs[claim["verdict"]] for claim in chosen)
    forms = (CHANGE, CHANGE, "+.2f", "+.2f")
    values = [value_text(one["value"], one["interval"], form) for one, form in zip(chosen, forms, strict=True)]
    links = ["and" if a["verdict"] == b["verdict"] else "but" for a, b in (chosen[:2], chosen[2:])]
    return [
        f"Hair recoloured toward hats is {hair}called headwear more often than hair recoloured as far toward other "
        f"hair ({values[0]} of the hair), {links[0]} {background}more often than hair before a background recoloured "
        f"as far ({values[1]}).",
        f"With a second person who covers 30% of the first the mean IoU is {crowd}lower "
        f"({values[2]}), {links[1]} behind a person it is {person}lower than behind a plain silhouette ({values[3]}).",
    ]

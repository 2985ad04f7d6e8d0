"""What notebooks say of recorded results: sentences and tables, in which no number is typed.

All take the content of a ``results.json``, which may lack a part: then they say that it does.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLOTHING
from modanet_utils.results import (
    FOUND,
    claims_table,
    class_table,
    number,
    score_table,
    with_interval,
)

PENDING = Markdown("**On real photos:** nothing is recorded yet.")


def zero_classes(test: Mapping[str, Any]) -> list[str]:
    """Clothing classes in the truth whose IoU is below `results.FOUND`."""
    scores = {name: test["classes"][name] for name in CLOTHING}
    return [name for name, s in scores.items() if s["support"] and (s["iou"] or 0) < FOUND]


def _where(results: Mapping[str, Any]) -> str:
    dataset = results["dataset"]
    return f"**On real photos** ({dataset['name']}, {dataset['split']['test']} test images)"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def cross_entropy(results: Mapping[str, Any]) -> Markdown:
    """What cross-entropy alone learned."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    test = results["trials"]["cross_entropy"]["test"]
    zero = zero_classes(test)
    lost = (
        f"{len(zero)} of the 13 clothing classes stay at zero (IoU below {FOUND}): {_listed(zero)}"
        if zero
        else f"none of the 13 clothing classes stays at zero (IoU below {FOUND})"
    )
    return Markdown(
        f"{_where(results)} plain cross-entropy reaches a mean IoU of "
        f"{with_interval(test['mean_iou'], test['mean_iou_interval'])} over the clothing classes, and {lost}."
    )


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss changed."""
    trials = results.get("trials", {})
    if not {"cross_entropy", "combined"} <= trials.keys():
        return PENDING
    before, after = (trials[name]["test"] for name in ("cross_entropy", "combined"))
    zero = zero_classes(after)
    left = f"{len(zero)} classes stay at zero ({_listed(zero)})" if zero else "no class stays at zero"
    claims = {claim["id"]: claim for claim in results.get("claims", [])}
    price = claims.get("precision-pays")
    paid = ""
    if price and price["value"] is not None:
        verb = {"supported": "falls", "refuted": "does not fall"}.get(price["verdict"], "hardly moves")
        paid = f" Precision {verb}: {with_interval(price['value'], price['interval'])} over all pixels called clothing."
    return Markdown(
        f"{_where(results)} the combined loss reaches a mean IoU of "
        f"{with_interval(after['mean_iou'], after['mean_iou_interval'])}, against "
        f"{number(before['mean_iou'])} with cross-entropy, and {left}.{paid}"
    )


def scores(results: Mapping[str, Any], trial: str) -> pd.DataFrame | Markdown:
    """All scores of a recorded trial."""
    if trial not in results.get("trials", {}):
        return PENDING
    return score_table(results["trials"][trial]["test"])


def classes(results: Mapping[str, Any]) -> pd.DataFrame | Markdown:
    """IoU per class of the recorded trials side by side."""
    if len(results.get("trials", {})) < 2:
        return PENDING
    return class_table(results)


def claims(results: Mapping[str, Any], notebook: str) -> pd.DataFrame | Markdown:
    """The recorded claims of one notebook."""
    table = claims_table(results, notebook)
    return PENDING if table.empty else table

"""What notebooks say of recorded results: sentences and tables, in which no number is typed.

All take the content of a ``results.json``, which may lack a part: then they say that it does.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown, display

from modanet_utils.classes import CLOTHING
from modanet_utils.results import (
    FOUND,
    TRIALS,
    claims_table,
    class_table,
    number,
    score_table,
    trial_label,
    with_interval,
)
from modanet_utils.trials import compared_texts, spread_texts

PENDING = Markdown("**On real photos:** nothing is recorded yet.")
NOTHING = Markdown("Nothing is recorded on real photos beside this run.")
Table = pd.DataFrame | Markdown
"""A table, or a sentence that says that it is not there."""


def beside(results: Mapping[str, Any], tables: Mapping[str, Callable[[Mapping[str, Any]], Table]]) -> None:
    """Display recorded tables, or one sentence where nothing is recorded.

    Args:
        results: As `Workspace.elsewhere` gives them.
        tables: Heading of each table to the function that makes it of the results.
    """
    if not results:
        display(NOTHING)
        return
    for heading, table in tables.items():
        display(Markdown(heading), table(results))


def zero_classes(test: Mapping[str, Any]) -> list[str]:
    """Clothing classes in the truth whose IoU is below `results.FOUND`."""
    scores = {name: test["classes"][name] for name in CLOTHING}
    return [name for name, s in scores.items() if s["support"] and (s["iou"] or 0) < FOUND]


def _where(results: Mapping[str, Any]) -> str:
    dataset = results.get("dataset")  # a notebook that is executed alone has not recorded it
    about = f" ({dataset['name']}, {dataset['split']['test']} test images)" if dataset else ""
    return f"**On real photos**{about}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def _stay(names: list[str]) -> str:
    return "one class stays" if len(names) == 1 else f"{len(names)} classes stay"


def cross_entropy(results: Mapping[str, Any]) -> Markdown:
    """What cross-entropy alone learned."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    test = results["trials"]["cross_entropy"]["test"]
    zero = zero_classes(test)
    lost = (
        f"{len(zero)} of the 13 clothing classes {'stays' if len(zero) == 1 else 'stay'} at zero "
        f"(IoU below {FOUND}): {_listed(zero)}"
        if zero
        else f"none of the 13 clothing classes stays at zero (IoU below {FOUND})"
    )
    return Markdown(
        f"{_where(results)} plain cross-entropy reaches a mean IoU of "
        f"{with_interval(test['mean_iou'], test['mean_iou_interval'])} over the clothing classes, and {lost}."
    )


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss changed, against cross-entropy and against its adjustment."""
    trials = results.get("trials", {})
    if not TRIALS.keys() <= trials.keys():
        return PENDING
    before, shifted, after = (trials[name]["test"] for name in TRIALS)
    zero = zero_classes(after)
    left = f"{_stay(zero)} at zero ({_listed(zero)})" if zero else "no class stays at zero"
    claims = {claim["id"]: claim for claim in results.get("claims", [])}
    price, gain = claims.get("precision-pays"), claims.get("combined-beats-adjusted")
    more = ""
    if gain and gain["value"] is not None:
        verb = {"supported": "beats", "refuted": "does not beat"}.get(gain["verdict"], "does not clearly beat")
        difference = with_interval(gain["value"], gain["interval"])
        more += f" It {verb} the shifted outputs of cross-entropy, which cost no training (by {difference})."
    if price and price["value"] is not None:
        verb = {"supported": "falls", "refuted": "does not fall"}.get(price["verdict"], "does not clearly fall")
        difference = with_interval(price["value"], price["interval"])
        more += (
            f" Precision, the share of the pixels called a garment that are that garment, {verb} against plain "
            f"cross-entropy ({difference})."
        )
    others = {
        name: row
        for name, row in results.get("comparison", {}).get("trials", {}).items()
        if name not in TRIALS and row["change"] is not None and row.get("validation") is not None
    }
    if others:
        name = max(others, key=lambda name: others[name]["validation"])
        row = others[name]
        difference = with_interval(row["change"], (row["change_low"], row["change_high"]))
        more += (
            f" The best of the other trials, by validation, is {trial_label(name)}: {number(row['mean_iou'])} "
            f"({difference})."
        )
    return Markdown(
        f"{_where(results)} the combined loss reaches a mean IoU of "
        f"{with_interval(after['mean_iou'], after['mean_iou_interval'])}, against "
        f"{number(before['mean_iou'])} with cross-entropy and {number(shifted['mean_iou'])} with cross-entropy whose "
        f"outputs are shifted afterwards. With it {left}.{more}"
    )


def over_seeds(results: Mapping[str, Any]) -> Markdown:
    """The main trials' mean IoU over several trainings: the tables show the first, which may have been lucky."""
    rows = results.get("comparison", {}).get("seeds", {})
    told = [
        f"{trial_label(name)} {with_interval(row['mean_iou'], (row['mean_iou_low'], row['mean_iou_high']))}, from "
        f"{number(row['lowest'])} to {number(row['highest'])}"
        for name, row in rows.items()
        if row["seeds"] > 1
    ]
    if not told:
        return Markdown("These numbers are of one training each.")
    return Markdown(
        f"These numbers are of the first training of each, whose weights are kept. The mean IoU over "
        f"{max(int(row['seeds']) for row in rows.values())} trainings: {'; '.join(told)}."
    )


VARIED: dict[str, str] = {
    "combined_without_dice": "without Dice",
    "combined_without_focal": "without focal",
    "combined_without_lovasz": "without Lovász",
    "combined_unweighted": "without class weights",
    "combined_inverse": "with raw inverse weights",
}
"""Trials in which one part of the combined loss is different, and how."""


def parts(results: Mapping[str, Any]) -> Markdown:
    """What changing one part of the combined loss does to its mean IoU."""
    rows = results.get("comparison", {}).get("trials", {})
    changes = {
        text: (row["change"], row["change_low"], row["change_high"])
        for name, text in VARIED.items()
        if (row := rows.get(name)) is not None
    }
    if not changes:
        return NOTHING
    told = ", ".join(f"{text} {with_interval(value, (low, high))}" for text, (value, low, high) in changes.items())
    worse = [text for text, (_, _, high) in changes.items() if high < 0]
    better = [text for text, (_, low, _) in changes.items() if low > 0]
    said = [f"clearly {word} {_listed(texts)}" for word, texts in (("worse", worse), ("better", better)) if texts]
    text = (
        f"The combined loss with one part changed, and what that does to its mean IoU: {told}. "
        f"It is {' and '.join(said) or 'clearly different in no case'}, as far as one training each can tell."
    )
    spread = results.get("comparison", {}).get("seeds", {}).get("combined")
    if spread and spread["seeds"] > 1:
        text += (
            f" The combined loss stands here with its first training, {number(rows['combined']['mean_iou'])}; its "
            f"trainings reach from {number(spread['lowest'])} to {number(spread['highest'])}, on average "
            f"{number(spread['mean_iou'])}, so a change smaller than what lies between them decides nothing."
        )
    return Markdown(text)


def scores(results: Mapping[str, Any], trial: str) -> Table:
    """All scores of a recorded trial."""
    if trial not in results.get("trials", {}):
        return NOTHING
    return score_table(results["trials"][trial]["test"])


def classes(results: Mapping[str, Any]) -> Table:
    """IoU per class of the recorded trials side by side."""
    if len(results.get("trials", {})) < 2:
        return NOTHING
    return class_table(results)


def comparison(results: Mapping[str, Any]) -> Table:
    """Every recorded trial against the combined loss."""
    rows = results.get("comparison", {}).get("trials", {})
    return compared_texts(pd.DataFrame.from_dict(rows, orient="index").astype(float)) if rows else NOTHING


def seeds(results: Mapping[str, Any]) -> Table:
    """The recorded spread between seeds and between photos."""
    rows = results.get("comparison", {}).get("seeds", {})
    return spread_texts(pd.DataFrame.from_dict(rows, orient="index").astype(float)) if rows else NOTHING


def claims(results: Mapping[str, Any], notebook: str) -> Table:
    """The recorded claims of one notebook."""
    table = claims_table(results, notebook)
    return NOTHING if table.empty else table

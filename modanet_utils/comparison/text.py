"""What notebooks 02 and 03 say of a ``results.json``, with no number typed; where it lacks a part, they say so."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLOTHING
from modanet_utils.comparison.tables import spread_texts
from modanet_utils.results.compared import compared_texts
from modanet_utils.results.tables import class_table
from modanet_utils.results.text import (
    NOTHING,
    PENDING,
    Table,
    bullets,
    listed,
    on_real_photos,
    row_text,
    score_text,
    the_classes,
    value_text,
)
from modanet_utils.thresholds import FOUND
from modanet_utils.trials import TRIALS, headline, label_of

LEAKS = ("hair_as_headwear", "skin_as_clothing")


def zero_classes(test: Mapping[str, Any]) -> list[str]:
    """Clothing classes in the truth whose IoU is below `FOUND`."""
    scores = {name: test["classes"][name] for name in CLOTHING}
    return [name for name, s in scores.items() if s["support"] and (s["iou"] or 0) < FOUND]


def cross_entropy(results: Mapping[str, Any]) -> Markdown:
    """What cross-entropy alone learned."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    mean = score_text(results["trials"]["cross_entropy"]["test"])
    reached = f"Plain cross-entropy reaches a mean IoU of {mean} over the clothing classes."
    return bullets(on_real_photos(results), [_at_zero(results), reached, _longer(results)])


def _at_zero(results: Mapping[str, Any]) -> str:
    test = results["trials"]["cross_entropy"]["test"]
    zero, there = zero_classes(test), [name for name in CLOTHING if test["classes"][name]["support"]]
    stays = f"{len(zero) or 'None'} of the {the_classes(test)} {'stay' if len(zero) > 1 else 'stays'} at zero"
    never = "; it never rose above background" * (zero == there)
    return f"{stays} (IoU below {FOUND}){f': {listed(zero)}' if zero else ''}{never}."


def _longer(results: Mapping[str, Any]) -> str:
    """Never or not yet: which classes are at zero after the longest training."""
    long = results["trials"].get("cross_entropy_long")
    if not long:
        return ""
    zero, times = zero_classes(long["test"]), round(long["epochs"] / results["trials"]["cross_entropy"]["epochs"])
    left = f"{len(zero)} are still at zero: {listed(zero)}" if zero else "none is at zero any more"
    return f"Trained {times} times as long, {left} (one training)."


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss changed, against cross-entropy and against its adjustment."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return PENDING
    gain, price = _gain_and_price(results)
    return bullets(on_real_photos(results), [f"{_reached(results)} {gain}".strip(), price, _best(results)])


def points(results: Mapping[str, Any]) -> list[str]:
    """The answer in a few points, Markdown: what cross-entropy leaves, what the loss brings, its price, the best."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return [PENDING.data]
    gain, price = _gain_and_price(results)
    body = [results["trials"][name]["test"]["body"] for name in ("combined", "cross_entropy")]
    hair, skin = ([value_text(one[leak]["value"], form=".1%") for one in body] for leak in LEAKS)
    leaks = f"Of the hair pixels {hair[0]} are called headwear ({hair[1]} with cross-entropy), of the skin pixels "
    leaks += f"{skin[0]} clothing ({skin[1]})."
    zero = f"{on_real_photos(results)}, plain cross-entropy: {_at_zero(results)}"
    said = [zero, f"{_reached(results)} {gain}".strip(), f"{price} {leaks}".strip(), _recommended(results)]
    return [point for point in said if point]


def _recommended(results: Mapping[str, Any]) -> str:
    """The network that a reader's own photo is segmented with."""
    best = results["trials"].get("recommended", {}).get("test")
    if not best:
        return ""
    hair, skin = (value_text(best["body"][leak]["value"], form=".1%") for leak in LEAKS)
    long = results["trials"].get("combined_long", {}).get("test")
    alone = f"; the combined loss alone, trained as long, {value_text(long['mean_iou'])}" if long else ""
    base = results["trials"]["cross_entropy"]["test"]["classes"]
    falls = [name for name in CLOTHING if (best["classes"][name]["iou"] or 0) < (base[name]["iou"] or 0)]
    behind = f" In {listed(falls)} it stays behind plain cross-entropy." if falls else ""
    return (
        "The recommended recipe (hair and skin as outputs, more photos, three times the training) reaches "
        f"{row_text(best, 'mean_iou')}{alone}. It calls {hair} of the hair headwear and {skin} of the skin clothing."
        f"{behind}"
    )


def _reached(results: Mapping[str, Any]) -> str:
    before, shifted, after = (results["trials"][name]["test"] for name in headline())
    zero = zero_classes(after)
    stay = "One class stays" if len(zero) == 1 else f"{len(zero)} classes stay"
    left = f"{stay} at zero ({listed(zero)})" if zero else "No class stays at zero"
    return (
        f"The combined loss reaches a mean IoU of {score_text(after)}, against "
        f"{value_text(before['mean_iou'])} with cross-entropy and {value_text(shifted['mean_iou'])} with "
        f"cross-entropy whose outputs are shifted afterwards. {left}."
    )


def _gain_and_price(results: Mapping[str, Any]) -> tuple[str, str]:
    claims = {claim["id"]: claim for claim in results.get("claims", []) if claim["value"] is not None}
    gained = paid = ""
    if gain := claims.get("combined-beats-adjusted"):
        verb = {"supported": "beats", "refuted": "does not beat"}.get(gain["verdict"], "does not clearly beat")
        by = value_text(gain["value"], gain["interval"])
        gained = f"It {verb} the shifted outputs of cross-entropy, which cost no training (by {by})."
    if price := claims.get("precision-pays"):
        verb = {"supported": "falls", "refuted": "does not fall"}.get(price["verdict"], "does not clearly fall")
        paid = f"Precision, the share of the pixels called a garment that are that garment, {verb} against plain "
        paid += f"cross-entropy ({value_text(price['value'], price['interval'])})."
    return gained, paid


def _best(results: Mapping[str, Any]) -> str:
    """The best of the trials that the headline leaves out, by what a choice would go by."""
    trials = {name: row for name, row in _compared(results, "trials").items() if name not in headline()}
    others = [name for name, row in trials.items() if None not in (row["change"], row.get("validation"))]
    if not others:
        return ""
    name = max(others, key=lambda other: trials[other]["validation"])
    mean, change = value_text(trials[name]["mean_iou"]), row_text(trials[name], "change")
    return f"The best of the other trials, by validation, is {label_of(name)}: {mean} ({change})."


def _compared(results: Mapping[str, Any], part: str) -> dict[str, Any]:
    """The recorded comparison of "trials" or of "seeds", empty where there is none."""
    return results.get("comparison", {}).get(part, {})


def over_seeds(results: Mapping[str, Any]) -> Markdown:
    """The main trials' mean IoU over several trainings: the tables show the first, which may have been lucky."""
    rows = {label_of(name): row for name, row in _compared(results, "seeds").items() if row["seeds"] > 1}
    if not rows:
        return Markdown("These numbers are of one training each.")
    most = max(int(row["seeds"]) for row in rows.values())
    said = "{} {}, from {:.3f} to {:.3f}".format
    told = [said(label, row_text(row, "mean_iou"), row["lowest"], row["highest"]) for label, row in rows.items()]
    first = "These numbers are of the first training of each, whose weights are kept. The mean IoU over"
    return Markdown(f"{first} {most} trainings: {'; '.join(told)}.")


def parts(results: Mapping[str, Any]) -> Markdown:
    """What changing one part of the combined loss does to its mean IoU."""
    rows = _compared(results, "trials")
    changed = {trial.phrase: rows[trial.name] for trial in TRIALS.values() if trial.phrase and trial.name in rows}
    if not changed:
        return NOTHING
    told = ", ".join(f"{phrase} {row_text(row, 'change')}" for phrase, row in changed.items())
    worse = [phrase for phrase, row in changed.items() if row["change_high"] < 0]
    better = [phrase for phrase, row in changed.items() if row["change_low"] > 0]
    said = [f"clearly {word} {listed(phrases)}" for word, phrases in (("worse", worse), ("better", better)) if phrases]
    text = f"The combined loss with one part changed, and what that does to its mean IoU: {told}. It is "
    text += f"{' and '.join(said) or 'clearly different in no case'}, as far as one training each can tell."
    spread = _compared(results, "seeds").get("combined")
    if spread and spread["seeds"] > 1:
        text += (
            f" The combined loss stands here with its first training, {value_text(rows['combined']['mean_iou'])}; its "
            f"trainings reach from {value_text(spread['lowest'])} to {value_text(spread['highest'])}, on average "
            f"{value_text(spread['mean_iou'])}, so a change smaller than what lies between them decides nothing."
        )
    return Markdown(text)


def classes(results: Mapping[str, Any]) -> Table:
    """IoU per class of the recorded trials side by side."""
    return class_table(results) if len(results.get("trials", {})) > 1 else NOTHING


def comparison(results: Mapping[str, Any]) -> Table:
    """Every recorded trial against the combined loss."""
    rows = _compared(results, "trials")
    return compared_texts(pd.DataFrame.from_dict(rows, orient="index").astype(float)) if rows else NOTHING


def seeds(results: Mapping[str, Any]) -> Table:
    """The recorded spread between seeds and between photos."""
    rows = _compared(results, "seeds")
    return spread_texts(pd.DataFrame.from_dict(rows, orient="index").astype(float)) if rows else NOTHING

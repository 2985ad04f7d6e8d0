"""What notebooks 02 and 03 say of a ``results.json``, with no number typed; where it lacks a part, they say so."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.comparison.tables import baseline, cell_texts
from modanet_utils.results.compared import compared_texts
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
from modanet_utils.trials import OWN_LOSS, headline, loss_text


def zero_classes(test: Mapping[str, Any]) -> list[str]:
    """Clothing classes in the truth whose IoU is below `FOUND`."""
    scores = {name: test["classes"][name] for name in CLOTHING}
    return [name for name, s in scores.items() if s["support"] and (s["iou"] or 0) < FOUND]


def common_first(results: Mapping[str, Any]) -> list[str]:
    """The classes of clothing, the commonest on top."""
    share = results["dataset"]["class_share"]
    return sorted((name for name in CLOTHING if share[name]), key=lambda name: -share[name])


def trainings(results: Mapping[str, Any], trial: str) -> list[Mapping[str, Any]]:
    """The "test" part of every recorded training of a trial, the first seed first."""
    return [one["test"] for name, one in results.get("trials", {}).items() if name.split("-seed")[0] == trial]


def cross_entropy(results: Mapping[str, Any]) -> Markdown:
    """What cross-entropy alone learned, and when."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    reached = f"The mean IoU over the clothing classes is {_over(results, 'cross_entropy')}."
    if shifted := results["trials"].get("cross_entropy_adjusted"):
        first, second = (one["test"]["mean_iou"] for one in (results["trials"]["cross_entropy"], shifted))
        reached += f" Outputs shifted afterwards take it from {first:.3f} to {second:.3f}."
    return bullets(on_real_photos(results), [_at_zero(results).replace("after", "After", 1), _longer(results), reached])


def _over(results: Mapping[str, Any], trial: str, told: str = " in {} trainings") -> str:
    """Mean IoU over a trial's trainings, with their range; with one training its interval."""
    tests = trainings(results, trial)
    each = [test["mean_iou"] for test in tests]
    if len(each) == 1:
        return score_text(tests[0])
    return f"{sum(each) / len(each):.3f} ({min(each):.3f} to {max(each):.3f}{told.format(len(each))})"


def _at_zero(results: Mapping[str, Any]) -> str:
    """The classes that cross-entropy leaves at zero in every training, and those in some."""
    each = [zero_classes(test) for test in trainings(results, "cross_entropy")]
    always, ever = ([name for name in CLOTHING if of(name in zero for zero in each)] for of in (all, any))
    numbers = sorted({len(zero) for zero in each})
    count = " or ".join(map(str, numbers)).replace("0", "none", numbers == [0])
    times = f" in {len(each)} trainings" if len(each) > 1 else ""
    some = [name for name in ever if name not in always]
    named = f": {listed(always)}" * bool(always) + f"; in some {listed(some)}" * bool(some)
    epochs = results["trials"]["cross_entropy"]["epochs"]
    first = results["trials"]["cross_entropy"]["test"]
    there = [name for name in CLOTHING if first["classes"][name]["support"]]
    never = "; it never rose above background" * (always == there)
    zero = f"{count} of the {the_classes(first)} are at zero (IoU below {FOUND})"
    return f"after {epochs} epochs {zero}{times}{named}{never}."


def _longer(results: Mapping[str, Any]) -> str:
    """Never or not yet: which classes are at zero after the longest training."""
    long = results["trials"].get("cross_entropy_long")
    if not long:
        return ""
    zero = zero_classes(long["test"])
    left = f", all but {listed(zero)}" if zero else ""
    there = sum(bool(long["test"]["classes"][name]["support"]) for name in CLOTHING)
    return f"After {long['epochs']} epochs {there - len(zero)} are found{left} (one training)."


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss brings, what of it is free and what costs."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return PENDING
    return bullets(on_real_photos(results), [_reached(results), *_free_and_paid(results)])


def points(results: Mapping[str, Any]) -> list[str]:
    """The answer in a few points, Markdown: what cross-entropy leaves, what the loss brings, its price, the best."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return [PENDING.data]
    zero = f"{on_real_photos(results)}, plain cross-entropy: {_at_zero(results)} {_longer(results)}".strip()
    said = [zero, _reached(results), " ".join(_free_and_paid(results)), _recommended(results)]
    return [point for point in said if point]


def _recommended(results: Mapping[str, Any]) -> str:
    """The network that a reader's own photo is segmented with."""
    best = results["trials"].get("recommended", {}).get("test")
    if not best:
        return ""
    leaks = "hair_as_headwear", "skin_as_clothing"
    hair, skin = (value_text(best["body"][leak]["value"], form=".1%") for leak in leaks)
    long = results["trials"].get("combined_long", {}).get("test")
    alone = f"; the combined loss alone, trained longer, {value_text(long['mean_iou'])}" if long else ""
    base = results["trials"]["cross_entropy"]["test"]["classes"]
    falls = [name for name in CLOTHING if (best["classes"][name]["iou"] or 0) < (base[name]["iou"] or 0)]
    behind = f" In {listed(falls)} it stays behind plain cross-entropy." if falls else ""
    reaches = f"The recommended recipe (notebook 06) reaches {row_text(best, 'mean_iou')}{alone}."
    return f"{reaches} It calls {hair} of the hair headwear and {skin} of the skin clothing.{behind}"


def _reached(results: Mapping[str, Any]) -> str:
    """The combined loss against cross-entropy and its shifted outputs."""
    each = trainings(results, "combined")
    zero = [name for test in each for name in zero_classes(test)]
    left = [f"{name} ({zero.count(name)} of {len(each)})" for name in CLOTHING if name in zero]
    stay = f" At zero: {listed(left)}." if left else ""
    gained = ""
    if gain := _claim(results, "gain-over-cross-entropy-adjusted-beyond-seeds", "combined-beats-adjusted"):
        verb = {"supported": "beats", "refuted": "does not beat"}.get(gain["verdict"], "does not clearly beat")
        by = value_text(gain["value"], gain["interval"])
        gained = f" It {verb} shifted outputs of cross-entropy (by {by})."
    return (
        f"The combined loss reaches a mean IoU of {_over(results, 'combined')}, cross-entropy "
        f"{_over(results, 'cross_entropy', '')}.{stay}{gained}"
    )


def _free_and_paid(results: Mapping[str, Any]) -> list[str]:
    """What the loss without its weights brings and costs, and what the weights add; its price alone if not known."""
    if not (found := _square(results)):
        price = _claim(results, "precision-pays")
        return [f"Precision of clothing changes by {value_text(price['value'], price['interval'])}."] if price else []
    plain, _, free, full = found["cells"]
    mean, precision = ([value_text(cell[score]) for cell in (plain, free, full)] for score in ("mean_iou", "precision"))
    cost, hair = found["effects"]["loss"], trainings(results, "combined")
    leaks = [100 * (test["body"]["hair_as_headwear"]["value"] or 0) for test in hair]
    leak = f"{min(leaks):.0f}% to {max(leaks):.0f}%" if len(leaks) > 1 else f"{leaks[0]:.0f}%"
    nothing = "is free" + ", so begin with it" * (cost["mean_iou_low"] > 0)
    verb = "costs precision" if cost["precision_high"] < 0 else nothing
    long = [_claim(results, f"weights-{what}-when-long") for what in ("help", "cost-precision")]
    moved = [value_text(claim["value"], claim["interval"], "+.3f") for claim in long if claim]
    epochs = results["trials"].get("combined_long", {}).get("epochs")
    later = f" After {epochs} epochs they move the mean IoU by {' and precision by '.join(moved)}." * (len(moved) == 2)
    return [
        f"The loss alone {verb}: without class weights the mean IoU goes from {mean[0]} to {mean[1]}, precision from "
        f"{precision[0]} to {precision[1]}.",
        f"The class weights bring {full['found'] - free['found']} more classes and a mean IoU of {mean[2]}; they take "
        f"precision to {precision[2]}, and {leak} of the hair is called headwear.{later}",
    ]


def _claim(results: Mapping[str, Any], *ids: str) -> Mapping[str, Any] | None:
    """The first of these claims that has a number."""
    known = {claim["id"]: claim for claim in results.get("claims", []) if claim["value"] is not None}
    return next((known[one] for one in ids if one in known), None)


def _square(results: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded four trials of loss and weights, `tables.two_by_two`."""
    return results.get("remedies", {}).get("two_by_two") or {}


def effects(results: Mapping[str, Any]) -> Markdown:
    """What the loss and the weights change on average, as recorded."""
    if not (found := _square(results).get("effects")):
        return NOTHING
    rows = (found[factor] for factor in ("loss", "weights"))
    told = [f"{row_text(row, 'mean_iou', '+.3f')} and {row_text(row, 'precision', '+.3f')}" for row in rows]
    means = "On average over both settings of the other, the loss changes mean IoU and precision by"
    return Markdown(f"{means} {told[0]}, the weights by {told[1]}.")


def changed(table: pd.DataFrame) -> Markdown:
    """In which classes a trial is clearly better or worse, of `statistics.compare_trials`."""
    clear = table[table["p_holm"] < 0.05]
    better, worse = (listed(list(clear.index[side])) or "none" for side in (clear["iou"] > 0, clear["iou"] < 0))
    said = f"clearly higher in: {better}; clearly lower in: {worse}"
    return Markdown(f"Corrected for looking at {len(table)} classes (Holm, p below 0.05), the IoU is {said}.")


def cells(results: Mapping[str, Any]) -> Table:
    """The recorded four trials of loss and weights."""
    return cell_texts(_square(results)) if _square(results) else NOTHING


def by_class(results: Mapping[str, Any]) -> Table:
    """Cross-entropy class by class, as recorded."""
    tests = [trainings(results, name)[:1] for name in ("cross_entropy", "cross_entropy_adjusted")]
    pooled = results.get("errors", {}).get("counts", {}).get("cross_entropy")
    if not (all(tests) and pooled and "dataset" in results):
        return NOTHING
    shares = [results["dataset"]["class_share"][name] for name in CLASSES]
    return baseline(tests[0][0], tests[1][0], pooled, shares)


def own_loss(results: Mapping[str, Any]) -> str:
    """What the reader's own loss is, as in "Your loss: focal, class_weights none, gamma 3."; empty if none is there."""
    if OWN_LOSS not in results.get("comparison", {}).get("trials", {}):
        return ""
    return f"Your loss: {loss_text(results['trials'][OWN_LOSS]['config'])}."


def comparison(results: Mapping[str, Any]) -> Table:
    """Every recorded trial against the combined loss."""
    rows = results.get("comparison", {}).get("trials", {})
    return compared_texts(pd.DataFrame.from_dict(rows, orient="index").astype(float)) if rows else NOTHING

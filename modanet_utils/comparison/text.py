"""What notebooks 02 and 03 say of a ``results.json``, with no number typed; where it lacks a part, they say so."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from IPython.display import Markdown

from modanet_utils.classes import CLASSES, CLOTHING
from modanet_utils.comparison.tables import baseline
from modanet_utils.results.compared import compared_texts
from modanet_utils.results.text import (
    NOTHING,
    PENDING,
    Table,
    bullets,
    listed,
    mean_iou,
    moves,
    on_real_photos,
    row_text,
    the_classes,
    trainings,
)
from modanet_utils.thresholds import FOUND, LITTLE
from modanet_utils.trials import OWN_LOSS, headline, loss_text


def zero_classes(test: Mapping[str, Any]) -> list[str]:
    """Clothing classes in the truth whose IoU is below `FOUND`."""
    scores = {name: test["classes"][name] for name in CLOTHING}
    return [name for name, s in scores.items() if s["support"] and (s["iou"] or 0) < FOUND]


def losses_shown(results: Mapping[str, Any]) -> list[str]:
    """The finished trials whose IoU per class is drawn: without the loss, with it, and with its weights."""
    names = ["cross_entropy", "combined_unweighted", *[OWN_LOSS] * bool(own_loss(results)), "combined"]
    return [name for name in names if name in results.get("trials", {})]


def cross_entropy(results: Mapping[str, Any]) -> Markdown:
    """What cross-entropy alone learned, when, and what logit adjustment adds."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    zero, later = at_zero(results, named=True), longer(results, named=True)
    return bullets(on_real_photos(results), [zero[0].upper() + zero[1:], later, _adjusted(results)])


def _zero(results: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The classes that every training of cross-entropy leaves at zero, and those that some do."""
    each = [zero_classes(test) for test in trainings(results, "cross_entropy")]
    always = [name for name in CLOTHING if all(name in zero for zero in each)]
    return always, [name for name in CLOTHING if name in {*sum(each, [])} - {*always}]


def at_zero(results: Mapping[str, Any], named: bool = False) -> str:
    """How many classes cross-entropy leaves at zero in every training, and which; and which in some."""
    (always, some), each = _zero(results), trainings(results, "cross_entropy")
    short = " short" * ("cross_entropy_long" in results["trials"])
    said = f"plain cross-entropy leaves {len(always) or 'none'} of the {the_classes(each[0])} at zero"
    said += f" in all {len(each)}{short} trainings" if len(each) > 1 else " after a short training" * bool(short)
    names = f": {listed(always)}" * bool(always) + f"; in some{' also' * bool(always)} {listed(some)}" * bool(some)
    there = [name for name in CLOTHING if each[0]["classes"][name]["support"]]
    return f"{said}{names * named}{'; it never rose above background' * (always == there)}."


def longer(results: Mapping[str, Any], named: bool = False) -> str:
    """Never or not yet: which of the classes at zero the longest training finds, how many it does not; what falls."""
    before = next(filter(None, _zero(results)), [])  # those of some trainings where all trainings share none
    short, long = (trainings(results, name) for name in ("cross_entropy", "cross_entropy_long"))
    if not long or not before:
        return ""
    ious = {name: [test["classes"][name]["iou"] or 0 for test in (*long, *short)] for name in CLOTHING}
    back = sorted((name for name in before if ious[name][0] >= FOUND), key=lambda name: -ious[name][0])
    left, fell = len(before) - len(back), [name for name, (iou, *lower) in ious.items() if iou < min(lower) - LITTLE]
    if not named or not back:
        return f"Longer training brings {'none' if not back else 'some' if left else 'all'} of them back."
    told = listed([f"{'a little of ' * (ious[name][0] < LITTLE)}{name}" for name in back])
    ends = [f"{left} of them stay{'s' * (left == 1)} at zero"] * bool(left)
    ends += [f"{listed(fell)} fall{'s' * (len(fell) == 1)}"] * bool(fell)
    return f"Three times the training brings back {told}{'; ' * bool(ends)}{listed(ends)} (one training)."


def _adjusted(results: Mapping[str, Any]) -> str:
    """What logit adjustment makes of the finished network."""
    pair = [results["trials"].get(name) for name in ("cross_entropy", "cross_entropy_adjusted")]
    if not all(pair):
        return ""
    change = moves(pair[1]["test"]["mean_iou"] - pair[0]["test"]["mean_iou"])
    verb = _verb(_claim(results, "adjustment-helps"), "helps", "does not help", "does not clearly help")
    return f"Logit adjustment, which needs no training, {verb}: it {change} the mean IoU (one training)."


def _verb(claim: Mapping[str, Any] | None, supported: str, refuted: str, unclear: str) -> str:
    return {"supported": supported, "refuted": refuted}.get(claim["verdict"] if claim else "", unclear)


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss brings, what of it is free and what costs."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return PENDING
    return bullets(on_real_photos(results), [reached(results), free(results), _paid(results)])


def reached(results: Mapping[str, Any]) -> str:
    """The combined loss against cross-entropy and against its logit adjustment."""
    (before, first), (after, second) = (mean_iou(results, name) for name in ("cross_entropy", "combined"))
    numbers = " and ".join(dict.fromkeys([str(first), str(second)]))
    of = "one training each" if numbers == "1" else f"means of {numbers} trainings"
    said = f"The combined loss {moves(after - before)} the mean IoU of cross-entropy ({of})"
    if gain := _claim(results, "gain-over-cross-entropy-adjusted-beyond-seeds", "combined-beats-adjusted"):
        beats = _verb(gain, "beats", "does not beat", "does not clearly beat")
        said += f" and {beats} logit adjustment"
    return f"{said}."


def free(results: Mapping[str, Any]) -> str:
    """What the loss without its weights brings and costs; empty where it is not known."""
    if not (found := _square(results)):
        return ""
    first, _, alone, _ = (cell["mean_iou"] for cell in found["cells"])
    said, effect = "the combined loss without class weights", found["effects"]["loss"]
    costs, gains = effect["precision_high"] < 0, effect["mean_iou_low"] > 0 and alone > first
    said = f"Begin with {said}: it" if gains and not costs else said.capitalize()
    said += f" {moves(alone - first) if gains else 'does not clearly raise'} the mean IoU of cross-entropy"
    return f"{said} at {'a cost' if costs else 'no clear cost'} in precision (one training each)."


def price(results: Mapping[str, Any]) -> str:
    """What the class weights find and cost, without a full stop; empty where it is not known."""
    if not (found := _square(results)):
        return ""
    before, after = found["cells"][2:]
    cost = before["precision"] - after["precision"]
    clear = found["effects"]["weights"]["precision_high"] < 0 < cost
    more = f"find {'more' if after['found'] > before['found'] else 'no more'} classes"
    return f"The class weights {more} and {f'cost {cost:.3f} of' if clear else 'do not clearly cost'} precision"


def _paid(results: Mapping[str, Any]) -> str:
    """What the class weights cost and bring, after more training as well; the price of all where that is not known."""
    if not (said := price(results)):
        paid = _claim(results, "precision-pays")
        return f"It {moves(paid['value'])} the precision of clothing." if paid else ""
    said += " (one training each)"
    if gain := _claim(results, "weights-help-when-long"):
        still = _verb(gain, "still raise", "no longer raise", "no longer clearly raise")
        said += f"; after three times the training they {still} the mean IoU"
        said += _verb(_claim(results, "weights-cost-precision-when-long"), " and still cost precision", "", "")
    return f"{said}."


def _claim(results: Mapping[str, Any], *ids: str) -> Mapping[str, Any] | None:
    """The first of these claims that has a number."""
    known = {claim["id"]: claim for claim in results.get("claims", []) if claim["value"] is not None}
    return next((known[one] for one in ids if one in known), None)


def _square(results: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded four trials of loss and weights, `tables.two_by_two`."""
    return results.get("remedies", {}).get("two_by_two") or {}


def effects(results: Mapping[str, Any]) -> Table:
    """What the loss and the weights change, each on average over both settings of the other, as recorded."""
    if not (found := _square(results).get("effects")):
        return NOTHING
    told = {of: [row_text(found[of], name, "+.3f") for name in ("mean_iou", "precision")] for of in found}
    return pd.DataFrame.from_dict(told, orient="index", columns=["change of mean IoU", "change of precision"])


def changed(table: pd.DataFrame) -> Markdown:
    """In which classes a trial is clearly better or worse, of `statistics.compare_trials`."""
    clear = table[table["p_holm"] < 0.05]
    better, worse = (listed(list(clear.index[side])) or "none" for side in (clear["iou"] > 0, clear["iou"] < 0))
    said = f"clearly higher in: {better}; clearly lower in: {worse}"
    return Markdown(f"Corrected for looking at {len(table)} classes (Holm, p below 0.05), the IoU is {said}.")


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

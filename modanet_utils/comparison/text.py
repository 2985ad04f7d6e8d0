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
    on_real_photos,
    row_text,
    the_classes,
    trainings,
    value_text,
)
from modanet_utils.thresholds import FOUND
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
    """What cross-entropy alone learned, when, and what shifted outputs add."""
    if "cross_entropy" not in results.get("trials", {}):
        return PENDING
    zero, later = at_zero(results, named=True), longer(results, named=True)
    return bullets(on_real_photos(results), [zero[0].upper() + zero[1:], later, _shifted(results)])


def at_zero(results: Mapping[str, Any], named: bool = False) -> str:
    """How many classes cross-entropy leaves at zero, and which: in every training, and in some."""
    each = [zero_classes(test) for test in trainings(results, "cross_entropy")]
    first = results["trials"]["cross_entropy"]
    always, ever = ([name for name in CLOTHING if of(name in zero for zero in each)] for of in (all, any))
    numbers = sorted({len(zero) for zero in each})
    count = " or ".join(map(str, numbers)).replace("0", "none", numbers == [0])
    said = f"plain cross-entropy leaves {count} of the {the_classes(first['test'])} at zero (IoU below {FOUND})"
    said += f" after {first['epochs']} epochs" + f", in {len(each)} trainings" * (named and len(each) > 1)
    some = listed([name for name in ever if name not in always])
    names = f": {listed(always)}" * bool(always) + f"; in some{' also' * bool(always)} {some}" * bool(some)
    there = [name for name in CLOTHING if first["test"]["classes"][name]["support"]]
    return f"{said}{names * named}{'; it never rose above background' * (always == there)}."


def longer(results: Mapping[str, Any], named: bool = False) -> str:
    """Never or not yet: how many of the classes at zero the longest training finds, and which it does not."""
    long = results["trials"].get("cross_entropy_long")
    before = {name for test in trainings(results, "cross_entropy") for name in zero_classes(test)}
    if not long or not before:
        return ""
    zero = zero_classes(long["test"])
    back = "all" if not before & {*zero} else "some" if before - {*zero} else "none"
    are = "is" if len(zero) == 1 else "are"
    left = f": after {long['epochs']} epochs {len(zero)} {are} at zero, {listed(zero)} (one training)" * bool(zero)
    return f"Longer training brings {back} of them back{left * named}."


def _shifted(results: Mapping[str, Any]) -> str:
    """What logit adjustment makes of the finished network."""
    pair = [results["trials"].get(name) for name in ("cross_entropy", "cross_entropy_adjusted")]
    if not all(pair):
        return ""
    change = " to ".join(value_text(one["test"]["mean_iou"]) for one in pair)
    verb = _verb(_claim(results, "adjustment-helps"), "helps", "does not help", "does not clearly help")
    return f"Shifting the outputs of the finished network {verb}: the mean IoU goes from {change}."


def _verb(claim: Mapping[str, Any] | None, supported: str, refuted: str, unclear: str) -> str:
    return {"supported": supported, "refuted": refuted}.get(claim["verdict"] if claim else "", unclear)


def combined(results: Mapping[str, Any]) -> Markdown:
    """What the combined loss brings, what of it is free and what costs."""
    if not set(headline()) <= results.get("trials", {}).keys():
        return PENDING
    return bullets(on_real_photos(results), [reached(results), free(results), _paid(results)])


def reached(results: Mapping[str, Any]) -> str:
    """The combined loss against cross-entropy and its shifted outputs."""
    each = [[test["mean_iou"] for test in trainings(results, name)] for name in ("cross_entropy", "combined")]
    before, after = (value_text(sum(found) / len(found)) for found in each)
    numbers = [str(len(found)) for found in each]
    of = "one training each" if numbers == ["1", "1"] else f"means of {' and '.join(dict.fromkeys(numbers))} trainings"
    said = f"With the combined loss the mean IoU goes from {before} to {after} ({of})"
    if gain := _claim(results, "gain-over-cross-entropy-adjusted-beyond-seeds", "combined-beats-adjusted"):
        beats = _verb(gain, "beats", "does not beat", "does not clearly beat")
        said += f"; it {beats} shifted outputs of cross-entropy"
    return f"{said}."


def free(results: Mapping[str, Any]) -> str:
    """What the loss without its weights brings and costs; empty where it is not known."""
    if not (found := _square(results)):
        return ""
    first, _, alone, _ = (value_text(cell["mean_iou"]) for cell in found["cells"])
    said, effect = "the combined loss without class weights", found["effects"]["loss"]
    costs, gains = effect["precision_high"] < 0, effect["mean_iou_low"] > 0
    said = f"Begin with {said}: it" if gains and not costs else said.capitalize()
    said += f" {'raises' if gains else 'moves'} the mean IoU from cross-entropy's {first} to {alone}"
    return f"{said} at {'a cost' if costs else 'no clear cost'} in precision (one training each)."


def price(results: Mapping[str, Any]) -> str:
    """What the class weights cost, without a full stop; empty where it is not known."""
    if not (found := _square(results)):
        return ""
    verb = "cost" if found["effects"]["weights"]["precision_high"] < 0 else "do not clearly cost"
    first, second = (value_text(cell["precision"]) for cell in found["cells"][2:])
    return f"The class weights {verb} precision, which goes from {first} to {second}"


def _paid(results: Mapping[str, Any]) -> str:
    """What the class weights cost and bring, after more training as well; the price of all where that is not known."""
    if not (found := _square(results)):
        paid = _claim(results, "precision-pays")
        return f"Precision of clothing changes by {value_text(paid['value'], paid['interval'])}." if paid else ""
    before, after = (cell["found"] for cell in found["cells"][2:])
    said = f"{price(results)}, {'for more classes found' if after > before else 'and no more classes are found'}"
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


def effects(results: Mapping[str, Any]) -> Markdown:
    """What the loss and the weights change on average, as recorded."""
    if not (found := _square(results).get("effects")):
        return NOTHING
    told = [row_text(found[of], score, "+.3f") for of in ("loss", "weights") for score in ("mean_iou", "precision")]
    said = "On average over both settings of the other, the loss changes mean IoU and precision by {} and {}, "
    return Markdown(f"{said}the weights by {{}} and {{}}.".format(*told))


def changed(table: pd.DataFrame) -> Markdown:
    """In which classes a trial is clearly better or worse, of `statistics.compare_trials`."""
    clear = table[table["p_holm"] < 0.05]
    better, worse = (listed(list(clear.index[side])) or "none" for side in (clear["iou"] > 0, clear["iou"] < 0))
    said = f"clearly higher in: {better}; clearly lower in: {worse}"
    return Markdown(f"Corrected for looking at {len(table)} classes (Holm, p below 0.05), the IoU is {said}.")


def cells(results: Mapping[str, Any]) -> Table:
    """The recorded four trials of loss and weights."""
    if not (found := _square(results)):
        return NOTHING
    titles = {"weights": "class weights", "mean_iou": "mean IoU", "found": "classes found"}
    table = pd.DataFrame(found["cells"]).set_index("loss").rename(columns=titles)
    return table.map(lambda cell: f"{cell:.3f}" if isinstance(cell, float) else str(cell))


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

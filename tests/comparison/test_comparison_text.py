"""What is said of recorded results: every number comes from them, and what is missing is said to be."""

import json
from pathlib import Path
from typing import Any

import pytest

from modanet_utils.comparison.text import (
    at_zero,
    by_class,
    combined,
    comparison,
    cross_entropy,
    effects,
    longer,
    own_loss,
    price,
    reached,
)
from modanet_utils.report.answer import points
from modanet_utils.results.text import NOTHING, PENDING, mean_iou, mean_of
from modanet_utils.trials import TrialConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results() -> dict[str, Any]:
    return json.loads((ROOT / "reports" / "ccp" / "results.json").read_text())


def test_the_readme_says_what_is_recorded(results: dict[str, Any]) -> None:
    readme = (ROOT / "README.md").read_text()
    told = (ROOT / "reports" / "ccp" / "trials.md").read_text()
    for said in points(results):
        assert said in readme, said
    assert combined(results).data in told
    rows = [" | ".join([name, *row]) for name, *row in comparison(results).itertuples()]
    assert rows and all(f"| {row} |" in told for row in rows)


def test_an_own_loss_is_told_by_what_it_takes_where_it_is_compared(results: dict[str, Any]) -> None:
    assert own_loss(results) == own_loss({}) == ""
    config = TrialConfig(loss="focal", gamma=3, dice=7, class_weights={"belt": 5.0, "scarf & tie": 0.05})
    results["trials"]["own_loss"] = results["trials"]["combined"] | {"config": config.plain()}
    assert own_loss(results) == "", "recorded earlier, and not compared now"
    results["comparison"]["trials"]["own_loss"] = results["comparison"]["trials"]["combined"]
    assert own_loss(results) == "Your loss: focal, class_weights belt=5,scarf & tie=0.05, gamma 3."
    assert "your loss" in comparison(results).index
    results["trials"]["own_loss"]["config"] = TrialConfig(loss="lovasz").plain()
    assert own_loss(results) == "Your loss: lovasz."


def test_what_is_not_recorded_is_said_to_be_missing() -> None:
    assert cross_entropy({}) is combined({}) is PENDING and points({}) == [PENDING.data]
    assert comparison({}) is by_class({}) is effects({}) is NOTHING


@pytest.mark.parametrize(
    ("ious", "said"),
    [
        ({}, "none of the 13 clothing classes at zero."),
        ({"belt": 0.0}, "1 of the 13 clothing classes at zero: belt."),
        ({"belt": 0.0, "boots": 0.009}, "2 of the 13 clothing classes at zero: belt and boots."),
    ],
)  # fmt: skip
def test_classes_at_zero_are_named(results: dict[str, Any], ious: dict[str, float], said: str) -> None:
    results["trials"] = {"cross_entropy": results["trials"]["cross_entropy"]}
    for name, scores in results["trials"]["cross_entropy"]["test"]["classes"].items():
        scores["iou"] = ious.get(name, 0.5)
    assert cross_entropy(results).data.endswith(f"* Plain cross-entropy leaves {said}")


def test_classes_at_zero_in_some_trainings_stand_apart(results: dict[str, Any]) -> None:
    for number, name in enumerate(("cross_entropy", "cross_entropy-seed1", "cross_entropy_long")):
        for label, scores in results["trials"][name]["test"]["classes"].items():
            scores["iou"] = 0.0 if label == "belt" or (label == "skirt" and number == 1) else 0.5
    del results["trials"]["cross_entropy-seed2"]
    said = cross_entropy(results).data
    assert "* Plain cross-entropy leaves 1 of the 13 clothing classes at zero in all 2 short trainings: belt" in said
    assert "trainings: belt; in some also skirt.\n" in said and ": belt" not in at_zero(results)
    assert "Longer training brings none of them back." in said, "the skirt was not always lost"
    results["trials"]["cross_entropy"]["test"]["classes"]["bag"]["iou"] = 0.0
    del results["trials"]["cross_entropy-seed1"]
    assert "leaves 2 of the 13 clothing classes at zero after a short training: bag and belt." in (
        cross_entropy(results).data
    )
    assert longer(results) == "Longer training brings some of them back."
    alone = "Three times the training brings back bag; 1 of them stays at zero (one training)."
    assert longer(results, named=True) == alone
    classes = results["trials"]["cross_entropy_long"]["test"]["classes"]
    classes["belt"]["iou"] = 0.09
    assert longer(results) == "Longer training brings all of them back."
    assert (
        longer(results, named=True) == "Three times the training brings back bag and a little of belt (one training)."
    )
    classes["top"]["iou"], classes["pants"]["iou"] = 0.39, 0.41
    assert longer(results, named=True).endswith(" and a little of belt; top falls (one training).")
    classes["pants"]["iou"], classes["belt"]["iou"] = 0.2, 0.0
    assert "1 of them stays at zero and pants and top fall (one training)." in longer(results, named=True)


def test_classes_that_only_some_trainings_lose_are_looked_for_in_the_longer_one(results: dict[str, Any]) -> None:
    for number, name in enumerate(
        ("cross_entropy", "cross_entropy-seed1", "cross_entropy-seed2", "cross_entropy_long")
    ):
        for label, scores in results["trials"][name]["test"]["classes"].items():
            scores["iou"] = 0.0 if (label, number) in {("belt", 0), ("skirt", 1)} else 0.5
    assert "at zero in all 3 short trainings; in some belt and skirt.\n" in cross_entropy(results).data
    assert longer(results) == "Longer training brings all of them back."


def test_the_mean_over_trainings_leads(results: dict[str, Any]) -> None:
    trials = results["trials"]
    for name, score in (
        ("cross_entropy", 0.2),
        ("cross_entropy-seed1", 0.3),
        ("combined", 0.5),
        ("combined-seed1", 0.7),
    ):
        trials[name]["test"]["mean_iou"] = score
    del trials["cross_entropy-seed2"], trials["combined-seed2"], results["remedies"]["trainings"]
    said = "The combined loss adds 0.350 to the mean IoU of cross-entropy (means of 2 trainings) and beats "
    assert reached(results) == f"{said}logit adjustment."
    assert mean_iou(results, "combined") == (pytest.approx(0.6), 2)
    trials["combined-seed2"] = {"test": {"mean_iou": -0.9}}
    assert mean_iou(results, "combined") == (pytest.approx(0.1), 3)
    assert "takes 0.150 from the mean IoU of cross-entropy (means of 2 and 3 trainings)" in reached(results)
    del trials["cross_entropy-seed1"], trials["combined-seed1"], trials["combined-seed2"]
    assert "adds 0.300 to the mean IoU of cross-entropy (one training each)" in reached(results)
    assert mean_iou({}, "combined")[1] == 0 and mean_of(1) == "one training" and mean_of(2) == "mean of 2 trainings"


@pytest.mark.parametrize(
    ("verdict", "gain"),
    [
        ("supported", " and beats logit adjustment."),
        ("refuted", " and does not beat logit adjustment."),
        ("inconclusive", " and does not clearly beat logit adjustment."),
    ],
)
def test_verbs_follow_the_verdicts(results: dict[str, Any], verdict: str, gain: str) -> None:
    for claim in results["claims"]:
        claim["verdict"] = verdict
    assert gain in combined(results).data
    told = {"supported": " training, helps: ", "refuted": "does not help: ", "inconclusive": "does not clearly help: "}
    assert f"{told[verdict]}it adds 0.003 to the mean IoU (one training)." in cross_entropy(results).data
    without = results | {"claims": [], "remedies": {}}
    assert combined(without).data.count("\n* ") == 1 and "adjustment" not in combined(without).data


@pytest.mark.parametrize(
    ("high", "low", "said"),
    [
        (0.01, 0.01, "* Begin with the combined loss without class weights: it adds 0.078 to the mean IoU of cross-"),
        (-0.01, 0.01, "* The combined loss without class weights adds 0.078 to the mean IoU of cross-entropy at a "),
        (0.01, -0.01, "* The combined loss without class weights does not clearly raise the mean IoU of cross-"),
    ],
)
def test_the_loss_is_recommended_where_its_intervals_say_so(
    results: dict[str, Any], high: float, low: float, said: str
) -> None:
    results["remedies"]["two_by_two"]["effects"]["loss"] |= {"precision_high": high, "mean_iou_low": low}
    assert said in combined(results).data
    assert ("at no clear cost in precision" in combined(results).data) == (high > 0)
    assert (" at a cost in precision" in combined(results).data) == (high < 0)


def test_the_price_stands_beside_the_loss_on_the_first_page(results: dict[str, Any]) -> None:
    *_, loss, _, _ = points(results, "{}.html")
    paid = "The class weights find more classes and cost 0.064 of precision."
    assert loss.endswith(f"(one training each). {paid} ([03](03_combined_loss.html))")
    assert price(results | {"remedies": {}}) == ""
    assert points(results | {"remedies": {}})[1].endswith(" and beats logit adjustment.")


def test_what_the_weights_cost_is_told_of_both_lengths(results: dict[str, Any]) -> None:
    gain = next(claim for claim in results["claims"] if claim["id"] == "weights-help-when-long")
    assert (
        "* The class weights find more classes and cost 0.064 of precision (one training each)"
        in combined(results).data
    )
    assert "training they no longer clearly raise the mean IoU and still cost precision." in combined(results).data
    gain["verdict"] = "supported"
    assert "after three times the training they still raise the mean IoU and" in combined(results).data
    gain["value"] = None
    assert "three times" not in combined(results).data
    results["remedies"]["two_by_two"]["effects"]["weights"]["precision_high"] = 0.01
    results["remedies"]["two_by_two"]["cells"][3]["found"] = 9
    assert "weights find no more classes and do not clearly cost precision (one" in combined(results).data
    del results["remedies"]["two_by_two"]
    assert "* It takes 0.066 from the precision of clothing." in combined(results).data


def test_cross_entropy_class_by_class_is_told_from_the_record(results: dict[str, Any]) -> None:
    table = by_class(results)
    assert table.shape == (14, 4) and table.loc["sunglasses (47)", "mostly called instead"].startswith("background (9")
    found = results["remedies"]["two_by_two"]
    found["effects"]["loss"] |= {"mean_iou": 0.2, "mean_iou_low": 0.1, "mean_iou_high": 0.3}
    shown = effects(results)
    assert shown.index.tolist() == ["loss", "weights"] and shown.iloc[0, 0] == "+0.200 [+0.100, +0.300]"
    assert shown.loc["weights", "change of precision"].startswith("-0.082 [")

"""What is said of recorded results: every number comes from them, and what is missing is said to be."""

import json
from pathlib import Path
from typing import Any

import pytest

from modanet_utils.comparison.text import (
    at_zero,
    by_class,
    cells,
    combined,
    comparison,
    cross_entropy,
    effects,
    longer,
    own_loss,
    price,
)
from modanet_utils.report.answer import points
from modanet_utils.results.text import NOTHING, PENDING
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
    assert comparison({}) is by_class({}) is cells({}) is effects({}) is NOTHING


@pytest.mark.parametrize(
    ("ious", "said"),
    [
        ({}, "none of the 13 clothing classes at zero (IoU below 0.01) after 15 epochs."),
        ({"belt": 0.0}, "1 of the 13 clothing classes at zero (IoU below 0.01) after 15 epochs: belt."),
        ({"belt": 0.0, "boots": 0.009}, "2 of the 13 clothing classes at zero (IoU below 0.01) after 15 epochs: belt "
         "and boots."),
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
    assert "trainings" not in at_zero(results)
    assert "leaves 1 or 2 of the 13 clothing classes at zero (IoU below 0.01) after 15 epochs, in 2 trainings" in said
    assert "trainings: belt; in some also skirt.\n" in said and ": belt" not in at_zero(results)
    assert "Longer training brings some of them back: after 45 epochs 1 is at zero, belt (one training)." in said
    classes = results["trials"]["cross_entropy_long"]["test"]["classes"]
    classes["skirt"]["iou"] = 0.0
    assert longer(results) == "Longer training brings none of them back."
    classes["skirt"]["iou"] = classes["belt"]["iou"] = 0.5
    assert longer(results, named=True) == "Longer training brings all of them back."
    results["trials"]["cross_entropy-seed1"]["test"]["classes"]["belt"]["iou"] = 0.5
    assert "in 2 trainings; in some belt and skirt.\n" in cross_entropy(results).data


@pytest.mark.parametrize(
    ("verdict", "gain"),
    [
        ("supported", "it beats shifted outputs"),
        ("refuted", "it does not beat shifted outputs"),
        ("inconclusive", "it does not clearly beat shifted outputs"),
    ],
)
def test_verbs_follow_the_verdicts(results: dict[str, Any], verdict: str, gain: str) -> None:
    for claim in results["claims"]:
        claim["verdict"] = verdict
    assert gain in combined(results).data
    told = {"supported": " network helps: ", "refuted": "does not help: ", "inconclusive": "does not clearly help: "}
    assert told[verdict] in cross_entropy(results).data
    without = results | {"claims": [], "remedies": {}}
    assert combined(without).data.count("\n* ") == 1 and "shifted" not in combined(without).data


@pytest.mark.parametrize(
    ("high", "low", "said"),
    [
        (
            0.01,
            0.01,
            "* Begin with the combined loss without class weights: it raises the mean IoU from cross-entropy's ",
        ),
        (-0.01, 0.01, "* The combined loss without class weights raises the mean IoU from cross-entropy's "),
        (0.01, -0.01, "* The combined loss without class weights moves the mean IoU from cross-entropy's "),
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
    assert loss.endswith(
        "The class weights cost precision, which goes from 0.634 to 0.569. ([03](03_combined_loss.html))"
    )
    assert price(results | {"remedies": {}}) == ""
    assert points(results | {"remedies": {}})[1].endswith(" shifted outputs of cross-entropy.")


def test_what_the_weights_cost_is_told_of_both_lengths(results: dict[str, Any]) -> None:
    gain = next(claim for claim in results["claims"] if claim["id"] == "weights-help-when-long")
    assert (
        "The class weights cost precision, which goes from 0.634 to 0.569, for more classes" in combined(results).data
    )
    assert "training they no longer clearly raise the mean IoU and still cost precision." in combined(results).data
    gain["verdict"] = "supported"
    assert "after three times the training they still raise the mean IoU and" in combined(results).data
    gain["value"] = None
    assert "three times" not in combined(results).data
    results["remedies"]["two_by_two"]["effects"]["weights"]["precision_high"] = 0.01
    results["remedies"]["two_by_two"]["cells"][3]["found"] = 9
    assert "do not clearly cost precision" in combined(results).data and "no more classes" in combined(results).data
    del results["remedies"]["two_by_two"]
    price = next(claim for claim in results["claims"] if claim["id"] == "precision-pays")
    assert f"* Precision of clothing changes by {price['value']:.3f} [" in combined(results).data


def test_cross_entropy_class_by_class_is_told_from_the_record(results: dict[str, Any]) -> None:
    table = by_class(results)
    assert table.shape == (14, 4) and table.loc["sunglasses (47)", "mostly called instead"].startswith("background (9")
    found = results["remedies"]["two_by_two"]
    found["effects"]["loss"] |= {"mean_iou": 0.2, "mean_iou_low": 0.1, "mean_iou_high": 0.3}
    assert "the loss changes mean IoU and precision by +0.200 [+0.100, +0.300] and" in effects(results).data
    assert cells(results)["precision"].tolist() == [f"{cell['precision']:.3f}" for cell in found["cells"]]

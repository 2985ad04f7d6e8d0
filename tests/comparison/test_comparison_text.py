"""What is said of recorded results: every number comes from them, and what is missing is said to be."""

import json
from pathlib import Path
from typing import Any

import pytest

from modanet_utils.comparison.text import (
    by_class,
    cells,
    classes,
    combined,
    comparison,
    cross_entropy,
    over_seeds,
    parts,
    points,
    published,
    recorded_effects,
    seeds,
)
from modanet_utils.results.text import NOTHING, PENDING, markdown

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def results() -> dict[str, Any]:
    return json.loads((ROOT / "reports" / "ccp" / "results.json").read_text())


def test_the_readme_says_what_is_recorded(results: dict[str, Any]) -> None:
    readme = (ROOT / "README.md").read_text()
    told = (ROOT / "reports" / "ccp" / "trials.md").read_text()
    for said in points(results):
        assert said in readme, said
    for said in (combined(results).data, parts(results).data, over_seeds(results).data, markdown(classes(results))):
        assert said in told, said
    for table in (comparison, seeds):
        rows = [" | ".join([name, *row]) for name, *row in table(results).itertuples()]
        assert rows and all(f"| {row} |" in told for row in rows)


def test_what_is_not_recorded_is_said_to_be_missing() -> None:
    assert cross_entropy({}) is combined({}) is PENDING and points({}) == [PENDING.data]
    assert parts({}) is classes({}) is comparison({}) is seeds({}) is by_class({}) is cells({}) is NOTHING
    assert over_seeds({}).data == "These numbers are of one training each."


def test_the_headline_says_how_far_trainings_lie_apart(results: dict[str, Any]) -> None:
    row = {"seeds": 3, "mean_iou": 0.3, "mean_iou_low": 0.28, "mean_iou_high": 0.33, "lowest": 0.29, "highest": 0.32}
    text = over_seeds({"comparison": {"seeds": {"combined": row}}}).data
    assert "over 3 trainings: combined loss 0.300 [0.280, 0.330], from 0.290 to 0.320." in text
    single = row | {"seeds": 1, "lowest": None, "highest": None}
    assert over_seeds({"comparison": {"seeds": {"combined": single}}}).data.endswith("one training each.")


@pytest.mark.parametrize(
    ("ious", "said"),
    [
        ({}, "After 15 epochs none of the 13 clothing classes are at zero (IoU below 0.01)."),
        ({"belt": 0.0}, "After 15 epochs 1 of the 13 clothing classes are at zero (IoU below 0.01): belt."),
        ({"belt": 0.0, "boots": 0.009}, "After 15 epochs 2 of the 13 clothing classes are at zero (IoU below 0.01): "
         "belt and boots."),
    ],
)  # fmt: skip
def test_classes_at_zero_are_named(results: dict[str, Any], ious: dict[str, float], said: str) -> None:
    results["trials"] = {"cross_entropy": results["trials"]["cross_entropy"]}
    for name, scores in results["trials"]["cross_entropy"]["test"]["classes"].items():
        scores["iou"] = ious.get(name, 0.5)
    assert f"* {said}\n" in cross_entropy(results).data


def test_classes_at_zero_in_some_trainings_stand_apart(results: dict[str, Any]) -> None:
    for number, name in enumerate(("cross_entropy", "cross_entropy-seed1", "cross_entropy_long")):
        for label, scores in results["trials"][name]["test"]["classes"].items():
            scores["iou"] = 0.0 if label == "belt" or (label == "skirt" and number == 1) else 0.5
    del results["trials"]["cross_entropy-seed2"]
    said = cross_entropy(results).data
    assert "1 or 2 of the 13 clothing classes are at zero (IoU below 0.01) in 2 trainings: belt; in some skirt." in said
    assert "After 45 epochs 12 are found, all but belt (one training)." in said


@pytest.mark.parametrize(
    ("verdict", "gain"),
    [
        ("supported", "It beats shifted outputs"),
        ("refuted", "It does not beat shifted outputs"),
        ("inconclusive", "It does not clearly beat shifted outputs"),
    ],
)
def test_verbs_follow_the_verdicts(results: dict[str, Any], verdict: str, gain: str) -> None:
    for claim in results["claims"]:
        claim["verdict"] = verdict
    assert gain in combined(results).data
    without = results | {"claims": [], "remedies": {}}
    assert combined(without).data.count("\n* ") == 1 and "shifted" not in combined(without).data


@pytest.mark.parametrize(("high", "verb"), [(0.01, "is free"), (-0.01, "costs precision")])
def test_the_loss_is_free_where_its_interval_says_so(results: dict[str, Any], high: float, verb: str) -> None:
    results["remedies"]["two_by_two"]["effects"]["loss"]["precision_high"] = high
    assert f"* The loss alone {verb}: without class weights the mean IoU goes from " in combined(results).data
    del results["remedies"]["two_by_two"]
    price = next(claim for claim in results["claims"] if claim["id"] == "precision-pays")
    assert f"* Precision of clothing changes by {price['value']:.3f} [" in combined(results).data


def test_published_numbers_stand_below_our_own(results: dict[str, Any]) -> None:
    lines = published(results["trials"]["combined"]["test"], "mine").data.splitlines()
    assert lines[2].startswith("| combined loss, here | mine | pixel accuracy 90.3%, mean IoU 0.322 |")
    assert len(lines) > 5 and all(line.count(" | ") == 3 for line in lines[2:])


def test_cross_entropy_class_by_class_is_told_from_the_record(results: dict[str, Any]) -> None:
    table = by_class(results)
    assert table.shape == (14, 5) and table.loc["sunglasses", "mostly called instead"].startswith("background (9")
    assert cells(results).shape == (4, 4) and "the weights by" in recorded_effects(results).data

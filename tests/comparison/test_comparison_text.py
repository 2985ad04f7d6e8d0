"""What is said of recorded results: every number comes from them, and what is missing is said to be."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from modanet_utils.comparison.text import (
    classes,
    combined,
    comparison,
    cross_entropy,
    over_seeds,
    parts,
    points,
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
    assert parts({}) is classes({}) is comparison({}) is seeds({}) is NOTHING
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
        ({}, "None of the 13 clothing classes stays at zero (IoU below 0.01)."),
        ({"belt": 0.0}, "1 of the 13 clothing classes stays at zero (IoU below 0.01): belt."),
        ({"belt": 0.0, "boots": 0.009}, "2 of the 13 clothing classes stay at zero (IoU below 0.01): belt and boots."),
    ],
)
def test_classes_at_zero_are_named(results: dict[str, Any], ious: dict[str, float], said: str) -> None:
    test = results["trials"]["cross_entropy"]["test"]
    for name, scores in test["classes"].items():
        scores["iou"] = ious.get(name, 0.5)
    assert f"* {said}\n" in cross_entropy(results).data


@pytest.mark.parametrize(
    ("verdict", "gain", "price"),
    [
        ("supported", "It beats the shifted", "garment, falls against"),
        ("refuted", "It does not beat the shifted", "garment, does not fall against"),
        ("inconclusive", "It does not clearly beat the shifted", "garment, does not clearly fall against"),
    ],
)
def test_verbs_follow_the_verdicts(results: dict[str, Any], verdict: str, gain: str, price: str) -> None:
    for claim in results["claims"]:
        claim["verdict"] = verdict
    said = combined(results).data
    assert gain in said and price in said
    without = copy.deepcopy(results) | {"claims": [], "comparison": {}}
    assert combined(without).data.endswith("One class stays at zero (scarf & tie).")

"""``results.json``: what is accepted, and what is refused with its place."""

from pathlib import Path
from typing import Any

import pytest
from reporting import CLAIM, change, complete_results

from modanet_utils.project import write_json
from modanet_utils.results.schema import ResultsError, check_results, read_results
from modanet_utils.results.tables import class_table


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    return complete_results()


def test_complete_results_pass(complete: dict[str, Any]) -> None:
    check_results(complete)
    check_results(complete | {"extra": [1]})


TEST = "trials/combined/test"


@pytest.mark.reliability("results")
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("profile", KeyError, "profile is missing"),
        ("dataset/split/val", KeyError, "dataset.split lacks 'val'"),
        ("dataset/split/val", -1, "dataset.split.val must be greater than or equal to 0, not -1"),
        ("dataset/split/val", 9, "dataset.split holds more than the 10 images"),
        ("dataset/class_share/bag", 0.5, "dataset.class_share adds up to 1.25, not 1"),
        ("dataset/images", True, "dataset.images must be a valid integer, not True"),
        ("trials", [], "trials must be an object"),
        ("trials/combined", KeyError, "trial 'combined' is missing"),
        ("trials/combined/seeds", [0.5], r"trials.combined.seeds\[0\] must be a valid integer, not 0.5"),
        (f"{TEST}/mean_iou", float("nan"), "trials.combined.test.mean_iou must be a finite number"),
        (f"{TEST}/mean_iou", 1.2, "trials.combined.test.mean_iou must be less than or equal to 1, not 1.2"),
        (f"{TEST}/mean_iou", "0.4", "trials.combined.test.mean_iou must be a valid number, not '0.4'"),
        (f"{TEST}/mean_iou_interval", [0.4], "trials.combined.test.mean_iou_interval must be .low, high."),
        (f"{TEST}/mean_iou_interval", [0.4, 0.3], "low at most high"),
        (f"{TEST}/classes/headwear", KeyError, "trials.combined.test.classes lacks 'headwear'"),
        (f"{TEST}/classes/belt/f1", KeyError, "trials.combined.test.classes.belt.f1 is missing"),
        (
            f"{TEST}/body/hair_as_headwear/value",
            "x",
            "trials.combined.test.body.hair_as_headwear.value must be a valid number",
        ),
        ("claims", [], "there are no claims"),
        ("claims", [CLAIM, CLAIM], "claims holds two with the id 'rare'"),
        (
            "claims/0/verdict",
            "maybe",
            r"claims\[0\].verdict must be 'supported', 'refuted'",
        ),
        ("claims/0/value", float("inf"), r"claims\[0\].value must be a finite number"),
        ("provenance/versions/python", 3, "provenance.versions.python must be a valid string, not 3"),
    ],
)
def test_wrong_results_are_refused_with_their_place(
    complete: dict[str, Any], path: str, value: Any, message: str
) -> None:
    with pytest.raises(ResultsError, match=f"^results.json: .*{message}"):
        check_results(change(complete, path, value))


def test_partial_results_are_checked_as_far_as_they_go(complete: dict[str, Any]) -> None:
    check_results({"profile": "ccp", "claims": []}, complete=False)
    with pytest.raises(ResultsError, match="claims must be a valid array"):
        check_results({"claims": {}}, complete=False)


def test_undefined_is_null(complete: dict[str, Any]) -> None:
    undefined = change(change(complete, f"{TEST}/classes/belt/iou", None), f"{TEST}/classes/belt/iou_interval", None)
    check_results(undefined)
    assert class_table(undefined).loc["belt", "IoU, combined loss"] == "–"


def test_results_are_read_back_as_written(tmp_path: Path, complete: dict[str, Any]) -> None:
    write_json(tmp_path / "a" / "results.json", complete)
    assert read_results(tmp_path / "a" / "results.json") == complete
    with pytest.raises(ResultsError, match="There is no results.json"):
        read_results(tmp_path / "results.json")
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(ResultsError, match="holds no results"):
        read_results(tmp_path / "results.json")

"""Every claim gets its verdict from its interval, or says why it has none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from error_samples import make_source

from modanet_utils.errors.claims import HAIR_AND_SKIN, OTHERS, Evidence, accurate_pieces
from modanet_utils.errors.claims import decided as decided_claims
from modanet_utils.errors.sources import Source
from modanet_utils.results.claims import shown
from modanet_utils.results.schema import check_results, plain

GROUPS = HAIR_AND_SKIN | OTHERS
CLAIMS = [claim for group in GROUPS.values() for claim in group]


def decided(evidence: Evidence) -> dict[str, dict[str, Any]]:
    return {claim["id"]: claim for claim in decided_claims(GROUPS, evidence)}


def with_tables(evidence: Evidence, **tables: pd.DataFrame) -> Evidence:
    rows = {name: table.rename_axis("row").reset_index().to_dict("records") for name, table in tables.items()}
    return replace(evidence, source=Source(plain({"errors": {**evidence.source.errors, **rows}})))


@pytest.fixture
def evidence() -> Evidence:
    counts = np.zeros((30, 16, 14), np.int64)
    for label in range(1, 14):
        counts[:, label, label], counts[:, label, 0] = (90, 10) if label != 2 else (10, 90)
    return Evidence(make_source(), counts, None, ["belt"], np.ones((30, 13, 4, 2), np.int64))


def test_every_claim_has_a_verdict_by_its_interval(evidence: Evidence) -> None:
    found = decided(evidence)
    assert len(found) == len(CLAIMS) == len({claim.id for claim in CLAIMS})
    check_results(plain({"claims": [claim | {"notebook": "04"} for claim in found.values()]}), complete=False)
    assert found["accurate-on-most-classes"]["value"] == pytest.approx(12 / 13)
    assert found["accurate-on-most-classes"]["verdict"] == "supported"
    assert found["accurate-on-most-items"]["value"] == pytest.approx(12 / 13)
    assert found["accurate-on-most-items"]["verdict"] == "supported"
    assert found["strong-on-single-persons"]["value"] == pytest.approx((12 * 0.9 + 0.1) / 13, abs=1e-5)
    assert found["rare-classes-weak"]["value"] == pytest.approx(-0.8)
    assert found["rare-classes-weak"]["verdict"] == "supported"
    assert found["clothing-grows"]["verdict"] == "refuted"
    assert found["alike-colours-cause"]["verdict"] == "supported"
    assert found["fine-boundaries"]["verdict"] == "refuted"  # equal is not above


def test_items_are_classes_in_photos() -> None:
    """A bag of IoU 0.6 and one of 0.4; a top that is called one where none is makes no item."""
    counts = np.zeros((2, 16, 14), np.int64)
    counts[0, 1, 1], counts[0, 1, 0] = 6, 4
    counts[1, 1, 1], counts[1, 1, 0], counts[1, 0, 9] = 4, 6, 50
    assert accurate_pieces(counts)[0] == 0.5


def test_what_the_data_cannot_decide_says_why(evidence: Evidence) -> None:
    found = decided(evidence)
    for name in ("womens-clothing", "clear-persons", "precision-because-of-weights"):
        assert found[name]["value"] is None and found[name]["interval"] is None
        assert found[name]["verdict"] == "inconclusive" and found[name]["measure"].startswith("not decided: ")
    silent = evidence.source.table("recoloring").assign(hat=0.0, hair=0.0)
    undefined = evidence.source.table("leak_model") * np.nan
    found = decided(with_tables(evidence, recoloring=silent, leak_model=undefined))
    assert found["alike-colours-cause"]["measure"].startswith("not decided: ")
    assert found["alike-colours-observed"]["measure"].startswith("not decided: ")


def test_claims_on_hair_and_skin_say_of_how_few_photos_they_are(evidence: Evidence) -> None:
    for photos, words in ((len(evidence.after), False), (4, True)):
        found = decided_claims(HAIR_AND_SKIN, Evidence(evidence.source, evidence.after[:photos]))
        assert len(found) == sum(map(len, HAIR_AND_SKIN.values()))
        assert all(claim["value"] is not None for claim in found)
        assert all(("(of 4 photos only)" in claim["measure"]) is words for claim in found)


def test_the_price_of_weights_needs_the_trial_without_them(evidence: Evidence) -> None:
    better = evidence.after.copy()
    better[:, 0, 1] = 0
    worse = evidence.after.copy()
    worse[:, 0, 1] = 500
    worse[:, 0, 0], better[:, 0, 0] = 0, 500
    found = decided(replace(evidence, after=worse, unweighted=better))
    assert found["precision-because-of-weights"]["verdict"] == "supported"


QUESTIONS = {
    "hair-as-headwear": ("hair_as_headwear", "after"),
    "headwear-false-positives-on-hair": ("headwear_false_positives_on_hair", "after"),
    "combined-loss-leak": ("hair_as_headwear", "difference"),
    "skin-as-clothing": ("skin_as_clothing", "after"),
    "skin-beyond-the-edge": ("skin_deeper", "after"),
    "skin-beyond-the-networks-edge": ("skin_deeper_coarse", "after"),
}


def test_claims_about_hair_and_skin_get_their_verdict_from_the_interval(
    evidence: Evidence, table: pd.DataFrame
) -> None:
    thresholds = {claim.id: claim.above or 0 for claim in CLAIMS if claim.id in QUESTIONS}
    for name, (row, column) in QUESTIONS.items():
        table.loc[row, [column + end for end in ("", "_low", "_high")]] = thresholds[name] + np.array([2, 1, 3])
    found = decided(with_tables(evidence, answers=table))
    assert {found[name]["verdict"] for name in QUESTIONS} == {"supported"}
    table.loc["hair_as_headwear", ["after_low", "after_high"]] = 0.005, 0.02
    table.loc["skin_as_clothing", ["after_low", "after_high"]] = 0.01, 0.04
    table.loc["skin_deeper", ["after", "after_low", "after_high"]] = np.nan
    found = decided(with_tables(evidence, answers=table))
    assert found["hair-as-headwear"]["verdict"] == "inconclusive"
    assert found["skin-as-clothing"]["verdict"] == "refuted"
    assert found["skin-beyond-the-edge"]["verdict"] == "inconclusive"


def test_a_measure_is_written_from_the_threshold_that_decides() -> None:
    measures = {claim.id: claim.measure for claim in CLAIMS}
    assert measures["hair-as-headwear"] == "hair pixels called headwear, combined loss; above 1%"
    assert sum("added after" in measure for measure in measures.values()) == 4


def test_a_class_is_there_where_the_labels_show_it_not_where_it_is_predicted(evidence: Evidence) -> None:
    evidence.after[:, 5, 5] = 0
    evidence.after[:, 0, 5] = 7
    assert shown(evidence) == (30, 13)  # 10 pixels of class 5 are called background
    evidence.after[:, 5, 0] = 0
    assert shown(evidence) == (30, 12)

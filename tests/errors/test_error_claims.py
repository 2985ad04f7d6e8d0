"""Every claim gets its verdict from its interval, or says why it has none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from error_samples import make_tables

from modanet_utils.errors.claims import CLAIMS, THRESHOLDS, Evidence, accurate_pieces, claim_table
from modanet_utils.results.claims import decide
from modanet_utils.results.schema import check_results, plain


def decided(evidence: Evidence) -> dict[str, dict[str, Any]]:
    return {claim["id"]: claim for claim in decide(CLAIMS, evidence)}


@pytest.fixture
def evidence(table: pd.DataFrame) -> Evidence:
    counts = np.zeros((30, 16, 14), np.int64)
    for label in range(1, 14):
        counts[:, label, label], counts[:, label, 0] = (90, 10) if label != 2 else (10, 90)
    outlines = np.ones((30, 13, 4, 2), np.int64)
    return Evidence(counts, counts, None, ["belt"], outlines, make_tables() | {"answers": table})


def test_every_claim_has_a_verdict_by_its_interval(evidence: Evidence) -> None:
    found = decided(evidence)
    assert len(found) == len(CLAIMS)
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
    silent = evidence.tables["recoloring"].assign(hat=0.0, hair=0.0)
    undefined = evidence.tables["leak_model"] * np.nan
    found = decided(replace(evidence, tables=evidence.tables | {"recoloring": silent, "leak_model": undefined}))
    assert found["alike-colours-cause"]["measure"].startswith("not decided: ")
    assert found["alike-colours-observed"]["measure"].startswith("not decided: ")


def test_the_price_of_weights_needs_the_trial_without_them(evidence: Evidence) -> None:
    better = evidence.after.copy()
    better[:, 0, 1] = 0
    worse = evidence.after.copy()
    worse[:, 0, 1] = 500
    worse[:, 0, 0], better[:, 0, 0] = 0, 500
    found = decided(replace(evidence, after=worse, unweighted=better))
    assert found["precision-because-of-weights"]["verdict"] == "supported"
    assert len(claim_table()) == len(CLAIMS)


def test_claims_about_hair_and_skin_get_their_verdict_from_the_interval(
    evidence: Evidence, table: pd.DataFrame
) -> None:
    thresholds = {(row, "after"): above for row, above in THRESHOLDS.items()} | {("hair_as_headwear", "difference"): 0}
    for (row, column), above in thresholds.items():
        table.loc[row, [column + end for end in ("", "_low", "_high")]] = above + np.array([2, 1, 3])
    about = [claim.id for claim in CLAIMS[:6]]
    assert {decided(evidence)[name]["verdict"] for name in about} == {"supported"}
    table.loc["hair_as_headwear", ["after_low", "after_high"]] = 0.005, 0.02
    table.loc["skin_as_clothing", ["after_low", "after_high"]] = 0.01, 0.04
    table.loc["skin_deeper", ["after", "after_low", "after_high"]] = np.nan
    found = decided(evidence)
    assert found["hair-as-headwear"]["verdict"] == "inconclusive"
    assert found["skin-as-clothing"]["verdict"] == "refuted"
    assert found["skin-beyond-the-edge"]["verdict"] == "inconclusive"
    assert len(found) == len(CLAIMS)
    assert THRESHOLDS.keys() < set(table.index)


def test_claims_stand_in_the_order_in_which_they_are_recorded() -> None:
    """A measure is written from the threshold that decides, and says where nothing can."""
    table = claim_table()
    assert list(table.index) == [claim.statement for claim in CLAIMS]
    assert table.loc["Hair is taken for headwear.", "measure"] == "hair pixels called headwear, combined loss; above 1%"
    assert table.loc["It works mainly for women's clothing.", "measure"].startswith("not decided: no truth says")
    assert sum("added after" in measure for measure in table["measure"]) == 4

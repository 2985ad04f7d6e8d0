"""The claims of notebooks 02 and 03, on counts worked out by hand and on what is recorded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modanet_utils.classes import CLASSES, HAIR, HEADWEAR
from modanet_utils.comparison.claims import BASELINE, COMBINED, Evidence
from modanet_utils.results.claims import LATER, decide

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads((ROOT / "reports" / "ccp" / "results.json").read_text())["claims"]
TRIALS = ("cross_entropy", "cross_entropy_adjusted", "combined")
HATS = CLASSES.index("headwear")


def counts_of(hits: int, images: int = 30) -> np.ndarray:
    """Counts in which class 1 has these hits of 10 pixels in every image, the rest called background."""
    counts = np.zeros((images, 16, 14), np.int64)
    counts[:, 0, 0], counts[:, 1, 1], counts[:, 1, 0] = 90, hits, 10 - hits
    return counts


def pixels() -> np.ndarray:
    """Training pixels in which headwear and the last class are rare."""
    found = np.full((2, 14), 100)
    found[:, 0], found[:, HEADWEAR], found[:, 13] = 5000, 20, 10
    return found


def decided(hits: dict[str, int], **more: Any) -> dict[str, dict[str, Any]]:
    counts = {name: counts_of(hits.get(name, 5)) for name in TRIALS} | more.pop("counts", {})
    evidence = Evidence(counts, pixels(), **more)
    assert evidence.rare == ["scarf & tie", "headwear"] and len(evidence.common) == 11
    return {one["id"]: one for one in decide((*BASELINE, *COMBINED), evidence)}


@pytest.mark.parametrize(("claims", "notebook"), [(BASELINE, "02"), (COMBINED, "03")])
def test_the_claims_are_those_that_are_recorded(claims: tuple, notebook: str) -> None:
    recorded = [claim for claim in RECORDED if claim["notebook"].startswith(notebook)]
    assert [(claim.id, claim.statement) for claim in claims] == [(c["id"], c["statement"]) for c in recorded]
    assert [claim.later for claim in claims] == [LATER in claim["measure"] for claim in recorded]


def test_measures_name_the_threshold_and_what_they_are_over() -> None:
    found = decided({}, seeds={name: [counts_of(4), counts_of(5)] for name in TRIALS})
    assert found["rare-at-zero"]["measure"] == "mean IoU of the 2 rare classes; below 0.01"
    assert found["precision-pays-common"]["measure"].endswith("of the 11 common classes; below 0")
    assert found["gain-over-cross-entropy-adjusted-beyond-seeds"]["measure"].endswith(
        f"mean over trainings (2 against 2), interval over trainings; above 0; {LATER}"
    )
    assert not any("{" in claim["measure"] for claim in found.values())


def test_a_gain_over_both_rivals_is_supported_and_a_loss_refuted() -> None:
    found = decided({"cross_entropy": 2, "cross_entropy_adjusted": 3, "combined": 5})
    gains = ("adjustment-helps", "combined-beats-cross-entropy", "combined-beats-adjusted")
    assert [found[id]["value"] for id in gains] == pytest.approx([0.1, 0.3, 0.2])
    assert {found[id]["verdict"] for id in gains} == {"supported"}
    found = decided({"cross_entropy": 5, "cross_entropy_adjusted": 3, "combined": 2})
    assert [found[id]["value"] for id in gains] == pytest.approx([-0.2, -0.3, -0.1])
    assert {found[id]["verdict"] for id in gains} == {"refuted"}
    assert found["rare-at-zero"]["value"] == 0 and found["rare-at-zero"]["verdict"] == "supported"


def test_the_price_is_what_is_called_a_garment_and_is_not() -> None:
    wild = counts_of(5)
    wild[:, 0, 1], wild[:, 0, 0] = 5, 85  # half of what is called a bag is none
    claim = decided({}, counts={"combined": wild})["precision-pays"]
    assert claim["value"] == -0.5 and claim["verdict"] == "supported"
    common = decided({}, counts={"combined": wild})["precision-pays-common"]
    assert common["value"] == pytest.approx(-0.5 / 11)


def test_rare_classes_that_appear_are_seen() -> None:
    before, after = counts_of(5), counts_of(5)
    before[:, HEADWEAR, 0], after[:, HEADWEAR, HATS] = 8, 8
    found = decided({}, counts={"cross_entropy": before, "cross_entropy_adjusted": before, "combined": after})
    assert found["rare-appear"]["value"] == 0.5 and found["rare-appear"]["verdict"] == "supported"
    assert found["rare-not-found"]["value"] == 0


def test_ranks_go_with_the_share_of_the_pixels() -> None:
    shares = np.arange(14, 0, -1)
    counts = np.zeros((6, 16, 14), np.int64)
    for label in range(1, 14):
        counts[:, label, label], counts[:, label, 0] = 14 - label, label
    evidence = Evidence(dict.fromkeys(TRIALS, counts), np.stack([shares] * 2))
    value, low, high = evidence.ranks("combined")
    assert value == pytest.approx(1) and 0.99 < low <= high <= 1
    assert Evidence(evidence.counts, np.stack([shares[::-1]] * 2)).ranks("combined")[0] == pytest.approx(-1)


def test_the_leak_of_focal_needs_the_trial_without_it() -> None:
    counts = counts_of(5)
    claim = decided({})["focal-makes-hair-headwear"]
    assert claim["value"] is claim["interval"] is None and claim["verdict"] == "inconclusive"
    assert claim["measure"].startswith("not decided: the combined loss without focal has not been trained")
    hair, leaking = counts.copy(), counts.copy()
    hair[:, HAIR, 0] = 20
    leaking[:, HAIR, 0] = leaking[:, HAIR, HATS] = 10
    known = dict.fromkeys(TRIALS, hair) | {"combined": leaking, "combined_without_focal": hair}
    claim = decided({}, counts=known)["focal-makes-hair-headwear"]
    assert claim["value"] == 0.5 and claim["verdict"] == "supported"
    claim = decided({}, counts={"combined_without_focal": counts})["focal-makes-hair-headwear"]  # no hair is known
    assert claim["value"] is None and claim["measure"].endswith("or no hair is known")


def test_weights_are_asked_for_after_the_longer_training_too() -> None:
    ids = "weights-help-when-long", "weights-cost-precision-when-long"
    assert all("not decided: the longer trainings" in decided({})[one]["measure"] for one in ids)
    wrong = counts_of(5)
    wrong[:, 0, :2] = 85, 5
    long = {"combined_unweighted_long": counts_of(6), "combined_long": wrong}
    assert [decided({}, counts=long)[one]["verdict"] for one in ids] == ["refuted", "supported"]


def test_the_luck_of_a_seed_needs_several() -> None:
    run, better, less, worse, worst = (counts_of(hits) for hits in (5, 6, 4, 3, 2))
    id = "gain-over-cross-entropy-beyond-seeds"
    claim = decided({}, seeds={"cross_entropy": [worst, worse], "combined": [run]})[id]
    assert claim["measure"].startswith("not decided: ") and claim["value"] is claim["interval"] is None
    assert claim["verdict"] == "inconclusive"
    claim = decided({}, seeds={"cross_entropy": [worst, worse], "combined": [run, better, less]})[id]
    assert claim["value"] == pytest.approx(0.25) and "(3 against 2)" in claim["measure"]
    assert claim["interval"][0] < 0.25 < claim["interval"][1]

"""Notebook 06's tables, sentences, figures and claims on counts whose answers are known."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from modanet_utils import metrics, statistics
from modanet_utils.classes import HAIR, HEADWEAR
from modanet_utils.remedies import plots, tables, text
from modanet_utils.remedies.claims import CLAIMS, Evidence
from modanet_utils.results.claims import decide
from modanet_utils.results.text import NOTHING, moves

RNG = np.random.default_rng(0)


def counts_of(share: float, hair: float = 0.0, images: int = 12, seed: int = 0) -> np.ndarray:
    """Each class has about 100 pixels an image, of which ``share`` is found; of 100 hair pixels ``hair`` is a hat."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((images, 16, 14), np.int64)
    counts[:, 0, 0] = 5000
    for label in range(1, 14):
        size = rng.integers(80, 120, images)
        counts[:, label, label] = np.round(share * size)
        counts[:, label, 0] = size - counts[:, label, label]
    counts[:, HAIR, HEADWEAR] = round(100 * hair)
    counts[:, HAIR, 0] = 100 - round(100 * hair)
    return counts


@pytest.fixture
def counts() -> dict[str, np.ndarray]:
    return {
        "cross_entropy": counts_of(0.2),
        "weighted_cross_entropy": counts_of(0.3),
        "combined_unweighted": counts_of(0.4),
        "combined": counts_of(0.5, 0.2),
        "cross_entropy_long": counts_of(0.4),
        "combined_long": counts_of(0.55, 0.2),
        "combined_body": counts_of(0.6, 0.05),
        "combined_body_repeat": counts_of(0.55, 0.05),
    }


def test_each_remedy_stands_against_the_trial_from_which_it_differs(counts: dict[str, np.ndarray]) -> None:
    table = tables.against_their_own(counts, {"combined_body": 0.61}, "remedies")
    assert list(table.index) == ["combined", "combined_body", "combined_body_repeat"]
    assert table["against"].tolist() == ["", "combined loss", "hair and skin as outputs"]
    mean = {name: float(metrics.clothing_mean_iou(counts[name].sum(0))) for name in table.index}
    assert np.isnan(table.loc["combined", "change"])
    assert table.loc["combined_body", "change"] == pytest.approx(mean["combined_body"] - mean["combined"])
    assert table.loc["combined_body_repeat", "change"] == pytest.approx(
        mean["combined_body_repeat"] - mean["combined_body"]
    )
    assert table.loc["combined_body", "hair_as_headwear"] == pytest.approx(0.05)
    table["seconds"] = 90.0
    every = tables.every_remedy(table)
    assert every.loc["rare photos repeated", "against"] == "hair and skin as outputs"
    assert every.loc["hair and skin as outputs", "hair called headwear"] == "5.0%"
    shown = tables.remedy_texts(table)
    assert shown.shape[1] <= 4 and shown.loc["hair and skin as outputs", "seconds an epoch"] == "90"
    assert (
        shown.loc["hair and skin as outputs", "gain"].startswith("+0.1")
        and shown.loc["hair and skin as outputs", "validation"] == "0.610"
    )


def test_a_remedy_whose_reference_is_missing_has_no_gain(counts: dict[str, np.ndarray]) -> None:
    del counts["combined_body"]
    table = tables.against_their_own(counts, {}, "remedies")
    assert np.isnan(table.loc["combined_body_repeat", "change"]) and table.loc["combined_body_repeat", "against"] == ""


def test_over_trainings_holds_photos_and_trainings() -> None:
    alone = tables.over_trainings({"combined": [counts_of(0.5)]})["combined"]["mean IoU"]
    assert np.isnan(alone["value_low"]) and alone["trainings"] == 1
    seeds = [counts_of(0.5), counts_of(0.3), counts_of(0.4)]
    found = tables.over_trainings({"combined": seeds})["combined"]["mean IoU"]
    each = [float(metrics.clothing_mean_iou(one.sum(0))) for one in seeds]
    assert (found["lowest"], found["highest"]) == (min(each), max(each))
    assert found["value"] == pytest.approx(np.mean(each))
    # With photos that hardly differ, what is left is Student's interval over three trainings.
    reach = 4.303 * np.std(each, ddof=1) / np.sqrt(3)
    assert found["value_high"] - found["value"] == pytest.approx(reach, rel=0.05)
    same = tables.over_trainings({"combined": [counts_of(0.5)] * 3})["combined"]["mean IoU"]
    photos = statistics.bootstrap(counts_of(0.5), metrics.clothing_mean_iou)
    assert same["value_high"] - same["value_low"] == pytest.approx(photos.high - photos.low, rel=0.3)
    assert tables.training_texts({"combined": {"mean IoU": found}}).shape == (1, 4)
    assert text.trainings({"remedies": {"trainings": {"combined": {"mean IoU": alone}}}}) is NOTHING


def test_presence_is_scored_by_class_and_false_hats_among_the_bare() -> None:
    worn, pixels = np.zeros((10, 14), bool), np.zeros((10, 14), np.int64)
    pixels[:, 0] = 10_000
    worn[:4, HEADWEAR] = True
    pixels[[0, 1, 2, 8], HEADWEAR] = 6  # more than 0.05% of the picture
    pixels[3, HEADWEAR] = 4  # less
    found = tables.presence_scores(worn, pixels)
    hat = found["classes"]["headwear"]
    assert (hat["images"], hat["precision"], hat["recall"], hat["f1"]) == (4, 0.75, 0.75, 0.75)
    assert found["false_hats"] == pytest.approx(1 / 6) and found["false_hats_low"] < 1 / 6 < found["false_hats_high"]
    assert np.isnan(found["classes"]["bag"]["recall"]) and found["mean_f1"] == pytest.approx(0.75)
    assert tables.presence_texts({"combined": found}).loc["combined loss", "hats found"] == "75%"


def test_a_second_reading_counts_what_was_left_out() -> None:
    first = np.zeros((4, 16, 14), np.int64)
    first[:, 0, 0], first[:, 8, 8] = 100, 20
    first[0, 0, 8] = 10  # background called pants, of which six pixels are stockings
    second = first.copy()
    second[0, 0, 8] = 4
    second[0, 0, 0] = 97
    found = tables.second_reading({"combined": first}, {"combined": second})["combined"]
    assert found["photos"] == 1 and found["pixels"] == pytest.approx(9 / first.sum())
    assert found["errors"] == pytest.approx(6 / 10) and found["pants"] == pytest.approx(6 / 10)
    assert found["change"] == pytest.approx(80 / 84 - 80 / 90) and np.isnan(found["boots"])
    shown = tables.second_texts({"combined": found, "combined_body": found, "recommended": found})
    assert shown["wrong pixels that lie on them"].to_dict() == {"combined loss": "60.0%", "recommended": "60.0%"}


def test_the_claims_follow_from_the_counts(counts: dict[str, np.ndarray]) -> None:
    decided = {claim["id"]: claim for claim in decide(CLAIMS, Evidence(counts))}
    mean = {name: float(metrics.clothing_mean_iou(counts[name].sum(0))) for name in counts}
    gap = mean["combined_long"] - mean["cross_entropy_long"] - (mean["combined"] - mean["cross_entropy"])
    assert decided["longer-closes-the-gap"]["value"] == pytest.approx(gap)
    assert decided["longer-closes-the-gap"]["verdict"] == "supported"
    assert decided["body-outputs-spare-hair"]["value"] == pytest.approx(-0.15)
    assert decided["class-aware-sampling-helps"]["verdict"] == "refuted"
    few = decided["class-aware-sampling-raises-the-few"]  # as many pixels of every class are found
    assert (few["value"], few["verdict"]) == (pytest.approx(-0.05, abs=0.01), "refuted")
    assert decided["recommended-beats-combined"]["value"] is None
    assert "not decided: the recommended training is not there" in decided["recommended-beats-combined"]["measure"]
    before = {claim.id for claim in CLAIMS if not claim.later}  # written down before their trainings had ended
    assert before == {"class-aware-augmentation-helps", "tuning-gamma-helps", "larger-encoder-helps"} | {
        "punishing-absent-classes-helps",
        "averaged-weights-help",
    }


def test_what_needs_no_training_stands_beside_the_network_as_it_is(counts: dict[str, np.ndarray]) -> None:
    kept = {"validation": np.array([0.5, 0.51, 0.52]), "offsets": np.eye(14)[3]}
    kept |= {"flipped": counts["combined"], "shifted": counts_of(0.6)}
    found = tables.posthoc_scores(counts, {"combined": kept})["combined"]
    assert found["offsets"] == {"boots": 1.0} and found["flipped_change"] == 0
    assert found["shifted_change_low"] > 0.05 and found["flipped_validation"] == 0.51
    shown = tables.posthoc_texts({"combined": found})
    assert shown.index[1] == ("combined loss", "thresholds per class, from validation") and shown.shape == (2, 3)


def test_every_sentence_stands_on_what_is_recorded(counts: dict[str, np.ndarray]) -> None:
    assert "nothing is recorded" in text.answer({}).data
    length, remedies = (
        tables.against_their_own(counts | {"recommended": counts_of(0.7)}, {}, part) for part in ("length", "remedies")
    )
    results: dict[str, Any] = {
        "remedies": {"length": length.to_dict("index"), "remedies": remedies.to_dict("index")},
        "trials": {name: {"epochs": 15, "test": {"mean_iou": 0.41}} for name in [*counts, "recommended"]},
    }
    said = text.answer(results).data
    assert said.count("\n* ") == 3 and "no class weights) reaches a mean IoU of 0.410 (one training)." in said
    gain = length.loc["combined_long", "mean_iou"] - length.loc["combined", "mean_iou"]
    assert f"Three times the training {moves(gain)} the combined loss's mean IoU (one training each)." in said
    assert "single changes 1 clearly raises the mean IoU (hair and skin as outputs)" in said
    results["trials"]["recommended-seed1"] = {"epochs": 15, "test": {"mean_iou": 0.49}}
    assert "reaches a mean IoU of 0.450 (mean of 2 trainings)." in text.answer(results).data
    worse = dict(results["remedies"]["remedies"]["combined_body"], change=-0.1, change_low=-0.2, change_high=-0.05)
    rows = {"combined_body": worse, "recommended": worse | {"change": 0.01, "change_low": -0.1, "change_high": 0.1}}
    said = text.answer({"remedies": {"remedies": rows}}).data
    lower = "1 clearly lowers it: hair and skin as outputs."
    assert f"* Of 2 single changes none clearly raises the mean IoU; {lower}" in said and "recipe" not in said
    length.loc["combined_long", "mean_iou"] = length.loc["combined", "mean_iou"] + 0.02
    both = {"remedies": {"remedies": rows, "length": length.to_dict("index")}}
    assert "Three times the training does more than any of them: it adds 0.020 to the" in text.answer(both).data
    rows["recommended"]["change"] = 0.03
    assert "Three times the training adds 0.020 to the" in text.answer(both).data
    assert text.length(results).shape[1] <= 4 and "combined loss, 3 x as long" in text.length(results).index
    assert text.remedies(results).loc["hair and skin as outputs", "mean IoU"] == "0.598"


def test_the_classes_of_few_photos_stand_with_what_class_aware_changes_bring(counts: dict[str, np.ndarray]) -> None:
    names = ["combined_body", "combined_body_repeat"]
    few = {name: counts[name].copy() for name in names}
    for one in few.values():
        one[2:, 3] = one[3:, 10] = 0  # boots on two of twelve photos, shorts on three
        one[:, HEADWEAR] = 0  # on none
    rows = tables.infrequent(few, names)
    assert {name: row["photos"] for name, row in rows.items()} == {"boots": 2, "shorts": 3}
    assert rows["shorts"]["combined_body_repeat"] == pytest.approx(0.55, abs=0.01)
    shown = text.infrequent({"remedies": {"infrequent": rows}})
    assert list(shown.columns) == ["photos", "hair and skin as outputs", "rare photos repeated"]
    assert shown.loc["boots"].tolist()[0] == "2" and shown.loc["shorts"].tolist()[2].startswith("0.5")
    assert tables.infrequent(few, [*names, "combined_body_pasted"]) == {}
    assert text.infrequent({"remedies": {"infrequent": {}}}) is NOTHING


def test_tuning_is_decided_by_what_validation_prefers(counts: dict[str, np.ndarray]) -> None:
    gammas = {f"combined_body_gamma{gamma}": counts_of(share) for gamma, share in ((0, 0.7), (1, 0.65), (3, 0.4))}
    for preferred, verdict in (("combined_body_gamma1", "supported"), ("combined_body_gamma3", "refuted")):
        evidence = Evidence(counts | gammas, dict.fromkeys(gammas, 0.3) | {preferred: 0.31})
        decided = {claim["id"]: claim for claim in decide(CLAIMS, evidence)}["tuning-gamma-helps"]
        change = evidence.change("combined_body", preferred)
        assert change is not None and (decided["value"], decided["verdict"]) == (pytest.approx(change[0]), verdict)
    assert Evidence(counts | gammas, dict.fromkeys(list(gammas)[1:], 0.3)).tuned("combined_body", *gammas) is None
    drawn = plots.tuning({"remedies": {"tuning": tables.tuning(counts | gammas, plots.TUNED)}})
    assert drawn is not None
    assert drawn[1].startswith('Mean IoU: gamma "3" lost 0.300, class weights "none" lost 0.094'), drawn[1]
    assert [tick.get_text() for tick in drawn[0].axes[0].get_yticklabels()] == ["0", "1", "2", "3"]
    mean = [float(metrics.clothing_mean_iou((counts | gammas)[name].sum(0))) for name in plots.TUNED["gamma"]]
    assert list(drawn[0].axes[0].get_lines()[0].get_xdata()) == pytest.approx(mean)
    plt.close(drawn[0])
    same = {f"combined_body_gamma{gamma}": counts_of(0.6, seed=gamma) for gamma in (0, 1)}
    drawn = plots.tuning({"remedies": {"tuning": tables.tuning(same, plots.TUNED)}})
    assert drawn is not None and "gamma made no clear difference (0.00" in drawn[1]
    plt.close(drawn[0])
    assert plots.tuning({"remedies": {"tuning": tables.tuning({"combined": counts["combined"]}, plots.TUNED)}}) is None


def test_figures_show_what_the_tables_hold(counts: dict[str, np.ndarray]) -> None:
    length = tables.against_their_own(counts, {}, "length")
    epochs = {name: 45 if "long" in name else 15 for name in length.index}
    few = {name: one.copy() for name, one in counts.items()}
    for one in few.values():
        one[:, 6:14] = 0
    budget, alt = plots.budget_lines(length, epochs, few)
    said = [axis.get_title("left") for axis in budget.axes]
    assert said == ["mean IoU of 5 classes", "precision of clothing", "classes found, of 5"]
    short, long = (line.get_xdata() for line in budget.axes[0].get_lines())
    np.testing.assert_allclose([short[0], long[0]], length.loc[["cross_entropy", "cross_entropy_long"], "mean_iou"])
    gain = length.loc["cross_entropy_long", "mean_iou"] - length.loc["cross_entropy", "mean_iou"]
    assert f"cross-entropy {gain:+.3f}" in alt and "cross-entropy 13 instead of 13" in alt
    first = statistics.bootstrap(few["cross_entropy"], metrics.clothing_precision)
    np.testing.assert_allclose(budget.axes[1].collections[0].get_segments()[0][:, 0], first[1:])
    remedies = tables.against_their_own(counts, {}, "remedies").to_dict("index")
    hair = {"combined": (0.15, 0.25), "combined_body": (0.03, 0.07), "combined_body_repeat": (0.03, 0.07)}
    test = {name: {"test": {"body": {"hair_as_headwear": {"interval": ends}}}} for name, ends in hair.items()}
    drawn = plots.opening({"remedies": {"remedies": remedies}, "trials": test})
    assert drawn and drawn[0].axes[0].get_yticklabels()[0].get_text().startswith("hair and skin as outputs")
    title = "Of 2 changes 1 clearly raised mean IoU, 1 clearly left less hair called headwear"
    assert drawn[0].get_suptitle() == title and "largest gain in mean IoU is +0.1" in drawn[1]
    test["combined"]["test"]["body"]["hair_as_headwear"]["interval"] = (0.06, 0.3)
    again = plots.opening({"remedies": {"remedies": remedies}, "trials": test})
    assert again and again[0].get_suptitle() == "Of 2 changes 1 clearly raised mean IoU"
    for figure in (budget, drawn[0], again[0]):
        plt.close(figure)

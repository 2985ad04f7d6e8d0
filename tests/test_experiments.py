"""Experiments: counts of known networks, and tables of counts worked out by hand."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from modanet_utils import answers, breakdown, error_plots, findings, verdicts
from modanet_utils import counterfactuals as cf
from modanet_utils import experiments as ex
from modanet_utils.classes import CLASSES, HAIR, HEADWEAR, SKIN
from modanet_utils.counterfactuals import Scene
from modanet_utils.results import check_results, plain

TOP = CLASSES.index("top")
RED, BROWN, GREY = (200, 30, 40), (90, 60, 40), (128, 128, 128)


class RedIsHeadwear(nn.Module):
    """Calls red pixels headwear and everything else background; its features are the colours."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = nn.Module()
        self.unet.segmentation_head = nn.Conv2d(3, len(CLASSES), 1)
        with torch.no_grad():
            self.unet.segmentation_head.weight.zero_()
            self.unet.segmentation_head.bias.fill_(-100.0)
            self.unet.segmentation_head.bias[0] = 0.0
            self.unet.segmentation_head.weight[HEADWEAR] = torch.tensor([20.0, -20.0, 0.0]).view(3, 1, 1)
            self.unet.segmentation_head.bias[HEADWEAR] = -6.0  # red exceeds green by 0.3

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.unet.segmentation_head(photos.float() / 255)


def person(hair: tuple[int, int, int], hat: tuple[int, int, int] | None = None, seed: int = 0) -> Scene:
    truth = np.zeros((64, 64), np.uint8)
    truth[8:18, 24:34], truth[18:24, 25:33], truth[24:60, 22:36] = HAIR, SKIN, TOP
    if hat:
        truth[6:12, 22:36] = HEADWEAR
    photo = np.full((64, 64, 3), 230, np.uint8)
    for label, color in ((HAIR, hair), (SKIN, (220, 180, 150)), (TOP, (40, 60, 120)), (HEADWEAR, hat or GREY)):
        photo[truth == label] = color
    noise = np.random.default_rng(seed).integers(-6, 7, photo.shape)
    return Scene(np.clip(photo + noise, 0, 255).astype(np.uint8), truth)


@pytest.fixture(scope="module")
def stage() -> ex.Stage:
    """Brown hair of several shades in the test images, red hats in the training images."""
    shades = [(80, 55, 40), (95, 65, 45), (70, 50, 35), (60, 40, 30), (110, 80, 55), (50, 35, 30)]
    scenes = {i: person(shade, seed=i) for i, shade in enumerate(shades * 2)}
    scenes[90], scenes[91] = person(BROWN, RED, 90), person(BROWN, RED, 91)
    hats = [person(shade, RED, 100 + i) for i, shade in enumerate(shades)]
    blond = [person(color, seed=200 + i) for i, color in enumerate([(200, 170, 110), (210, 180, 130), (190, 160, 100)])]
    return ex.Stage(RedIsHeadwear(), scenes, hats, blond, cf.palette(hats, HEADWEAR), cf.palette(blond + hats, HAIR))


# ------------------------------------------------------------------------------------------- looking


def test_a_look_gives_features_and_logits(stage: ex.Stage) -> None:
    photos = [stage.scenes[0].photo, stage.scenes[90].photo]
    view = ex.look(stage.net, photos)
    assert view.features.shape == (2, 3, 64, 64) and view.logits.shape == (2, 14, 64, 64)
    np.testing.assert_allclose(view.features[1, :, 7, 25], photos[1][7, 25] / 255, rtol=1e-6)
    assert not stage.net.unet.segmentation_head._forward_pre_hooks
    predicted = ex.labels(stage.net, photos * 5)
    np.testing.assert_array_equal(predicted[9] == HEADWEAR, stage.scenes[90].truth == HEADWEAR)
    assert not predicted[8].any()


def test_images_are_chosen_by_what_they_show(stage: ex.Stage) -> None:
    assert ex.hairy(stage) == list(range(12))
    assert ex.hairy(stage, 3) == [0, 4, 8]
    assert ex.figures(stage) == list(stage.scenes)


# ------------------------------------------------------------------------------------------- colour


def test_hair_in_the_colour_of_hats_is_called_headwear_and_that_of_other_hair_is_not(stage: ex.Stage) -> None:
    counts = ex.recoloring_counts(stage, 4, quiet=True)
    assert counts.shape == (4, 16, 3)
    np.testing.assert_array_equal(counts[..., :2].sum(axis=2), 100)
    tables = ex.dose_response(counts)
    called, likely = tables["called"], tables["probability"]
    assert list(called.index) == [0, *ex.STEPS]
    assert called.loc[0, "hat"] == called.loc[0, "hair"] == called.loc[0, "background"] == 0
    assert called.loc[30, "hat"] > 0.5
    assert (called[["hair", "background"]] == 0).all(axis=None)
    np.testing.assert_allclose(called["difference"], called["hat"] - called["hair"])
    np.testing.assert_allclose(called["against_background"], called["hat"] - called["background"])
    assert likely["hat"].is_monotonic_increasing
    assert ((likely[["hat", "hair", "background"]] >= 0) & (likely[["hat", "hair", "background"]] <= 1)).all(axis=None)


def test_every_arm_goes_its_distance_in_a_bright_picture_too(stage: ex.Stage) -> None:
    for image_id in (0, 3):
        photo, truth = stage.scenes[image_id]
        photos = ex.recolored(stage, image_id)
        assert len(photos) == 16 and ex.distance_error(photos, stage.scenes[image_id]) < ex.TOLERANCE
        white = photo.copy()
        white[truth == 0] = 255
        bright = stage._replace(scenes={7: Scene(white, truth)})
        photos = ex.recolored(bright, 7)
        assert ex.distance_error(photos, bright.scenes[7]) < ex.TOLERANCE
        for changed, mask in zip(photos[1:], np.repeat([truth == HAIR, truth == HAIR, truth == 0], 5, 0), strict=True):
            np.testing.assert_array_equal(changed[~mask], white[~mask])


def test_the_model_finds_the_cause_and_holds_the_others() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"distance": rng.uniform(5, 40, 200), "height": rng.uniform(0.5, 1, 200)})
    frame["area"] = 10 ** (-3 + 0.02 * frame["distance"] + rng.normal(0, 0.2, 200))  # goes with the distance
    frame["leak"] = 0.3 - 0.004 * frame["distance"] + rng.normal(0, 0.02, 200)
    table = ex.explain_leak(frame)
    assert table.loc["distance", "slope"] / table.loc["distance", "unit"] == pytest.approx(-0.004, abs=0.0005)
    assert table.loc["distance", "slope_high"] < 0
    assert table.loc["area", "slope_low"] < 0 < table.loc["area", "slope_high"]
    assert table.loc["area", "unit"] == pytest.approx(np.log10(frame["area"]).std(ddof=0))


@pytest.mark.parametrize("column", ["leak", "height"])
def test_the_model_is_undefined_where_something_does_not_vary(column: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(0.1, 1, (20, 4)), columns=["leak", "distance", "area", "height"])
    assert ex.explain_leak(frame).notna().all(axis=None)
    assert ex.explain_leak(frame[:5]).isna().all(axis=None)
    assert ex.explain_leak(frame.assign(**{column: 0.5})).isna().all(axis=None)


def test_hair_is_described_by_colour_area_and_height(stage: ex.Stage) -> None:
    counts = np.zeros((len(stage.scenes), 16, 14), np.int64)
    counts[:, HAIR, 0], counts[:, HAIR, HEADWEAR] = 30, 10
    frame = ex.hair_colors(stage, SimpleNamespace(ids=list(stage.scenes), counts=counts))
    assert list(frame.index) == ex.hairy(stage, None)
    np.testing.assert_allclose(frame["leak"], 0.25)
    np.testing.assert_allclose(frame["area"], 100 / 64**2)
    np.testing.assert_allclose(frame["height"], 1 - 12.5 / 64)


# ------------------------------------------------------------------------------------------- hats


def test_a_network_that_knows_hats_by_their_colour_finds_them_anywhere(stage: ex.Stage) -> None:
    counts, real = ex.hat_counts(stage, 5, quiet=True), np.zeros((3, 16, 14), np.int64)
    real[:, HEADWEAR, HEADWEAR], real[:, HEADWEAR, 0] = 30, 10
    assert counts.shape == (5, 5, 2)
    table = ex.hat_table(counts, real)
    assert table.loc["real", "value"] == pytest.approx(0.75)
    assert table.loc["worn", "value"] == table.loc["beside", "value"] == 1
    assert table.loc["context", "value"] == 0
    assert (table.loc[["hair_before", "hair_beside", "hair_worn", "pull"], "value"] == 0).all()
    np.testing.assert_array_equal(counts[:, 2].sum(axis=1), counts[:, 4].sum(axis=1))  # the same hair, before and after


# ------------------------------------------------------------------------------------------- probe


def test_logistic_regression_finds_the_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    y = rng.random(4000) < 1 / (1 + np.exp(-(2 * x[:, 0] - 1)))
    beta = ex.logistic(x, y, penalty=1e-6)
    # Both classes weigh the same: the slope is that of the data, the constant is not.
    assert beta[1] == pytest.approx(2, abs=0.2) and beta[2] == pytest.approx(0, abs=0.15)
    apart = ex.logistic(np.array([[-1.0], [-1.1], [1.0], [1.1]]), np.array([False, False, True, True]))
    assert np.isfinite(apart).all()  # separable, but held by the penalty


def test_ranking_and_decision_of_counted_scores() -> None:
    hair, headwear = np.array([6, 2, 0, 2]), np.array([0, 1, 1, 8])
    scores = np.repeat([0, 1, 2, 3], hair), np.repeat([0, 1, 2, 3], headwear)
    above = (scores[1][:, None] > scores[0]).mean() + (scores[1][:, None] == scores[0]).mean() / 2
    assert ex.auc(hair, headwear) == pytest.approx(above)
    assert ex.balanced(hair, headwear) == pytest.approx((0.8 + 0.9) / 2)
    assert np.isnan(ex.auc(0 * hair, headwear))


def test_probes_of_separable_pixels_are_perfect(stage: ex.Stage) -> None:
    counts = ex.probe_counts(stage, 4, quiet=True)
    assert counts.shape == (4 + 2, 6, ex.BINS)
    assert counts[:, 0].sum() == 4 * 100 + (stage.scenes[90].truth == HAIR).sum() * 2
    table = ex.probe_table(counts)
    assert (table.loc[["features", "network"], ["auc", "balanced"]] > 0.99).all(axis=None)
    assert table.loc["gain", "balanced"] == pytest.approx(0, abs=0.01)


def test_without_hats_there_is_no_probe_and_nothing_fails(stage: ex.Stage) -> None:
    bare = {i: stage.scenes[i] for i in range(3)}
    none = np.zeros((0, 3))
    poor = stage._replace(scenes=bare, hat_scenes=[], hats=none, hairs=none)
    run = SimpleNamespace(ids=[0, 1, 2], counts=np.zeros((3, 16, 14), np.int64))
    tables = {
        "leak_model": ex.explain_leak(ex.hair_colors(poor, run)),
        "recoloring": ex.dose_response(ex.recoloring_counts(poor, quiet=True))["called"],
        "pasted_hats": ex.hat_table(ex.hat_counts(poor, quiet=True), run.counts),
        "probes": ex.probe_table(ex.probe_counts(poor, quiet=True)),
    }
    for name, table in tables.items():
        assert table.select_dtypes("number").isna().all(axis=None), name
        assert "–" in findings.texts(table, name).to_numpy()
    assert set(ex.examples(poor)) == {"rear person\nalone", "with a\nsilhouette", "together"}


# ------------------------------------------------------------------------------------------- crowd


def test_composed_people_are_scored_on_their_own_pixels(stage: ex.Stage) -> None:
    counts = ex.crowd_counts(stage, 2, quiet=True)
    assert counts.shape == (2, 3, 5, 16, 14)
    pixels = counts.sum(axis=(3, 4))
    assert (pixels[:, :, 0] == pixels[:, :, 1]).all() and (pixels[:, :, 0] == pixels[:, :, 2]).all()
    assert (pixels[:, :, 3] == pixels[:, :, 4]).all()
    truths = counts.sum(axis=-1)
    np.testing.assert_array_equal(truths[:, :, 0], truths[:, :, 1])
    assert not truths[..., 0].any()  # no background
    assert (np.diff(pixels[:, :, 0], axis=1) < 0).all()  # less and less of the rear person is seen
    table = ex.crowd_table(counts)
    assert list(table.index) == list(ex.OVERLAPS)
    assert (table[list(ex.CROWD)] == 0).all(axis=None)  # a network that sees no context does not mind


def test_the_crowd_table_compares_the_same_pixels() -> None:
    counts = np.zeros((3, 3, 5, 16, 14), np.int64)
    counts[..., TOP, TOP] = np.array([80, 40, 60, 90, 90])
    counts[..., TOP, 0] = np.array([20, 60, 40, 10, 10])
    table = ex.crowd_table(counts)
    row = table.iloc[0]
    assert row["alone"] == pytest.approx(170 / 200) and row["together"] == pytest.approx(130 / 200)
    assert row["rear"] == pytest.approx(-0.4) and row["front"] == 0
    assert row["silhouette"] == pytest.approx(-0.2) and row["person"] == pytest.approx(-0.2)


# ------------------------------------------------------------------------------------------- report


@pytest.fixture(scope="module")
def tables(stage: ex.Stage) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 50, (6, 16, 14))
    doses = ex.dose_response(ex.recoloring_counts(stage, 3, quiet=True))
    parts = rng.integers(1, 50, (6, 3, 2))
    return {
        "leak_model": ex.explain_leak(pd.DataFrame(rng.uniform(0.1, 1, (20, 4)), columns=["leak", *findings.CAUSES])),
        "recoloring": doses["called"],
        "recoloring_probability": doses["probability"],
        "pasted_hats": ex.hat_table(ex.hat_counts(stage, 3, quiet=True), counts),
        "probes": ex.probe_table(ex.probe_counts(stage, 2, quiet=True)),
        "crowd": ex.crowd_table(ex.crowd_counts(stage, 2, quiet=True)),
        "growth": breakdown.growth_table(counts, counts),
        "skin_by_part": breakdown.part_table(parts, parts),
        "outlines": breakdown.outline_table(rng.integers(1, 50, (6, 13, 4, 2))),
        "sizes": breakdown.size_table(counts),
        "kinds": breakdown.kind_table(rng.integers(1, 50, (6, 13, 7))),
    }


def test_tables_are_read_as_they_were_recorded(tables: dict[str, pd.DataFrame]) -> None:
    assert tables.keys() == findings.SHOWN.keys()
    results = plain({"errors": findings.recordable(tables)})
    check_results(results, complete=False)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(findings.recorded(results, name), findings.texts(table, name))
    assert findings.recorded({}, "crowd") is answers.NOTHING
    assert list(findings.texts(tables["crowd"], "crowd").columns) == ["0% covered", "10% covered", "30% covered"]


def test_figures_bear_what_is_undefined(stage: ex.Stage, tables: dict[str, pd.DataFrame]) -> None:
    frame = pd.DataFrame(
        np.random.default_rng(0).uniform(0.1, 1, (9, 4)), columns=["leak", "distance", "area", "height"]
    )
    examples = ex.examples(stage)
    assert len(examples) == 9
    for unit in (1, np.nan):
        t = {name: table.copy() for name, table in tables.items()}
        for table in t.values():
            numbers = table.select_dtypes("float").columns
            table[numbers] = table[numbers] * unit
        doses = {"called": t["recoloring"], "probability": t["recoloring_probability"]}
        figures = [
            error_plots.leak_against_color(frame if unit == 1 else frame[:0], t["leak_model"], "leak"),
            error_plots.dose_lines(doses, "doses"),
            error_plots.probe_dots(t["probes"], "probes"),
            error_plots.body_panels(t["growth"], t["skin_by_part"], "body"),
            error_plots.crowd_lines(t["crowd"], "crowd"),
            error_plots.outline_dots(t["outlines"], "outlines"),
            error_plots.size_panels({"cross-entropy": t["sizes"], "combined loss": t["sizes"]}, "sizes"),
            error_plots.kind_panels(t["kinds"], "kinds"),
            error_plots.example_gallery(examples if unit == 1 else {}, True, "examples"),
            error_plots.example_gallery(examples, False, "examples"),
        ]
        for figure in figures:
            figure.canvas.draw()
            plt.close(figure)


def test_without_photos_only_changed_truths_are_shown(stage: ex.Stage) -> None:
    figure = error_plots.example_gallery(ex.examples(stage), False, "examples")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    plt.close(figure)
    assert "unchanged" in titles and "hat worn" in titles and not any("hair" in title for title in titles)


def test_the_answer_takes_its_words_from_the_verdicts() -> None:
    row = {column + end: 0.2 for column in ("before", "after", "difference") for end in ("", "_low", "_high")}
    names = ("hair_as_headwear", "headwear_false_positives_on_hair", "skin_as_clothing", "skin_deeper")
    dataset = {"name": "tiny", "split": {"test": 3}}
    results = {"errors": {"answers": dict.fromkeys(names, row)}, "dataset": dataset}
    assert "recoloured" not in findings.answer(results).data
    verdicts_ = {"alike-colours-cause": "supported", "not-just-any-colour": "inconclusive",
                 "complex-scenes": "refuted", "people-not-things": "refuted"}  # fmt: skip
    results["claims"] = [{"id": i, "value": 0.1, "interval": [0.05, 0.2], "verdict": v} for i, v in verdicts_.items()]
    text = findings.answer(results).data
    assert "is called headwear more often than hair recoloured as far toward other hair (+10.0% [+5.0, +20.0]" in text
    assert "but not clearly more often" in text and "mean IoU is not lower (+0.10" in text and "and behind" in text
    assert "nothing is recorded yet" in findings.answer({}).data


# ------------------------------------------------------------------------------------------- verdicts


@pytest.fixture
def evidence(tables: dict[str, pd.DataFrame]) -> verdicts.Evidence:
    counts = np.zeros((4, 16, 14), np.int64)
    for label in range(1, 14):
        counts[:, label, label], counts[:, label, 0] = (90, 10) if label != 2 else (10, 90)
    outlines = np.ones((4, 13, 4, 2), np.int64)
    return verdicts.Evidence(
        counts, counts, None, ["belt"], outlines, tables["leak_model"], tables["recoloring"], tables["probes"],
        tables["crowd"],
    )  # fmt: skip


def test_every_claim_has_a_verdict_by_its_interval(evidence: verdicts.Evidence) -> None:
    found = {claim["id"]: claim for claim in verdicts.claims(evidence)}
    assert len(found) == len(verdicts.CLAIMS)
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
    assert verdicts.accurate_pieces(counts)[0] == 0.5


def test_what_the_data_cannot_decide_says_why(evidence: verdicts.Evidence) -> None:
    found = {claim["id"]: claim for claim in verdicts.claims(evidence)}
    for name in ("womens-clothing", "clear-persons", "precision-because-of-weights"):
        assert found[name]["value"] is None and found[name]["interval"] is None
        assert found[name]["verdict"] == "inconclusive" and found[name]["measure"].startswith("not decided: ")
    silent = evidence.dose.assign(hat=0.0, hair=0.0)
    undefined = evidence.slopes * np.nan
    replaced = verdicts.Evidence(**{**evidence.__dict__, "dose": silent, "slopes": undefined})
    found = {claim["id"]: claim for claim in verdicts.claims(replaced)}
    assert found["alike-colours-cause"]["measure"].startswith("not decided: ")
    assert found["alike-colours-observed"]["measure"].startswith("not decided: ")


def test_the_price_of_weights_needs_the_trial_without_them(evidence: verdicts.Evidence) -> None:
    better = evidence.after.copy()
    better[:, 0, 1] = 0
    worse = evidence.after.copy()
    worse[:, 0, 1] = 500
    worse[:, 0, 0], better[:, 0, 0] = 0, 500
    fields = {**evidence.__dict__, "after": worse, "unweighted": better}
    found = {claim["id"]: claim for claim in verdicts.claims(verdicts.Evidence(**fields))}
    assert found["precision-because-of-weights"]["verdict"] == "supported"
    assert len(verdicts.claim_table()) == len(verdicts.CLAIMS)

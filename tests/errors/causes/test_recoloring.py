"""Recoloured hair: counts of a known network, and models of data worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from error_samples import make_stage

from modanet_utils.classes import HAIR, HEADWEAR
from modanet_utils.errors.causes.pictures import Scene, distance_moved
from modanet_utils.errors.causes.recoloring import (
    STEPS,
    TOLERANCE,
    dose_response,
    explain_leak,
    hair_colors,
    recolored,
    recoloring_counts,
)
from modanet_utils.errors.causes.stage import Stage, hairy


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_hair_in_the_colour_of_hats_is_called_headwear_and_that_of_other_hair_is_not(stage: Stage) -> None:
    counts = recoloring_counts(stage, 4, quiet=True)
    assert counts.shape == (4, 16, 2)
    np.testing.assert_array_equal(counts.sum(axis=2), 100)
    called = dose_response(counts)
    assert list(called.index) == [0, *STEPS]
    assert called.loc[0, "hat"] == called.loc[0, "hair"] == called.loc[0, "background"] == 0
    assert called.loc[30, "hat"] > 0.5
    assert (called[["hair", "background"]] == 0).all(axis=None)
    np.testing.assert_allclose(called["difference"], called["hat"] - called["hair"])
    np.testing.assert_allclose(called["against_background"], called["hat"] - called["background"])


def farthest_miss(photos: list[np.ndarray], one: Scene) -> float:
    """By how much the recolourings of a photo miss their distances at the most, in Lab."""
    masks = np.repeat([one.truth == HAIR, one.truth == HAIR, one.truth == 0], len(STEPS), axis=0)
    moved = [distance_moved(one.photo, photo, mask) for photo, mask in zip(photos[1:], masks, strict=True)]
    return float(np.abs(np.array(moved) - 3 * STEPS).max())


def test_every_condition_goes_its_distance_in_a_bright_picture_too(stage: Stage) -> None:
    for image_id in (0, 3):
        photo, truth = stage.scenes[image_id]
        photos = recolored(stage.scenes[image_id], stage.hats, stage.hairs)
        assert len(photos) == 16 and farthest_miss(photos, stage.scenes[image_id]) < TOLERANCE
        white = photo.copy()
        white[truth == 0] = 255
        photos = recolored(Scene(white, truth), stage.hats, stage.hairs)
        assert farthest_miss(photos, Scene(white, truth)) < TOLERANCE
        for changed, mask in zip(photos[1:], np.repeat([truth == HAIR, truth == HAIR, truth == 0], 5, 0), strict=True):
            np.testing.assert_array_equal(changed[~mask], white[~mask])


def test_the_model_finds_the_cause_and_holds_the_others() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"distance": rng.uniform(5, 40, 200), "height": rng.uniform(0.5, 1, 200)})
    frame["area"] = 10 ** (-3 + 0.02 * frame["distance"] + rng.normal(0, 0.2, 200))  # goes with the distance
    frame["leak"] = 0.3 - 0.004 * frame["distance"] + rng.normal(0, 0.02, 200)
    table = explain_leak(frame)
    assert table.loc["distance", "slope"] / table.loc["distance", "unit"] == pytest.approx(-0.004, abs=0.0005)
    assert table.loc["distance", "slope_high"] < 0
    assert table.loc["area", "slope_low"] < 0 < table.loc["area", "slope_high"]
    assert table.loc["area", "unit"] == pytest.approx(np.log10(frame["area"]).std(ddof=0))


@pytest.mark.parametrize("column", ["leak", "height"])
def test_the_model_is_undefined_where_something_does_not_vary(column: str) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(0.1, 1, (20, 4)), columns=["leak", "distance", "area", "height"])
    assert explain_leak(frame).notna().all(axis=None)
    assert explain_leak(frame[:5]).isna().all(axis=None)
    assert explain_leak(frame.assign(**{column: 0.5})).isna().all(axis=None)


def test_hair_is_described_by_colour_area_and_height(stage: Stage) -> None:
    counts = np.zeros((len(stage.scenes), 16, 14), np.int64)
    counts[:, HAIR, 0], counts[:, HAIR, HEADWEAR] = 30, 10
    frame = hair_colors(stage, SimpleNamespace(ids=list(stage.scenes), counts=counts))
    assert list(frame.index) == hairy(stage, None)
    np.testing.assert_allclose(frame["leak"], 0.25)
    np.testing.assert_allclose(frame["area"], 100 / 64**2)
    np.testing.assert_allclose(frame["height"], 1 - 12.5 / 64)

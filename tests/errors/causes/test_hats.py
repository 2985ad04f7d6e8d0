"""Hats put on: counts of a known network."""

from types import SimpleNamespace

import numpy as np
import pytest
from error_samples import make_stage

from modanet_utils.classes import HEADWEAR
from modanet_utils.errors.causes.pasting import hat_counts, hat_table
from modanet_utils.errors.causes.recoloring import dose_response, explain_leak, hair_colors, recoloring_counts
from modanet_utils.errors.causes.stage import Stage


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_a_network_that_knows_hats_by_their_colour_finds_them_anywhere(stage: Stage) -> None:
    counts, real = hat_counts(stage, 5, quiet=True), np.zeros((3, 16, 14), np.int64)
    real[:, HEADWEAR, HEADWEAR], real[:, HEADWEAR, 0] = 30, 10
    assert counts.shape == (5, 5, 2)
    table = hat_table(counts, real)
    assert table.loc["real", "value"] == pytest.approx(0.75)
    assert table.loc["worn", "value"] == table.loc["beside", "value"] == 1
    assert table.loc["context", "value"] == 0
    assert (table.loc[["hair_before", "hair_beside", "hair_worn", "pull"], "value"] == 0).all()
    np.testing.assert_array_equal(counts[:, 2].sum(axis=1), counts[:, 4].sum(axis=1))  # the same hair, before and after


def test_without_hats_there_is_no_experiment_and_nothing_fails(stage: Stage) -> None:
    none = np.zeros((0, 3))
    poor = stage._replace(scenes={i: stage.scenes[i] for i in range(3)}, hat_scenes=[], hats=none, hairs=none)
    run = SimpleNamespace(ids=[0, 1, 2], counts=np.zeros((3, 16, 14), np.int64))
    tables = {
        "leak_model": explain_leak(hair_colors(poor, run)),  # type: ignore[arg-type]
        "recoloring": dose_response(recoloring_counts(poor, quiet=True)),
        "pasted_hats": hat_table(hat_counts(poor, quiet=True), run.counts),
    }
    for name, table in tables.items():
        assert table.isna().all(axis=None), name

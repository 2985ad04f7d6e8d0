"""Probes: a line through features that is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from error_samples import make_stage

from modanet_utils.classes import HAIR
from modanet_utils.errors.causes.examples import examples
from modanet_utils.errors.causes.hats import hat_counts, hat_table
from modanet_utils.errors.causes.probes import BINS, auc, balanced, logistic, probe_counts, probe_table
from modanet_utils.errors.causes.recoloring import dose_response, explain_leak, hair_colors, recoloring_counts
from modanet_utils.errors.causes.stage import Stage
from modanet_utils.errors.text import SHOWN, texts


@pytest.fixture(scope="module")
def stage() -> Stage:
    return make_stage()


def test_logistic_regression_finds_the_line() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    y = rng.random(4000) < 1 / (1 + np.exp(-(2 * x[:, 0] - 1)))
    beta = logistic(x, y, penalty=1e-6)
    # Both classes weigh the same: the slope is that of the data, the constant is not.
    assert beta[1] == pytest.approx(2, abs=0.2) and beta[2] == pytest.approx(0, abs=0.15)
    apart = logistic(np.array([[-1.0], [-1.1], [1.0], [1.1]]), np.array([False, False, True, True]))
    assert np.isfinite(apart).all()  # separable, but held by the penalty


def test_ranking_and_decision_of_counted_scores() -> None:
    hair, headwear = np.array([6, 2, 0, 2]), np.array([0, 1, 1, 8])
    scores = np.repeat([0, 1, 2, 3], hair), np.repeat([0, 1, 2, 3], headwear)
    above = (scores[1][:, None] > scores[0]).mean() + (scores[1][:, None] == scores[0]).mean() / 2
    assert auc(hair, headwear) == pytest.approx(above)
    assert balanced(hair, headwear) == pytest.approx((0.8 + 0.9) / 2)
    assert np.isnan(auc(0 * hair, headwear))


def test_probes_of_separable_pixels_are_perfect(stage: Stage) -> None:
    counts = probe_counts(stage, 4, quiet=True)
    assert counts.shape == (4 + 2, 6, BINS)
    assert counts[:, 0].sum() == 4 * 100 + (stage.scenes[90].truth == HAIR).sum() * 2
    table = probe_table(counts)
    assert (table.loc[["features", "network"], ["auc", "balanced"]] > 0.99).all(axis=None)
    assert table.loc["gain", "balanced"] == pytest.approx(0, abs=0.01)


def test_without_hats_there_is_no_probe_and_nothing_fails(stage: Stage) -> None:
    bare = {i: stage.scenes[i] for i in range(3)}
    none = np.zeros((0, 3))
    poor = stage._replace(scenes=bare, hat_scenes=[], hats=none, hairs=none)
    run = SimpleNamespace(ids=[0, 1, 2], counts=np.zeros((3, 16, 14), np.int64))
    tables = {
        "leak_model": explain_leak(hair_colors(poor, run)),
        "recoloring": dose_response(recoloring_counts(poor, quiet=True))["called"],
        "pasted_hats": hat_table(hat_counts(poor, quiet=True), run.counts),
        "probes": probe_table(probe_counts(poor, quiet=True)),
    }
    for name, table in tables.items():
        assert table.select_dtypes("number").isna().all(axis=None), name
        assert name not in SHOWN or "–" in texts(table, name).to_numpy()
    assert set(examples(poor)) == {"rear person\nalone", "with a\nsilhouette", "together"}

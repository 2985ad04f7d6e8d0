"""Logit adjustment against its definition, and against the counts of the run that it starts from."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from modanet_utils.datasets.coco import open_dataset
from modanet_utils.datasets.weights import image_pixels
from modanet_utils.metrics import class_scores, clothing_mean_iou
from modanet_utils.splits import split
from modanet_utils.training import adjustment
from modanet_utils.training.adjustment import (
    FILE,
    TAUS,
    Adjusted,
    adjust,
    adjust_seeds,
    adjusted_entry,
    adjusted_logits,
)
from modanet_utils.training.runs import Run, keep
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig

SHARES = np.array([0.9, 0.09, 0.01])


@pytest.fixture(scope="module")
def run(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    config = TrialConfig(data_root=str(street), image_height=32, image_width=32, epochs=1, batch_size=4)
    return run_trial(config, tmp_path_factory.mktemp("runs"), quiet=True)


def shares_of(run: Run) -> tuple[dict[str, list[int]], np.ndarray]:
    dataset = open_dataset(run.config.data_root)
    parts = split(dataset)
    pixels = image_pixels(dataset, parts["train"]).sum(axis=0)
    return parts, pixels / pixels.sum()


def test_tau_0_changes_nothing_and_tau_1_takes_the_prior_off() -> None:
    logits = torch.log(torch.tensor([[0.8, 0.5], [0.15, 0.4], [0.05, 0.1]]))
    assert torch.equal(adjusted_logits(logits, SHARES, 0.0), logits)
    odds = adjusted_logits(logits, SHARES, 1.0).exp()
    torch.testing.assert_close(odds[:, 0], torch.tensor([0.8 / 0.9, 0.15 / 0.09, 0.05 / 0.01]))


def test_a_class_wins_over_background_above_the_threshold_that_tau_implies() -> None:
    """p_c / share_c^tau > p_0 / share_0^tau is p_c / p_0 > (share_c / share_0)^tau."""
    for tau in (0.3, 0.7, 1.0):
        odds = (SHARES[2] / SHARES[0]) ** tau
        for factor, winner in ((0.99, 0), (1.01, 2)):
            logits = torch.tensor([0.0, -50.0, math.log(odds * factor)])
            assert adjusted_logits(logits, SHARES, tau).argmax() == winner


def test_a_class_without_pixels_is_as_rare_as_the_rarest() -> None:
    logits = torch.zeros(4, 2)
    adjusted = adjusted_logits(logits, np.array([0.9, 0.09, 0.01, 0.0]), 1.0)
    assert torch.equal(adjusted[3], adjusted[2]) and adjusted.isfinite().all()


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.5, 0.6, -0.1], [0, 0, 0]])
def test_shares_that_fit_nothing_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="shares must be 3 numbers"):
        adjusted_logits(torch.zeros(3, 2), np.array(shares), 1.0)


def test_it_starts_from_the_run_and_favours_rare_classes(run: Run) -> None:
    parts, shares = shares_of(run)
    adjusted = adjust(run, open_dataset(run.config.data_root), parts, shares, quiet=True)
    assert adjusted.taus == TAUS and adjusted.taus[0] == 0
    assert np.array_equal(adjusted.test[0], run.counts)
    assert (adjusted.test.sum(axis=(2, 3)) == run.counts.sum(axis=(1, 2))).all()
    assert adjusted.validation.shape == (len(TAUS), 16, 14)
    background = adjusted.test.sum(axis=(1, 2))[:, 0]
    assert (np.diff(background) <= 0).all() and background[-1] < background[0]
    curve = adjusted.curve()
    expected = class_scores(adjusted.test[3].sum(axis=0))
    assert np.array_equal(curve["recall"][3], expected.recall, equal_nan=True)


def test_counts_are_kept_with_the_run_and_not_made_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, shares = shares_of(run)
    dataset = open_dataset(run.config.data_root)
    first = adjust(run, dataset, parts, shares, quiet=True)
    monkeypatch.delattr(adjustment, "predict_logits")
    again = adjust(run, dataset, parts, shares, quiet=True)
    assert first.taus == again.taus
    assert np.array_equal(first.test, again.test) and np.array_equal(first.validation, again.validation)
    keep(run, tmp_path / "kept")
    assert {FILE, "weights.safetensors", "scores.json"} <= {path.name for path in (tmp_path / "kept").iterdir()}
    keep(run, tmp_path / "kept", weights=False)
    assert not (tmp_path / "kept" / "weights.safetensors").exists()


def test_validation_chooses_and_of_equals_the_smallest_tau() -> None:
    counts = np.zeros((3, 16, 14), np.int64)
    counts[:, 1, 1] = [1, 5, 5]
    counts[:, 1, 0] = 5
    adjusted = Adjusted((0.0, 0.5, 1.0), counts, np.arange(3)[:, None, None, None] * np.ones((3, 2, 16, 14), np.int64))
    assert clothing_mean_iou(counts).tolist() == pytest.approx([1 / 6, 0.5, 0.5])
    assert adjusted.best == 1
    assert (adjusted.counts == 1).all()


def test_the_entry_says_which_tau(run: Run) -> None:
    parts, shares = shares_of(run)
    adjusted = adjust(run, open_dataset(run.config.data_root), parts, shares, quiet=True)
    entry = adjusted_entry({"config": {"loss": "cross_entropy"}, "test": {}}, adjusted, {"mean_iou": 1})
    assert entry["config"]["logit_adjustment"] == adjusted.taus[adjusted.best]
    assert entry["test"] == {"mean_iou": 1}


def test_a_test_photo_that_cannot_be_read_counts_for_nothing(run: Run, tmp_path: Path) -> None:
    parts, shares = shares_of(run)
    folder = shutil.copytree(run.config.data_root, tmp_path / "damaged")
    dataset = open_dataset(folder)
    (folder / "images" / dataset.images[run.ids[0]]["file_name"]).write_bytes(b"no photo")
    keep(run, tmp_path / "run")
    (tmp_path / "run" / FILE).unlink(missing_ok=True)
    moved = Run(tmp_path / "run", run.config, run.history, run.ids, run.counts, run.summary, run.provenance, "kept")
    adjusted = adjust(moved, dataset, parts, shares, quiet=True)
    assert not adjusted.test[:, 0].any() and np.array_equal(adjusted.test[0, 1:], run.counts[1:])


def test_seeds_without_weights_are_adjusted_only_where_their_counts_are_kept(run: Run, tmp_path: Path) -> None:
    parts, shares = shares_of(run)
    dataset = open_dataset(run.config.data_root)
    first = adjust(run, dataset, parts, shares, quiet=True)
    runs = []
    for name in ("counted", "bare"):
        keep(run, tmp_path / name, weights=False)
        runs.append(
            Run(tmp_path / name, run.config, run.history, run.ids, run.counts, run.summary, run.provenance, "kept")
        )
    (tmp_path / "bare" / FILE).unlink()
    (found,) = adjust_seeds(runs, dataset, parts, shares)
    assert np.array_equal(found.test, first.test)

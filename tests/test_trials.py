"""The named trials, and a dry run of the profile that is meant for a GPU."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from modanet_utils import model, statistics, training
from modanet_utils.classes import CLASSES, HAIR
from modanet_utils.datasets import open_dataset
from modanet_utils.series import read_profile
from modanet_utils.training import Run, TrialConfig, build_loss, training_target
from modanet_utils.trials import (
    FINALISTS,
    SEEDS,
    TRIALS,
    all_background,
    beyond_seeds,
    changes_texts,
    compared,
    compared_texts,
    finished,
    keep_run,
    leak_of_focal,
    plan,
    remaining,
    seed_spread,
    seeds_of,
    spread_texts,
    trial_config,
)


def test_trials_differ_from_the_baseline_only_in_the_loss() -> None:
    baseline = dataclasses.asdict(trial_config("cross_entropy", "anywhere", epochs=3))
    combined = dataclasses.asdict(trial_config("combined", "anywhere", epochs=3))
    assert {key for key in baseline if baseline[key] != combined[key]} == {"loss", "class_weights"}


def test_an_unknown_trial_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'combined'"):
        trial_config("combine", "anywhere")


def test_another_encoder_asks_for_its_weights_by_name() -> None:
    assert trial_config("combined", "anywhere").encoder_weights == "packaged"
    assert trial_config("combined", "anywhere", "resnet34").encoder_weights == "imagenet"


@pytest.mark.parametrize("name", FINALISTS)
def test_profile_modanet_takes_one_step(name: str) -> None:
    """Its encoder, size, precision and loss, on random photos of that size; its hub weights are left out."""
    profile = read_profile("modanet")
    shared = {key: profile[key] for key in ("image_height", "image_width", "mixed_precision", "learning_rate")}
    config: TrialConfig = trial_config(name, "anywhere", profile["encoder"], **shared)
    torch.manual_seed(0)
    accelerator = Accelerator(mixed_precision=config.mixed_precision, cpu=True)
    net = model.build(config.encoder, None, config.attention, outputs=config.outputs)
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate)
    net, optimizer = accelerator.prepare(net, optimizer)
    photos = torch.randint(0, 256, (2, 3, config.image_height, config.image_width), dtype=torch.uint8)
    truth = torch.randint(0, 16, (2, config.image_height, config.image_width), dtype=torch.uint8)
    before = [parameter.detach().clone() for parameter in net.parameters()]
    loss = build_loss(config, [1.0] * 14)(net(photos), training_target(truth, config.outputs))
    accelerator.backward(loss)
    optimizer.step()
    assert loss.isfinite()
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)]
    assert sum(moved) > 0.9 * len(moved)


# ------------------------------------------------------------------------------------------ side by side


def counts_of(hits: list[int], images: int = 6) -> np.ndarray:
    """Counts in which class 1 has these hits of 10 pixels in every image, the rest called background."""
    counts = np.zeros((images, 16, 14), np.int64)
    counts[:, 0, 0] = 90
    counts[:, 1, 1] = hits
    counts[:, 1, 0] = 10 - np.array(hits)
    return counts


def test_the_plan_names_every_training_once() -> None:
    planned = plan("anywhere", seed=7, epochs=2)
    names = [one.name for one in planned]
    assert names[: len(TRIALS)] == list(TRIALS)
    assert names[len(TRIALS) :] == [f"{name}-seed{seed}" for seed in range(1, SEEDS) for name in FINALISTS]
    assert len({one.config.hash for one in planned}) == len(planned)
    assert {one.config.seed for one in planned} == {7, 8, 9}
    assert next(one for one in planned if one.name == "combined-seed2").config.loss == "combined"


def test_trials_are_compared_on_the_same_images() -> None:
    counts = {"combined": counts_of([5] * 6), "other": counts_of([6, 6, 6, 6, 6, 6]), "none": counts_of([0] * 6)}
    table = compared(counts, {"other": 0.7})
    assert table.loc["other", "validation"] == 0.7 and np.isnan(table.loc["none", "validation"])
    assert np.array_equal(all_background(counts["other"]), counts["none"])
    assert table["mean_iou"].tolist() == pytest.approx([0.5, 0.6, 0.0])
    assert np.isnan(table.loc["combined", "change"])
    assert table.loc["other", "change"] == pytest.approx(0.1)
    assert table["found"].tolist() == [1, 1, 0]
    assert table["recall"].tolist() == pytest.approx([0.5 / 13, 0.6 / 13, 0])
    assert table["precision"].tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
    texts = compared_texts(table)
    assert texts.loc["combined loss", "against the combined loss"] == "–"
    assert texts.loc["other", "mean IoU"].startswith("0.600")


def test_seeds_and_photos_are_held_apart() -> None:
    run = Run(Path(), TrialConfig(), [], list(range(6)), counts_of([5] * 6), {}, {}, "trained")
    other = dataclasses.replace(run, counts=counts_of([3] * 6))
    table = seed_spread({"combined": [run, other], "cross_entropy": [run]})
    row = table.loc["combined"]
    assert (row["lowest"], row["highest"], row["mean_iou"]) == pytest.approx((0.3, 0.5, 0.4))
    assert row["seed_sd"] == pytest.approx(np.std([0.3, 0.5], ddof=1))
    assert row["image_sd"] == 0  # all photos are alike
    assert np.isnan(table.loc["cross_entropy", "seed_sd"])
    assert spread_texts(table).loc["cross-entropy", "SD between seeds"] == "–"


def test_changes_are_shown_with_their_intervals_and_undefined_ones_as_a_dash() -> None:
    table = statistics.compare_trials(counts_of([3, 4, 5] * 2), counts_of([4, 6, 5] * 2))
    texts = changes_texts(table)
    assert list(texts.columns) == ["change of IoU", "p, corrected", "change of precision", "change of recall"]
    assert texts.loc["bag", "change of IoU"].startswith("+0.100 [+0.") and texts.loc["bag", "p, corrected"] != "–"
    assert (texts.loc["scarf & tie"] == "–").all()


def test_the_leak_of_focal_needs_the_trial_without_it() -> None:
    counts = counts_of([5] * 6)
    claim = leak_of_focal({"combined": counts})
    assert claim["value"] is None and claim["measure"].startswith("not decided: ")
    hair, leaking = counts.copy(), counts.copy()
    hair[:, HAIR, 0] = 20
    leaking[:, HAIR, 0] = leaking[:, HAIR, CLASSES.index("headwear")] = 10
    claim = leak_of_focal({"combined": leaking, "combined_without_focal": hair})
    assert claim["value"] == 0.5 and claim["verdict"] == "supported"


def test_the_luck_of_a_seed_needs_several() -> None:
    run = Run(Path(), TrialConfig(), [], list(range(6)), counts_of([5] * 6), {}, {}, "trained")
    worse, worst = (dataclasses.replace(run, counts=counts_of([hits] * 6)) for hits in (3, 2))
    claim = beyond_seeds({"cross_entropy": [worst, worse], "combined": [run]})
    assert claim["measure"].startswith("not decided: ") and claim["value"] is claim["interval"] is None
    assert claim["verdict"] == "inconclusive"
    claim = beyond_seeds({"x": [worst, worse], "combined": [run, run, run]}, "x")
    assert claim["id"] == "gain-over-x-beyond-seeds" and claim["statement"].startswith("The gain over x is")
    assert claim["value"] == pytest.approx(0.25) and "(3 against 2)" in claim["measure"]
    assert claim["interval"][0] < 0.25 < claim["interval"][1]


def test_seeds_are_found_by_name() -> None:
    runs = dict.fromkeys(["combined", "combined_inverse", "combined-seed1", "cross_entropy", "combined-seed2"])
    assert {trial: len(found) for trial, found in seeds_of(runs).items()} == {"cross_entropy": 1, "combined": 3}


def test_finished_runs_are_found_and_what_remains_is_told(street: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(training, "ROOT", tmp_path)
    shared = {"image_height": 32, "image_width": 32, "epochs": 1, "batch_size": 4}
    dataset, planned = open_dataset(street), plan(street, **shared)
    assert finished(planned, dataset) == {}
    assert [epochs for _, epochs in remaining(planned, {}, dataset)] == [1] * len(planned)
    run = training.run_trial(planned[1].config, quiet=True)
    keep_run("combined", run, tmp_path / "reports" / "mine")
    keep_run("combined-seed1", run, tmp_path / "reports" / "other")
    there = finished(planned, dataset)
    assert list(there) == ["combined"]
    assert [one.name for one, _ in remaining(planned, there, dataset)] == [
        one.name for one in planned if one.name != "combined"
    ]
    assert (tmp_path / "reports" / "mine" / "runs" / "combined" / training.WEIGHTS).exists()
    assert not (tmp_path / "reports" / "other" / "runs" / "combined-seed1" / training.WEIGHTS).exists()

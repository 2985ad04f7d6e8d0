"""Which trainings of the plan are there, and what remains."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from modanet_utils.datasets.coco import open_dataset
from modanet_utils.training import plan as training_plan
from modanet_utils.training import runs as training_runs
from modanet_utils.training.plan import finished, keep_run, remaining, seconds, seeds_of
from modanet_utils.training.start import run_trial
from modanet_utils.training.weights import WEIGHTS
from modanet_utils.trials import plan


def test_seeds_are_found_by_name() -> None:
    runs = dict.fromkeys(["combined", "combined_inverse", "combined-seed1", "cross_entropy", "combined-seed2"])
    assert {trial: len(found) for trial, found in seeds_of(runs).items()} == {"cross_entropy": 1, "combined": 3}


def test_seconds_are_those_measured_alone_where_they_are_of_these_data(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_plan, "BENCH", bench := tmp_path / "bench.json")
    dataset, run = open_dataset(street), SimpleNamespace(provenance={"seconds_per_epoch": 9.0})
    runs = {"combined": run, "combined-seed1": run}
    assert seconds(runs, dataset) == {"combined": 9.0, "combined-seed1": 9.0}
    told = {"epochs": {"combined": 2.0}, "fingerprint": dataset.fingerprint}
    bench.write_text(json.dumps({"remedies": told}))
    assert seconds(runs, dataset) == {"combined": 2.0, "combined-seed1": 9.0}
    bench.write_text(json.dumps({"remedies": told | {"fingerprint": "another"}}))
    assert seconds(runs, dataset)["combined"] == 9.0


def test_finished_runs_are_found_and_what_remains_is_told(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_runs, "ROOT", tmp_path)
    shared = {"image_height": 32, "image_width": 32, "epochs": 1, "batch_size": 4}
    dataset, planned = open_dataset(street), plan(street, **shared)
    assert finished(planned, dataset) == {}
    left = {one.name: epochs for one, epochs in remaining(planned, {}, dataset)}
    assert left["combined"] == 1 and left["combined_long"] == 3 and len(left) == len(planned)
    assert planned[1].name == "combined"
    run = run_trial(planned[1].config, tmp_path / "runs", quiet=True)
    keep_run("combined", run, tmp_path / "reports" / "mine")
    keep_run("combined-seed1", run, tmp_path / "reports" / "other")
    there = finished(planned, dataset)
    assert list(there) == ["combined"]
    assert [one.name for one, _ in remaining(planned, there, dataset)] == [
        one.name for one in planned if one.name != "combined"
    ]
    assert (tmp_path / "reports" / "mine" / "runs" / "combined" / WEIGHTS).exists()
    assert not (tmp_path / "reports" / "other" / "runs" / "combined-seed1" / WEIGHTS).exists()

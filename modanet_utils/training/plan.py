"""Which trainings the report wants, and which are there."""

import json
from collections.abc import Mapping
from pathlib import Path

from modanet_utils.datasets.coco import Dataset
from modanet_utils.project import ROOT
from modanet_utils.training.runs import Run, epochs_done, find_run, keep
from modanet_utils.trials import Planned, finalists, with_weights

BENCH = ROOT / "reports" / "bench.json"  # of `make bench`


def finished(planned: list[Planned], dataset: Dataset) -> dict[str, Run]:
    """The runs of a plan that are there, by name; nothing is trained."""
    runs = {one.name: find_run(one.config, dataset) for one in planned}
    return {name: run for name, run in runs.items() if run is not None}


def seeds_of(runs: Mapping[str, Run]) -> dict[str, list[Run]]:
    """The finished runs of the finalists that have any, by trial, first seed first."""
    found = {trial: [run for name, run in runs.items() if name.split("-seed")[0] == trial] for trial in finalists()}
    return {trial: several for trial, several in found.items() if several}


def seconds(runs: Mapping[str, Run], dataset: Dataset) -> dict[str, float]:
    """Seconds an epoch of each run: as measured one by one on an idle machine, where that was on these data, or else as
    its own training took, whatever ran beside it."""
    told = json.loads(BENCH.read_text(encoding="utf-8")).get("remedies", {}) if BENCH.is_file() else {}
    alone = told["epochs"] if told.get("fingerprint") == dataset.fingerprint else {}
    return {name: alone.get(name, run.provenance["seconds_per_epoch"]) for name, run in runs.items()}


def keep_run(name: str, run: Run, out: Path) -> None:
    """Copy a finished run beside a report, with its weights where the registry says so of the first seed."""
    keep(run, out / "runs" / name, weights=name in with_weights())


def remaining(planned: list[Planned], there: Mapping[str, Run], dataset: Dataset) -> list[tuple[Planned, int]]:
    """What a plan lacks beside the runs that are there: each training with the epochs it has to go."""
    return [(one, one.config.epochs - epochs_done(one.config, dataset)) for one in planned if one.name not in there]

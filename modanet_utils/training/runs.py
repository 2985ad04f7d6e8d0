"""Runs on disk: how they are named, found, read and kept."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from modanet_utils import model
from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.project import ROOT, shown, whole_folder
from modanet_utils.splits import split
from modanet_utils.training.devices import accelerator_for
from modanet_utils.trials import TrialConfig

WEIGHTS = "weights.safetensors"
FINISHED = "scores.json"
"""Written last: a run folder that holds it is finished."""


@dataclass(frozen=True)
class Run:
    """A finished trial.

    Attributes:
        history: One record per epoch.
        ids: Test image ids, in the order of ``counts``.
        counts: ``(images, 16, 14) int64`` over the test part, at the annotation's own resolution.
        summary: The scores with their intervals, as in results.json.
        provenance: Versions, device, commit, data fingerprint, seconds per epoch, best epoch.
        source: "trained", "resumed" or where the finished run was found.
    """

    folder: Path
    config: TrialConfig
    history: list[dict[str, Any]]
    ids: list[int]
    counts: np.ndarray
    summary: dict[str, Any]
    provenance: dict[str, Any]
    source: str

    def curves(self) -> pd.DataFrame:
        """Validation IoU per epoch (rows, from 1) and class (columns), with "mean" over the clothing classes."""
        rows = {record["epoch"]: record["val_iou"] | {"mean": record["val_mean_iou"]} for record in self.history}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("epoch").astype(float)

    def network(self, device: str | torch.device | None = None) -> model.Net:
        """The trained network in evaluation mode, on Accelerate's device by default; needs the run's weights."""
        file = self.folder / WEIGHTS
        if not file.is_file():
            raise FileNotFoundError(f"The run in {shown(self.folder)} was kept without weights: train it again.")
        return load_network(self.config, file).to(accelerator_for(self.config).device if device is None else device)


def run_folder(config: TrialConfig, dataset: Photos, runs: Path) -> Path:
    return runs / f"{config.hash}-{dataset.fingerprint[:8]}"


def find_run(config: TrialConfig, dataset: Photos, runs: Path | None = None) -> Run | None:
    """The finished run of a configuration on these data, from ``runs`` or ``reports/*/runs``; None if there is none."""
    runs = ROOT / "runs" if runs is None else runs
    for candidate in (run_folder(config, dataset, runs), *sorted(ROOT.glob("reports/*/runs/*"))):
        if _is_run_of(candidate, config, dataset):
            return read_run(candidate, config, f"read from {shown(candidate)}")
    return None


def epochs_done(config: TrialConfig, dataset: Photos, runs: Path | None = None) -> int:
    """Complete epochs of an interrupted training; 0 where it has not begun."""
    states = sorted(run_folder(config, dataset, ROOT / "runs" if runs is None else runs).glob("state-*"))
    return int(states[-1].name.removeprefix("state-")) if states else 0


def keep(run: Run, destination: Path, weights: bool = True) -> None:
    """Copy a finished run beside the report (replacing an older one), with or without its weights."""
    if run.folder.resolve() == destination.resolve():
        return
    with whole_folder(destination) as folder:
        for file in sorted(run.folder.iterdir(), key=lambda file: file.name == FINISHED):
            if file.is_file() and (weights or file.name != WEIGHTS):
                shutil.copyfile(file, folder / file.name)


def load_network(config: TrialConfig, file: Path) -> model.Net:
    net = model.build(config.encoder, None, config.attention, outputs=config.outputs)  # normalisation is in the file
    net.load_state_dict({n: t.float() if t.is_floating_point() else t for n, t in load_file(file).items()})
    return net.to(memory_format=torch.channels_last).eval()


def _is_run_of(folder: Path, config: TrialConfig, dataset: Photos) -> bool:
    if not (folder / FINISHED).is_file():
        return False
    try:
        stored = TrialConfig(**json.loads((folder / "config.json").read_text()))
        about = json.loads((folder / "provenance.json").read_text())
    except (OSError, ValueError):  # another version's, or damaged
        return False
    if stored.hash != config.hash or about["data"]["fingerprint"] != dataset.fingerprint:
        return False
    with np.load(folder / "counts.npz") as arrays:  # the split is another where photos were missing
        return arrays["ids"].tolist() == split(dataset, config.split_seed)["test"]


def read_run(folder: Path, config: TrialConfig, source: str) -> Run:
    with np.load(folder / "counts.npz") as arrays:
        ids, counts = arrays["ids"].tolist(), arrays["counts"]
    texts = [(folder / name).read_text() for name in ("history.json", "provenance.json", FINISHED)]
    history, about, summary = map(json.loads, texts)
    return Run(folder, config, history, ids, counts, summary, about, source)

"""Runs on disk: how they are named, found, read and kept."""

import contextlib
import functools
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from modanet_utils import model
from modanet_utils.classes import CLASSES, IGNORE, LABELS
from modanet_utils.datasets.coco import Dataset as Photos
from modanet_utils.project import ROOT, ProjectError, shown, whole_folder
from modanet_utils.splits import split
from modanet_utils.statistics import test_summary
from modanet_utils.training.devices import accelerator_for
from modanet_utils.training.identity import differences, identity, in_words, is_identity, named
from modanet_utils.training.weights import WEIGHTS, load_network
from modanet_utils.trials import SettingError, TrialConfig

FINISHED = "scores.json"
"""Written last: a run folder that holds it is finished."""
DAMAGED = "damaged"
"""How the name of what is set aside begins."""
NOTE = "Note: "
"""How a line begins that says why a run is, or is not, taken."""


class DamagedRun(ProjectError):
    """A run folder whose files cannot be read, or contradict each other."""

    def __init__(self, folder: Path, fault: str) -> None:
        super().__init__(f"{shown(folder)} {fault}")
        self.folder = folder


@dataclass(frozen=True)
class Run:
    """A finished trial.

    Attributes:
        history: One record per epoch.
        ids: Test image ids, in the order of ``counts``.
        counts: ``(images, 16, 14) int64`` over the test part, at the annotation's own resolution.
        summary: The scores with their intervals, as in results.json.
        provenance: Versions, device, commit, what it is of (`identity`), seconds per epoch, best epoch.
        source: "trained", "resumed" or, read back, where the finished run was found.
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
    """Where a trial is trained: named by its settings and by what it is of, see `identity`."""
    return runs / f"{config.hash}-{named(identity(dataset, config, runs))}"


def find_run(config: TrialConfig, dataset: Photos, runs: Path | None = None, keep_old: bool = False) -> Run | None:
    """The finished run of a configuration on these data, from ``runs`` or ``reports/*/runs``; None if there is none.

    One of other annotations, photos or code is said and not taken, and so is a damaged one. Taken, and said, are one
    of another number of processes; one in ``reports/*/runs`` of other code, as the record of another version; and
    with ``keep_old`` any of the same settings.
    """
    found, notes, damaged = search(config, dataset, ROOT / "runs" if runs is None else runs, keep_old)
    for note in [*notes, *(f"{one}: the next training sets it aside." for one in damaged)]:
        say(note)
    return found


def search(
    config: TrialConfig, dataset: Photos, runs: Path, keep_old: bool = False
) -> tuple[Run | None, list[str], list[DamagedRun]]:
    """`find_run` without a word.

    Returns:
        The run; what is to be said of it, or of those that are not taken; the damaged ones in ``runs``.
    """
    now, test = identity(dataset, config, runs), split(dataset, config.split_seed)["test"]
    name, notes, old, damaged = f"{config.hash}-{named(now)}", [], [], []
    here = sorted(runs.glob(f"{config.hash}-*"), key=lambda folder: folder.name != name)
    for folder in (*here, *sorted(ROOT.glob("reports/*/runs/*"))):
        try:
            run = _finished_run(folder, config)
            changed = differences(then := _origin(folder, run, now, test), now)
            if run is not None and not {"annotations", "split"} & set(changed):
                _check_images(run, dataset, test)
        except DamagedRun as error:
            damaged += [error] if folder in here else []
            notes += [] if folder in here else [f"{error}: restore it, or train it again."]
            continue
        if run is None:
            if folder in here and folder.name != name and any(folder.glob("state-*")):
                what = in_words(then, now) or "data and code that are not known"
                notes.append(f"{shown(folder)} is an interrupted training with {what}: it is left as it is.")
            continue
        said = f"{shown(folder)} was trained with {in_words(then, now)}"
        if not set(changed) - {"processes"}:
            return run, [f"{said}; it is the same trial."] if changed else [], damaged
        if keep_old or (folder not in here and not set(changed) - {"processes", "code"}):
            record = f"trainings in {shown(folder.parent)} are from before the code last changed; their scores stand."
            old.append((run, f"{said}; it is kept." if keep_old else record))  # in the same words, so said once
        elif "annotations" not in changed or run.provenance["data"]["name"] == dataset.name:  # or it is no wonder
            notes.append(f"{said}: it is not taken for this trial.")
    return (old[0][0], [old[0][1]], damaged) if old else (None, notes, damaged)


@functools.cache
def say(note: str) -> None:
    """Say something, once."""
    print(f"{NOTE}{note}", flush=True)


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


def _finished_run(folder: Path, config: TrialConfig) -> Run | None:
    """The run in a folder if it is finished and of this configuration; DamagedRun if that cannot be told, or read."""
    if not (folder / FINISHED).is_file():
        return None
    try:
        stored = TrialConfig(**json.loads((folder / "config.json").read_text(encoding="utf-8")))
    except SettingError:  # another version's
        return None
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise DamagedRun(folder, f"has no config.json that can be read ({error})") from None
    if stored.hash != config.hash:
        if folder.name.startswith(config.hash):
            raise DamagedRun(folder, "is named by other settings than its config.json has")
        return None
    run = read_run(folder, config, f"read from {shown(folder)}")
    of = run.provenance.get("identity")
    if of and folder.name.startswith(config.hash) and not folder.name.endswith(named(of)):
        raise DamagedRun(folder, "is named by other data or code than its provenance.json has")
    return run


def _origin(folder: Path, run: Run | None, now: Mapping[str, Any], test: list[int]) -> dict[str, Any]:
    """What a run says that it is of; a finished one from before that was recorded knows annotations and test photos."""
    if run is not None:
        same = now["split"] if run.ids == test else "another"  # the split is another where photos were missing
        known = {"annotations": run.provenance["data"]["fingerprint"], "split": same}
        return run.provenance.get("identity", known)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # an earlier version's, or not that far yet
        then = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["identity"]
        return then if is_identity(then) else {}
    return {}


def read_run(folder: Path, config: TrialConfig, source: str) -> Run:
    """Read a finished run and hold it against itself; DamagedRun if a file cannot be read or contradicts another."""
    try:
        with np.load(folder / "counts.npz", allow_pickle=False) as arrays:
            ids, counts = arrays["ids"].astype(np.int64, casting="safe").ravel().tolist(), arrays["counts"]
        texts = [(folder / name).read_text(encoding="utf-8") for name in ("history.json", "provenance.json", FINISHED)]
        history, about, summary = map(json.loads, texts)
        run = Run(folder, config, history, ids, counts, summary, about, source)
        fault = _contradiction(run)
        run.curves()
    except Exception as error:  # every library has words of its own for a damaged file
        raise DamagedRun(folder, f"cannot be read ({' '.join(str(error).split()).rstrip('.')})") from None
    if fault:
        raise DamagedRun(folder, f"contradicts itself: {fault}")
    return run


def _contradiction(run: Run) -> str:
    """What in a run's files does not fit the others, in words; empty if all does."""
    counts, best = run.counts, max(run.history, key=lambda record: record["val_mean_iou"])["epoch"]
    if counts.shape != (len(run.ids), len(LABELS), len(CLASSES)) or counts.dtype.kind not in "iu" or counts.min() < 0:
        return "counts.npz does not hold the counts of its images"
    if not _follows(run.summary, test_summary(counts, resamples=100)):
        return f"{FINISHED} does not follow from counts.npz"
    if [record["epoch"] for record in run.history] != list(range(1, run.config.epochs + 1)):
        return f"history.json does not have its {run.config.epochs} epochs"
    if run.provenance["best_epoch"] != best:
        return "provenance.json is of another history"
    known = False
    match run.provenance:
        case {"data": {"name": str(), "fingerprint": str()}, "seconds_per_epoch": int() | float() as s, **of} if s >= 0:
            known = "identity" not in of or is_identity(of["identity"])  # runs from before it was recorded lack it
    if not known:
        return "provenance.json does not say what the run is of"
    weights = load_file(run.folder / WEIGHTS).values() if (run.folder / WEIGHTS).is_file() else ()
    finite = all(t.isfinite().all() for t in weights if t.is_floating_point())
    return "" if finite else f"{WEIGHTS} holds numbers that are not finite"


def _follows(stored: Any, found: Any) -> bool:
    """Whether stored scores are those found; intervals, which take long, and scores that only one has aside."""
    if isinstance(found, dict):
        shared = [key for key in found if key in stored and "interval" not in key]
        return bool(shared) and all(_follows(stored[key], found[key]) for key in shared)
    return stored == found or (None not in (stored, found) and math.isclose(stored, found, rel_tol=1e-9))


def _check_images(run: Run, dataset: Photos, test: list[int]) -> None:
    """Raise DamagedRun unless a run's counts can be those of the test part: as many pixels as each photo has."""
    known = set(run.ids) == set(test)
    for image_id, found in zip(run.ids, run.counts.sum((1, 2)).tolist(), strict=True) if known else ():
        pixels = math.prod(dataset.size(image_id))  # none where the photo could not be read
        known &= found in (0, pixels) or (found < pixels and IGNORE in dataset.present(image_id))
    if not known:
        raise DamagedRun(run.folder, "contradicts itself: counts.npz is of other images")

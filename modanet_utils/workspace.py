"""A notebook's workspace: the data it works on, and the ``results.json`` it writes to."""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modanet_utils.classes import CLASSES
from modanet_utils.datasets import Dataset, open_dataset
from modanet_utils.datasets.coco import IMAGES
from modanet_utils.provenance import ROOT as PROJECT
from modanet_utils.provenance import provenance
from modanet_utils.results import SCHEMA, ResultsError, check_results, plain, read_results, write_results

NOTEBOOKS: tuple[str, ...] = (
    "01_data_exploration_and_imbalance",
    "02_cross_entropy_baseline",
    "03_combined_loss",
    "04_hair_headwear_errors",
)
RESULTS_VARIABLE = "MODANET_UTILS_RESULTS"
"""Environment variable: while a series runs, its results go to this file and not to the finished report's."""


@dataclass(frozen=True)
class Workspace:
    """What a notebook works on and writes to.

    Attributes:
        profile: Name of the profile.
        dataset: The opened data set.
        out: Folder of the executed series.
        results_path: The ``results.json`` that is written to.
    """

    profile: str
    dataset: Dataset
    out: Path
    results_path: Path

    def __repr__(self) -> str:  # shown in notebooks, so without absolute paths
        return (
            f"Workspace: profile {self.profile}, {self.dataset.name} with {len(self.dataset.ids)} images "
            f"(fingerprint {self.dataset.fingerprint}), results in {shown(self.out)}"
        )

    @property
    def results(self) -> dict[str, Any]:
        """What has been recorded so far; empty at first, and when the recorded results are of other data."""
        if not self.results_path.exists():
            return {}
        results = read_results(self.results_path)
        recorded = results.get("dataset", {}).get("fingerprint", self.dataset.fingerprint)
        return results if recorded == self.dataset.fingerprint else {}

    def recorded(self, profile: str = "ccp") -> dict[str, Any]:
        """What was recorded on real photos: this run's own results if it is of that profile.

        Empty where nothing is recorded yet.
        """
        if self.profile == profile:
            return self.results
        return recorded(profile) if _results_file(profile).exists() else {}

    def elsewhere(self, profile: str = "ccp") -> dict[str, Any]:
        """What was recorded on real photos beside this run: empty if this run is of that profile itself."""
        return {} if self.profile == profile else self.recorded(profile)

    def record(self, key: str, value: Any) -> None:
        """Put one entry into ``results.json``; numpy values become plain, NaN becomes null.

        Raises:
            ResultsError: The value does not follow the schema or cannot be written as JSON.
        """
        results = self.results | {"profile": self.profile, "provenance": provenance(), key: value}
        ordered = {name: results[name] for name in (*SCHEMA, *results) if name in results}
        ordered = plain(ordered)
        check_results(ordered, complete=False)
        write_results(self.results_path, ordered)

    def record_dataset(self, parts: Mapping[str, list[int]], pixels: np.ndarray) -> None:
        """Record the data set.

        Args:
            parts: The split, part to image ids.
            pixels: Pixels per label ``(16,)``, as `datasets.class_pixels` counts them; hair and skin count as
                background, as in training.
        """
        folded = np.asarray(pixels, np.float64)[: len(CLASSES)].copy()
        folded[0] += np.asarray(pixels)[len(CLASSES) :].sum()
        shares = folded / folded.sum()
        entry = {
            "name": self.dataset.name,
            "images": len(self.dataset.ids),
            "fingerprint": self.dataset.fingerprint,
            "split": {part: len(ids) for part, ids in parts.items()},
            "class_share": dict(zip(CLASSES, shares, strict=True)),
        }
        self.record("dataset", entry)

    def record_trial(self, name: str, run: Any, seeds: Sequence[int] | None = None) -> None:
        """Record a finished trial under a name.

        Args:
            name: Short and stable; every series needs those in `results.TRIALS`.
            run: As `training.run_trial` returns it, or a dictionary as ``results.json`` holds it.
            seeds: The seeds of all runs of this trial, where there were several.
        """
        trial = run if isinstance(run, Mapping) else trial_entry(run, seeds)
        self.record("trials", self.results.get("trials", {}) | {name: trial})

    def record_claim(
        self,
        *,
        id: str,
        statement: str,
        measure: str,
        value: float | None,
        interval: tuple[float | None, float | None] | None,
        verdict: str,
        notebook: str,
    ) -> None:
        """Record a claim; one with the same id is replaced.

        Args:
            id: Short and stable, such as ``headwear-precision``.
            statement: The claim of the original report, in a sentence.
            measure: What the number is.
            value, interval: The number and its 95% interval; None where undefined.
            verdict: ``supported``, ``refuted`` or ``inconclusive``, decided by the interval.
            notebook: Name of the notebook, or its number (``"02"``).
        """
        names = [name for name in NOTEBOOKS if notebook in (name, name[:2])]
        if not names:
            raise ResultsError(f"Notebook {notebook!r} is unknown: give one of {', '.join(NOTEBOOKS)}.")
        claim = {"id": id, "statement": statement, "measure": measure, "value": value, "interval": interval}
        claim |= {"verdict": verdict, "notebook": names[0]}
        claims = {known["id"]: known for known in self.results.get("claims", [])}
        self.record("claims", list((claims | {id: claim}).values()))


def open_workspace(
    profile: str,
    data_root: str | Path | None = None,
    out_dir: str | Path | None = None,
    annotations_only: bool | None = False,
) -> Workspace:
    """Open the data and the folder for the results, as a notebook's parameters name them.

    Args:
        profile: Name of the profile.
        data_root: Data set folder; None for ``data/PROFILE``, where the synthetic figures are drawn if they
            are not there yet. A relative path is looked for in the project's folder, then in the current one.
        out_dir: Folder for the results; None for ``build/report/PROFILE``. Relative to the project's folder.
        annotations_only: Photos are neither needed nor looked for. None: only where there is no folder of
            photos; where there is one, the images are those that every other notebook uses.

    Raises:
        FileNotFoundError, DatasetError: The data are not there or cannot be used.
    """
    root = find_data(profile, data_root)
    if annotations_only is None:
        annotations_only = not ((root.parent if root.suffix == ".json" else root) / IMAGES).is_dir()
    out = PROJECT / (f"build/report/{profile}" if out_dir is None else Path(out_dir).expanduser())
    results_path = Path(os.environ.get(RESULTS_VARIABLE) or out / "results.json")
    return Workspace(profile, open_dataset(root, annotations_only), out, results_path)


def find_data(profile: str, data_root: str | Path | None) -> Path:
    """The data set folder that a profile and a data root name; draws the synthetic figures at first use."""
    if data_root is not None:
        given = Path(data_root).expanduser()
        return given if given.exists() and not (PROJECT / given).exists() else PROJECT / given
    root = PROJECT / "data" / profile
    if profile == "synthetic":
        return _drawn_figures(root)
    if not root.exists():
        raise FileNotFoundError(
            f"Profile {profile} has no data yet: give DATA_ROOT (or data_root) the folder that holds them, "
            f"or put them into data/{profile}."
        )
    return root


def _drawn_figures(root: Path) -> Path:
    """The synthetic data set, drawn if it is not there or was drawn by an earlier version."""
    from modanet_utils.datasets import synthetic  # asked for by one profile only

    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        info = json.loads((root / "annotations.json").read_text(encoding="utf-8"))["info"]
        if info["name"] == "synthetic" and info["version"] != synthetic.VERSION:
            shutil.rmtree(root)
    return synthetic.generate(root, images=240, seed=0)


def shown(path: Path) -> str:
    """A path as notebooks may show it: relative to the project's folder."""
    return Path(os.path.relpath(path, PROJECT)).as_posix()


def recorded(profile: str = "ccp") -> dict[str, Any]:
    """The results that are kept with the project in ``reports/PROFILE``.

    Raises:
        ResultsError: They are not there, or do not follow the schema.
    """
    path = _results_file(profile)
    if not path.exists():
        raise ResultsError(
            f"reports/{profile}/results.json is not there: make it with "
            f"`make report PROFILE={profile} DATA_ROOT=... OUT=reports/{profile}`."
        )
    results = read_results(path)
    check_results(results)
    return results


def _results_file(profile: str) -> Path:
    return PROJECT / "reports" / profile / "results.json"


def trial_entry(run: Any, seeds: Sequence[int] | None = None) -> dict[str, Any]:
    """A finished run, as `training.run_trial` returns it, in the form that ``results.json`` holds."""
    return {
        "config": run.config.plain(),
        "config_hash": run.config.hash,
        "epochs": len(run.history),
        "seconds_per_epoch": run.provenance["seconds_per_epoch"],
        "seeds": [run.config.seed] if seeds is None else list(seeds),
        "test": run.summary,
    }

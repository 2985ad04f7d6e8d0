"""A notebook's workspace: the data it works on, and the ``results.json`` it writes to."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modanet_utils.classes import CLASSES
from modanet_utils.datasets.coco import IMAGES, Dataset, is_drawn, open_dataset
from modanet_utils.datasets.find import find_data
from modanet_utils.datasets.weights import folded
from modanet_utils.project import ROOT, did_you_mean, provenance, shown, write_json
from modanet_utils.results.schema import Results, ResultsError, check_results, plain, read_results

NOTEBOOKS: tuple[str, ...] = ("01_data_exploration_and_imbalance", "02_cross_entropy_baseline")
NOTEBOOKS += ("03_combined_loss", "04_hair_headwear_errors", "05_more_errors", "06_remedies")
GUIDES: tuple[str, ...] = ("07_your_photo",)
"""Notebooks that come after these: they need no data set and take parameters of their own."""
RESULTS_VARIABLE = "MODANET_UTILS_RESULTS"
"""Environment variable: while a series runs, its results go to this file and not to the finished report's."""

Place = str | Path | None


@dataclass(frozen=True)
class Workspace:
    """What a notebook works on, the folder of the executed series, and the ``results.json`` that it writes to."""

    profile: str
    dataset: Dataset
    out: Path
    results_path: Path

    def __repr__(self) -> str:  # shown in notebooks, so without absolute paths
        data = f"{self.dataset.name} with {len(self.dataset.ids)} images (fingerprint {self.dataset.fingerprint})"
        return f"Workspace: profile {self.profile}, {data}, results in {shown(self.out)}"

    @property
    def results(self) -> dict[str, Any]:
        """What has been recorded so far; empty at first, and when the recorded results are of other data."""
        if not self.results_path.exists():
            return {}
        results = read_results(self.results_path)
        data, own = results.get("dataset", {}), self.dataset.fingerprint
        return results if isinstance(data, dict) and data.get("fingerprint", own) == own else {}

    def recorded(self, profile: str = "ccp") -> dict[str, Any]:
        """What was recorded on real photos, empty if nothing; this run's own results if it is of that profile."""
        return self.results if self.profile == profile else recorded(profile, complete=False)

    def leading(self) -> dict[str, Any]:
        """Whose answer a notebook begins with: its own, or where its figures are drawn what real photos recorded."""
        return self.recorded() if is_drawn(self.dataset.name) else self.results

    @property
    def aside(self) -> str:
        """The heading of what is `recorded` on real photos; empty where the run is of them itself."""
        return "" if self.profile == "ccp" else "**On real photos**"

    def elsewhere(self) -> dict[str, Any]:
        """What was recorded on real photos beside this run: empty if it is of them itself."""
        return {} if self.profile == "ccp" else self.recorded()

    def record(self, key: str, value: Any) -> None:
        """Put an entry into ``results.json``, NaN as null; a `ResultsError` if it breaks the schema or is no JSON."""
        results = self.results | {"profile": self.profile, "provenance": provenance(), key: value}
        ordered = plain({name: results[name] for name in (*Results.model_fields, *results) if name in results})
        check_results(ordered, complete=False)
        write_json(self.results_path, ordered)

    def record_dataset(self, parts: Mapping[str, list[int]], pixels: np.ndarray) -> None:
        """Record the data set, its split, and its pixels per label ``(16,)``, hair and skin as background."""
        data, shares = self.dataset, folded(np.asarray(pixels, np.float64))
        entry: dict[str, Any] = {"name": data.name, "images": len(data.ids), "fingerprint": data.fingerprint}
        entry["split"] = {part: len(ids) for part, ids in parts.items()}
        self.record("dataset", entry | {"class_share": dict(zip(CLASSES, shares / shares.sum(), strict=True))})

    def record_trial(self, name: str, run: Any) -> None:
        """Record a finished `training.Run`, or an entry as ``results.json`` holds it, under a name of `TRIALS`."""
        if not isinstance(run, Mapping):
            run = {
                "config": run.config.plain(),
                "config_hash": run.config.hash,
                "epochs": len(run.history),
                "seconds_per_epoch": run.provenance["seconds_per_epoch"],
                "seeds": [run.config.seed],
                "test": run.summary,
            }
        self.record("trials", self.results.get("trials", {}) | {name: run})

    def record_claims(self, claims: Iterable[Mapping[str, Any]], notebook: str) -> None:
        """Record claims of a notebook (its name or number), as `claims.decide` gives them, replacing by id."""
        names = [name for name in NOTEBOOKS if notebook in (name, name[:2])]
        if not names:
            raise ResultsError(f"Notebook {notebook!r} is unknown: {did_you_mean(notebook, NOTEBOOKS)}")
        known = {claim["id"]: claim for claim in self.results.get("claims", [])}
        self.record("claims", list((known | {c["id"]: {**c, "notebook": names[0]} for c in claims}).values()))


def open_workspace(
    profile: str, data_root: Place = None, out_dir: Place = None, annotations_only: bool | None = False
) -> Workspace:
    """Open the data and the folder for the results, as a notebook's parameters name them.

    From here on tables are shown with whole sentences, not with their first 50 letters.

    Args:
        data_root: Data set folder; None for ``data/PROFILE``, where the synthetic figures are drawn if they
            are not there yet. A relative path is looked for in the project's folder, then in the current one.
        out_dir: Folder for the results; None for ``build/report/PROFILE``. Relative to the project's folder. Where it
            holds a report, a notebook that runs alone writes beside it, into a folder whose name ends in ``-alone``.
        annotations_only: As for `open_dataset`, which has the errors; None: where there is no folder of photos.
    """
    pd.set_option("display.max_colwidth", None)
    root = find_data(profile, data_root)
    if annotations_only is None:
        annotations_only = not ((root.parent if root.suffix == ".json" else root) / IMAGES).is_dir()
    out = ROOT / (f"build/report/{profile}" if out_dir is None else Path(out_dir).expanduser())
    series = os.environ.get(RESULTS_VARIABLE)
    if not series and any(out.glob("*.ipynb")):  # a notebook that runs alone leaves a finished report as it is
        out = out.with_name(f"{out.name}-alone")
    return Workspace(profile, open_dataset(root, annotations_only), out, Path(series or out / "results.json"))


def recorded(profile: str = "ccp", complete: bool = True) -> dict[str, Any]:
    """The results in ``reports/PROFILE``, or a `ResultsError`; where not `complete`, what is there, even nothing."""
    path = ROOT / "reports" / profile / "results.json"
    if not path.exists() and not complete:
        return {}
    if not path.exists():
        how = f"`make report PROFILE={profile} DATA_ROOT=... OUT=reports/{profile}`"
        raise ResultsError(f"reports/{profile}/results.json is not there: make it with {how}.")
    results = read_results(path)
    check_results(results, complete)
    return results

"""A notebook's workspace: what it opens, and what it writes."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import annotation, record, rectangle, write_coco
from reporting import CLAIM, complete_results, trial, write_dataset

from modanet_utils.classes import CLASSES, LABELS
from modanet_utils.datasets import find
from modanet_utils.datasets.coco import DatasetError
from modanet_utils.project import write_json
from modanet_utils.results import workspace
from modanet_utils.results.schema import ResultsError
from modanet_utils.results.workspace import NOTEBOOKS, RESULTS_VARIABLE, Workspace, open_workspace, recorded

TOP = LABELS.index("top")


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    return complete_results()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, empty, instead of this one."""
    for module in (workspace, find):
        monkeypatch.setattr(module, "ROOT", tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    return open_workspace("ccp", write_dataset(tmp_path / "photos"), tmp_path / "out")


def test_recording_the_data_set(work: Workspace) -> None:
    pixels = np.zeros(16, np.int64)
    pixels[[0, 1, 14, 15]] = 60, 20, 12, 8
    work.record_dataset({"train": [1, 2], "val": [3], "test": [4]}, pixels)
    found = json.loads(work.results_path.read_text())["dataset"]
    assert found["class_share"] == dict.fromkeys(CLASSES, 0.0) | {"background": 0.8, "bag": 0.2}
    assert found["split"] == {"train": 2, "val": 1, "test": 1}
    assert (found["images"], found["fingerprint"]) == (4, work.dataset.fingerprint)


def test_recording_a_run(work: Workspace) -> None:
    config = SimpleNamespace(plain=lambda: {"loss": "focal"}, hash="abc", seed=7)
    run = SimpleNamespace(
        config=config, history=[{}, {}], provenance={"seconds_per_epoch": 2.5}, summary=trial()["test"]
    )
    work.record_trial("focal", run)
    trials = work.results["trials"]
    assert {key: trials["focal"][key] for key in ("config", "config_hash", "epochs", "seconds_per_epoch", "seeds")} == {
        "config": {"loss": "focal"},
        "config_hash": "abc",
        "epochs": 2,
        "seconds_per_epoch": 2.5,
        "seeds": [7],
    }


def test_a_claim_with_the_same_id_is_replaced_in_its_place(work: Workspace) -> None:
    for id, value in (("a", 0.1), ("b", 0.2), ("a", float("nan"))):
        work.record_claims([CLAIM | {"id": id, "value": value, "interval": (np.float64(0.0), 0.5)}], "02")
    assert [(claim["id"], claim["value"]) for claim in work.results["claims"]] == [("a", None), ("b", 0.2)]
    assert work.results["claims"][0]["notebook"] == NOTEBOOKS[1]


def test_what_does_not_follow_the_schema_is_not_written(work: Workspace) -> None:
    work.record("extra", {"numbers": np.array([1.0, np.nan]), 3: (np.int64(2), True)})
    before = work.results_path.read_bytes()
    for change in ({"verdict": "true"}, {"interval": (0.5, 0.1)}, {"notebook": "09"}, {"measure": ""}):
        with pytest.raises(ResultsError):
            work.record_claims([claim := CLAIM | change], claim["notebook"])
    with pytest.raises(ResultsError, match="A set cannot be recorded"):
        work.record("extra", {1})
    assert work.results_path.read_bytes() == before
    assert json.loads(before)["extra"] == {"numbers": [1.0, None], "3": [2, True]}
    assert [path.name for path in work.out.iterdir()] == ["results.json"]


def test_results_of_other_data_are_not_mixed_in(work: Workspace, tmp_path: Path) -> None:
    parts = {"train": [1, 2], "val": [3], "test": [4]}
    work.record_dataset(parts, np.ones(16))
    work.record("extra", 1)
    other = open_workspace("ccp", write_dataset(tmp_path / "others", 5), work.out)
    assert other.results == {}
    other.record_dataset(parts, np.ones(16))
    assert "extra" not in other.results


def test_a_workspace_is_shown_without_absolute_paths(work: Workspace) -> None:
    assert "tiny with 4 images" in repr(work) and not re.search(r"(?<![\w.])/\w", repr(work))


def test_relative_paths_do_not_depend_on_the_current_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(project / "data" / "mine")
    monkeypatch.chdir(tmp_path)
    work = open_workspace("ccp", "data/mine")
    assert work.results_path == project / "build" / "report" / "ccp" / "results.json"
    assert open_workspace("ccp", "data/mine", "reports/x").out == project / "reports" / "x"
    write_dataset(tmp_path / "here")  # only in the current folder
    assert open_workspace("ccp", "here").dataset.name == "tiny"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        open_workspace("ccp", "nowhere")
    (project / "data" / "mine" / "annotations.json").write_text("[]")
    with pytest.raises(DatasetError):
        open_workspace("ccp", "data/mine")


def test_recorded_results_are_this_runs_own_where_it_is_of_that_profile(
    project: Path, work: Workspace, complete: dict[str, Any]
) -> None:
    work.record("extra", 1)
    assert work.recorded()["extra"] == 1
    assert work.recorded("modanet") == work.elsewhere() == {}
    with pytest.raises(ResultsError, match="reports/modanet/results.json is not there: make it with `make report"):
        recorded("modanet")
    write_json(project / "reports" / "modanet" / "results.json", complete)
    assert work.recorded("modanet") == complete


def test_annotations_are_enough_where_there_is_no_folder_of_photos(tmp_path: Path) -> None:
    images = [record(1), record(2)]
    bare = write_coco(tmp_path / "bare", images, [annotation(1, TOP, [rectangle(0, 0, 3, 3)])], photos=False)
    assert open_workspace("tiny", bare, annotations_only=None).dataset.ids == [1, 2]
    file = bare / "annotations.json"
    assert open_workspace("tiny", file, annotations_only=None).dataset.ids == [1, 2]
    full = write_coco(tmp_path / "full", images, [annotation(1, TOP, [rectangle(0, 0, 3, 3)])])
    (full / "images" / "2.png").unlink()
    assert open_workspace("tiny", full, annotations_only=None).dataset.ids == [1]


def test_a_notebook_that_runs_alone_leaves_a_report_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos, out = write_dataset(tmp_path / "photos"), tmp_path / "report"
    assert open_workspace("ccp", photos, out).out == out  # nothing is there yet
    out.mkdir()
    (out / "01.ipynb").touch()
    work = open_workspace("ccp", photos, out)
    work.record("more", 1)
    assert work.out == tmp_path / "report-alone" and (work.out / "results.json").exists()
    assert [path.name for path in out.iterdir()] == ["01.ipynb"]
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path / "staged.json"))  # the series itself
    assert open_workspace("ccp", photos, out).out == out

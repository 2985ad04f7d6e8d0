"""Files with anything in them: each is read as what it is, or refused in one sentence, and nothing else happens.

`tests/datasets/test_brought.py` does the same with annotation files. ``make fuzz`` tries each of these longer.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from conftest import annotation, record, rectangle, write_coco
from hypothesis import example
from hypothesis import strategies as st
from reliability import ANYWHERE, JUNK, Place, fuzzed, with_junk
from reporting import complete_results

from modanet_utils import trials
from modanet_utils.datasets.coco import Dataset, open_dataset
from modanet_utils.datasets.own import convert
from modanet_utils.project import ProjectError
from modanet_utils.results import workspace
from modanet_utils.results.workspace import Workspace, recorded
from modanet_utils.training import runs
from modanet_utils.training.runs import Run, keep, search
from modanet_utils.training.start import run_trial
from modanet_utils.trials import Profile, TrialConfig, own_loss, read_profile

WORDS = st.text(max_size=12)
BYTES = st.binary(max_size=40)


def read_or_refused(action: Callable[[], Any]) -> Any:
    """What an action returns; None where it refuses, in one line."""
    try:
        return action()
    except ProjectError as error:
        said = str(error)
        assert said and len(said.splitlines()) == 1, said
        return None


# ---------------------------------------------------------------------------------------- run folders


@pytest.fixture(scope="module")
def trained(street: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Dataset]:
    """A finished run without weights, and what it was trained on."""
    folder = tmp_path_factory.mktemp("trained")
    small: dict[str, Any] = {"image_height": 32, "image_width": 32, "encoder_weights": None, "batch_size": 4}
    run = run_trial(TrialConfig(data_root=str(street), epochs=1, **small), folder / "first", quiet=True)
    keep(run, folder / "runs" / run.folder.name, weights=False)
    return run, open_dataset(street)


def looked_for(trained: tuple[Run, Dataset], folder: Path) -> None:
    """Search a folder of runs as a training does: the run is found and of use, or said to be damaged, or not its."""
    run, dataset = trained
    found, notes, damaged = search(run.config, dataset, folder)
    for said in [*notes, *map(str, damaged)]:
        assert said and len(said.splitlines()) == 1, said
    if found:
        assert len(found.curves()) == 1 and found.counts.shape == (len(found.ids), 16, 14)
        assert found.ids == run.ids and found.provenance["seconds_per_epoch"] >= 0


@pytest.fixture
def copied(trained: tuple[Run, Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run in a folder of this test, which is the only one."""
    monkeypatch.setattr(runs, "ROOT", tmp_path)
    first = trained[0].folder.parents[1] / "runs" / trained[0].folder.name
    return shutil.copytree(first, tmp_path / "runs" / first.name)


FILES = ("config.json", "history.json", "provenance.json", "scores.json")


@fuzzed(file=st.sampled_from(FILES), at=ANYWHERE, junk=JUNK)
@example(file="provenance.json", at=("identity",), junk=None)
@example(file="provenance.json", at=("identity",), junk=["code"])
@example(file="provenance.json", at=("identity", "photos_used"), junk="all")
@example(file="provenance.json", at=("data",), junk="fingerprint")
@example(file="provenance.json", at=("seconds_per_epoch",), junk=None)
@example(file="provenance.json", at=("seconds_per_epoch",), junk=-1)
@example(file="history.json", at=(0, "val_iou"), junk=[1])
@example(file="config.json", at=("self",), junk=1)
def test_whatever_stands_in_the_files_of_a_run(
    file: str, at: Place, junk: Any, trained: tuple[Run, Dataset], copied: Path
) -> None:
    whole = (trained[0].folder / file).read_text()
    (copied / file).write_text(json.dumps(with_junk(json.loads(whole), at, junk)))
    looked_for(trained, copied.parent)
    (copied / file).write_text(whole)


@fuzzed(file=st.sampled_from([*FILES, "counts.npz"]), at=ANYWHERE, junk=BYTES, length=st.integers(0, 60))
def test_whatever_bytes_stand_in_the_files_of_a_run(
    file: str, at: int, junk: bytes, length: int, trained: tuple[Run, Dataset], copied: Path
) -> None:
    whole = (trained[0].folder / file).read_bytes()
    start = at % len(whole)
    (copied / file).write_bytes(whole[:start] + junk + whole[start + length :])
    looked_for(trained, copied.parent)
    (copied / file).write_bytes(whole)


@fuzzed(ids=JUNK, counts=st.sampled_from(["int64", "uint8", "float64", "bool", "U3", "one image", "flat"]))
@example(ids=[[1], [2], [3]], counts="int64")
def test_whatever_arrays_a_run_holds(ids: Any, counts: str, trained: tuple[Run, Dataset], copied: Path) -> None:
    run = trained[0]
    made = {"one image": run.counts[0], "flat": run.counts.ravel()}
    with np.errstate(invalid="ignore"):
        values = made[counts] if counts in made else run.counts.astype(counts)
    try:
        held = np.array(ids)
    except (ValueError, OverflowError):  # lists of several lengths
        return
    if held.dtype.kind == "O":  # what numpy would pickle, and read_run refuses
        held = np.array([1, 2, 3])
    np.savez(copied / "counts.npz", ids=held, counts=values)
    looked_for(trained, copied.parent)


# ---------------------------------------------------------------------------------------- profiles


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(trials, "ROOT", tmp_path)
    return shutil.copytree(Path(__file__).resolve().parents[1] / "profiles", tmp_path / "profiles")


@fuzzed(key=st.sampled_from(list(Profile.model_fields)) | st.text(max_size=6), value=JUNK)
@example(key="self", value=1)
def test_whatever_a_profile_gives(key: str, value: Any, profiles: Path) -> None:
    given = yaml.safe_load((profiles / "template.yaml").read_text()) | {"profile": "mine", key: value}
    (profiles / "mine.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    found = read_or_refused(lambda: read_profile("mine"))
    assert found is None or TrialConfig(**found.settings, **own_loss(dict(found))).hash


@fuzzed(line=st.text(max_size=20) | st.binary(max_size=12), at=ANYWHERE)
@example(line="\nseed: 2024-13-45", at=10**6)  # YAML takes it for a day, and there is none
@example(line=b"\xff", at=0)
@example(line="[" * 2000, at=0)
def test_whatever_text_stands_in_a_profile(line: str | bytes, at: int, profiles: Path) -> None:
    text = (profiles / "template.yaml").read_bytes().replace(b"profile: template", b"profile: mine")
    data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    start = len(text) if at == 10**6 else at % len(text)
    (profiles / "mine.yaml").write_bytes(text[:start] + data + text[start:])
    found = read_or_refused(lambda: read_profile("mine"))
    assert found is None or TrialConfig(**found.settings, **own_loss(dict(found))).hash


# ---------------------------------------------------------------------------------------- results.json


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(workspace, "ROOT", tmp_path)
    (tmp_path / "reports" / "ccp").mkdir(parents=True)
    return tmp_path / "reports" / "ccp" / "results.json"


def results_read(file: Path) -> None:
    work = Workspace("ccp", Dataset("tiny", file.parent, "ab", {}, {}, {}), file.parent, file)
    for complete in (True, False):
        found = read_or_refused(lambda complete=complete: recorded("ccp", complete))
        assert found is None or (isinstance(found, dict) and (not complete or found["claims"]))
    before = file.read_bytes()
    found = read_or_refused(lambda: work.results)
    assert found is None or isinstance(found, dict)
    read_or_refused(lambda: work.record("note", "kept"))
    assert file.read_bytes() == before or json.loads(file.read_text())["note"] == "kept"


@fuzzed(at=ANYWHERE, junk=JUNK)
@example(at=("dataset",), junk="text")
@example(at=("dataset",), junk=None)
def test_whatever_stands_in_recorded_results(at: Place, junk: Any, results: Path) -> None:
    results.write_text(json.dumps(with_junk(complete_results(), at, junk)))
    results_read(results)


@fuzzed(data=st.binary(max_size=30) | JUNK.map(lambda junk: json.dumps(junk).encode()))
@example(data=b"[" * 100_000)
@example(data=b"[]")
def test_whatever_bytes_stand_in_place_of_recorded_results(data: bytes, results: Path) -> None:
    results.write_bytes(data)
    results_read(results)


# ---------------------------------------------------------------------------------------- converting

MAP = "labels:\n  jeans: pants\n  shirt: top\n  unclear: ignore\n"
THINGS = [annotation(1, 0, [rectangle(0, 0, 9, 9)], iscrowd=0), annotation(2, 1, [rectangle(3, 3, 9, 9)])]
FOREIGN = {
    "images": [record(1), record(2)],
    "annotations": [{"id": number, **one} for number, one in enumerate(THINGS, 1)],
    "categories": [{"id": number, "name": name} for number, name in enumerate(("jeans", "shirt", "unclear"))],
}


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, a COCO file of other labels, and what they stand for."""
    folder = write_coco(tmp_path_factory.mktemp("foreign") / "mine", FOREIGN["images"], [], FOREIGN["categories"])
    (folder / "map.yaml").write_text(MAP)
    return folder


def converted(source: Path, out: Path) -> None:
    said = read_or_refused(lambda: convert(source, out, source / "map.yaml"))
    assert (said is None) == (not out.exists())
    if said is not None:
        dataset = open_dataset(out)
        assert all(dataset.label_map(number).shape == (20, 30) for number in dataset.ids)
        shutil.rmtree(out)


@fuzzed(at=ANYWHERE, junk=JUNK)
@example(at=3114, junk=[])  # a name that is a list
def test_whatever_stands_in_a_file_that_is_converted(at: int, junk: Any, foreign: Path, tmp_path: Path) -> None:
    (foreign / "annotations.json").write_text(json.dumps(with_junk(FOREIGN, at, junk)))
    converted(foreign, tmp_path / "out")


@fuzzed(text=st.text(max_size=20) | JUNK.map(lambda junk: yaml.safe_dump({"labels": junk})), at=st.integers(0, 60))
def test_whatever_stands_in_a_map(text: str, at: int, foreign: Path, tmp_path: Path) -> None:
    (foreign / "annotations.json").write_text(json.dumps(FOREIGN))
    changed = text if text.startswith("labels") else MAP[:at] + text + MAP[at:]
    (foreign / "map.yaml").write_bytes(changed.encode("utf-8", "surrogatepass"))
    converted(foreign, tmp_path / "out")
    (foreign / "map.yaml").write_text(MAP)

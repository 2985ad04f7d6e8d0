"""Runs on disk: of other photos or code, damaged, in use, left over; and what is refused before the first epoch."""

import dataclasses
import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from conftest import annotation, record, rectangle, write_coco, write_street
from safetensors.torch import load_file, save_file

from modanet_utils import __main__ as command
from modanet_utils import project
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.project import ProjectError
from modanet_utils.splits import split
from modanet_utils.training import lock, loop, runs, start, weights
from modanet_utils.training import predict as scoring
from modanet_utils.training.identity import named
from modanet_utils.training.runs import Run, epochs_done, find_run, keep, run_folder
from modanet_utils.training.samples import check_data
from modanet_utils.training.start import run_trial
from modanet_utils.trials import TrialConfig


class Trains(Exception):
    """Raised instead of a training that begins."""


@pytest.fixture(autouse=True)
def nothing_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    runs.say.cache_clear()
    for module in (project, runs, start, weights):
        monkeypatch.setattr(module, "ROOT", tmp_path / "project")
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def tiny(folder: Path, **values: Any) -> TrialConfig:
    shared: dict[str, Any] = {"image_height": 32, "image_width": 32, "encoder_weights": None, "batch_size": 4}
    return TrialConfig(data_root=str(folder), **{**shared, "epochs": 1, **values})


@pytest.fixture(scope="module")
def trained(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_trial(tiny(street), tmp_path_factory.mktemp("trained"), quiet=True)


@pytest.fixture
def here(trained: Run, tmp_path: Path) -> Path:
    """A copy of the finished run, in a folder of runs of this test."""
    return Path(shutil.copytree(trained.folder, tmp_path / "runs" / trained.folder.name))


@pytest.fixture
def kept(trained: Run) -> Path:
    """A copy of the finished run beside a report."""
    folder = project.ROOT / "reports" / "mine" / "runs" / "baseline"
    keep(trained, folder)
    return folder


@pytest.fixture
def photos(street: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(street, tmp_path / "photos"))


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """`run_trial`, which raises `Trains` where it would train."""

    def refuse(*_: object) -> None:
        raise Trains

    monkeypatch.setattr(start, "train", refuse)
    return lambda folder, keep_old=False, **values: run_trial(
        tiny(folder, **values), tmp_path / "runs", keep_old=keep_old
    )


def blacken(folder: Path) -> None:
    file = folder / "images" / "3.png"
    cv2.imwrite(str(file), np.zeros_like(cv2.imread(str(file))))


def changed(folder: Path, file: str, **values: Any) -> None:
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def of_other_code(folder: Path) -> dict[str, Any]:
    about = json.loads((folder / "provenance.json").read_text())["identity"] | {"code": "another"}
    changed(folder, "provenance.json", identity=about)
    return about


# --------------------------------------------------------------------------------------- what it is of


def test_a_run_of_other_photos_is_said_and_not_taken(
    here: Path, photos: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(photos).source == f"read from {project.shown(here)}"
    blacken(photos)
    capsys.readouterr()
    with pytest.raises(Trains):
        ask(photos)
    said = f"Note: {project.shown(here)} was trained with other photos"
    assert capsys.readouterr().out == f"{said}: it is not taken for this trial.\n"
    assert (here / "scores.json").is_file() and [one.name for one in here.parent.iterdir()] == [here.name]
    assert ask(photos, keep_old=True).folder == here
    assert f"{said}; it is kept." in capsys.readouterr().out


def test_a_run_of_other_photos_stays_beside_the_new_one(here: Path, photos: Path) -> None:
    blacken(photos)
    run = run_trial(tiny(photos), here.parent, quiet=True)
    assert run.source == "trained" and run.folder != here and run.folder.name[:12] == here.name[:12]
    assert run_trial(tiny(photos), here.parent, quiet=True).folder == run.folder
    assert run.provenance["identity"] != json.loads((here / "provenance.json").read_text())["identity"]


def test_code_decides_for_runs_and_not_for_those_kept_beside_a_report(
    here: Path, trained: Run, street: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    here.rename(here.with_name(f"{here.name[:12]}-{named(of_other_code(here))}"))
    with pytest.raises(Trains):
        ask(street)
    assert "was trained with other code: it is not taken" in capsys.readouterr().out
    keep(trained, kept := project.ROOT / "reports" / "mine" / "runs" / "baseline")
    of_other_code(kept)
    assert ask(street).folder == kept
    said = "trainings in reports/mine/runs are from before the code last changed; their scores stand.\n"
    assert said in capsys.readouterr().out


def test_a_run_from_before_that_was_recorded_is_read_without_a_word(
    kept: Path, street: Path, photos: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    about = json.loads((kept / "provenance.json").read_text())
    del about["identity"]
    (kept / "provenance.json").write_text(json.dumps(about))
    assert ask(street).folder == kept and "Note" not in capsys.readouterr().out
    (photos / "images" / "3.png").unlink()  # one of twelve photos: more than may be missing
    with pytest.raises(DatasetError, match="more than 5%"):
        ask(photos)


def test_another_number_of_processes_is_said_and_taken(
    here: Path, street: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(street, processes=2).folder == here
    assert "another number of processes (1, now 2); it is the same trial." in capsys.readouterr().out


def test_runs_of_another_data_set_are_not_spoken_of(
    kept: Path, tmp_path: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_street(tmp_path / "other", seed=1)
    changed(other, "annotations.json", info={"name": "another"})
    with pytest.raises(Trains):
        ask(other)
    assert capsys.readouterr().out == ""


# ------------------------------------------------------------------------------------------- damaged


def cut(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def with_counts(change: Callable[[Any, Any], dict[str, Any]]) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        with np.load(folder / "counts.npz") as arrays:
            ids, counts = arrays["ids"], arrays["counts"]
        np.savez(folder / "counts.npz", **change(ids, counts))

    return write


def undefined_weight(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    next(one for one in weights.values() if one.is_floating_point()).view(-1)[0] = torch.nan
    save_file(weights, folder / "weights.safetensors")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut off counts": (cut("counts.npz"), "cannot be read"),
    "cut off scores": (cut("scores.json"), "cannot be read"),
    "cut off settings": (cut("config.json"), "has no config.json that can be read"),
    "cut off weights": (cut("weights.safetensors"), "cannot be read"),
    "no history": (lambda folder: (folder / "history.json").unlink(), "cannot be read"),
    "a pickle": (lambda folder: (folder / "counts.npz").write_bytes(pickle.dumps([1])), "cannot be read"),
    "other settings": (lambda folder: changed(folder, "config.json", gamma=3.0), "is named by other settings"),
    "other code": (of_other_code, "is named by other data or code"),
    "another score": (lambda folder: changed(folder, "scores.json", mean_iou=0.9), "scores.json does not follow"),
    "no scores": (lambda folder: (folder / "scores.json").write_text("{}"), "scores.json does not follow"),
    "no epoch": (lambda folder: (folder / "history.json").write_text("[]"), "cannot be read"),
    "another best epoch": (lambda folder: changed(folder, "provenance.json", best_epoch=7), "another history"),
    "undefined weight": (undefined_weight, "weights.safetensors holds numbers that are not finite"),
    "other images": (with_counts(lambda ids, counts: {"ids": ids + 1, "counts": counts}), "is of other images"),
    "counts of another photo": (
        with_counts(lambda ids, counts: {"ids": ids, "counts": counts[::-1]}),
        "is of other images",
    ),
    "fewer images": (with_counts(lambda ids, counts: {"ids": ids[1:], "counts": counts}), "does not hold the counts"),
}


@pytest.mark.reliability("run folders")
@pytest.mark.parametrize(("damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_named_and_set_aside(
    damage: Callable[[Path], object],
    said: str,
    here: Path,
    street: Path,
    ask: Callable[..., Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(here)
    config, dataset = tiny(street), open_dataset(street)
    assert find_run(config, dataset, here.parent) is None
    asked = capsys.readouterr().out
    assert here.is_dir() and said in asked and "the next training sets it aside" in asked
    with pytest.raises(Trains):
        ask(street)
    told = capsys.readouterr().out
    assert said in told and len(told.splitlines()) == 1
    assert told.endswith(f": it is set aside as damaged-{here.name}.\n")
    assert [one.name for one in here.parent.iterdir()] == [f"damaged-{here.name}"]
    assert find_run(config, dataset, here.parent) is None and capsys.readouterr().out == ""


def test_a_second_damaged_run_gets_a_name_of_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "run").mkdir()
        lock.set_aside(tmp_path / "run", "It is damaged")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["damaged-run", "damaged1-run"]


def test_a_damaged_run_beside_a_report_is_said_and_stays(
    kept: Path, street: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    changed(kept, "scores.json", mean_iou=0.9)
    with pytest.raises(Trains):
        ask(street)
    said = capsys.readouterr().out
    assert said.startswith("Note: reports/mine/runs/baseline contradicts itself") and "restore it" in said
    assert kept.is_dir()


def test_intervals_and_scores_of_another_version_are_no_contradiction(trained: Run) -> None:
    more = trained.summary | {"mean_iou_interval": None, "another": 1}
    assert runs._contradiction(trained) == runs._contradiction(dataclasses.replace(trained, summary=more)) == ""


@pytest.mark.parametrize("name", ["reports/ccp/runs/combined", "reports/ccp/runs/cross_entropy"])
def test_kept_runs_do_not_contradict_themselves(name: str) -> None:
    folder = Path(__file__).resolve().parents[2] / name
    config = TrialConfig(**json.loads((folder / "config.json").read_text()))
    assert runs.read_run(folder, config, "kept").config.hash == config.hash


# --------------------------------------------------------------------------------- interrupted, in use


@pytest.fixture(scope="module")
def stopped(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was interrupted while it scored."""
    folder = tmp_path_factory.mktemp("stopped") / "runs"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Trains):
        patch.setattr(scoring, "predict", lambda *_: (_ for _ in ()).throw(Trains))
        run_trial(tiny(street), folder, quiet=True)
    return run_folder(tiny(street), open_dataset(street), folder)


@pytest.fixture
def interrupted(stopped: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(stopped, tmp_path / "runs" / stopped.name))
    assert (folder / "state-0001").is_dir()
    return folder


def test_an_interrupted_training_of_other_photos_does_not_go_on(
    interrupted: Path, photos: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    blacken(photos)
    with pytest.raises(Trains):
        ask(photos)
    assert "is an interrupted training with other photos: it is left as it is." in capsys.readouterr().out
    assert epochs_done(tiny(photos), open_dataset(photos), interrupted.parent) == 0
    assert [one.name for one in interrupted.parent.iterdir()] == [interrupted.name]
    (interrupted / "provenance.json").unlink()
    with pytest.raises(Trains):
        ask(photos)
    assert "with data and code that are not known" in capsys.readouterr().out


def test_a_damaged_state_is_set_aside_and_training_begins_anew(
    interrupted: Path, street: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut("model.safetensors")(interrupted / "state-0001")
    run = run_trial(tiny(street), interrupted.parent)
    assert run.source == "trained" and not list(interrupted.glob("*state*"))
    assert "state-0001 cannot be read" in capsys.readouterr().out


def test_what_a_finished_run_has_left_is_cleared_when_it_is_read(
    here: Path, street: Path, ask: Callable[..., Run]
) -> None:
    names = sorted(one.name for one in here.iterdir())
    for name in ("best", lock.LOCK):
        (here / name).write_bytes(b"")
    for name in ("state-0001", ".77.state-0001"):
        (here / name).mkdir()
    ask(street)
    assert sorted(one.name for one in here.iterdir()) == names


def test_a_second_process_is_told_who_trains(street: Path, tmp_path: Path, ask: Callable[..., Run]) -> None:
    folder = run_folder(tiny(street), open_dataset(street), tmp_path / "runs")
    with (
        lock.alone(folder),
        pytest.raises(ProjectError, match=rf"is being trained by process {os.getpid()} on .* since 20"),
    ):
        ask(street)
    assert not folder.parent.exists(), "nothing came of it"
    with lock.alone(folder), pytest.raises(ProjectError, match="is being trained by process"):
        ask(street, processes=2)


def test_the_lock_of_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "scores.json").write_text("{}")
    code = "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); f.write('process 1'); "
    code += "f.flush(); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(folder / lock.LOCK)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ProjectError, match="is being trained by process 1: wait"), lock.alone(folder):
            pass
        holder.kill()
    assert (folder / lock.LOCK).read_text() == "process 1"
    with lock.alone(folder), (folder / lock.LOCK).open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert [one.name for one in folder.iterdir()] == ["scores.json"]


# ------------------------------------------------------------------------- before the first epoch


@pytest.mark.reliability("photos")
@pytest.mark.parametrize("damage", ["no picture", "another size", "gone"])
def test_a_photo_of_the_test_part_is_looked_at_before_the_first_epoch(
    damage: str, photos: Path, tmp_path: Path
) -> None:
    dataset = open_dataset(photos)
    name = dataset.images[split(dataset)["test"][0]]["file_name"]
    if damage == "no picture":
        (photos / "images" / name).write_bytes(b"no picture")
    elif damage == "another size":
        cv2.imwrite(str(photos / "images" / name), np.zeros((9, 9, 3), np.uint8))
    else:
        (photos / "images" / name).unlink()
    with pytest.raises(DatasetError, match=f"1 of 2 photos cannot be read, {name} for one"):
        check_data(dataset, split(dataset))
    if damage != "gone":  # or it is left out when the data set is opened
        with pytest.raises(DatasetError, match="cannot be read"):
            run_trial(tiny(photos), tmp_path / "runs", quiet=True)
        assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "mask",
    [
        {"size": [20, 30], "counts": "abc"},
        {"size": [20, 20], "counts": [0, 400]},
        {"size": [20, 30], "counts": 5},
        {"size": [20, 30], "counts": [-5]},
        {"size": [20, 30], "counts": ["a"]},
    ],
)
def test_a_mask_that_cannot_be_used_is_named_before_anything_is_trained(mask: dict[str, Any], tmp_path: Path) -> None:
    things = [annotation(i, 1, [rectangle(2, 3, 9, 9)]) for i in (1, 2, 3)] + [annotation(3, 2, mask)]
    folder = write_coco(tmp_path / "broken", [record(i) for i in (1, 2, 3)], things)
    with pytest.raises(DatasetError, match=r"annotations.json: annotation 4 of image 3 .*\.$") as told:
        run_trial(tiny(folder), tmp_path / "runs", quiet=True)
    assert "\n" not in str(told.value) and not (tmp_path / "runs").exists()


def test_a_batch_of_one_small_photo_gets_one_sentence(street: Path, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"^A batch leaves batch normalisation a single value: raise batch_size"):
        run_trial(tiny(street, batch_size=1), tmp_path / "runs", quiet=True)
    assert not (tmp_path / "runs").exists()


def test_photos_that_processes_cannot_share_equally_are_refused(street: Path, tmp_path: Path) -> None:
    dataset, two = open_dataset(street), SimpleNamespace(process_index=0, num_processes=2)
    with pytest.raises(ProjectError, match=r"^2 processes cannot share a batch of all 7 .*: give batch_size 6 or"):
        loop.train(tiny(street, batch_size=8), dataset, split(dataset), tmp_path, two, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB\nmore", "The device has too little memory for a batch"),
        ("[enforce fail] DefaultCPUAllocator: can't allocate memory", "The machine has too little memory"),
        ("DataLoader worker (pid 7) is killed by signal: Killed.", "A process that reads photos was ended"),
    ],
)
def test_what_libraries_say_of_memory_is_said_in_one_sentence(words: str, said: str, street: Path) -> None:
    with pytest.raises(ProjectError, match=f"^{said}") as told, loop._told(1, tiny(street)):
        raise RuntimeError(words)
    assert "\n" not in str(told.value) and "4 photos of 32 x 32 pixels" in str(told.value)


# ------------------------------------------------------------------------------------ the command


def test_the_command_keeps_an_old_run_where_it_is_told_to(
    here: Path, photos: Path, ask: Callable[..., Run], capsys: pytest.CaptureFixture[str]
) -> None:
    blacken(photos)
    arguments = ["train", "--runs", str(here.parent), "--keep-old"]
    for name, value in tiny(photos).model_dump().items():
        arguments += [f"--{name}", "none" if value is None else str(value)]
    assert command.main(arguments) == 0
    assert capsys.readouterr().out.endswith(f"Finished: {here} (read back)\n")

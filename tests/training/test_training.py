"""A trial on twelve tiny photos: repeatable, resumable, found again, and clear about what it cannot do."""

import contextlib
import dataclasses
import functools
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from conftest import write_street
from safetensors.torch import load_file
from torch.nn import functional as F

from modanet_utils import __main__ as command
from modanet_utils import losses, project, trials
from modanet_utils.augment import Letterbox
from modanet_utils.classes import CLASSES, CLOTHING, HAIR, IGNORE, SKIN
from modanet_utils.datasets.coco import DatasetError, open_dataset
from modanet_utils.datasets.weights import image_pixels
from modanet_utils.metrics import confusion_counts
from modanet_utils.project import ProjectError
from modanet_utils.splits import split
from modanet_utils.training import loop, runs, start, weights
from modanet_utils.training import predict as scoring
from modanet_utils.training import samples as training_samples
from modanet_utils.training.loop import _record, _save, build_loss, training_target, without_unused
from modanet_utils.training.predict import class_logits, predict, winners
from modanet_utils.training.runs import Run, epochs_done, find_run, keep, read_run, run_folder
from modanet_utils.training.samples import EpochOrder, Samples, photo_and_truth
from modanet_utils.training.start import LaunchError, run_trial
from modanet_utils.trials import SettingError, TrialConfig, read_profile

Train = Callable[..., Run]


@pytest.fixture(autouse=True)
def nothing_kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs beside the project's report are out of sight, and Accelerate forgets what it was told."""
    runs.say.cache_clear()
    for module in (project, runs, start, weights):
        monkeypatch.setattr(module, "ROOT", tmp_path / "project")
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def main(arguments: list[str]) -> int:
    return command.main(["train", *arguments])


def tiny(street: Path, **values: Any) -> TrialConfig:
    shared: dict[str, Any] = {"image_height": 64, "image_width": 32, "encoder_weights": None, "batch_size": 2}
    return TrialConfig(data_root=str(street), **{**shared, "epochs": 3, **values})


@pytest.fixture(scope="module")
def reference(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny trial, trained without a break."""
    return run_trial(tiny(street), tmp_path_factory.mktemp("reference"), quiet=True)


@pytest.fixture
def train(street: Path, tmp_path: Path) -> Train:
    """Trains the tiny trial, changed by keyword, into a folder of this test."""
    return lambda **values: run_trial(tiny(street, **values), tmp_path / "runs", quiet=True)


def without_seconds(run: Run) -> list[dict[str, Any]]:
    return [{key: value for key, value in one.items() if key != "seconds"} for one in run.history]


def assert_same_result(run: Run, other: Run) -> None:
    assert without_seconds(run) == without_seconds(other)
    assert run.ids == other.ids and run.summary == other.summary
    np.testing.assert_array_equal(run.counts, other.counts)
    weights, others = (load_file(one.folder / "weights.safetensors") for one in (run, other))
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert run.provenance["best_epoch"] == other.provenance["best_epoch"]


@contextlib.contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_sentence(text: str) -> str:
    assert text.strip() and "\n" not in text.strip() and "Traceback" not in text
    return text


class Interrupt(KeyboardInterrupt):
    pass


# ------------------------------------------------------------------------------- from another's network


def test_a_training_starts_from_another_runs_network(
    street: Path, reference: Run, tmp_path: Path, train: Train
) -> None:
    by_folder = train(start_from=str(reference.folder), epochs=1, learning_rate=1e-9, image_height=96)
    anew = train(epochs=1)
    weights, started, other = (load_file(run.folder / "weights.safetensors") for run in (reference, by_folder, anew))
    learned = [name for name in weights if name.endswith(".weight")]
    assert all(torch.allclose(weights[name], started[name], atol=1e-3) for name in learned)
    assert not all(torch.allclose(weights[name], other[name], atol=1e-3) for name in learned)
    keep(reference, tmp_path / "runs" / "kept")
    by_hash = train(start_from=reference.config.hash, epochs=1, learning_rate=1e-9, image_height=96)
    assert by_hash.counts.tolist() == by_folder.counts.tolist()
    assert by_hash.provenance["identity"]["start"] == by_folder.provenance["identity"]["start"]


def test_what_cannot_be_started_from_is_said_before_the_first_epoch(
    train: Train, reference: Run, tmp_path: Path
) -> None:
    with pytest.raises(ProjectError, match="^Run 'combine' is unknown: "):
        train(start_from="combine")
    keep(reference, tmp_path / "bare", weights=False)
    with pytest.raises(ProjectError, match="bare was kept without weights: name another, or train it again.$"):
        train(start_from=str(tmp_path / "bare"))
    with pytest.raises(ProjectError, match=r"of another network \(encoder, attention or number of outputs\)"):
        train(start_from=str(reference.folder), outputs=16)


# ------------------------------------------------------------------------------------- repeatable


def test_the_same_configuration_gives_the_same_run(reference: Run, train: Train) -> None:
    again = train()
    assert again.source == "trained" and again.folder != reference.folder
    assert_same_result(again, reference)
    assert again.folder.name == reference.folder.name
    assert re.fullmatch(f"{again.config.hash}-[0-9a-f]{{8}}", again.folder.name)


def test_workers_change_nothing(reference: Run, train: Train) -> None:
    run = train(workers=2)
    assert run.folder.name == reference.folder.name
    assert_same_result(run, reference)


def test_another_seed_gives_another_run(reference: Run, train: Train) -> None:
    run = train(seed=1, epochs=1)
    assert run.ids == reference.ids
    assert run.history[0]["loss"] != reference.history[0]["loss"]


def test_every_epoch_takes_the_training_photos_in_an_order_of_its_own(
    train: Train, street: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[bool, list[tuple[int, int]]] = {True: [], False: []}

    def recorded(self: Samples, key: tuple[int, int], get: Callable = Samples.__getitem__) -> Any:
        asked[self.transform is not None].append(key)
        return get(self, key)

    monkeypatch.setattr(Samples, "__getitem__", recorded)
    train(batch_size=3)
    photos = len(split(open_dataset(street))["train"])
    assert photos == 7
    orders = [[index for epoch, index in asked[True] if epoch == number] for number in (1, 2, 3)]
    assert sum(map(len, orders)) == len(asked[True])
    assert all(len(order) == len(set(order)) == 6 for order in orders)  # two whole batches
    assert len({tuple(order) for order in orders}) == 3
    assert asked[False] == [(0, index) for _ in range(3) for index in range(3)]


# --------------------------------------------------------------------------------------- resumed


def raising(original: Callable, when: Callable[..., bool]) -> Callable:
    """The function, interrupted at the call of which ``when`` says so, before it does anything."""

    @functools.wraps(original)
    def interrupted(*arguments: Any, **more: Any) -> Any:
        if when(*arguments):
            raise Interrupt
        return original(*arguments, **more)

    return interrupted


def nth(number: int) -> Callable[..., bool]:
    calls: list[int] = []
    return lambda *_: calls.append(1) or len(calls) == number


# What is interrupted, at which call, and which state a resumed run finds.
MOMENTS: dict[str, tuple[Any, str, Callable[[], Callable[..., bool]], str | None]] = {
    "first epoch": (loop, "training_target", lambda: nth(2), None),
    "middle of an epoch": (loop, "training_target", lambda: nth(5), "state-0001"),
    "validation": (loop, "_validation_counts", lambda: nth(3), "state-0002"),
    "before the state has its name": (Path, "rename", lambda: lambda _, to: to.name == "state-0002", "state-0001"),
    "before the best weights are copied": (
        shutil,
        "copyfile",
        lambda: lambda source, _: source.parent.name == "state-0002",
        "state-0002",
    ),
    "before the older state is removed": (
        shutil,
        "rmtree",
        lambda: lambda path, *_: path.name == "state-0001",
        "state-0002",
    ),
    "scoring": (scoring, "predict", lambda: nth(2), "state-0003"),
    "before another file": (start, "write_json", lambda: lambda path, _: path.name == "history.json", "state-0003"),
    "before the last file": (start, "write_json", lambda: lambda path, _: path.name == "scores.json", "state-0003"),
}


@pytest.mark.reliability("interrupted trainings")
@pytest.mark.parametrize(("owner", "name", "when", "state"), MOMENTS.values(), ids=MOMENTS)
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    owner: Any, name: str, when: Callable, state: str | None, reference: Run, train: Train, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, raising(getattr(owner, name), when()))
        with pytest.raises(Interrupt):
            train()
    folder = tmp_path / "runs" / reference.folder.name
    assert not (folder / "scores.json").exists()
    assert max((path.name for path in folder.glob("state-*")), default=None) == state
    dataset = open_dataset(reference.config.data_root)
    assert find_run(reference.config, dataset, tmp_path / "runs") is None
    assert epochs_done(reference.config, dataset, tmp_path / "runs") == int((state or "0")[-1])
    run = train()
    assert run.source == ("resumed" if state else "trained")
    assert_same_result(run, reference)
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in reference.folder.iterdir())


def test_the_average_over_steps_is_what_is_kept_and_goes_on_after_an_interruption(
    street: Path, reference: Run, train: Train, tmp_path: Path
) -> None:
    averaged = train(averaged=0.99)
    config = tiny(street, averaged=0.99)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "training_target", raising(training_target, nth(8)))
        with pytest.raises(Interrupt):
            run_trial(config, tmp_path / "again", quiet=True)
    again = run_trial(config, tmp_path / "again", quiet=True)
    assert again.source == "resumed"
    assert_same_result(again, averaged)
    last = train(averaged=1e-9)  # nothing but the last step's
    one, two, three = (load_file(run.folder / "weights.safetensors") for run in (reference, averaged, last))
    learned = [name for name in one if name.endswith("weight")]
    assert all(torch.allclose(one[name], three[name], atol=1e-3) for name in learned)
    assert not all(torch.allclose(one[name], two[name], atol=1e-3) for name in learned)


def test_the_interruptions_are_before_and_after_the_best_epoch(reference: Run) -> None:
    """Otherwise a lost copy of the best weights would not be noticed."""
    assert reference.provenance["best_epoch"] == 2


def test_a_run_that_was_interrupted_again_and_again(reference: Run, train: Train) -> None:
    for step in (4, 4, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "training_target", raising(training_target, nth(step)))
            with pytest.raises(Interrupt):
                train()
    assert_same_result(train(), reference)


# ---------------------------------------------------------------------------------- finished, found


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it trained")

    monkeypatch.setattr(start, "train", refuse)


def test_a_run_folder_holds_what_the_report_needs_and_nothing_else(reference: Run) -> None:
    names = ["config.json", "counts.npz", "history.json", "provenance.json", "scores.json", "weights.safetensors"]
    assert sorted(path.name for path in reference.folder.iterdir()) == names
    stored = {name: json.loads((reference.folder / name).read_text()) for name in names if name.endswith("json")}
    assert "data_root" not in stored["config.json"]
    assert TrialConfig(**stored["config.json"]).hash == reference.config.hash
    assert stored["history.json"] == reference.history and stored["scores.json"] == reference.summary
    assert stored["provenance.json"]["processes"] == 1


@pytest.mark.usefixtures("no_training")
def test_a_finished_run_is_read_back(reference: Run, street: Path) -> None:
    run = run_trial(tiny(street), reference.folder.parent, quiet=True)
    assert run.source == f"read from {project.shown(reference.folder)}"
    assert_same_result(run, reference)
    assert run.history == reference.history and run.provenance == reference.provenance


@pytest.mark.usefixtures("no_training")
def test_a_run_beside_a_report_is_found_wherever_the_data_are(
    reference: Run, street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(reference, project.ROOT / "reports" / "ccp" / "runs" / "baseline")
    moved = shutil.copytree(street, tmp_path / "moved")
    run = run_trial(tiny(moved, workers=1), tmp_path / "runs")
    assert run.source == "read from reports/ccp/runs/baseline"
    assert capsys.readouterr().out == "Read from reports/ccp/runs/baseline: loss cross_entropy, 3 epochs.\n"
    assert_same_result(run, reference)
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("change", ["data", "configuration", "unfinished", "another version's", "damaged"])
def test_a_run_that_does_not_fit_is_not_taken(change: str, reference: Run, street: Path, tmp_path: Path) -> None:
    kept = project.ROOT / "reports" / "ccp" / "runs" / "baseline"
    keep(reference, kept)
    root, values = street, {}
    if change == "data":
        root = write_street(tmp_path / "other", seed=1)
    elif change == "configuration":
        values["gamma"] = 3.0
    elif change == "unfinished":
        (kept / "scores.json").unlink()
    elif change == "damaged":
        (kept / "config.json").write_text("{")
    else:
        stored = json.loads((kept / "config.json").read_text())
        (kept / "config.json").write_text(json.dumps(stored | {"warm_up": 0.1}))
    with pytest.raises(AssertionError, match="it trained"):
        run_trial(tiny(root, **values), tmp_path / "runs", quiet=True)


def test_keep_copies_and_replaces(reference: Run, tmp_path: Path) -> None:
    kept = tmp_path / "reports" / "run"
    kept.mkdir(parents=True)
    (kept / "older.json").write_text("{}")
    keep(reference, kept)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        path.name: path.read_bytes() for path in reference.folder.iterdir()
    }
    keep(reference, kept, weights=False)
    names = {path.name for path in reference.folder.iterdir()}
    assert {path.name for path in kept.iterdir()} == names - {"weights.safetensors"}
    bare = dataclasses.replace(reference, folder=kept)
    with pytest.raises(FileNotFoundError, match="was kept without weights: train it again."):
        bare.network()
    keep(bare, kept)
    assert len(list(kept.iterdir())) == 5


# ----------------------------------------------------------------------------------- configuration


def test_the_hash_depends_on_all_that_changes_a_result_and_on_nothing_else() -> None:
    other: dict[str, Any] = {
        "image_height": 96, "image_width": 96, "encoder": "resnet18", "encoder_weights": None, "attention": None,
        "outputs": 16, "loss": "dice", "class_weights": "inverse", "gamma": 1.0, "dice": 2.0, "focal": 2.0,
        "lovasz": 0.0, "epochs": 2, "batch_size": 4, "learning_rate": 0.01, "weight_decay": 0.1,
        "lovasz_bins": None, "augmentation": False, "seed": 1, "split_seed": 1, "mixed_precision": "bf16",
        "repeat_threshold": 0.1, "pseudo_labels": "tagged", "start_from": "0123456789ab",
        "pasted": 0.5, "absent": 0.1, "averaged": 0.9,
    }  # fmt: skip
    free: dict[str, Any] = {"data_root": "elsewhere", "workers": 3, "processes": 2}
    assert {*other, *free} == {*TrialConfig.model_fields}
    base = TrialConfig()
    hashes = {base.hash, *(base.but(**{name: value}).hash for name, value in other.items())}
    assert len(hashes) == 1 + len(other)
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in hashes)
    assert {base.but(**{name: value}).hash for name, value in free.items()} == {base.hash}


REFUSED = {
    "parameter": ({"epoch": 3}, "Parameter 'epoch' is unknown: did you mean 'epochs'?"),
    "loss": ({"loss": "focl"}, "loss is 'focl': did you mean 'focal'?"),
    "class_weights": ({"class_weights": "inverse_root"}, "did you mean 'inverse_sqrt'?"),
    "mixed_precision": ({"mixed_precision": "fp8"}, "mixed_precision is 'fp8': give "),
    "size": ({"image_height": 100}, "image_height is 100: give a multiple of 32"),
    "width": ({"image_width": 0}, "image_width is 0: give a multiple of 32"),
    "epochs": ({"epochs": 0}, "epochs is 0: give a whole number above 0."),
    "learning_rate": ({"learning_rate": math.nan}, "learning_rate is nan: give a finite number above 0"),
    "lovasz_bins": ({"lovasz_bins": 0}, "lovasz_bins is 0: give a whole number above 0, or None for the exact term."),
    "gamma": ({"gamma": -1.0}, "gamma is -1.0: give a finite number, 0 or more."),
    "workers": ({"workers": -1}, "workers is -1: give a whole number, 0 or more."),
    "processes": ({"processes": 3}, "batch_size 8 cannot be shared by 3 processes equally."),
}


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_gets_one_sentence(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)) as error:
        TrialConfig(**values)
    one_sentence(str(error.value))


LATE = {
    "encoder": ({"encoder": "tu-tf_eficientnet_lite0"}, "did you mean 'tu-tf_efficientnet_lite0'?"),
    "attention": ({"attention": "se"}, "attention is 'se': .*scse"),
    "outputs": ({"outputs": 15}, "outputs is 15: give .*14"),
    "divergence": (
        {"learning_rate": 1e12},
        r"Training diverged in epoch \d \(logits must be finite; got NaN or infinite values\): lower learning_rate",
    ),
}


@pytest.mark.parametrize(("values", "message"), LATE.values(), ids=LATE)
def test_what_only_training_notices_gets_one_sentence_and_leaves_no_finished_run(
    values: dict[str, Any], message: str, train: Train, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        train(**values)
    one_sentence(str(error.value))
    assert not list(tmp_path.rglob("scores.json"))
    assert (tmp_path / "runs").exists() == bool(list(tmp_path.rglob("state-*")))


def test_a_loss_that_is_not_finite_gets_one_sentence(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    class Overflow(torch.nn.Module):
        last_terms: dict[str, Any] = {}

        def forward(self, logits: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            return logits.sum() * math.inf

    monkeypatch.setattr(loop, "build_loss", lambda *_: Overflow())
    with pytest.raises(ValueError, match=r"^Training diverged in epoch 1 \(.*(inf|nan).*\): lower learning_rate"):
        train()


@pytest.mark.parametrize("loss", get_args(trials.Loss))
@pytest.mark.parametrize("outputs", [14, 16])
def test_every_loss_is_built_with_a_weight_an_output(loss: str, outputs: int) -> None:
    config = TrialConfig(loss=loss, outputs=outputs, class_weights="inverse")
    criterion = build_loss(config, np.arange(1.0, 15))
    weights = None if criterion.weights is None else criterion.weights.tolist()
    assert weights == (None if loss == "lovasz" else [*range(1, 15), 1, 1][:outputs])
    assert build_loss(TrialConfig(loss=loss), np.arange(1.0, 15)).weights is None


def test_a_term_without_coefficient_is_left_out() -> None:
    criterion = build_loss(TrialConfig(loss="combined", dice=0.5, focal=2.0, lovasz=0.0, gamma=1.5), np.ones(14))
    assert criterion.coefficients == {"dice": 0.5, "focal": 2.0} and criterion.gamma == 1.5


@pytest.mark.parametrize("loss", ["lovasz", "combined"])
def test_the_lovasz_term_is_exact_on_request(loss: str) -> None:
    for bins in (None, 16, losses.LOVASZ_BINS):
        assert build_loss(TrialConfig(loss=loss, lovasz_bins=bins), np.ones(14)).bins == bins
    assert TrialConfig(loss=loss).lovasz_bins == losses.LOVASZ_BINS


# ------------------------------------------------------------------------------- what a run records


def test_the_test_part_is_scored_at_its_own_resolution(reference: Run, street: Path) -> None:
    dataset = open_dataset(street)
    net, letterbox = reference.network(), Letterbox(64, 32)
    assert reference.ids == split(dataset)["test"]
    for image_id, counts in zip(reference.ids, reference.counts, strict=True):
        truth, photo = dataset.label_map(image_id), dataset.image(image_id)
        assert truth.shape == photo.shape[:2] != (64, 32)
        np.testing.assert_array_equal(confusion_counts(truth, predict(net, photo, letterbox)), counts)


def test_kept_weights_are_half_precision_and_give_the_reported_counts(
    reference: Run, tmp_path: Path, street: Path
) -> None:
    keep(reference, tmp_path / "kept")
    weights = load_file(tmp_path / "kept" / "weights.safetensors")
    assert {t.dtype for t in weights.values()} == {torch.float16, torch.int64}
    kept = read_run(tmp_path / "kept", reference.config, "kept")
    counts = scoring.test_counts(kept.network(), open_dataset(street), kept.ids, kept.config)
    np.testing.assert_array_equal(counts, reference.counts)
    assert counts.dtype == np.int64 and counts.shape == (2, 16, 14)
    dataset = open_dataset(street)
    assert counts.sum() == sum(dataset.label_map(i).size for i in kept.ids)


def test_the_curves_are_the_historys(reference: Run) -> None:
    curves = reference.curves()
    assert curves.index.tolist() == [1, 2, 3] and list(curves.columns) == [*CLOTHING, "mean"]
    assert curves["mean"].tolist() == [one["val_mean_iou"] for one in reference.history]
    assert curves.loc[2, "top"] == reference.history[1]["val_iou"]["top"]
    assert curves["sunglasses"].isna().all() == all(one["val_iou"]["sunglasses"] is None for one in reference.history)


def test_of_equally_good_epochs_the_first_is_kept(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    means, saved = iter([0.1, 0.3, 0.3, 0.2]), {}
    record, save = _record, _save
    monkeypatch.setattr(loop, "_record", lambda *a: record(*a) | {"val_mean_iou": next(means)})

    def snapshot(accelerator: Any, net: torch.nn.Module, history: list, folder: Path) -> None:
        saved[len(history)] = {name: t.clone() for name, t in accelerator.unwrap_model(net).state_dict().items()}
        save(accelerator, net, history, folder)

    monkeypatch.setattr(loop, "_save", snapshot)
    run = train(epochs=4)
    assert run.provenance["best_epoch"] == 2
    weights = load_file(run.folder / "weights.safetensors")
    name = "unet.segmentation_head.0.weight"
    assert torch.equal(weights[name], saved[2][name].half())
    assert not torch.equal(weights[name], saved[3][name].half())


def test_training_lowers_the_loss_and_learns_the_photos(train: Train) -> None:
    run = train(encoder_weights="packaged", epochs=8, learning_rate=5e-3)
    losses = [one["loss"] for one in run.history]
    assert losses[-1] < 0.5 * losses[0]
    assert run.history[-1]["learning_rate"] < 5e-5 < 2e-3 < max(one["learning_rate"] for one in run.history) <= 5e-3
    assert run.summary["mean_iou"] > 0.1


def test_the_combined_loss_records_its_terms(train: Train) -> None:
    (one,) = train(loss="combined", dice=0.5, focal=2.0, lovasz=1.5, class_weights="inverse_sqrt", epochs=1).history
    assert one["loss"] == pytest.approx(0.5 * one["dice"] + 2 * one["focal"] + 1.5 * one["lovasz"], rel=1e-5)  # float32


def test_other_precision_may_follow_in_the_same_process(train: Train) -> None:
    assert train(epochs=1).source == train(epochs=1, mixed_precision="bf16", outputs=16).source == "trained"


def test_samples_are_letterboxed_and_only_training_photos_are_augmented(street: Path) -> None:
    dataset, config = open_dataset(street), tiny(street)
    plain = Samples(dataset, [3, 5], config, train=False)
    letterbox = Letterbox(64, 32)
    for _ in range(2):  # read, then remembered
        photo, truth = plain[0, 1]
        assert (photo.shape, photo.dtype, truth.shape, truth.dtype) == ((3, 64, 32), torch.uint8, (64, 32), torch.uint8)
        np.testing.assert_array_equal(photo.numpy().transpose(1, 2, 0), letterbox.image(dataset.image(5)))
        np.testing.assert_array_equal(truth.numpy(), letterbox.label_map(dataset.label_map(5)))
    varied = Samples(dataset, [3, 5], config, train=True)
    first, second, again = varied[1, 1][0], varied[2, 1][0], varied[1, 1][0]
    assert torch.equal(first, again) and not torch.equal(first, second)
    fixed = Samples(dataset, [3, 5], config.but(augmentation=False), train=True)
    assert torch.equal(fixed[1, 1][0], photo) and torch.equal(fixed[2, 1][0], photo)


def test_no_more_samples_are_remembered_than_there_is_room_for(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_samples, "CACHE_BYTES", 4 * 64 * 32 * 5)
    dataset = open_dataset(street)
    alone = Samples(dataset, dataset.ids, tiny(street), train=False)
    shared = Samples(dataset, dataset.ids, tiny(street, workers=2), train=False)
    for index in range(12):
        assert torch.equal(alone[0, index][1], shared[0, index][1])
    assert len(alone.kept) == 5 and len(shared.kept) == 2


# ------------------------------------------------------------------------------------ small functions


def test_the_training_target_keeps_ignored_pixels_and_its_input() -> None:
    truth = torch.tensor([[[0, 9, HAIR, SKIN, IGNORE]]], dtype=torch.uint8)
    before = truth.clone()
    for outputs, expected in ((14, [0, 9, 0, 0, 255]), (16, [0, 9, 14, 15, 255])):
        target = training_target(truth, outputs)
        assert target.dtype == torch.int64 and target.tolist() == [[expected]]
        assert torch.equal(truth, before)
    wide = truth.long()
    training_target(wide, 14).fill_(3)
    assert torch.equal(wide, before.long())


def test_hair_and_skin_outputs_are_summed_into_background() -> None:
    logits = 5 * torch.randn(2, 16, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = logits.clone()
    p = logits.softmax(1)
    expected = torch.cat([p[:, :1] + p[:, HAIR : HAIR + 1] + p[:, SKIN : SKIN + 1], p[:, 1:14]], 1)
    found = class_logits(logits)
    assert found.dtype == torch.float32 and found.shape == (2, 14, 4, 3)
    torch.testing.assert_close(found.softmax(1), expected.float(), rtol=1e-5, atol=1e-7)
    assert torch.equal(logits, before)
    # Background loses each single comparison here and wins by its sum.
    together = torch.full((1, 16, 1, 1), -9.0)
    together[0, [0, 9, HAIR, SKIN]] = torch.tensor([1.0, 1.5, 1.2, 1.0]).view(4, 1, 1)
    assert class_logits(together).argmax(1).item() == 0


def test_the_winner_is_the_argmax_and_of_equals_the_first() -> None:
    logits = torch.randint(0, 4, (14, 50, 40), generator=torch.Generator().manual_seed(0)).float()
    expected = torch.from_numpy(logits.numpy().argmax(0))
    assert torch.equal(winners(logits), expected)
    assert not winners(torch.zeros(14, 3, 3)).any()


def test_fourteen_outputs_pass_as_they_are() -> None:
    logits = torch.randn(1, 14, 2, 2)
    assert torch.equal(class_logits(logits), logits)
    assert class_logits(logits.half()).dtype == torch.float32


@pytest.mark.parametrize("size", [(40, 28), (28, 40), (130, 90), (1, 50)])
def test_padding_is_cut_off_before_a_prediction_is_resized(size: tuple[int, int]) -> None:
    """A network that answers with its input: bright pixels are class 1, dark ones class 0."""

    class Echo(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, photos: torch.Tensor) -> torch.Tensor:
            bright = F.one_hot((photos[:, 0] > 200).long(), len(CLASSES)).permute(0, 3, 1, 2)
            return bright.float()

    photo = np.full((*size, 3), 255, np.uint8)
    prediction = predict(Echo(), photo, Letterbox(64, 32))
    assert prediction.shape == size and prediction.dtype == np.uint8
    assert (prediction == 1).all()  # padding would be class 0
    photo[:, size[1] // 2 :] = 0
    prediction = predict(Echo(), photo, Letterbox(64, 64))
    assert (prediction[:, : size[1] // 2 - 2] == 1).all() and (prediction[:, size[1] // 2 + 2 :] == 0).all()


# ----------------------------------------------------------------------------------------- command

BAD_ARGUMENTS = {
    "no such data": (["--data_root", "{tmp}/nowhere"], "Data root {tmp}/nowhere does not exist: give the folder"),
    "no dataset": (["--data_root", "{tmp}"], "Data root {tmp} holds no annotations.json"),
    "unknown loss": (["--loss", "focl"], "loss is 'focl': did you mean 'focal'?"),
    "unknown scheme": (["--class_weights", "inverted"], "did you mean 'inverse'?"),
    "words for a whole number": (["--epochs", "abc"], "epochs is 'abc': give a whole number above 0."),
    "a fraction for a whole number": (["--epochs", "2.5"], "epochs is 2.5: give a whole number above 0."),
    "words for a number": (["--learning_rate", "fast"], "learning_rate is 'fast': give a finite number above 0"),
    "words for yes or no": (["--augmentation", "maybe"], "augmentation is 'maybe': give true or false."),
    "below range": (["--epochs", "-1"], "epochs is -1: give a whole number above 0."),
    "unknown option": (["--epoch", "3"], "Option '--epoch' of modanet train is unknown: did you mean '--epochs'?"),
    "unknown option with =": (
        ["--batchsize=3"],
        "Option '--batchsize' of modanet train is unknown: did you mean '--batch_size'?",
    ),
    "unknown encoder": (["--encoder", "resnet19", "--encoder_weights", "none"], "did you mean 'resnet1"),
    "unknown weights": (["--encoder", "resnet18", "--encoder_weights", "imagenett"], "did you mean 'imagenet'?"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_get_one_sentence_and_leave_nothing(
    arguments: list[str], message: str, street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [one.format(tmp=tmp_path) for one in arguments]
    code = main(["--runs", str(tmp_path / "runs"), "--data_root", str(street), *arguments])
    said = capsys.readouterr()
    assert code == 2 and said.out == ""
    assert message.format(tmp=tmp_path) in one_sentence(said.err)
    assert list(tmp_path.iterdir()) == []


def test_an_option_without_a_value_says_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--runs", str(tmp_path / "runs"), "--epochs"]) == 2
    assert "argument --epochs: expected one argument" in one_sentence(capsys.readouterr().err)


@pytest.mark.parametrize("profile", ["ccp", "modanet"])
def test_a_profile_gives_the_trial_of_its_notebooks(
    profile: str, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[TrialConfig] = []
    monkeypatch.setattr(start, "_execute", lambda config, *_, **__: asked.append(config))
    arguments = ["--runs", str(tmp_path), "--data_root", str(street), "--profile", profile, "--loss", "combined"]
    assert main([*arguments, "--class_weights", "inverse_sqrt"]) == 0
    planned = trials.plan(street, **read_profile(profile).settings)
    assert asked[0] == next(one.config for one in planned if one.name == "combined")
    assert main([*arguments, "--encoder", "resnet18"]) == 0 and asked[1].encoder_weights == "imagenet"
    assert main([*arguments[:4], "--profile", "modanett"]) == 2
    assert "did you mean 'modanet'?" in one_sentence(capsys.readouterr().err)


def test_a_profile_that_names_a_loss_gives_it_unless_the_command_names_another(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trials.ROOT / "profiles", tmp_path / "profiles")
    monkeypatch.setattr(trials, "ROOT", tmp_path)
    with (tmp_path / "profiles" / "ccp.yaml").open("a") as profile:
        profile.write("loss: focal\ngamma: 3\n")
    asked: list[TrialConfig] = []
    monkeypatch.setattr(start, "_execute", lambda config, *_, **__: asked.append(config))
    arguments = ["--runs", str(tmp_path / "runs"), "--data_root", str(street), "--profile", "ccp"]
    for more in ([], ["--class_weights", "belt=5"], ["--loss", "combined"]):
        assert main([*arguments, *more]) == 0
    own = {"loss": "focal", "gamma": 3.0}
    planned = trials.plan(street, own=own, **read_profile("ccp").settings)
    assert asked[0] == planned[0].config, "the one that its notebook 03 trains"
    assert asked[1] == asked[0].but(class_weights={"belt": 5.0})
    assert asked[2] == next(one.config for one in planned if one.name == "combined_unweighted")


@pytest.mark.parametrize("more", [["--gamma", "5"], ["--loss", "lovasz", "--class_weights", "inverse"]], ids=str)
def test_a_setting_that_the_loss_does_not_take_is_refused(
    more: list[str], street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--runs", str(tmp_path / "runs"), "--data_root", str(street), *more]) == 2
    assert "but loss is" in one_sentence(capsys.readouterr().err) and not (tmp_path / "runs").exists()


def test_a_score_without_an_interval_is_said_without(
    reference: Run, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(reference, folder := tmp_path / "run")
    scores = json.loads((folder / "scores.json").read_text()) | {"mean_iou": 0.25, "mean_iou_interval": None}
    (folder / "scores.json").write_text(json.dumps(scores))
    monkeypatch.setattr(start, "_finished", lambda *_: (folder, "trained"))
    assert main(["--runs", str(tmp_path / "runs"), "--data_root", str(street)]) == 0
    assert ": mean IoU 0.250 on the test part" in capsys.readouterr().out


def test_the_command_finds_a_run_that_is_kept_beside_a_report(
    reference: Run, street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(reference, tmp_path / "project" / "reports" / "x" / "runs" / "mine")
    monkeypatch.setattr(start, "_execute", None)  # nothing is trained
    arguments = ["--runs", str(tmp_path / "runs"), "--data_root", str(street)]
    changed = {"image_height": 64, "image_width": 32, "encoder_weights": "none", "batch_size": 2, "epochs": 3}
    assert main([*arguments, *(f"--{name}={value}" for name, value in changed.items())]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "Finished: reports/x/runs/mine (read back)" and len(said) == 2


def test_the_command_fails_as_a_command_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modanet_utils.training", "--data_root", str(tmp_path / "nowhere")]
    done = subprocess.run([*command, "--runs", str(tmp_path / "runs")], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("Data root") and one_sentence(done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_the_command_trains_what_run_trial_then_reads(
    reference: Run, street: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--runs", str(tmp_path / "runs")]
    for name, value in tiny(street).model_dump().items():
        arguments += [f"--{name}", "none" if value is None else str(value)]
    assert main(arguments) == 0
    folder = tmp_path / "runs" / reference.folder.name
    loss, finished = capsys.readouterr().out.splitlines()[-2:]
    assert finished == f"Finished: {folder} (trained)"
    assert (
        loss.startswith("Loss: cross_entropy, class_weights none: mean IoU ") and "] on the test part; `modanet" in loss
    )
    assert loss.endswith(f"`modanet predict PHOTO --run {folder}` uses it")
    monkeypatch.setattr(start, "_execute", None)
    run = run_trial(tiny(street), tmp_path / "runs", quiet=True)
    assert run.source == f"read from {project.shown(folder)}"
    assert_same_result(run, reference)
    assert main(arguments) == 0  # finished: nothing is done again


# ------------------------------------------------------------------------------------------- the step


@pytest.mark.parametrize("loss", ["cross_entropy", "combined"])
def test_no_step_of_a_training_reads_a_number(loss: str, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a training reads of its tensors does not grow with its steps: reading one makes a GPU wait."""
    read: list[str] = []

    def recorded(method: Callable) -> Callable:
        def call(tensor: torch.Tensor, *more: Any) -> Any:
            caller = sys._getframe(1)
            if caller.f_globals["__name__"].startswith(("modanet_utils.training", "modanet_utils.losses")):
                read.append(f"{method.__name__} in {caller.f_code.co_name}")
            return method(tensor, *more)

        return call

    for name in ("item", "tolist", "__float__", "__int__", "__index__"):
        monkeypatch.setattr(torch.Tensor, name, recorded(getattr(torch.Tensor, name)))
    numbers = []
    for batch_size, steps in ((3, 2), (1, 7)):
        read.clear()
        monkeypatch.setattr(loop, "_validation_counts", lambda *_: np.ones((16, 14), np.int64))
        run = train(batch_size=batch_size, epochs=1, loss=loss)
        assert len(run.history) == 1 and 7 // batch_size == steps
        numbers.append(len(read))
    assert numbers[0] == numbers[1] > 0, read


def test_what_has_no_part_in_the_output_does_not_learn() -> None:
    """SMP's attention for a skip that is not there; and asking draws no random number."""
    net = loop.model.build(weights=None)
    before = torch.get_rng_state()
    assert without_unused(net) is net
    assert torch.equal(torch.get_rng_state(), before)
    still = {name for name, parameter in net.named_parameters() if not parameter.requires_grad}
    assert still and all(name.startswith("unet.decoder.blocks.4.attention1.") for name in still)
    net(torch.zeros((2, 3, 64, 64), dtype=torch.uint8)).sum().backward()
    assert {name for name, parameter in net.named_parameters() if parameter.grad is None} == still


def test_divergence_that_a_gpu_tells_late_is_told_in_one_sentence(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr(torch.optim.AdamW, "step", fail)
    message = "CUDA error: device-side assert triggered\nCUDA kernel errors might be reported later"
    with pytest.raises(
        ValueError, match=r"^Training diverged in epoch 1 \(the GPU .*; restart the kernel\): lower"
    ) as told:
        train()
    assert one_sentence(str(told.value))
    message = "something else"
    with pytest.raises(RuntimeError, match="^something else$"):
        train()


# --------------------------------------------------------------------------------------- processes


@pytest.fixture(scope="module")
def shared(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Run]:
    """A trial of batches of four by the number of processes, each trained once: a process takes long to start."""
    place = tmp_path_factory.mktemp("shared")

    def trained(processes: int) -> Run:
        config = tiny(street, batch_size=4, loss="combined", processes=processes)
        return run_trial(config, place / str(processes), quiet=True)

    return trained


def test_two_processes_share_the_work_of_one(street: Path, shared: Callable[[int], Run]) -> None:
    """Batch normalisation, and the sums of the loss, see each process's half of a batch: close and not equal."""
    one, two = (shared(processes) for processes in (1, 2))
    assert (one.provenance["processes"], two.provenance["processes"]) == (1, 2)
    assert two.folder.name == one.folder.name and two.ids == one.ids
    assert sorted(path.name for path in two.folder.iterdir()) == sorted(path.name for path in one.folder.iterdir())
    np.testing.assert_array_equal(two.counts.sum(2), one.counts.sum(2))
    assert [r["learning_rate"] for r in two.history] == [r["learning_rate"] for r in one.history]
    with threads(1):  # as each of the processes has: with two, a tie may be broken the other way
        alone = scoring.test_counts(two.network(), open_dataset(street), two.ids, two.config)
    np.testing.assert_array_equal(alone, two.counts)
    differences = [abs(a["loss"] - b["loss"]) for a, b in zip(one.history, two.history, strict=True)]
    assert max(differences) < 0.05, differences


def test_two_processes_train_as_one_that_takes_their_halves_in_turn(street: Path, shared: Callable[[int], Run]) -> None:
    """Where normalisation and loss see the same halves of a batch, nothing is left but rounding."""
    two = shared(2)
    config, dataset, means = two.config, open_dataset(street), []
    loop.set_seed(config.seed)
    samples = Samples(dataset, split(dataset)["train"], config, train=True)
    net = loop.model.build(config.encoder, config.encoder_weights).train()
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.epochs * (len(samples) // 4), pct_start=0.1
    )
    criterion = build_loss(config, np.ones(len(CLASSES)))
    order = EpochOrder(len(samples), config.seed)
    for order.epoch in range(1, config.epochs + 1):
        keys, seen = list(order), []
        for first in range(0, len(samples) - 3, 4):
            for half in (keys[first : first + 2], keys[first + 2 : first + 4]):
                photos, truths = map(torch.stack, zip(*(samples[key] for key in half), strict=True))
                with threads(1):  # as each of the processes has
                    value = criterion(net(photos), training_target(truths, config.outputs))
                    (value / 2).backward()
                seen.append(value.item())
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        means.append(float(np.mean(seen)))
    np.testing.assert_allclose([record["loss"] for record in two.history], means, rtol=1e-6)


INTERRUPTED = """
import sys
from modanet_utils.__main__ import main
from modanet_utils.training import loop
save = loop._save
def saved(accelerator, net, history, folder):
    save(accelerator, net, history, folder)
    if len(history) == 2:
        sys.exit(3)
loop._save = saved
main(["train", *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def halted(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with a trial that two processes left after the second of three epochs."""
    place = tmp_path_factory.mktemp("halted")
    config = tiny(street, batch_size=4, loss="combined", processes=2)
    script = place / "interrupted.py"
    script.write_text(INTERRUPTED)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(script), "--runs", str(place / "runs")]
    for name, value in config.model_dump().items():
        command += [f"--{name}", "none" if value is None else str(value)]
    assert subprocess.run(command, capture_output=True).returncode
    return place / "runs"


@pytest.mark.parametrize("after", [1, 2])
def test_a_run_of_two_processes_goes_on_in_one_or_two(
    after: int, street: Path, halted: Path, shared: Callable[[int], Run], tmp_path: Path
) -> None:
    config = tiny(street, batch_size=4, loss="combined", processes=after)
    shutil.copytree(halted, tmp_path / "runs")
    folder = run_folder(config, open_dataset(street), tmp_path / "runs")
    assert [path.name for path in folder.glob("state-*")] == ["state-0002"]
    done = json.loads((folder / "state-0002" / "history.json").read_text())
    states = {name: torch.load(folder / "state-0002" / name) for name in ("optimizer.bin", "scheduler.bin")}
    run = run_trial(config, tmp_path / "runs", quiet=True)
    assert run.source == "resumed" and run.history[:2] == done and run.provenance["processes"] == after
    whole = shared(after)
    assert [one["learning_rate"] for one in run.history] == [one["learning_rate"] for one in whole.history]
    assert abs(run.history[2]["loss"] - whole.history[2]["loss"]) < (1e-4 if after == 2 else 0.05)
    assert states["optimizer.bin"]["state"] and states["scheduler.bin"]["last_epoch"] == 2


def test_the_command_starts_the_processes_that_it_is_asked_for(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[tuple[str, int]] = []
    monkeypatch.setattr(
        start, "launch", lambda config, runs, _: begun.append((f"launched into {runs}", config.processes))
    )
    monkeypatch.setattr(start, "_execute", lambda config, *_, **__: begun.append(("here", config.processes)))
    arguments = ["--data_root", str(street), "--runs", str(tmp_path / "runs")]
    assert main([*arguments, "--processes", "2"]) == 0
    assert main(arguments) == 0
    monkeypatch.setenv("WORLD_SIZE", "2")  # as torchrun does
    monkeypatch.setenv("RANK", "1")
    capsys.readouterr()
    assert main([*arguments, "--processes", "2"]) == 0
    assert capsys.readouterr().out == "", "the first process says that all have finished"
    assert begun == [(f"launched into {tmp_path / 'runs'}", 2), ("here", 1), ("here", 2)]

    def fail(*_: object) -> None:
        raise LaunchError("Training in 2 processes failed: The disk is full.")

    monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.setattr(start, "launch", fail)
    assert main([*arguments, "--processes", "2"]) == 2
    assert one_sentence(capsys.readouterr().err) == "Training in 2 processes failed: The disk is full.\n"


def test_the_limit_of_unreadable_photos_is_one_for_all_processes(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process validates its share of the photos; what it may miss is a share of all of them."""
    asked: list[tuple[Samples, list[tuple[int, int]]]] = []
    monkeypatch.setattr(training_samples, "loader", lambda one, _, order, **__: asked.append((one, list(order))))
    monkeypatch.setattr(loop, "image_pixels", raising(image_pixels, nth(1)))
    dataset, second = open_dataset(street), SimpleNamespace(process_index=1, num_processes=2)
    with pytest.raises(Interrupt):
        loop.train(tiny(street), dataset, split(dataset), tmp_path, second, True)
    validation, order = asked[1]
    assert order == [(0, 1)] and validation.ids == split(dataset)["val"] and len(validation) == 3
    monkeypatch.setattr(training_samples, "UNREAD_SHARE", 0.4)
    validation.unread[1] = True
    validation.check()  # one of three; of the process's own it is all
    validation.unread[0] = True
    with pytest.raises(DatasetError, match="At least 2 of 3 photos"):
        validation.check()


def test_more_processes_than_validation_photos_are_refused(street: Path, tmp_path: Path) -> None:
    dataset = open_dataset(street)
    four = SimpleNamespace(process_index=0, num_processes=4)
    with pytest.raises(ValueError, match=r"^4 processes cannot share 3 validation photos: start fewer\.$"):
        loop.train(tiny(street), dataset, split(dataset), tmp_path, four, True)


def test_a_failure_in_several_processes_says_what_a_process_said(
    street: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "\n".join(
        [
            "W1124 torch/distributed/run.py: a warning",
            "{}",
            "E1124 torch/distributed/elastic: failed (exitcode: 2)",
            "Traceback (most recent call last):",
            "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
            "=" * 60,
        ]
    )
    for line, reason in {
        "Error: The disk is full.": "The disk is full.",
        "[rank1]: torch.OutOfMemoryError: CUDA out of memory.": "CUDA out of memory.",
        "": "torchrun ended with 1.",
    }.items():
        failing = f"import sys; sys.stderr.write({said.format(line)!r}); sys.exit(1)"
        monkeypatch.setattr(start, "_torchrun", lambda *_, code=failing: [sys.executable, "-c", code])
        with pytest.raises(LaunchError) as error:
            run_trial(tiny(street, processes=2), tmp_path / "runs", quiet=True)
        assert str(error.value) == f"Training in 2 processes failed: {reason}"


def test_processes_that_cannot_join_are_refused(train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    with pytest.raises(ValueError, match="2 processes were started, but .* can join only one"):
        train()
    assert not (tmp_path / "runs").exists()


def test_a_training_of_ten_steps_has_a_schedule(train: Train) -> None:
    assert len(train(epochs=5, batch_size=3).history) == 5  # seven photos: two steps an epoch


def test_a_run_on_other_test_photos_is_not_taken_for_this_one(train: Train, street: Path, tmp_path: Path) -> None:
    """The same annotations with other photos at hand: the split is another."""
    run = train(epochs=1)
    with np.load(run.folder / "counts.npz") as arrays:
        ids, counts = arrays["ids"], arrays["counts"]
    np.savez(run.folder / "counts.npz", ids=ids + 1, counts=counts)
    assert find_run(run.config, open_dataset(street), tmp_path / "runs") is None
    np.savez(run.folder / "counts.npz", ids=ids, counts=counts)
    assert find_run(run.config, open_dataset(street), tmp_path / "runs") is not None


def test_a_photo_that_cannot_be_read_is_ignored_later_on(tmp_path: Path) -> None:
    dataset = open_dataset(write_street(tmp_path / "damaged"))
    image_id = dataset.ids[0]
    truth = dataset.label_map(image_id)
    photo, same = photo_and_truth(dataset, image_id)
    assert np.array_equal(same, truth) and photo.shape == (*truth.shape, 3)
    (dataset.root / "images" / dataset.images[image_id]["file_name"]).write_bytes(b"no photo")
    photo, ignored = photo_and_truth(dataset, image_id)
    assert photo.shape == (*truth.shape, 3) and ignored.shape == truth.shape and (ignored == IGNORE).all()


@pytest.mark.gpu
def test_a_run_trained_on_a_gpu_predicts_the_same_on_a_cpu(train: Train, street: Path) -> None:
    run = train()  # Accelerate takes the GPU by itself
    assert "CPU" not in run.provenance["device"]
    losses_ = [record["loss"] for record in run.history]
    assert np.isfinite(losses_).all() and losses_[-1] < losses_[0]
    on_cpu = scoring.test_counts(run.network("cpu"), open_dataset(street), run.ids, run.config)
    assert np.abs(on_cpu - run.counts).sum() <= 0.01 * run.counts.sum()

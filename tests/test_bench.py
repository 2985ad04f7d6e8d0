"""The comparisons on tiny data: contestants agree, disagreement is refused, the report keeps what was measured."""

import dataclasses
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import annotation, record, rectangle, write_coco
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from reporting import ENTRY

from modanet_utils import losses, metrics, model
from modanet_utils.classes import CLASSES, IGNORE
from modanet_utils.datasets.coco import open_dataset
from modanet_utils.project import ROOT
from modanet_utils.report import speed
from modanet_utils.training import start
from modanet_utils.training.devices import accelerator_for
from modanet_utils.training.loop import build_loss, training_target
from modanet_utils.trials import TRIALS, TrialConfig, trial_config
from tests.bench import bench, epochs, files, full, scoring, steps, turns
from tests.bench.turns import AS_TRAINED, BenchError, Options


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """Six images of 20x30 with a top and a belt on it, which the file lists first."""
    things = [
        annotation(i, label, [rectangle(*box)])
        for i in range(1, 7)
        for label, box in ((2, (5, 9, 10, i % 3 + 1)), (9, (4, 3, 12, 12)))
    ]
    folder = write_coco(tmp_path / "coco", [record(i) for i in range(1, 7)], things, photos=False)
    return folder / "annotations.json"


@pytest.fixture
def options(annotations: Path, street: Path, tmp_path: Path) -> Options:
    return Options(
        street, annotations, rounds=2, epochs=1, sizes=(20, 40), scratch=tmp_path / "scratch", runs=tmp_path / "kept"
    )


# -------------------------------------------------------------------------------------- in turns


def test_contestants_take_turns_and_the_first_round_is_not_counted() -> None:
    calls: list[str] = []
    seconds = turns.in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 3)
    assert calls == ["b", "a", "a", "b", "b", "a", "a", "b"]
    assert [len(told) for told in seconds.values()] == [3, 3]


def test_the_ratio_is_taken_round_by_round() -> None:
    entry = turns.compared("x", "y", {"theirs": [2.0, 9.0, 4.0], "ours": [1.0, 3.0, 4.0]}, "theirs", "ours")
    assert entry["ratio"] == {"median": 2.0, "low": 1.0, "high": 3.0, "rounds": 3}
    assert entry["seconds"] == {"theirs": 4.0, "ours": 3.0} and entry["ratio_is"] == "theirs / ours"


def test_seconds_are_those_of_the_contestant() -> None:
    seconds = turns.in_turns({"slow": lambda: time.sleep(0.02), "quick": lambda: None}, 1, warm=False)
    assert seconds["slow"][0] >= 0.02 > seconds["quick"][0]


# -------------------------------------------------------------------------------------- comparisons


def check(entry: dict[str, Any]) -> None:
    ratio = entry["ratio"]
    assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
    assert all(value > 0 for value in entry["seconds"].values()) and entry["what"] and entry["data"]
    json.dumps(entry, allow_nan=False)


def test_scan_open_and_scale(options: Options) -> None:
    scanned, opened, scaled = files.scan(options), files.opening(options), files.scale(options)
    for entry in (scanned, opened, scaled):
        check(entry)
    assert scanned["data"].startswith("6 images, 12 annotations")
    assert opened["data"].startswith("40 images, 80 annotations") and opened["peak_mebibytes"]["ours"] > 10
    assert list(scaled["sizes"]) == ["20", "40"] and scaled["sizes"]["40"]["objects"] == 80


def test_the_photos_of_an_lmdb(options: Options) -> None:
    entry = full.photos(options)
    check(entry)
    assert list(entry["seconds"]) == ["40 photos", "20 photos", "10 photos"] and entry["data"].startswith("40 made")
    assert all(peak > 10 for peak in entry["peak_mebibytes"].values())


def test_a_training_on_all_of_modanet_is_estimated(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full, "_reading", lambda *_: 0.01)
    told, recorded = full.full(options), json.loads(bench.REPORT.read_text())
    kept = {key: value for key, value in recorded["modanet"].items() if key not in ("provenance", "seconds_to_read")}
    assert told["operations"] == kept["operations"] and told["photos"] == kept["photos"] == {
        "train": 31352,
        "val": 13064,
    }
    assert told["hours"]["computing"] == kept["hours"]["computing"] == sorted(told["hours"]["computing"])
    assert told["hours"]["reading"] == pytest.approx(15 * (31352 + 13064) * 0.01 / 8 / 3600)
    work = 15 * told["operations"]["forward"] * (3 * 31352 + 13064)
    assert told["hours"]["computing"][0] == pytest.approx(work / 10e12 / 3600)
    step = recorded["step"]["variants"][AS_TRAINED]["seconds"]
    small = told["operations"]["forward"] / told["operations"]["ratio"]
    assert told["hours"]["cpu"] == pytest.approx(work / (3 * small * 8 / step) / 3600)
    assert bench.line("modanet", told).endswith("hours for a training of profile modanet (an estimate)")
    with pytest.raises(BenchError, match="has no entry 'step'"):
        full.full(Options(options.data, None, report=options.scratch / "none.json"))


def test_the_operations_of_a_network_are_counted() -> None:
    one, two = (full.operations(TrialConfig(image_height=side, image_width=64)) for side in (64, 128))
    assert one < two < 2.1 * one, "all but a few are convolutions over the picture"


def test_score(options: Options) -> None:
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed: pip install -e '.[bench]'")
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install -e '.[bench]'")
    entry = scoring.score(options)
    check(entry)
    assert set(entry["seconds"]) == {"ours", "torchmetrics", "scikit-learn"}


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network, its input and batches small enough for a test."""
    config = TrialConfig

    def small(**values: Any) -> TrialConfig:
        return config(**({"image_height": 64, "image_width": 32, "batch_size": 4, "epochs": 2} | values))

    for module in (steps, epochs):
        monkeypatch.setattr(module, "TrialConfig", small)


def test_loss_loop_and_predict(options: Options, narrow: None) -> None:
    measured = steps.loss(options, repeats=1)
    check(measured)
    assert set(measured["seconds"]) == {"combined loss", "cross-entropy", "SMP losses"}
    looped = epochs.loop(options)
    check(looped)
    assert looped["ratio"]["rounds"] == options.epochs and set(looped["pipeline"]) == {"decoding", "remembered"}
    check(epochs.predict(options))


def test_remedies(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that differ in nothing that takes time are measured once."""

    def small(name: str, data_root: Path) -> TrialConfig:
        size = {"image_height": 64, "image_width": 32, "batch_size": 4, "epochs": 2, "encoder_weights": None}
        return trial_config(name, data_root).but(**size)

    monkeypatch.setattr(epochs, "trial_config", small)
    chosen = [
        TRIALS[name] for name in ("combined_body_long", "combined_body_tagged_long", "combined_body_tagged_larger")
    ]
    monkeypatch.setattr(epochs, "trained", lambda *_: chosen)
    told = epochs.remedies(dataclasses.replace(options, epochs=2, photos=None), share=1)
    check(told)
    assert told["epochs"].keys() == {"combined", *(trial.name for trial in chosen)}
    assert told["epochs"]["combined_body_long"] == told["epochs"]["combined_body_tagged_long"]


def test_trials(options: Options, narrow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tried variant is trained as its name says, once; the change is that to the trial as it is."""
    seen: list[tuple[int | None, str]] = []
    train = start.train

    def trained(config: TrialConfig, *more: Any) -> Any:
        seen.append((config.lovasz_bins, config.mixed_precision))
        return train(config, *more)

    monkeypatch.setattr(start, "train", trained)
    entry = steps.trials(options)
    assert seen == [(losses.LOVASZ_BINS, "no"), (None, "no"), (losses.LOVASZ_BINS, "bf16")]
    base, told = entry["trials"][AS_TRAINED]["mean_iou"], entry["trials"]
    assert list(told) == [AS_TRAINED, *steps.TRIED]
    for name in steps.TRIED:
        (value, (low, high)), own = told[name]["difference"], told[name]["mean_iou"]
        assert value == pytest.approx(own[0] - base[0]) and low <= value <= high
    assert steps.trials(options) == entry and len(seen) == 3, "finished trials are read, not trained again"
    assert {folder.name for folder in (options.scratch.parent / "kept").iterdir()} == {"lovasz_exact", "bf16"}
    assert bench.line("trials", entry).startswith(f"trials   {AS_TRAINED} {base[0]:.3f} [")


def test_the_recorded_trials_are_those_that_are_kept() -> None:
    recorded = json.loads(bench.REPORT.read_text())["trials"]["trials"]
    kept = {name: Options.runs / folder for name, folder in steps.TRIED.items()}
    kept[AS_TRAINED] = ROOT / "reports" / "ccp" / "runs" / "combined"
    assert recorded.keys() == kept.keys()
    for name, folder in kept.items():
        with np.load(folder / "counts.npz") as arrays:
            counts = arrays["counts"]
        assert recorded[name]["mean_iou"][0] == pytest.approx(metrics.clothing_mean_iou(counts.sum(0)), abs=1e-12)
        config = TrialConfig(**json.loads((folder / "config.json").read_text()))
        variant = steps.VARIANTS[name]
        assert config.lovasz_bins == variant.lovasz_bins and config.loss == "combined"
        assert config.mixed_precision == ("bf16" if variant.bf16 else "no")


def test_every_variant_of_the_step_is_what_its_name_says(
    street: Path, narrow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    adam = torch.optim.AdamW

    def optimizer(parameters: Any, *arguments: Any, **options: Any) -> torch.optim.Optimizer:
        seen["learning"], seen["fused"] = sum(p.numel() for p in parameters), bool(options["fused"])
        last = torch.channels_last
        seen["last"] = any(p.ndim == 4 and p.is_contiguous(memory_format=last) > p.is_contiguous() for p in parameters)
        return adam(parameters, *arguments, **options)

    def autocast(device: str, dtype: torch.dtype | None = None, enabled: bool = True) -> Any:
        if dtype is not None:  # not that of a layer which takes itself out
            seen["bf16"] = enabled and dtype is torch.bfloat16
        return switch(device, dtype, enabled=enabled)

    switch = torch.autocast
    monkeypatch.setattr(torch, "autocast", autocast)
    monkeypatch.setattr(torch, "compile", lambda net: seen.update(compiled=True) or net)
    monkeypatch.setattr(torch.optim, "AdamW", optimizer)
    learning = {}
    for name, variant in steps.VARIANTS.items():
        seen.clear()
        assert min(steps.step_seconds(street, name, steps=1)) > 0
        assert seen["fused"] == variant.fused and seen.get("compiled", False) == variant.compiled
        assert seen["bf16"] == variant.bf16 and seen["last"] == variant.channels_last
        learning[name] = seen["learning"]
    assert learning.pop("decoder half as wide") < 0.9 * learning[AS_TRAINED]
    assert learning.pop("early encoder frozen") < learning[AS_TRAINED]
    assert set(learning.values()) == {learning[AS_TRAINED]}


def test_step(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variant in a process of its own, with the memory settings that it asks for."""
    told: list[tuple[str, str]] = []

    def measured(program: str, file: Path, name: str, variables: dict[str, str]) -> dict[str, Any]:
        told.append((name, variables["GLIBC_TUNABLES"]))
        return {"found": [2.0 if name == AS_TRAINED else 3.0, 9.0]}

    monkeypatch.setattr(steps, "measured", measured)
    entry = steps.step(options)
    check(entry)
    assert len(told) == options.rounds * len(steps.VARIANTS) == 2 * len(entry["variants"])
    assert {name for name, setting in told if setting != steps.HUGE_PAGES} == {steps.SMALL_PAGES}
    assert entry["ratio"]["median"] == entry["variants"]["fused AdamW"]["ratio"]["low"] == 1.5
    assert speed.variants_table(entry, {}).loc["fused AdamW"].to_list() == ["3", "9", "1.5 [1.5, 1.5]", "–"]


def test_the_makefile_sets_memory_as_it_is_measured() -> None:
    assert f"report trials: export GLIBC_TUNABLES ?= {steps.HUGE_PAGES}\n" in (ROOT / "Makefile").read_text()


def test_epoch(options: Options, narrow: None) -> None:
    entry = epochs.epoch(Options(options.data, None, rounds=1, minutes=1e-4))
    check(entry)
    for found in entry["same_time"].values():
        assert found["seconds"] > 0 and 0 <= found["val_mean_iou"] <= 1


def test_contestants_that_disagree_are_refused(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "usual_loop", lambda coco: np.zeros(14, np.int64))
    with pytest.raises(BenchError, match="disagree .pixels per class."):
        files.scan(options)


def test_the_losses_of_smp_are_summed_over_the_same_pixels() -> None:
    logits, target = torch.randn(2, len(CLASSES), 8, 6), torch.randint(len(CLASSES), (2, 8, 6))
    target[:, :2] = IGNORE
    value = steps.SMPLoss()(logits, target)
    other = logits.clone()
    other[:, :, :2] = 0
    assert value.isfinite() and torch.allclose(value, steps.SMPLoss()(other, target))


@pytest.mark.parametrize("settings", [{"loss": "cross_entropy"}, {"loss": "combined"}, {"lovasz_bins": None}], ids=str)
def test_nothing_waits_for_a_number_inside_the_step(settings: dict[str, Any]) -> None:
    """On the meta device tensors hold nothing: what would read one, and make a GPU wait, fails there."""
    config = TrialConfig(**({"loss": "combined"} | settings))
    criterion = build_loss(config, np.ones(len(CLASSES))).to("meta")
    net = model.build(weights=None).to("meta").train()
    optimizer = torch.optim.AdamW(net.parameters())
    photos, truth = (torch.zeros(shape, dtype=torch.uint8, device="meta") for shape in ((2, 3, 64, 32), (2, 64, 32)))
    loss = criterion(net(photos), training_target(truth, config.outputs))
    loss.backward()
    optimizer.step()
    assert loss.is_meta and all(term.is_meta for term in criterion.last_terms.values())
    with pytest.raises(RuntimeError, match="meta"):
        loss.item()


def test_copies_to_a_device_do_not_wait() -> None:
    assert accelerator_for(TrialConfig()).non_blocking


def test_the_combined_loss_costs_little_beside_smps() -> None:
    """The loss alone, forward and backward: the bound is far from the measured ratio, so that a busy machine passes."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn((2, len(CLASSES), 144, 96), generator=generator).requires_grad_()
    target = torch.randint(len(CLASSES), (2, 144, 96), generator=generator)
    ours, theirs = losses.CombinedLoss(), steps.SMPLoss()
    contestants = {
        "ours": lambda: ours(logits, target).backward(),
        "SMP": lambda: theirs(logits, target).backward(),
    }
    seconds = turns.in_turns(contestants, 5)
    assert min(seconds["SMP"]) > 1.5 * min(seconds["ours"])


# -------------------------------------------------------------------------------------- report, command


def test_what_was_not_run_is_kept(annotations: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "bench.json"
    out.write_text(json.dumps({"loss": ENTRY, "scan": ENTRY}))
    given = ["--only", "scan", "--annotations", str(annotations), "--rounds", "1", "--out", str(out)]
    assert bench.main(given) == 0
    found = json.loads(out.read_text())
    assert found["loss"] == ENTRY and found["scan"]["data"].startswith("6 images")
    assert found["scan"]["provenance"]["device"] and set(found) == {"loss", "scan"}
    assert capsys.readouterr().out.startswith("scan ")


def test_what_is_absent_is_said_in_one_sentence_and_the_rest_is_measured(
    annotations: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, nowhere = tmp_path / "bench.json", tmp_path / "nowhere"
    assert bench.main(["--only", "loss,scan", "--data", str(nowhere), "--rounds", "1", "--out", str(out)]) == 2
    complaints = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0].split()[0] for line in complaints] == ["loss", "scan"]
    assert "is no converted data set: give --data" in complaints[0] and "none is given" in complaints[1]
    assert not out.exists()
    given = ["--only", "loss,scan", "--data", str(nowhere), "--annotations", str(annotations), "--rounds", "1"]
    assert bench.main([*given, "--out", str(out)]) == 2
    assert list(json.loads(out.read_text())) == ["scan"]


def test_an_unknown_comparison_is_refused(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "speed"])
    assert (
        "'speed' is no comparison; there are scan, loss, step, trials, loop, epoch, remedies, score, open"
        in capsys.readouterr().err
    )


def test_the_table_on_speed_holds_every_comparison() -> None:
    assert {*speed.COMPARED, "modanet"} == set(bench.COMPARISONS) and set(steps.VARIANTS) >= {AS_TRAINED}


def test_what_is_compared_with_is_pinned() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    for requirement in map(Requirement, extra):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_opened_files_hold_the_same(annotations: Path) -> None:
    dataset = open_dataset(annotations, annotations_only=True)
    coco, ours = (turns.measured(program, annotations)["found"] for program in (files.OPEN_COCO, files.OPEN_OURS))
    assert coco == ours == [len(dataset.ids), 12]


def test_a_measured_program_that_fails_is_reported(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="failed: FileNotFoundError"):
        turns.measured(files.OPEN_OURS, tmp_path / "nowhere.json")
